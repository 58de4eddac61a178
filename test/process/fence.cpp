// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A kernel that supports membarrier at first and refuses it later, as when a process enters a
// sandbox after it has already used registries. Nothing may be freed too early then.

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory_resource>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include "process/child.hpp"
#include "stress/stress.hpp"

namespace {

using namespace stress;

bool refuse_membarrier()
{
    std::array<sock_filter, 4> filter{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

/// Memory that is overwritten when it is freed, and never reused.
class spoiling_resource : public std::pmr::memory_resource
{
    void* do_allocate(std::size_t n, std::size_t align) override
    {
        return std::pmr::new_delete_resource()->allocate(n, align);
    }
    void do_deallocate(void* p, std::size_t n, std::size_t) override { std::memset(p, 0xee, n); }
    bool do_is_equal(memory_resource const& other) const noexcept override
    {
        return this == &other;
    }
};

using lock_free_registries = std::tuple<registry_of<snapshot::hazard_pointer, alloc::pmr>,
                                        registry_of<snapshot::rcu, alloc::pmr>>;

/// What the child does; returns 0 if all went well.
template <class Registry>
int churn_behind_a_sleeper()
{
    spoiling_resource memory;
    // Never destroyed: removed handlers cannot be freed, and the registry cannot wait for its
    // readers.
    auto& registry = *new Registry{alloc::pmr(&memory)};
    auto& birds = *new census;
    gate g;
    registry.register_handler(9, [&](event const& e) {
        if (e.value == 1)
            g.pass();
    });
    std::vector<handler_id> ids;
    for (int i = 0; i < 300; ++i)
        ids.push_back(registry.register_handler(i % 3, singing(birds)));
    std::thread sleeper([&] { registry.notify({1}); });
    g.expect(1);
    if (!refuse_membarrier())
        return 1;
    for (handler_id const id : ids)
        if (!registry.unregister(id))
            return 2;
    for (int i = 0; i < 500; ++i)
        registry.unregister(registry.register_handler(i % 3, singing(birds)));
    long tally = 0;
    registry.register_handler([](event const& e) { ++*e.tally; });
    registry.notify({0, &tally});
    if (tally != 1)
        return 3;
    if (birds.living.load() < 300)
        return 4;  // the sleeper is going to call them
    g.open();
    sleeper.join();
    return birds.misused.load() == 0 ? 0 : 5;
}

/// Waits for a handler that a sleeper is in the middle of, which takes a fence. Does not return.
template <class Registry>
int wait_behind_a_sleeper()
{
    auto& registry = *new Registry;
    gate g;
    handler_id const id = registry.register_handler([&](event const&) { g.pass(); });
    std::thread sleeper([&] { registry.notify({1}); });
    g.expect(1);
    if (!refuse_membarrier())
        return 1;
    process::silence();
    registry.unregister_and_wait(id);
    return 2;
}

BOOST_AUTO_TEST_SUITE(fence, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE_TEMPLATE(a_kernel_that_refuses_the_fence_later_lets_nothing_go_early, Registry,
                              lock_free_registries)
{
    BOOST_TEST(process::in_child([] { return churn_behind_a_sleeper<Registry>(); }) == 0);
}

// The manual: a wait can neither return, which might be too early, nor be woken.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_that_the_kernel_refuses_its_fence_ends_the_program, Registry,
                              lock_free_registries)
{
    BOOST_TEST(process::in_child([] { return wait_behind_a_sleeper<Registry>(); }) == -SIGABRT);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
