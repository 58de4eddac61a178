// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_TEST_SIGNALS2_SUPPORT_HPP
#define REGISTRY_IO_TEST_SIGNALS2_SUPPORT_HPP

// Each source file of cases is compiled twice, against Boost.Signals2 and against ours: it includes
// itself with SIDE set. A case writes what happens; both must write the same, expected text.

#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include <boost/signals2.hpp>
#include <boost/signals2/deconstruct_ptr.hpp>
#include <boost/test/unit_test.hpp>
#include <registry_io/signals2.hpp>
#include <registry_io/signals2/deconstruct_ptr.hpp>

namespace test {

struct compared_case
{
    char const* name;
    char const* expected;
    void (*run)(std::ostream&);
};
using compared_cases = std::vector<compared_case>;

struct registered
{
    registered(compared_cases& all, char const* name, char const* expected,
               void (*run)(std::ostream&))
    {
        all.push_back({name, expected, run});
    }
};

inline std::string outcome(compared_case const& c)
{
    std::ostringstream out;
    c.run(out);
    std::string text = out.str();
    if (!text.empty() && text.back() == ' ')
        text.pop_back();
    return text;
}

inline void compare(compared_cases const& theirs, compared_cases const& ours)
{
    BOOST_TEST_REQUIRE(theirs.size() == ours.size());
    for (std::size_t i = 0; i != ours.size(); ++i) {
        BOOST_TEST_CONTEXT(ours[i].name)
        {
            std::string const expected = outcome(theirs[i]);
            BOOST_TEST(expected == theirs[i].expected);
            BOOST_TEST(outcome(ours[i]) == expected);
        }
    }
}

}  // namespace test

// An anonymous namespace for the cases of one source file.
namespace theirs {
namespace s2 = boost::signals2;
namespace {
test::compared_cases cases;
}
}  // namespace theirs
namespace ours {
namespace s2 = registry_io::signals2;
namespace {
test::compared_cases cases;
}
}  // namespace ours

/// `CASE(name, "expected text") { out << ...; }`: words, with a blank after each.
#define CASE(name, expected)                                                                       \
    static void name(std::ostream&);                                                               \
    static test::registered const registered_##name(cases, #name, expected, &name);                \
    static void name([[maybe_unused]] std::ostream& out)

#endif
