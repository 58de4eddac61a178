// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// liburcu's memb flavour, whose writers use membarrier like ours.

// Inlines the functions of the read side.
#define _LGPL_SOURCE
#include <urcu/urcu-memb.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "subject_of.hpp"

namespace perf {
namespace {

/// Readers hold the current table; writers replace it with a changed copy and pass the old one to
/// call_rcu, so removed handlers are destroyed later by liburcu's thread.
class urcu
{
    struct named
    {
        std::uint64_t id;
        std::function<void(int const&)> f;
    };
    struct table
    {
        rcu_head head;  // first: call_rcu passes back this address
        std::vector<named> all;
    };

public:
    struct declared
    {
        table* current = nullptr;
        std::mutex mutex;
    };
    using token_type = std::uint64_t;

    urcu() { enter(); }
    urcu(urcu const&) = delete;
    urcu& operator=(urcu const&) = delete;
    ~urcu() { delete all_.current; }

    void enter()
    {
        if (entered++ == 0)
            urcu_memb_register_thread();
    }
    void leave()
    {
        if (--entered == 0)
            urcu_memb_unregister_thread();
    }
    void settle() { urcu_memb_barrier(); }

    template <class F>
    token_type add(F f)
    {
        std::lock_guard<std::mutex> lock(all_.mutex);
        auto* const next = new table;
        if (all_.current != nullptr) {
            next->all.reserve(all_.current->all.size() + 1);
            next->all = all_.current->all;
        }
        next->all.push_back({next_, std::move(f)});
        replace(next);
        return next_++;
    }
    void remove(token_type id)
    {
        std::lock_guard<std::mutex> lock(all_.mutex);
        auto* const next = new table;
        next->all = all_.current->all;
        next->all.erase(std::lower_bound(next->all.begin(), next->all.end(), id,
                                         [](named const& n, std::uint64_t i) { return n.id < i; }));
        replace(next);
    }

    BOOST_FORCEINLINE void notify(int const& event) const
    {
        _urcu_memb_read_lock();
        if (table const* const now = rcu_dereference(all_.current))
            for (named const& n : now->all)
                n.f(event);
        _urcu_memb_read_unlock();
    }

private:
    void replace(table* next)
    {
        if (table* const old = rcu_xchg_pointer(&all_.current, next))
            urcu_memb_call_rcu(&old->head,
                               [](rcu_head* head) { delete reinterpret_cast<table*>(head); });
    }

    // How many registries in use by this thread need it to be registered with liburcu.
    inline static thread_local int entered = 0;

    declared all_;
    std::uint64_t next_ = 0;
};

}  // namespace

std::vector<kind> urcu_kinds()
{
    // An exception would leave the read lock held.
    return {{.name = "liburcu",
             .threads = true,
             .readers = true,
             .copies = true,
             .make = &make<urcu, int>}};
}

}  // namespace perf
