// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/panic_info.hpp>
#include <registry_io/registry.hpp>
#include <registry_io/version.hpp>

#include <boost/test/unit_test.hpp>

#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>

using registry_io::handler_id;
using registry_io::panic_info;

BOOST_AUTO_TEST_CASE(a_panic_info_says_who_failed_and_how)
{
    std::exception_ptr const thrown = std::make_exception_ptr(std::runtime_error("broken"));
    std::string_view message;
    try {
        std::rethrow_exception(thrown);
    } catch (std::exception const& e) {
        message = e.what();
    }
    panic_info const info(handler_id(3, 4), thrown, message);
    // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): the copy is the point.
    panic_info const copy = info;
    BOOST_TEST((copy.handler_id() == handler_id(3, 4)));
    BOOST_TEST((copy.exception() == thrown));
    BOOST_TEST(copy.message() == "broken");
    static_assert(std::is_same_v<decltype(copy.message()), std::string_view>);
    static_assert(std::is_nothrow_copy_constructible_v<panic_info>);
}

BOOST_AUTO_TEST_CASE(the_version_is_the_same_in_all_its_forms)
{
    std::string const text = REGISTRY_IO_VERSION_STRING;
    BOOST_TEST(registry_io::version() == text);
    constexpr int major = REGISTRY_IO_VERSION / 10000;
    constexpr int minor = REGISTRY_IO_VERSION / 100 % 100;
    constexpr int patch = REGISTRY_IO_VERSION % 100;
    BOOST_TEST(text ==
               std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(patch));
    static_assert(REGISTRY_IO_VERSION >= 10000);
}

BOOST_AUTO_TEST_CASE(an_update_result_compares)
{
    registry_io::update_result const nothing;
    BOOST_TEST(nothing.registered == 0u);
    BOOST_TEST(nothing.unregistered == 0u);
    BOOST_TEST((registry_io::update_result{1, 2} == registry_io::update_result{1, 2}));
    BOOST_TEST((registry_io::update_result{1, 2} != registry_io::update_result{2, 1}));
}
