// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What every registry guarantees, whatever its policies: one test case for each law. It checks the
// law on each combination of a snapshot policy with the policies listed here. A source file that
// includes this header and contains
//
//     REGISTRY_IO_LAWS_OF(registry_io::snapshot::rcu)
//
// tests that snapshot policy. To add a policy of another axis, add it to a list below. To test your
// own policies, define a list before you include this header, as laws_of_ones_own.cpp does.

#ifndef REGISTRY_IO_TEST_LAWS_HPP
#define REGISTRY_IO_TEST_LAWS_HPP

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <iostream>
#include <memory>
#include <numeric>
#include <random>
#include <semaphore>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "laws_subject.hpp"

#ifndef REGISTRY_IO_LAWS_ORDERINGS
#define REGISTRY_IO_LAWS_ORDERINGS registry_io::ordering::fifo, registry_io::ordering::priority
#endif
#ifndef REGISTRY_IO_LAWS_PANICS
#define REGISTRY_IO_LAWS_PANICS                                                                    \
    registry_io::panic::catch_log, registry_io::panic::terminate, registry_io::panic::propagate,   \
        registry_io::panic::collect<2>, registry_io::panic::quarantine<3>
#endif
#ifndef REGISTRY_IO_LAWS_ALLOCS
#define REGISTRY_IO_LAWS_ALLOCS                                                                    \
    registry_io::alloc::heap, registry_io::alloc::pmr, registry_io::alloc::pool
#endif

namespace test {

using orderings = boost::mp11::mp_list<REGISTRY_IO_LAWS_ORDERINGS>;
using panic_policies = boost::mp11::mp_list<REGISTRY_IO_LAWS_PANICS>;
using allocs = boost::mp11::mp_list<REGISTRY_IO_LAWS_ALLOCS>;
/// Additional alloc policies for a single thread. They are combined with all orderings and panic
/// policies, but not with the other allocs.
using allocs_of_one_thread = boost::mp11::mp_list<registry_io::alloc::fixed<64, 48 * 1024>>;

// Compile time is the cost. With the optimiser or a sanitizer, which make it slow, only a third of
// the product is taken: each ordering with each panic policy, and each policy with each ordering.
#ifdef __OPTIMIZE__
inline constexpr std::size_t one_in = 3;
#else
inline constexpr std::size_t one_in = 1;
#endif

template <class Snapshot>
struct combinations_of
{
    template <class Ordering, class Panic, class Alloc>
    using one = registry_io::basic_registry<event, Snapshot, Ordering, Panic, Alloc>;

    template <std::size_t At, class Ordering, class Panic, class Alloc>
    static void add(std::vector<combination>& all)
    {
        if constexpr (At % one_in == 0) {
            all.push_back(adapter<one<Ordering, Panic, Alloc>>::describe(
                name_of<Snapshot>() + " " + name_of<Ordering>() + " " + name_of<Panic>() + " " +
                name_of<Alloc>()));
        }
    }

    template <class Allocs>
    static void add_all(std::vector<combination>& all)
    {
        using namespace boost::mp11;
        auto each = [&]<class O, class P, class A>(mp_list<O, P, A>) {
            add<mp_find<orderings, O>::value + mp_find<panic_policies, P>::value +
                    mp_find<Allocs, A>::value*(mp_size<Allocs>::value > 1),
                O, P, A>(all);
        };
        mp_for_each<mp_product<mp_list, orderings, panic_policies, Allocs>>(each);
    }

    static std::vector<combination> make()
    {
        std::vector<combination> all;
        add_all<allocs>(all);
        add<0, registry_io::ordering::priority, registry_io::panic::catch_log, null_on_failure>(
            all);
        if constexpr (!Snapshot::concurrent)
            add_all<allocs_of_one_thread>(all);
        return all;
    }
};

/// The combinations of this program; REGISTRY_IO_LAWS_OF defines the function.
std::vector<combination> const& combinations();

// ---------------------------------------------------------------------------------------------
// Stating expectations

inline std::string where;
inline int failures = 0;

// A function rather than one of Boost.Test's macros in each place, because those are slow to
// compile.
inline void expect(bool holds, char const* what, int line)
{
    // A failure in a loop would be repeated a thousand times.
    if (holds || ++failures > 20)
        return;
    BOOST_ERROR(what << " (line " << line << " of the laws) does not hold for " << where);
}
#define REGISTRY_IO_EXPECT(what) ::test::expect(static_cast<bool>(what), #what, __LINE__)

/// A registry on which a law is checked, and its memory, all of which must be freed at the end.
struct world
{
    explicit world(combination const& c) : of(c), s(c.make(memory)) {}
    world(world const&) = delete;
    world& operator=(world const&) = delete;
    ~world()
    {
        s.reset();
        REGISTRY_IO_EXPECT(memory.blocks() == 0);
        REGISTRY_IO_EXPECT(memory.bytes() == 0);
    }
    subject* operator->() const { return s.get(); }
    subject& operator*() const { return *s; }

    /// `n`, or the greatest number that leaves room for two more handlers.
    int at_most(int n) const
    {
        return of.capacity == 0 ? n : std::min(n, static_cast<int>(of.capacity) - 2);
    }

