// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/presets/local.hpp>
#include <registry_io/presets/sync.hpp>

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using registry_io::ordering::basic_priority;

struct no_case
{
    bool operator()(std::string_view a, std::string_view b) const
    {
        return std::ranges::lexicographical_compare(a, b, [](unsigned char x, unsigned char y) {
            return std::tolower(x) < std::tolower(y);
        });
    }
};

/// Overloads operator&, so its address cannot be taken in the usual way, and is too large for the
/// tables.
struct coy_name
{
    std::string text;
    coy_name* operator&() = delete;
    coy_name const* operator&() const = delete;
};

struct by_name
{
    bool operator()(coy_name const& a, coy_name const& b) const { return a.text < b.text; }
};

// An order that is known only at run time.
struct by_rank
{
    std::vector<int> const* ranks;
    bool operator()(int a, int b) const
    {
        return (*ranks)[static_cast<std::size_t>(a)] < (*ranks)[static_cast<std::size_t>(b)];
    }
};

template <class Ordering>
using ordered = registry_io::SyncRegistry<int>::with<Ordering>;

// Keys of two words and more, of a type that cannot be default-constructed.
template <std::size_t Words>
struct wide
{
    explicit wide(long v) { words[Words - 1] = v; }
    long words[Words]{};
    friend bool operator<(wide const& a, wide const& b)
    {
        return a.words[Words - 1] < b.words[Words - 1];
    }
};

/// Can be copied, but not assigned.
struct constant_key
{
    explicit constant_key(int n) : number(n) {}
    int const number;
    friend bool operator>(constant_key a, constant_key b) { return a.number > b.number; }
};

/// Can be moved, but neither copied nor assigned.
struct once_movable_key
{
    explicit once_movable_key(int n) : number(n) {}
    once_movable_key(once_movable_key&&) = default;
    int number;
    friend bool operator>(once_movable_key const& a, once_movable_key const& b)
    {
        return a.number > b.number;
    }
};

template <std::size_t Alignment>
struct alignas(Alignment) aligned_key
{
    explicit aligned_key(int n) : number(n) {}
    int number;
    friend bool operator>(aligned_key const& a, aligned_key const& b)
    {
        return a.number > b.number;
    }
};

template <class Registry, class Key>
void registers_in_order(Registry& r, std::vector<Key> const& keys, std::vector<std::size_t>& log)
{
    for (std::size_t i = 0; i < keys.size(); ++i)
        r.register_handler(keys[i], [&log, i](int) { log.push_back(i); });
}

}  // namespace

