// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_TEST_NOEXCEPT_CONTRACT_HPP
#define REGISTRY_IO_TEST_NOEXCEPT_CONTRACT_HPP

#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include <boost/assert/source_location.hpp>
#include <boost/core/lightweight_test.hpp>
#include <boost/throw_exception.hpp>

#include <registry_io/handler_guard.hpp>
#include <registry_io/handler_id.hpp>

#ifndef BOOST_NO_EXCEPTIONS
#error "to be compiled without exceptions"
#endif

// Without exceptions a program must define what happens instead of a throw. Boost needs both.
namespace boost {
void throw_exception(std::exception const& e)
{
    std::cerr << "throw_exception: " << e.what() << '\n';
    std::abort();
}
void throw_exception(std::exception const& e, source_location const&)
{
    throw_exception(e);
}
}  // namespace boost

namespace test {

/// What every preset with priorities guarantees on a single thread.
template <class Registry>
void check_contract()
{
    static_assert(noexcept(std::declval<Registry const&>().notify(0)));
    using registry_io::handler_id;
    std::vector<int> seen;

    {  // an empty registry
        Registry r;
        r.notify(1);
        BOOST_TEST(r.empty());
        BOOST_TEST_EQ(r.size(), 0u);
        BOOST_TEST_EQ(r.clear(), 0u);
        BOOST_TEST(!r.unregister(handler_id()));
        r.synchronize();
    }
    {  // order, removal, ids
        Registry r;
        Registry other;
        handler_id const a = r.register_handler([&](int) { seen.push_back(1); });
        handler_id const b = r.register_handler(7, [&](int) { seen.push_back(2); });
        handler_id const c = r.register_handler([&](int) { seen.push_back(3); });
        handler_id const foreign = other.register_handler([](int) {});
        r.notify(1);
        BOOST_TEST((seen == std::vector<int>{2, 1, 3}));
        BOOST_TEST(a < b && b < c && a != foreign);
        BOOST_TEST(r.contains(a) && !r.contains(foreign));
        BOOST_TEST(!r.unregister(foreign));
        BOOST_TEST(r.unregister(a));
        BOOST_TEST(!r.unregister(a));
        BOOST_TEST(r.unregister_and_wait(c));
        BOOST_TEST_EQ(r.size(), 1u);
        std::vector<std::pair<handler_id, int>> walked;
        r.for_each_handler([&](handler_id id, int key) { walked.emplace_back(id, key); });
        BOOST_TEST((walked == std::vector<std::pair<handler_id, int>>{{b, 7}}));
        BOOST_TEST_EQ(r.clear(), 1u);
        BOOST_TEST(r.empty());
    }
    {  // guards
        Registry r;
        {
            auto const guard = r.register_guard([](int) {});
            auto kept = r.register_guard(1, [](int) {});
            BOOST_TEST(guard && r.contains(guard.id()));
            BOOST_TEST_EQ(r.size(), 2u);
            BOOST_TEST(r.contains(kept.release()));
        }
        BOOST_TEST_EQ(r.size(), 1u);
    }
    {  // a removal destroys the captures; a handler may remove itself, and add others
        Registry r;
        auto const capture = std::make_shared<int>(0);
        seen.clear();
        handler_id self;
        self = r.register_handler([&, capture](int n) {
            BOOST_TEST(r.unregister(self));
            BOOST_TEST(capture.use_count() >= 2);
            r.register_handler([&](int m) { seen.push_back(m); });
            seen.push_back(-n);
        });
        r.notify(1);
        BOOST_TEST_EQ(capture.use_count(), 1);
        r.notify(2);
        BOOST_TEST((seen == std::vector<int>{-1, 2}));
    }
    {  // several changes at once, move-only handlers, std::function, function pointers
        Registry r;
        seen.clear();
        handler_id const old = r.register_handler([](int) {});
        auto const done = r.update([&](auto& tx) {
            tx.unregister(old);
            tx.register_handler(
                2, [&, n = std::make_unique<int>(5)](int m) { seen.push_back(*n + m); });
            tx.register_handler(1, std::function<void(int)>([&](int m) { seen.push_back(m); }));
            tx.register_handler(static_cast<void (*)(int const&)>([](int const&) {}));
            r.notify(0);  // none of the changes is visible yet
        });
        BOOST_TEST_EQ(done.registered, 3u);
        BOOST_TEST_EQ(done.unregistered, 1u);
        r.notify(1);
        BOOST_TEST((seen == std::vector<int>{6, 1}));
    }
}

}  // namespace test

#endif
