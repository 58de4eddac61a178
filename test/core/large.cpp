// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Registries of many thousands of handlers, whose tables have branches that fill, split, merge and
// disappear. The laws run every policy, but only with a few hundred handlers.

#include <registry_io/alloc/pmr.hpp>
#include <registry_io/ordering/fifo.hpp>
#include <registry_io/presets/local.hpp>
#include <registry_io/presets/sync.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <new>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "memory.hpp"

namespace {

using registry_io::handler_id;

using recorder = std::vector<std::uint64_t>;

/// A model of what a registry should hold: handlers sorted by key, the greater key first, and then
/// by id.
template <class Registry>
class subject
{
    using key_type = typename Registry::ordering_policy::key_type;
    static constexpr bool keyed = !std::is_void_v<key_type>;
    using key = std::conditional_t<keyed, key_type, int>;

    struct order
    {
        bool operator()(std::pair<key, handler_id> const& a,
                        std::pair<key, handler_id> const& b) const
        {
            return a.first != b.first ? a.first > b.first : a.second < b.second;
        }
    };

public:
    explicit subject(std::uint64_t seed) : random_(seed) {}

    std::size_t size() const { return rows_.size(); }

    /// Registers `n` handlers and removes some, in one transaction, unless an allocation fails.
    void change(std::size_t n, std::size_t removals)
    {
        std::vector<key> keys;
        for (std::size_t i = 0; i < n; ++i)
            keys.push_back(some_key());
        std::vector<handler_id> ids(n);
        std::set<std::pair<key, handler_id>> gone;
        for (std::size_t i = 0; i < removals && !rows_.empty(); ++i)
            gone.insert(some_row()->first);
        std::uint64_t const first = next_;
        next_ += n;
        try {
            // Each registration and removal is recorded and needs memory for that; the tables
            // change at the end.
            std::size_t const most = n + n / 4 + removals + 100;
            test::failing_allocation const fails(below(3) == 0 ? static_cast<long>(below(most))
                                                               : -1);
            registry_.update([&](auto& tx) {
                for (std::size_t i = 0; i < n; ++i)
                    ids[i] = register_at(tx, keys[i], first + i);
                for (auto const& g : gone)
                    tx.unregister(g.second);
            });
        } catch (std::bad_alloc const&) {
            ++failures_;
            return;
        }
        for (std::size_t i = 0; i < n; ++i)
            rows_.emplace(std::pair(keys[i], ids[i]), first + i);
        for (auto const& g : gone) {
            rows_.erase(g);
            gone_.push_back(g.second);
        }
    }

    /// One change at a time: removes one handler and adds another.
    void churn(std::size_t n)
    {
        for (std::size_t i = 0; i < n && !rows_.empty(); ++i) {
            take(some_row());
            add();
        }
    }

    void add()
    {
        key const k = some_key();
        handler_id const id = register_at(registry_, k, next_);
        rows_.emplace(std::pair(k, id), next_++);
    }

    /// Removes `n` handlers that fire one after the other.
    void cut(std::size_t n)
    {
        auto at = rows_.empty() ? rows_.end() : some_row();
        while (n-- != 0 && at != rows_.end())
            at = take(at);
    }

    void check()
    {
        recorder expected;
        for (auto const& row : rows_)
            expected.push_back(row.second);
        recorder log;
        registry_.notify(&log);
        BOOST_TEST((log == expected));
        BOOST_TEST(registry_.size() == rows_.size());
        std::vector<handler_id> ids;
        registry_.for_each_handler([&](handler_id id, auto const&...) { ids.push_back(id); });
        BOOST_TEST(
            std::equal(ids.begin(), ids.end(), rows_.begin(), rows_.end(),
                       [](handler_id id, auto const& row) { return id == row.first.second; }));
        for (int i = 0; i < 100 && !rows_.empty(); ++i)
            BOOST_TEST(registry_.contains(some_row()->first.second));
        for (handler_id const id : gone_)
            BOOST_TEST(!registry_.contains(id));
        gone_.clear();
    }

    long failures() const { return failures_; }

private:
    using rows = std::map<std::pair<key, handler_id>, std::uint64_t, order>;

    std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }

    key some_key()
    {
        // Long runs of one key beside many different keys.
        [[maybe_unused]] std::size_t const n = below(2) == 0 ? 500 : below(1000);
        if constexpr (!keyed)
            return 0;
        else if constexpr (std::is_arithmetic_v<key>)
            return static_cast<key>(n);
        else
            return "a key too long for a small string: " + std::to_string(n);
    }