    combination const& of;
    counting_resource memory;
    std::unique_ptr<subject> s;
};

/// A test case that checks the law on each combination for which the condition holds. In its body,
/// `c` is the combination and `s` a registry of that kind.
#define REGISTRY_IO_LAW_IF(law, condition)                                                         \
    static void law##_holds(::test::combination const& c, ::test::world& s);                       \
    BOOST_AUTO_TEST_CASE(law, *boost::unit_test::timeout(250))                                     \
    {                                                                                              \
        ::test::failures = 0;                                                                      \
        for (::test::combination const& c : ::test::combinations()) {                              \
            if (!(condition))                                                                      \
                continue;                                                                          \
            ::test::where = c.name;                                                                \
            ::test::world s(c);                                                                    \
            law##_holds(c, s);                                                                     \
        }                                                                                          \
        BOOST_TEST(true);                                                                          \
    }                                                                                              \
    static void law##_holds([[maybe_unused]] ::test::combination const& c, ::test::world& s)
#define REGISTRY_IO_LAW(law) REGISTRY_IO_LAW_IF(law, true)

/// Counts how many captures that hold its token are alive.
struct probe
{
    std::shared_ptr<int> token = std::make_shared<int>(0);
    long alive() const { return token.use_count() - 1; }
};

using numbers = std::vector<int>;

inline function note(numbers& log, int n)
{
    return [&log, n](event const&) { log.push_back(n); };
}
inline function note(numbers& log, int n, probe const& p)
{
    return [&log, n, held = p.token](event const&) { log.push_back(n); };
}

/// Returns what one notify calls, in order.
inline numbers fired(subject& s, numbers& log)
{
    log.clear();
    s.notify(0);
    return std::exchange(log, {});
}

inline std::vector<handler_id> ids_of(subject& s)
{
    std::vector<handler_id> ids;
    ids.reserve(s.size());
    s.each([&ids](handler_id id, int) { ids.push_back(id); });
    return ids;
}

inline numbers upto(int n)
{
    numbers all(static_cast<std::size_t>(n));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

/// Whether `f` is refused because it would wait for itself.
template <class F>
bool deadlock_refused(F f)
{
    try {
        f();
    } catch (std::system_error const& e) {
        return e.code() == std::errc::resource_deadlock_would_occur;
    }
    return false;
}

/// A handler of one word; its log is stored elsewhere.
struct word_note : word::target
{
    word_note(numbers& l, int i) : word::target{&call_it}, log(&l), n(i) {}
    static void call_it(word::target& t, event const&)
    {
        auto& self = static_cast<word_note&>(t);
        self.log->push_back(self.n);
    }
    numbers* log;
    int n;
};

/// A model of what a registry should hold, simple enough to be obviously right: sorted by key, then
/// by id.
class model
{
public:
    struct row
    {
        int key;
        handler_id id;
        int n;
        friend bool operator<(row const& a, row const& b)
        {
            return a.key != b.key ? a.key > b.key : a.id < b.id;
        }
    };

    explicit model(bool k) : keyed(k) {}
    void add(int key, handler_id id, int n)
    {
        row const r{keyed ? key : 0, id, n};
        rows.insert(std::upper_bound(rows.begin(), rows.end(), r), r);
    }
    bool remove(handler_id id)
    {
        return std::erase_if(rows, [id](row const& r) { return r.id == id; }) != 0;
    }
    numbers firing() const
    {
        numbers all;
        for (row const& r : rows)
            all.push_back(r.n);
        return all;
    }
    bool agrees(subject& s) const
    {
        std::size_t i = 0;
        bool same = s.size() == rows.size() && s.empty() == rows.empty();
        s.each([&](handler_id id, int key) {
            same = same && i < rows.size() && rows[i].id == id && rows[i].key == key;
            ++i;
        });
        return same && i == rows.size();
    }

    std::vector<row> rows;
    bool keyed;
};

inline std::uint64_t seed()
{
    static std::uint64_t const value = [] {
        char const* const given = std::getenv("REGISTRY_IO_TEST_SEED");
        std::uint64_t const s =
            given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
        std::cout << "REGISTRY_IO_TEST_SEED=" << s << '\n';
        return s;
    }();
    return value;
}

/// Captures whose destructor runs a function.
struct at_end
{
    explicit at_end(std::function<void()> g) : f(std::move(g)) {}
    at_end(at_end const&) = delete;
    at_end& operator=(at_end const&) = delete;
    ~at_end() { f(); }
    std::function<void()> f;
};

}  // namespace test

#define REGISTRY_IO_LAWS_OF(...)                                                                   \
    std::vector<::test::combination> const& test::combinations()                                   \
    {                                                                                              \
        static std::vector<combination> const all = combinations_of<__VA_ARGS__>::make();          \
        return all;                                                                                \
    }

// ---------------------------------------------------------------------------------------------
// The matrix

BOOST_AUTO_TEST_CASE(the_combinations_of_policies_are_listed)
{
    for (test::combination const& c : test::combinations())
        std::cout << "laws: " << c.name << '\n';
    BOOST_TEST(!test::combinations().empty());
}

#include "laws_alloc.hpp"
#include "laws_ordering.hpp"
#include "laws_panic.hpp"
#include "laws_runs.hpp"
#include "laws_snapshot.hpp"

#endif
