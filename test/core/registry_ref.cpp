// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace {

using threaded = registry_io::SyncRegistry<int>;
using ref = registry_io::registry_ref<int>;

static_assert(registry_io::registry_for<threaded, int>);
static_assert(registry_io::registry_for<registry_io::FixedRegistry<int, 4>, int>);
static_assert(registry_io::registry_for<threaded::with<registry_io::panic::collect<2>>, int>);
static_assert(registry_io::registry_for<ref, int>);
static_assert(!registry_io::registry_for<threaded, long>);
static_assert(!registry_io::registry_for<std::vector<int>, int>);
static_assert(sizeof(ref) == 2 * sizeof(void*));
static_assert(std::is_trivially_copyable_v<ref>);

void uses(ref r, std::string& log)
{
    auto const token = std::make_shared<int>();
    registry_io::handler_id const id =
        r.register_handler([&log, token](int n) { log += std::to_string(n); });
    {
        registry_io::handler_guard const g = r.register_guard(
            [&log, p = std::make_unique<int>(5)](int) { log += std::to_string(*p); });
        BOOST_TEST(r.size() == 2u);
        r.notify(1);
    }
    r.notify(2);
    BOOST_TEST(r.contains(id));
    BOOST_TEST(!r.empty());
    r.synchronize();
    BOOST_TEST(r.unregister(id));
    BOOST_TEST(!r.unregister(id));
    BOOST_TEST(token.use_count() == 1);
    BOOST_TEST(!r.unregister_and_wait(id));
    BOOST_TEST(r.unregister_and_wait(r.register_handler([](int) {})));
    r.register_handler([](int) {});
    BOOST_TEST(r.clear() == 1u);
    BOOST_TEST(r.empty());
}

// Generic code states what it needs.
template <class R>
    requires registry_io::registry_for<R, int>
void twice(R& r)
{
    r.notify(1);
    r.notify(2);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_reference_hides_the_policies)
{
    threaded a;
    registry_io::LocalRegistry<int> b;
    registry_io::FixedRegistry<int, 8> c;
    threaded::with<registry_io::panic::collect<2>, registry_io::ordering::fifo> d;
    registry_io::RcuRegistry<int> e;
    std::string log;
    uses(a, log);
    uses(b, log);
    uses(c, log);
    uses(d, log);
    uses(e, log);
    BOOST_TEST(log == "152152152152152");
}

BOOST_AUTO_TEST_CASE(a_reference_lets_exceptions_pass)
{
    threaded::with<registry_io::panic::propagate> a;
    ref const r(a);
    r.register_handler([](int) { throw std::runtime_error("out"); });
    BOOST_CHECK_THROW(r.notify(0), std::runtime_error);
    registry_io::FixedRegistry<int, 1> b;
    ref const s(b);
    s.register_handler([](int) {});
    BOOST_CHECK_THROW(s.register_handler([](int) {}), std::length_error);
    threaded c;
    ref const t(c);
    bool refused = false;
    t.register_handler([&](int) {
        try {
            t.synchronize();
        } catch (std::system_error const&) {
            refused = true;
        }
    });
    t.notify(0);
    BOOST_TEST(refused);
}

BOOST_AUTO_TEST_CASE(a_reference_refuses_empty_handlers)
{
    threaded a;
    ref const r(a);
    BOOST_CHECK_THROW(r.register_handler(std::function<void(int const&)>()), std::invalid_argument);
    void (*const null)(int const&) = nullptr;
    BOOST_CHECK_THROW(r.register_handler(null), std::invalid_argument);
    BOOST_TEST(a.empty());
}

BOOST_AUTO_TEST_CASE(generic_code_takes_registries_and_references)
{
    threaded a;
    int sum = 0;
    a.register_handler([&](int n) { sum += n; });
    ref r(a);
    twice(a);
    twice(r);
    BOOST_TEST(sum == 6);
}
