// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The targets of the fuzzer: every preset, combinations that cover each policy, and mailboxes.

#ifndef REGISTRY_IO_TEST_FUZZ_TARGETS_HPP
#define REGISTRY_IO_TEST_FUZZ_TARGETS_HPP

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <registry_io.hpp>
#include <registry_io/queued/mailbox.hpp>

#include "async_machine.hpp"
#include "linked_machine.hpp"
#include "machine.hpp"
#include "mailbox_machine.hpp"
#include "wrappers_machine.hpp"

namespace fuzz {

struct target
{
    std::string name;
    /// Runs one program. Returns the number of its operations.
    std::function<unsigned long long(unsigned char const* data, std::size_t size)> run;
};

template <class Machine>
unsigned long long finish(Machine&& m)
{
    m.run();
    return m.operations();
}

/// If there are several choices, the first byte of the program selects one of `n`.
inline std::size_t choice(std::size_t n, unsigned char const*& data, std::size_t& size)
{
    if (n == 1 || size == 0)
        return 0;
    --size;
    return *data++ % n;
}

template <class... Registries>
target target_of(char const* name)
{
    std::vector<combination> const all{test::adapter<Registries>::describe(name)...};
    return {name, [all](unsigned char const* data, std::size_t size) {
                combination const& c = all[choice(all.size(), data, size)];
                return finish(machine(c, data, size));
            }};
}

template <class... Registries>
target async_target_of(char const* name)
{
    return {
        name, [name](unsigned char const* data, std::size_t size) {
            std::size_t const wish = choice(sizeof...(Registries), data, size);
            std::size_t i = 0;
            unsigned long long n = 0;
            ((i++ == wish ? void(n = finish(async_machine<Registries>(name, data, size))) : void()),
             ...);
            return n;
        }};
}

inline target firmware_target()
{
    return {"firmware", [](unsigned char const* data, std::size_t size) {
                return finish(linked_machine(data, size)) + finish(node_machine(data, size));
            }};
}

template <class... Mailboxes>
unsigned long long run_mailboxes(unsigned char const* data, std::size_t size)
{
    std::size_t const wish = choice(sizeof...(Mailboxes), data, size);
    std::size_t i = 0;
    unsigned long long n = 0;
    ((i++ == wish ? void(n = finish(mailbox_machine<Mailboxes>("mailbox", data, size))) : void()),
     ...);
    return n;
}
inline target mailbox_target()
{
    using namespace registry_io::queued;
    return {"mailbox",
            &run_mailboxes<mailbox<test::movable, 3, fail>,
                           mailbox<test::movable, 3, drop_newest, urgent_lane>,
                           mailbox<test::movable, 3, drop_oldest>,
                           mailbox<test::movable, 3, block<0>, urgent_lane>,
                           mailbox<test::movable, 3, test::by_thread, urgent_lane>,
                           mailbox<test::plain, 3, fail, urgent_lane, many_consumers>,
                           mailbox<test::plain, 3, drop_newest, measure_waits>,
                           mailbox<test::plain, 3, drop_oldest, urgent_lane>,
                           mailbox<test::plain, 3, block<0>, many_consumers>,
                           mailbox<test::plain, 3, test::by_thread>>};
}

inline target wrappers_target()
{
    return {"wrappers", [](unsigned char const* data, std::size_t size) {
                return finish(wrappers_machine(data, size));
            }};
}

template <class Snapshot, class Ordering, class Panic, class Alloc>
using one = registry_io::basic_registry<event, Snapshot, Ordering, Panic, Alloc>;

inline std::vector<target> const& targets()
{
    namespace snapshot = registry_io::snapshot;
    namespace ordering = registry_io::ordering;
    namespace panic = registry_io::panic;
    namespace alloc = registry_io::alloc;
    using fussy = ordering::basic_priority<fussy_key, fussy_before>;

    static std::vector<target> const all{
        target_of<registry_io::SyncRegistry<event>>("sync"),
        target_of<registry_io::RcuRegistry<event>>("rcu"),
        target_of<registry_io::LocalRegistry<event>>("local"),
        target_of<registry_io::FixedRegistry<event, 24>,
                  registry_io::FixedRegistry<event, 6>::with<alloc::fixed<6, 16 * 1024>>>("fixed"),
        target_of<
            one<snapshot::locked, ordering::priority, panic::catch_log, alloc::pmr>,
            one<snapshot::atomic_shared_ptr, ordering::priority, panic::catch_log, alloc::pmr>>(
            "baselines"),
        target_of<one<snapshot::hazard_pointer, fussy, panic::propagate, alloc::pmr>,
                  one<snapshot::rcu, ordering::fifo, panic::quarantine<2>, alloc::heap>,
                  one<snapshot::single_thread, fussy, panic::collect<2>, test::null_on_failure>,
                  one<snapshot::hazard_pointer, ordering::priority, panic::terminate, alloc::pool>>(
            "mixed"),
        firmware_target(),
        mailbox_target(),
        wrappers_target(),
        async_target_of<
            registry_io::AsyncRegistry<async_event>,
            registry_io::AsyncRegistry<async_event>::with<snapshot::locked, panic::propagate>,
            registry_io::AsyncRegistry<async_event>::with<snapshot::single_thread,
                                                          panic::collect<2>>>("async"),
    };
    return all;
}

}  // namespace fuzz

#endif
