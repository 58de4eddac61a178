// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The same tests in a sandbox whose kernel does not support membarrier.

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace {

bool refuse_membarrier()
{
    ::setenv("REGISTRY_IO_STRESS_MS", "40", 0);  // the other program gives each case its time
    // System call numbers differ between architectures, but this filter applies only to calls that
    // this program makes.
    std::array<sock_filter, 4> filter{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Runs before the first registration, which asks the kernel.
bool const refused = refuse_membarrier();

}  // namespace

#include "stress/churn.cpp"
#include "stress/prompt.cpp"
#include "stress/threads.cpp"

BOOST_AUTO_TEST_CASE(without_membarrier_the_fallback_is_taken)
{
    using registry_io::reclaim::fence_mode;
    BOOST_TEST(refused);
    BOOST_TEST((registry_io::reclaim::decide_fence_mode() == fence_mode::full));
}