    typename rows::iterator some_row()
    {
        auto at = rows_.lower_bound(std::pair(some_key(), handler_id()));
        for (std::size_t i = below(300); i != 0 && at != rows_.end(); --i)
            ++at;
        return at == rows_.end() ? rows_.begin() : at;
    }

    /// Works with a registry and with a transaction.
    template <class To>
    static handler_id register_at(To& to, [[maybe_unused]] key const& k, std::uint64_t number)
    {
        auto const small = [number](recorder* log) { log->push_back(number); };
        auto const large = [number, more = std::uint64_t(0)](recorder* log) {
            log->push_back(number + more);
        };
        if constexpr (!keyed)
            return number % 4 == 0 ? to.register_handler(large) : to.register_handler(small);
        else
            return number % 4 == 0 ? to.register_handler(k, large) : to.register_handler(k, small);
    }

    typename rows::iterator take(typename rows::iterator at)
    {
        BOOST_TEST(registry_.unregister(at->first.second));
        gone_.push_back(at->first.second);
        return rows_.erase(at);
    }

    std::mt19937_64 random_;
    Registry registry_;
    rows rows_;
    std::vector<handler_id> gone_;
    std::uint64_t next_ = 0;
    long failures_ = 0;
};

using registry_io::ordering::basic_priority;
using registries =
    std::tuple<registry_io::SyncRegistry<recorder*>, registry_io::LocalRegistry<recorder*>,
               registry_io::SyncRegistry<recorder*>::with<registry_io::ordering::fifo>,
               registry_io::LocalRegistry<recorder*>::with<basic_priority<std::string>>>;

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_very_large_registry_agrees_with_a_naive_model, Registry, registries)
{
    for (std::uint64_t const seed : {std::uint64_t{1}, std::uint64_t{2}}) {
        BOOST_TEST_CONTEXT("seed " << seed)
        {
            subject<Registry> s(seed);
            // Grows, stays at the top for a while, and shrinks.
            while (s.size() < 20'000) {
                s.change(seed == 1 ? 900 : 90, 10);
                for (int i = 0; i < 50; ++i)
                    s.add();
            }
            s.check();
            s.churn(2000);
            s.check();
            for (int i = 0; i < 20; ++i) {
                s.cut(300);
                s.change(200, 100);
            }
            s.check();
            while (s.size() > 50) {
                s.cut(s.size() % 1000);
                s.churn(20);
                s.change(10, 200);
                if (s.size() % 8 == 0)
                    s.check();
            }
            s.cut(50);
            s.check();
            BOOST_TEST(s.failures() > 10);
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_part_of_a_large_registry_may_be_emptied_between_full_ones, Registry,
                              registries)
{
    // Filled from front to back, so that all parts are full and have no room for the remaining rows
    // of the branch that is emptied. Rows 4096 to 8191 are the second branch.
    Registry registry;
    std::vector<handler_id> ids;
    for (std::uint64_t i = 0; i < std::uint64_t(3) * 4096; ++i) {
        auto const f = [i](recorder* log) { log->push_back(i); };
        if constexpr (std::is_same_v<typename Registry::key_type, std::string>)
            ids.push_back(registry.register_handler("the same for all", f));
        else
            ids.push_back(registry.register_handler(f));
    }
    auto const check = [&](std::uint64_t from, std::uint64_t to) {
        recorder expected;
        for (std::uint64_t i = 0; i < ids.size(); ++i)
            if (i < from || i >= to)
                expected.push_back(i);
        recorder log;
        registry.notify(&log);
        BOOST_TEST((log == expected));
        BOOST_TEST(registry.size() == expected.size());
    };
    for (std::uint64_t i = 4096; i < 8192; ++i)
        BOOST_TEST(registry.unregister(ids[i]));
    check(4096, 8192);
    for (std::uint64_t i = 4096; i-- != 1;)
        BOOST_TEST(registry.unregister(ids[i]));
    check(1, 8192);
    BOOST_TEST(registry.contains(ids[0]));
    BOOST_TEST(registry.contains(ids[8192]));
    BOOST_TEST(!registry.contains(ids[8191]));
    for (std::uint64_t i = 8192; i < std::uint64_t(3) * 4096; ++i)
        BOOST_TEST(registry.unregister(ids[i]));
    check(1, 3 * 4096);
}

BOOST_AUTO_TEST_CASE(a_handler_may_fire_last_of_a_full_part_of_a_large_registry)
{
    // The first branch of 4096 rows holds a single priority and has no room.
    registry_io::SyncRegistry<recorder*> registry;
    auto const add = [&](int priority, std::uint64_t n) {
        registry.register_handler(priority, [n](recorder* log) { log->push_back(n); });
    };
    for (std::uint64_t i = 0; i < 4096; ++i)
        add(1, i);
    for (std::uint64_t i = 0; i < 4096; ++i)
        add(0, 10'000 + i);
    add(1, 4096);
    recorder log;
    registry.notify(&log);
    BOOST_TEST(log.size() == 8193u);
    BOOST_TEST(std::is_sorted(log.begin(), log.end()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_large_registry_may_become_small_and_large_again_and_again, Registry,
                              registries)
{
    Registry registry;
    auto const f = [](recorder* log) { log->push_back(0); };
    auto const add = [&](auto& to) {
        if constexpr (std::is_same_v<typename Registry::key_type, std::string>)
            return to.register_handler("the same for all", f);
        else
            return to.register_handler(f);
    };
    auto const check = [&](std::size_t n) {
        recorder log;
        registry.notify(&log);
        BOOST_TEST(log.size() == n);
    };
    std::vector<handler_id> ids;
    // By single operations.
    for (int round = 0; round < 20; ++round) {
        while (ids.size() < 200)
            ids.push_back(add(registry));
        check(200);
        while (ids.size() > 10) {
            BOOST_TEST(registry.unregister(ids.back()));
            ids.pop_back();
        }
        check(10);
    }
    // All at once.
    for (int round = 0; round < 20; ++round) {
        std::vector<handler_id> const old = std::exchange(ids, {});
        registry.update([&](auto& tx) {
            tx.clear();
            for (int i = 0; i < 200; ++i)
                ids.push_back(add(tx));
        });
        check(200);
        for (handler_id const id : old)
            BOOST_TEST(!registry.contains(id));
        for (handler_id const id : ids)
            BOOST_TEST(registry.contains(id));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_notify_of_a_large_registry_does_not_run_what_its_handlers_append,
                              Registry, registries)
{
    Registry registry;
    auto const add = [&](auto f) {
        if constexpr (std::is_same_v<typename Registry::key_type, std::string>)
            registry.register_handler("the same for all", f);
        else
            registry.register_handler(f);
    };
    auto const simple = [](recorder* log) { log->push_back(0); };
    add([&](recorder* log) {
        log->push_back(0);
        add(simple);
    });
    // The last chunk has room for more.
    for (int i = 1; i < 200; ++i)
        add(simple);
    for (std::size_t n = 200; n < 210; ++n) {
        recorder log;
        registry.notify(&log);
        BOOST_TEST(log.size() == n);
    }
}

BOOST_AUTO_TEST_CASE(ids_are_found_however_often_handlers_come_and_go)
{
    // As many handlers as the index holds before it grows, so that it is full and still small: a
    // probe that starts at its end continues at its beginning. Those with the key of the first
    // ones, of which there are enough for a table in chunks, are not in it.
    registry_io::LocalRegistry<recorder*> registry;
    for (int i = 0; i < 130; ++i)
        registry.register_handler([](recorder*) {});
    std::mt19937 random(1);
    std::vector<handler_id> ids(192);
    for (handler_id& id : ids)
        id = registry.register_handler(1, [](recorder*) {});
    int lost = 0;
    for (int i = 0; i < 20'000; ++i) {
        handler_id& id = ids[random() % ids.size()];
        lost += !registry.unregister(id);
        lost += registry.contains(id);
        id = registry.register_handler(1, [](recorder*) {});
    }
    for (handler_id const id : ids)
        lost += !registry.contains(id);
    BOOST_TEST(lost == 0);
}

BOOST_AUTO_TEST_CASE(a_registry_that_has_shrunk_gives_its_memory_back)
{
    using registry_type = registry_io::SyncRegistry<recorder*>::with<registry_io::alloc::pmr>;
    test::counting_resource memory;
    registry_type r{registry_io::alloc::pmr(&memory)};
    std::vector<handler_id> ids;
    for (int i = 0; i < 50'000; ++i)
        ids.push_back(r.register_handler(i, [](recorder*) {}));
    std::shuffle(ids.begin(), ids.end(), std::mt19937(1));
    while (ids.size() > 1000) {
        r.unregister(ids.back());
        ids.pop_back();
    }
    // The index, which keeps the capacity for the handlers it held, is larger than all the rest.
    std::int64_t const tables = memory.bytes() - std::int64_t(65536) * 2 * 8;
    BOOST_TEST(tables > 0);
    BOOST_TEST(tables < 86'000);
}
