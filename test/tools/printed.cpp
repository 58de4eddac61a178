// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The program that test/printers inspects with gdb, which stops in `stop_here`.

#include <registry_io/handlers/once.hpp>
#include <registry_io/observe/gdb.hpp>
#include <registry_io/observe/named.hpp>
#include <registry_io/panic/catch_log.hpp>
#include <registry_io/presets.hpp>
#include <registry_io/presets/async.hpp>
#include <registry_io/queued/deferred.hpp>
#include <registry_io/queued/mailbox.hpp>
#include <registry_io/snapshot/atomic_shared_ptr.hpp>
#include <registry_io/snapshot/locked.hpp>

namespace rio = registry_io;

namespace {

struct reading
{
    int value;
};

struct adder
{
    int* to;
    void operator()(reading const& r) const { *to += r.value; }
};

void plain(reading const&) {}

template <class... Things>
[[gnu::noinline]] void stop_here(Things const&...)
{
    asm volatile("" ::: "memory");
}

/// The same few handlers in a registry with any policies.
template <class Registry>
void fill(Registry& r, int& sum)
{
    r.register_handler(3, adder{&sum});
    r.register_handler(7, rio::observe::name("audit", plain));
}

}  // namespace

int main()
{
    int sum = 0;
    rio::SyncRegistry<reading> empty;
    rio::SyncRegistry<reading> sync;
    rio::SyncRegistry<reading>::with<rio::observe::named<rio::panic::catch_log>> named;
    rio::RcuRegistry<reading> rcu;
    rio::LocalRegistry<reading> local;
    rio::SyncRegistry<reading>::with<rio::snapshot::locked> locked;
    rio::SyncRegistry<reading>::with<rio::snapshot::atomic_shared_ptr> shared;
    rio::AsyncRegistry<reading> async;
    fill(sync, sum);
    fill(named, sum);
    fill(rcu, sum);
    fill(local, sum);
    fill(locked, sum);
    fill(shared, sum);
    fill(async, sum);
    rio::SyncRegistry<reading> large;
    for (int i = 0; i < 1000; ++i)
        large.register_handler(i % 10, adder{&sum});
    rio::handler_id const no_id;
    rio::handler_id const id(3, 17);
    rio::handler_guard const no_guard;
    rio::handler_guard const guard = named.register_guard(rio::observe::name("guarded", plain));
    rio::handler_label const label("a label");
    rio::queued::deferred<reading, 8> queue;
    queue.post({1});
    queue.post({2});
    rio::queued::mailbox<reading, 4, rio::queued::drop_newest> mailbox;
    for (int i = 0; i < 6; ++i)
        static_cast<void>(mailbox.post({i}));
    static_cast<void>(mailbox.drain(sync, 1));
    named.notify({1});
    // The name is inside a wrapper.
    named.register_handler(-1, rio::once(rio::observe::name("hidden", plain)));
    stop_here(empty, sync, named, rcu, local, locked, shared, async, large, no_id, id, no_guard,
              guard, label, queue, mailbox);
}
