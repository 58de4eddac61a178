// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Tutorial: write your own policy.

#include <registry_io.hpp>

#include <stdexcept>
#include <string>

#include <boost/core/lightweight_test.hpp>

// tag::alias[]
namespace rio = registry_io;
// end::alias[]

// tag::ordering[]
/// Handlers fire by name, in alphabetical order.
struct by_name
{
    using category = rio::axis::ordering;
    using key_type = std::string;

    bool before(std::string const& a, std::string const& b) const { return a < b; }
};
static_assert(rio::ordering_policy<by_name>);
// end::ordering[]

// tag::panic[]
/// Only counts failures.
struct count_failures
{
    using category = rio::axis::panic;
    static constexpr bool isolates = true;
    static constexpr bool reports = false;
    static constexpr bool logs = false;
    using result_type = unsigned;  // what notify returns
    struct handler_state
    {
    };

    template <class Notify>
    class scope
    {
    public:
        explicit scope(Notify const&) noexcept {}

        template <class Call, class Handler>
        rio::verdict invoke(Call call, Handler const&) noexcept
        {
            try {
                call();
            } catch (...) {
                ++failures_;
            }
            return rio::verdict::keep;
        }

        unsigned finish() noexcept { return failures_; }

    private:
        unsigned failures_ = 0;
    };

    [[noreturn]] static void fatal(char const* reason) noexcept { rio::fatal(reason); }
};
static_assert(rio::panic_policy<count_failures>);
// end::panic[]

int main()
{
    // tag::use[]
    rio::SyncRegistry<int>::with<by_name, count_failures> events;
    std::string order;
    events.register_handler("web", [&](int) { order += "web "; });
    events.register_handler("audit", [&](int) { order += "audit "; });
    events.register_handler("mail", [](int) { throw std::runtime_error("no mail"); });
    BOOST_TEST_EQ(events.notify(1), 1u);
    BOOST_TEST_EQ(order, "audit web ");
    // end::use[]
    return boost::report_errors();
}