BOOST_AUTO_TEST_CASE(keys_may_be_strings)
{
    ordered<basic_priority<std::string, std::less<>>> r;
    std::vector<std::size_t> log;
    registers_in_order(r, std::vector<std::string>{"pear", "apple", "fig", "apple"}, log);
    r.register_handler("banana", [&](int) { log.push_back(4); });
    r.register_handler([&](int) { log.push_back(5); });  // the empty string
    r.notify(0);
    BOOST_TEST(log == (std::vector<std::size_t>{5, 1, 3, 4, 2, 0}),
               boost::test_tools::per_element());
    std::vector<std::string> keys;
    r.for_each_handler([&](registry_io::handler_id, std::string const& k) { keys.push_back(k); });
    BOOST_TEST(keys == (std::vector<std::string>{"", "apple", "apple", "banana", "fig", "pear"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_default_comparator_lets_the_greater_key_go_first)
{
    ordered<basic_priority<std::string>> r;
    std::vector<std::size_t> log;
    registers_in_order(r, std::vector<std::string>{"b", "c", "a"}, log);
    r.notify(0);
    BOOST_TEST(log == (std::vector<std::size_t>{1, 0, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(keys_that_are_equivalent_fire_as_registered)
{
    ordered<basic_priority<std::string, no_case>> r;
    std::vector<std::size_t> log;
    registers_in_order(r, std::vector<std::string>{"B", "a", "b", "A"}, log);
    r.notify(0);
    BOOST_TEST(log == (std::vector<std::size_t>{1, 3, 0, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_comparator_may_have_state)
{
    std::vector<int> const ranks{5, 3, 9, 1};
    using ordering = basic_priority<int, by_rank>;
    // A default-constructed comparator has no ranks, so the object is passed to the constructor.
    ordered<ordering> r(registry_io::alloc::heap(), ordering(by_rank{&ranks}));
    std::vector<std::size_t> log;
    registers_in_order(r, std::vector<int>{0, 1, 2, 3, 1}, log);
    r.notify(0);
    BOOST_TEST(log == (std::vector<std::size_t>{3, 1, 4, 0, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(keys_may_lack_a_default)
{
    ordered<basic_priority<wide<2>, std::less<>>> two;
    ordered<basic_priority<wide<5>, std::less<>>> five;
    std::vector<std::size_t> log;
    registers_in_order(two, std::vector<wide<2>>{wide<2>(3), wide<2>(1), wide<2>(2)}, log);
    two.notify(0);
    registers_in_order(five, std::vector<wide<5>>{wide<5>(3), wide<5>(1), wide<5>(2)}, log);
    five.notify(0);
    BOOST_TEST(log == (std::vector<std::size_t>{1, 2, 0, 1, 2, 0}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(many_handlers_with_string_keys_agree_with_a_sorted_list)
{
    std::mt19937 random(7);
    ordered<basic_priority<std::string, std::less<>>> r;
    std::vector<std::pair<std::string, registry_io::handler_id>> expected;
    std::vector<std::size_t> log;
    for (std::size_t i = 0; i < 400; ++i) {
        // Longer than the small buffer of a string.
        std::string const key = std::to_string(random() % 60) + " a key that lies on the heap";
        expected.emplace_back(key, r.register_handler(key, [&log, i](int) { log.push_back(i); }));
    }
    std::ranges::shuffle(expected, random);
    while (expected.size() > 30) {
        BOOST_TEST_REQUIRE(r.contains(expected.back().second));
        BOOST_TEST_REQUIRE(r.unregister(expected.back().second));
        expected.pop_back();
    }
    std::ranges::sort(expected);  // by key, then by id
    std::vector<registry_io::handler_id> ids;
    r.for_each_handler([&](registry_io::handler_id id) { ids.push_back(id); });
    BOOST_TEST_REQUIRE(ids.size() == expected.size());
    for (std::size_t i = 0; i < ids.size(); ++i)
        BOOST_TEST((ids[i] == expected[i].second));
}

BOOST_AUTO_TEST_CASE(a_key_may_have_an_address_operator_of_its_own)
{
    registry_io::LocalRegistry<int>::with<basic_priority<coy_name, by_name>> r;
    std::string fired;
    r.register_handler(coy_name{"b"}, [&](int) { fired += 'b'; });
    r.register_handler(coy_name{"a"}, [&](int) { fired += 'a'; });
    r.notify(0);
    BOOST_TEST(fired == "ab");
}

BOOST_AUTO_TEST_CASE(a_key_is_converted_to_the_key_type)
{
    registry_io::LocalRegistry<int> r;
    std::vector<std::size_t> log;
    r.register_handler(short(1), [&](int) { log.push_back(0); });
    r.register_handler(2L, [&](int) { log.push_back(1); });
    r.notify(0);
    BOOST_TEST(log == (std::vector<std::size_t>{1, 0}), boost::test_tools::per_element());
}

namespace {

enum small_rank : unsigned char { low = 3, high = 200 };
enum huge_rank : unsigned { huge = 4000000000u };
struct converts_to_long
{
    long value;
    operator long() const { return value; }
};
struct converts_to_short
{
    operator short() const { return 5; }
};

/// Whether a handler has the expected key after it was registered in each of the ways.
template <class Key, class Priority>
bool keeps(Priority priority, Key expected)
{
    ordered<basic_priority<Key>> r;
    r.register_handler(priority, [](int) {});
    auto const guard = r.register_guard(priority, [](int) {});
    r.update([&](auto& tx) { tx.register_handler(priority, [](int) {}); });
    int equal = 0;
    r.for_each_handler([&](registry_io::handler_id, Key const& k) { equal += k == expected; });
    return equal == 3;
}

template <class Key, class Priority>
bool refuses(Priority priority)
{
    ordered<basic_priority<Key>> r;
    int refused = 0;
    auto const attempt = [&](auto f) {
        try {
            f();
        } catch (std::out_of_range const&) {
            ++refused;
        }
    };
    attempt([&] { r.register_handler(priority, [](int) {}); });
    attempt([&] { static_cast<void>(r.register_guard(priority, [](int) {})); });
    attempt([&] {
        r.update([&](auto& tx) {
            tx.register_handler([](int) {});
            tx.register_handler(priority, [](int) {});
        });
    });
    return refused == 3 && r.empty();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_number_becomes_a_key_with_its_value)
{
    BOOST_TEST((keeps<int>(7u, 7)));
    BOOST_TEST((keeps<int>(std::int64_t{-7}, -7)));
    BOOST_TEST((keeps<int>(true, 1)));
    BOOST_TEST((keeps<int>('a', 97)));
    BOOST_TEST((keeps<int>(high, 200)));
    BOOST_TEST((keeps<int>(converts_to_long{-4}, -4)));
    BOOST_TEST((keeps<int>(converts_to_short(), 5)));
    BOOST_TEST((keeps<bool>(1, true)));
    BOOST_TEST((keeps<signed char>(-128, static_cast<signed char>(-128))));
    BOOST_TEST((keeps<std::uint64_t>(1, std::uint64_t{1})));
    BOOST_TEST((keeps<unsigned>(huge, 4000000000u)));
    BOOST_TEST((keeps<double>(3, 3.0)));
    BOOST_TEST((keeps<double>(std::numeric_limits<std::int64_t>::min(), -0x1p63)));
    BOOST_TEST((keeps<float>(1.5, 1.5f)));
    BOOST_TEST((keeps<float>(1 << 30, 0x1p30f)));
    BOOST_TEST((keeps<double>(std::numeric_limits<double>::infinity(),
                              std::numeric_limits<double>::infinity())));
}

BOOST_AUTO_TEST_CASE(a_number_that_its_key_cannot_hold_is_refused)
{
    BOOST_TEST((refuses<int>(4000000000u)));
    BOOST_TEST((refuses<int>(std::int64_t{1} << 32)));
    BOOST_TEST((refuses<int>(huge)));
    BOOST_TEST((refuses<int>(converts_to_long{1L << 40})));
    BOOST_TEST((refuses<unsigned>(-1)));
    BOOST_TEST((refuses<std::uint64_t>(-1)));
    BOOST_TEST((refuses<signed char>(128)));
    BOOST_TEST((refuses<bool>(2)));
    BOOST_TEST((refuses<float>(0.1)));
    BOOST_TEST((refuses<float>((1 << 24) + 1)));
    BOOST_TEST((refuses<double>(std::numeric_limits<std::int64_t>::max())));
    BOOST_TEST((refuses<double>(std::numeric_limits<double>::quiet_NaN())));
    BOOST_TEST((refuses<float>(std::numeric_limits<double>::quiet_NaN())));
}

// CONTRACT: a key is what the ordering policy sorts by. None of these types can be stored in a
// table.
using unusual_keys = boost::mp11::mp_list<constant_key, once_movable_key, aligned_key<16>,
                                          aligned_key<64>, aligned_key<256>>;

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_need_be_neither_assignable_nor_aligned_as_a_word, Key,
                              unusual_keys)
{
    boost::mp11::mp_for_each<boost::mp11::mp_transform<
        std::type_identity,
        boost::mp11::mp_list<ordered<basic_priority<Key>>,
                             registry_io::LocalRegistry<int>::with<basic_priority<Key>>>>>(
        [](auto registry) {
            typename decltype(registry)::type r;
            std::vector<int> log;
            std::vector<registry_io::handler_id> ids;
            // Flat, in chunks, and flat again.
            for (int i = 0; i < 300; ++i)
                ids.push_back(r.register_handler(Key(i * 7 % 300),
                                                 [&log, i](int) { log.push_back(i * 7 % 300); }));
            auto const in_order = [&] {
                log.clear();
                r.notify(0);
                return std::ranges::is_sorted(log, std::greater());
            };
            BOOST_TEST(in_order());
            BOOST_TEST(log.size() == 300u);
            bool aligned = true;
            r.for_each_handler([&](registry_io::handler_id, Key const& key) {
                aligned = aligned && reinterpret_cast<std::uintptr_t>(&key) % alignof(Key) == 0;
            });
            BOOST_TEST(aligned);
            for (std::size_t i = 0; i < 290; ++i)
                BOOST_TEST(r.unregister(ids[i]));
            BOOST_TEST(in_order());
            BOOST_TEST(log.size() == 10u);
            r.update(
                [&](auto& tx) { tx.register_handler(Key(5), [&log](int) { log.push_back(5); }); });
            BOOST_TEST(in_order());
        });
}

// A comparator may take a lock of the program that is also held around a registration in `update`.
// So a transaction gives out ids without the writers' lock, under which keys are compared.
BOOST_AUTO_TEST_CASE(a_transaction_gives_out_ids_while_a_comparator_runs)
{
    struct shared
    {
        std::atomic<bool> is_held{false};
        std::atomic<bool> is_registered{false};
    };
    struct waiting
    {
        shared* s;
        bool operator()(int a, int b) const
        {
            if (s->is_held.exchange(false))
                s->is_registered.wait(false);
            return a > b;
        }
    };
    using ordering = basic_priority<int, waiting>;
    shared s;
    registry_io::SyncRegistry<int>::with<ordering> r(registry_io::alloc::heap(),
                                                     ordering(waiting{&s}));
    r.register_handler(1, [](int) {});
    s.is_held = true;
    std::thread compares([&] { r.register_handler(2, [](int) {}); });
    while (s.is_held)
        std::this_thread::yield();
    r.update([&](auto& tx) {
        tx.register_handler(3, [](int) {});
        s.is_registered = true;
        s.is_registered.notify_all();
    });
    compares.join();
    BOOST_TEST(r.size() == 3u);
}
