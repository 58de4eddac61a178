// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The same tests for readers and writers that do not use the asymmetric fence, because the user has
// chosen the full fence.

#include <cstdlib>

#include <registry_io/reclaim/fence.hpp>

namespace {

// Runs before the first registration, which would otherwise make the choice.
bool wish()
{
    ::setenv("REGISTRY_IO_STRESS_MS", "40", 0);  // the other program gives each case its time
    return registry_io::reclaim::decide_fence_mode(registry_io::reclaim::fence_mode::full) ==
        registry_io::reclaim::fence_mode::full;
}
bool const granted = wish();

}  // namespace

#include "stress/churn.cpp"
#include "stress/prompt.cpp"
#include "stress/sleeper.cpp"
#include "stress/teardown.cpp"

BOOST_AUTO_TEST_CASE(the_fence_mode_is_the_one_that_was_wished_for)
{
    using registry_io::reclaim::fence_mode;
    BOOST_TEST(granted);
    BOOST_TEST((registry_io::reclaim::decide_fence_mode() == fence_mode::full));
}
