// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_SYNTHETIC_HPP
#define REGISTRY_IO_PERF_SYNTHETIC_HPP

#include <cstddef>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <registry_io/handler_id.hpp>
#include <registry_io_perf/profile.hpp>

namespace registry_io_perf {

/// An event of the given size.
template <std::size_t Bytes>
struct sized_event
{
    unsigned char bytes[Bytes] = {1};
};

/// The exception that handlers of the synthetic workload throw.
struct planned_failure : std::exception
{
    char const* what() const noexcept override { return "a planned failure"; }
};

/// The counter to which the handlers of a thread add, so that threads share nothing.
inline constinit thread_local unsigned long handled = 0;
inline constinit thread_local double failure_debt = 0;

/// Notifies registries of one kind, and makes handlers for them. This template is for functions;
/// `registry_io_perf/asynchronous.hpp` has the specialization for coroutines. Use one object per
/// thread.
template <class Registry>
struct caller
{
    using event = typename Registry::event_type;

    /// Notifies. Throws what the panic policy lets through.
    void notify(Registry const& r, event const& e) { (void)r.notify(e); }

    /// Returns a handler that does what `f` does.
    template <class F>
    static F handler(F f)
    {
        return f;
    }

    /// Returns a handler that notifies another registry.
    static auto notifier(Registry const& inner)
    {
        return [to = &inner](event const& e) { (void)to->notify(e); };
    }
};

/// The workload that a profile describes, for one kind of registry.
///
/// Concurrency: as many threads as the profile says may call `run` at once, each with its own
/// index; only index 0 changes handlers.
template <template <class> class Registry, std::size_t Bytes>
class synthetic
{
    using event = sized_event<Bytes>;
    using registry = Registry<event>;

public:
    /// Creates the registries and registers the handlers. Throws what these operations throw.
    explicit synthetic(profile p) : profile_(std::move(p)), states_(count(profile_.threads))
    {
        for (long level = 0; level <= profile_.nesting; ++level)
            for (long r = 0; r < profile_.registries; ++r)
                slots_.push_back(make(level, r));
    }

    synthetic(synthetic const&) = delete;
    synthetic& operator=(synthetic const&) = delete;

    long threads() const noexcept { return profile_.threads; }

    /// Notifies `times` times, and makes the changes that belong to that many notifies.
    void run(long times, long thread)
    {
        state& s = states_[count(thread)];
        event e;
        for (long i = 0; i < times; ++i) {
            registry const& r = slots_[s.next]->registry_;
            s.next = s.next + 1 == count(profile_.registries) ? 0 : s.next + 1;
            if (profile_.failures > 0)
                notify_failing(s, r, e);
            else
                s.call.notify(r, e);
            if (thread == 0 && profile_.changes > 0)
                for (s.debt += profile_.changes; s.debt >= double(profile_.batch);
                     s.debt -= double(profile_.batch))
                    replace(
                        slots_[s.next == 0 ? count(profile_.registries) - 1 : s.next - 1].get());
        }
    }

    /// Replaces `times` handlers of the first registry, one batch at a time.
    void change(long times)
    {
        for (; times > 0; times -= profile_.batch)
            replace(slots_[0].get());
    }

private:
    /// Returned as a prvalue, since a registry cannot be moved.
    static registry make_registry(long pool)
    {
        if constexpr (std::is_constructible_v<typename registry::alloc_policy, std::size_t>)
            if (pool > 0)
                return registry(typename registry::alloc_policy(count(pool)));
        return registry();
    }

    struct slot
    {
        explicit slot(long pool) : registry_(make_registry(pool)) {}

        registry registry_;
        std::vector<registry_io::handler_id> ids;
        std::size_t oldest = 0;
        long made = 0;
        long index = 0;
    };

    struct alignas(128) state
    {
        std::size_t next = 0;
        double debt = 0;
        caller<registry> call = {};
    };

    static std::size_t count(long n) noexcept { return static_cast<std::size_t>(n); }

    std::unique_ptr<slot> make(long level, long r)
    {
        auto made = std::make_unique<slot>(profile_.pool);
        made->index = r;
        if constexpr (registry::panic_policy::reports)
            if (profile_.failures > 0)
                made->registry_.on_panic([](auto const&) {});
        if (level > 0) {
            add(made->registry_, 0, caller<registry>::notifier(slots_[count(r)]->registry_));
        }
        long const n = profile_.handlers[count(r) % profile_.handlers.size()];
        for (long i = 0; i < n; ++i)
            made->ids.push_back(add_next(made->registry_, *made));
        // Threads notify the outermost level, which comes first.
        if (level > 0)
            std::swap(made, slots_[count(r)]);
        return made;
    }

    template <class Target, class F>
    static registry_io::handler_id add(Target& to, long n, F f)
    {
        if constexpr (std::is_void_v<typename registry::key_type>)
            return to.register_handler(std::move(f));
        else
            return to.register_handler(static_cast<int>(n % 4), std::move(f));
    }

    template <class Target>
    registry_io::handler_id add_next(Target& to, slot& s)
    {
        long const n = s.made++;
        long const work = profile_.work[count(n) % profile_.work.size()];
        if (profile_.failures > 0)
            return add(to, n,
                       caller<registry>::handler([work, share = profile_.failures](event const& e) {
                           handled = work_steps(handled + e.bytes[0], work);
                           if ((failure_debt += share) >= 1) {
                               failure_debt -= 1;
                               throw planned_failure();
                           }
                       }));
        if (work == 0)
            return add(to, n, caller<registry>::handler([n](event const& e) {
                           handled += e.bytes[0] * static_cast<unsigned long>(n);
                       }));
        return add(to, n, caller<registry>::handler([work](event const& e) {
                       handled = work_steps(handled + e.bytes[0], work);
                   }));
    }

    static void notify_failing(state& s, registry const& r, event const& e)
    {
        if constexpr (registry::panic_policy::isolates)
            s.call.notify(r, e);
        else
            try {
                s.call.notify(r, e);
            } catch (planned_failure const&) {
            }
    }

    void replace(slot* s)
    {
        if (s->ids.empty())
            s->ids.push_back(add_next(s->registry_, *s));
        auto const next = [s] {
            s->oldest = s->oldest + 1 >= s->ids.size() ? 0 : s->oldest + 1;
            return &s->ids[s->oldest];
        };
        if (profile_.batch == 1) {
            registry_io::handler_id* const id = next();
            if ((waiting_debt_ += profile_.waiting) >= 1) {
                waiting_debt_ -= 1;
                s->registry_.unregister_and_wait(*id);
            } else {
                s->registry_.unregister(*id);
            }
            *id = add_next(s->registry_, *s);
            return;
        }
        s->registry_.update([&](auto& tx) {
            long const most = static_cast<long>(s->ids.size());
            for (long i = 0; i < profile_.batch && i < most; ++i) {
                registry_io::handler_id* const id = next();
                tx.unregister(*id);
                *id = add_next(tx, *s);
            }
        });
        if ((waiting_debt_ += profile_.waiting) >= 1) {
            waiting_debt_ -= 1;
            s->registry_.synchronize();
        }
    }

    profile profile_;
    std::vector<std::unique_ptr<slot>> slots_;
    std::vector<state> states_;
    double waiting_debt_ = 0;
};

}  // namespace registry_io_perf

#endif
