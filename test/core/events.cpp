// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/alloc/pool.hpp>
#include <registry_io/presets/local.hpp>
#include <registry_io/presets/rcu.hpp>
#include <registry_io/presets/sync.hpp>
#include <registry_io/queued/deferred.hpp>
#include <registry_io/registry_ref.hpp>

#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace {

using registries_of_int =
    boost::mp11::mp_list<registry_io::SyncRegistry<int>, registry_io::RcuRegistry<int>,
                         registry_io::LocalRegistry<int>,
                         registry_io::SyncRegistry<int>::with<registry_io::alloc::pool>>;

struct later;  // incomplete where the registry is declared

struct owner
{
    registry_io::SyncRegistry<later> events;
    registry_io::LocalRegistry<later> local;
};

void register_without_seeing(owner& o, int& calls)
{
    // Neither a registration nor a guard needs more than a reference to the event.
    o.events.register_handler([&calls](later const&) { ++calls; });
    o.local.register_handler([&calls](later const&) { ++calls; });
}

class hidden
{
public:
    static hidden& the()
    {
        static hidden h;
        return h;
    }
    int value = 7;

private:
    hidden() = default;
    ~hidden() = default;
};

struct counting
{
    counting() = default;
    counting(counting const& other) : copies(other.copies) { ++*copies; }
    counting(counting&& other) noexcept : copies(other.copies) { ++*copies; }
    int* copies = nullptr;
};

struct base
{
    virtual ~base() = default;
    virtual std::string name() const = 0;
};

struct derived : base
{
    std::string name() const override { return "derived"; }
};

/// Overloads operator&, so its address cannot be taken in the usual way.
struct coy
{
    coy* operator&() = delete;
    coy const* operator&() const = delete;
    int value = 0;
};

struct later
{
    later() = default;
    later(later const&) = delete;
    later& operator=(later const&) = delete;
    int value = 3;
};

}  // namespace

BOOST_AUTO_TEST_CASE(an_event_may_be_incomplete_where_the_registry_is_declared)
{
    owner o;
    int calls = 0;
    register_without_seeing(o, calls);
    o.events.register_handler([&calls](later const& e) { calls += e.value; });
    o.events.notify(later());
    o.local.notify(later());
    BOOST_TEST(calls == 5);
}

BOOST_AUTO_TEST_CASE(an_event_may_have_a_private_destructor)
{
    registry_io::SyncRegistry<hidden> r;
    int seen = 0;
    r.register_handler([&](hidden const& h) { seen = h.value; });
    r.notify(hidden::the());
    BOOST_TEST(seen == 7);
}

BOOST_AUTO_TEST_CASE(an_event_may_be_abstract)
{
    registry_io::RcuRegistry<base> r;
    std::string seen;
    r.register_handler([&](base const& b) { seen = b.name(); });
    r.notify(derived());
    BOOST_TEST(seen == "derived");
}

BOOST_AUTO_TEST_CASE(an_event_may_be_an_array_with_a_bound_or_a_union)
{
    union number
    {
        int i;
        float f;
    };
    int sum = 0;
    registry_io::SyncRegistry<int[2]> arrays;
    arrays.register_handler([&sum](int const(&both)[2]) { sum += both[0] + both[1]; });
    int const two[2] = {3, 4};
    arrays.notify(two);
    BOOST_TEST(sum == 7);
    registry_io::LocalRegistry<number> unions;
    unions.register_handler([&sum](number const& n) { sum += n.i; });
    unions.notify(number{5});
    BOOST_TEST(sum == 12);
}

BOOST_AUTO_TEST_CASE(an_event_may_have_an_address_operator_of_its_own)
{
    registry_io::SyncRegistry<coy> r;
    registry_io::LocalRegistry<coy> local;
    registry_io::registry_ref<coy> const ref(r);
    int sum = 0;
    r.register_handler([&](coy const& e) { sum += e.value; });
    local.register_handler([&](coy const& e) { sum += e.value; });
    r.notify({.value = 1});
    local.notify({.value = 10});
    ref.notify({.value = 100});
    BOOST_TEST(sum == 111);
}

BOOST_AUTO_TEST_CASE(events_are_never_copied)
{
    int copies = 0;
    counting e;
    e.copies = &copies;
    registry_io::SyncRegistry<counting> r;
    counting const* seen = nullptr;
    for (int i = 0; i < 140; ++i)
        r.register_handler(i, [&](counting const& c) { seen = &c; });
    r.notify(e);
    BOOST_TEST(copies == 0);
    BOOST_TEST(seen == &e);
}

BOOST_AUTO_TEST_CASE(a_handler_may_take_the_event_by_value)
{
    int copies = 0;
    counting e;
    e.copies = &copies;
    registry_io::SyncRegistry<counting> r;
    // NOLINTNEXTLINE(performance-unnecessary-value-param): by value is the point.
    r.register_handler([](counting) {});
    r.notify(e);
    BOOST_TEST(copies == 1);
}

BOOST_AUTO_TEST_CASE(a_temporary_event_lives_through_notify)
{
    registry_io::LocalRegistry<std::unique_ptr<int>> r;
    int seen = 0;
    r.register_handler([&](std::unique_ptr<int> const& p) { seen = *p; });
    r.notify(std::make_unique<int>(4));
    BOOST_TEST(seen == 4);
}

// CONTRACT: an event is passed by const&, wherever it is stored and however it is aligned.
BOOST_AUTO_TEST_CASE_TEMPLATE(an_event_may_be_aligned_more_than_a_word, Registry, registries_of_int)
{
    struct alignas(256) wide
    {
        int value;
    };
    typename Registry::template rebind_event<wide> r;
    int sum = 0;
    bool aligned = true;
    auto const check = [&](wide const& e) {
        aligned = aligned && reinterpret_cast<std::uintptr_t>(&e) % alignof(wide) == 0;
        sum += e.value;
    };
    r.register_handler([&](wide const& e) { check(e); });
    r.register_handler([&check, kept = wide{100}](wide const&) { check(kept); });
    r.notify({1});
    BOOST_TEST(sum == 101);
    BOOST_TEST(aligned);
}

BOOST_AUTO_TEST_CASE(an_event_in_a_queue_may_be_aligned_more_than_a_word)
{
    struct alignas(128) wide
    {
        int value;
    };
    registry_io::LocalRegistry<wide> r;
    registry_io::queued::deferred<wide, 3> queue;
    int sum = 0;
    bool aligned = true;
    r.register_handler([&](wide const& e) {
        aligned = aligned && reinterpret_cast<std::uintptr_t>(&e) % alignof(wide) == 0;
        sum += e.value;
    });
    for (int i = 1; i <= 3; ++i)
        queue.post({i});
    BOOST_TEST(queue.drain(r) == 3u);
    BOOST_TEST(sum == 6);
    BOOST_TEST(aligned);
}
