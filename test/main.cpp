// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// main() of every test program except those of noexcept/. The tests themselves do not define
// BOOST_TEST_MODULE; they only include <boost/test/unit_test.hpp>. Written out, because the macro
// would have to precede a precompiled header.
#include <boost/test/unit_test.hpp>

#if __has_include(<sys/resource.h>)
#include <algorithm>

#include <sys/resource.h>
#endif

/// Lets the stack grow to 64 MB: 200 nested notifies take more than the usual 8 MB, unoptimized and
/// with the address sanitizer.
static void allow_deep_stack()
{
#if __has_include(<sys/resource.h>)
    rlimit limit{};
    if (getrlimit(RLIMIT_STACK, &limit) != 0)
        return;
    limit.rlim_cur = std::min(limit.rlim_max, std::max(limit.rlim_cur, rlim_t(64) << 20));
    setrlimit(RLIMIT_STACK, &limit);
#endif
}

int main(int argc, char* argv[])
{
    allow_deep_stack();
    return boost::unit_test::unit_test_main([] { return true; }, argc, argv);
}
