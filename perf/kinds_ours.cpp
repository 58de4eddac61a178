// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// registry_io's own combinations of policies.

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include <registry_io.hpp>

#include "subject_of.hpp"

namespace perf {
namespace {

template <class Registry>
class adapter
{
    using event = typename Registry::event_type;

public:
    using declared = Registry;
    using token_type = registry_io::handler_id;

    adapter()
    {
        // Failures are passed to a callback, as in the bare loop.
        if constexpr (Registry::panic_policy::reports)
            told_ = [this](registry_io::panic_info const& info) {
                failures_ += info.message().empty() ? 0 : 1;
            };
    }

    template <class F>
    token_type add(F f)
    {
        tell(f);
        return registry_.register_handler(f);
    }

    template <class F>
        requires(!std::is_void_v<typename Registry::key_type>)
    token_type add(int priority, F f)
    {
        return registry_.register_handler(priority, f);
    }

    void can_add_at_once() const noexcept {}
    template <class Make>
    void add_at_once(long n, Make next, std::vector<token_type>& out)
    {
        registry_.update([&](auto& tx) {
            for (long i = 0; i < n; ++i)
                out.push_back(tx.register_handler(next()));
        });
    }

    void remove(token_type id) { registry_.unregister(id); }

    BOOST_FORCEINLINE void notify(event const& e) const { static_cast<void>(registry_.notify(e)); }

    BOOST_FORCEINLINE void notify_failing(event const& e) const
    {
        if constexpr (std::is_void_v<typename Registry::result_type>)
            registry_.notify(e);
        else
            failures_ += registry_.notify(e).empty() ? 0 : 1;
    }

    long failures() const noexcept
        requires Registry::panic_policy::isolates
    {
        return failures_;
    }

private:
    template <class F>
    void tell(F const&)
    {
        if constexpr (Registry::panic_policy::reports && std::is_same_v<F, fail<event>>)
            registry_.on_panic(told_);
    }

    struct nothing
    {
    };
    using callback =
        std::conditional_t<Registry::panic_policy::reports,
                           std::function<void(registry_io::panic_info const&)>, nothing>;

    Registry registry_;
    REGISTRY_IO_NO_UNIQUE_ADDRESS callback told_;
    mutable long failures_ = 0;
};

template <class Registry>
kind of(std::string_view name)
{
    using event = typename Registry::event_type;
    using panic = typename Registry::panic_policy;
    bool const threads = Registry::snapshot_policy::concurrent;
    return {.name = name,
            .ours = true,
            .variation = name.find(',') != name.npos,
            .threads = threads,
            .readers = threads,
            .fails = !std::is_same_v<panic, registry_io::panic::terminate>,
            .blocks =
                std::is_same_v<typename Registry::snapshot_policy, registry_io::snapshot::locked>,
            .event = sizeof(event),
            .make = &make<adapter<Registry>, event>};
}

}  // namespace

std::vector<kind> our_kinds()
{
    using namespace registry_io;
    using sync = SyncRegistry<int>;
    std::vector<kind> all{
        of<sync>("sync"),
        of<RcuRegistry<int>>("rcu"),
        of<LocalRegistry<int>>("local"),
        of<SyncRegistry<sized<64>>>("sync"),
        of<SyncRegistry<sized<1024>>>("sync"),
        of<sync::with<snapshot::locked>>("sync, locked"),
        of<sync::with<snapshot::atomic_shared_ptr>>("sync, atomic_shared_ptr"),
        of<sync::with<snapshot::basic_hazard_pointer<reclaim::batched<>>>>("sync, batched"),
        of<sync::with<snapshot::basic_hazard_pointer<reclaim::by_writers>>>("sync, by_writers"),
        of<sync::with<ordering::fifo>>("sync, fifo"),
        of<sync::with<panic::terminate>>("sync, terminate"),
        of<sync::with<panic::propagate>>("sync, propagate"),
        of<sync::with<panic::collect<8>>>("sync, collect"),
    };
    return all;
}

}  // namespace perf
