// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Adjacent handlers of one type are called in a loop, without any visible difference: a handler
// that fails in the middle of a run is reported under its own id, in a flat table and in chunks,
// and blocks of types are walked in order at every size. laws_runs.hpp has the laws for all
// policies.

#include <registry_io/handler_id.hpp>
#include <registry_io/panic/quarantine.hpp>
#include <registry_io/panic_info.hpp>
#include <registry_io/presets.hpp>

#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

namespace {

struct note
{
    std::vector<int>* log;
    int number;
    int fails_at;  ///< an event of this value
};

/// Handlers of one word. Each K is a different type.
template <int K>
class taker
{
public:
    explicit taker(note const* n) noexcept : note_(n) {}
    void operator()(int const& event) const
    {
        note_->log->push_back(note_->number);
        if (event == note_->fails_at && K % 2 == 0)
            throw std::runtime_error("failed");
        if (event == note_->fails_at)
            throw K;
    }

private:
    note const* note_;
};

/// Handlers that lie in a block.
template <int K>
struct holder
{
    taker<K> f;
    std::array<char, 40> rest{};
    void operator()(int const& event) const { f(event); }
};

template <class Registry, int... K>
registry_io::handler_id add(Registry& r, int type, int priority, note const* n,
                            std::integer_sequence<int, K...>)
{
    registry_io::handler_id id;
    static_cast<void>(((type == K &&
                        (id = K % 3 == 2 ? r.register_handler(priority, holder<K>{taker<K>(n)})
                                         : r.register_handler(priority, taker<K>(n)),
                         true)) ||
                       ...));
    return id;
}

/// A registry, and a model of its handlers.
template <class Registry>
struct world
{
    struct row
    {
        int priority;
        registry_io::handler_id id;
        int number;
    };

    std::vector<int> log;
    std::deque<note> notes;
    std::vector<row> rows;
    Registry registry;

    row const& insert(int type, int priority, int fails_at = 0)
    {
        int const number = static_cast<int>(notes.size());
        notes.push_back({&log, number, fails_at});
        row const r{
            priority,
            add(registry, type, priority, &notes.back(), std::make_integer_sequence<int, 12>()),
            number};
        auto at = rows.begin();
        while (at != rows.end() && at->priority >= priority)
            ++at;
        return *rows.insert(at, r);
    }
    void erase(std::size_t i)
    {
        BOOST_REQUIRE(registry.unregister(rows[i].id));
        rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(i));
    }
    bool agrees()
    {
        log.clear();
        registry.notify(0 - 1);
        bool same = log.size() == rows.size();
        for (std::size_t i = 0; same && i < rows.size(); ++i)
            same = log[i] == rows[i].number;
        return same;
    }
};

using registries =
    boost::mp11::mp_list<registry_io::SyncRegistry<int>, registry_io::RcuRegistry<int>,
                         registry_io::LocalRegistry<int>,
                         registry_io::SyncRegistry<int>::with<registry_io::panic::quarantine<2>>>;

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(blocks_of_types_are_walked_in_order_at_every_size, Registry,
                              registries)
{
    for (int const block : {1, 2, 4, 7, 63, 64, 65, 1000}) {
        world<Registry> w;
        int wrong = 0;
        for (int i = 0; i < 300; ++i) {
            w.insert(i / block % 12, 0);
            wrong += w.agrees() ? 0 : 1;
        }
        BOOST_TEST(wrong == 0);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(random_changes_keep_the_order, Registry, registries)
{
    for (int const types : {1, 2, 12}) {
        for (std::size_t const most : {12u, 130u, 400u}) {
            std::mt19937 random(20260202);
            world<Registry> w;
            int wrong = 0;
            for (int i = 0; i < 900; ++i) {
                bool const grows = i < 450;
                if (w.rows.empty() || (w.rows.size() < most && (random() % 4 != 0) == grows))
                    w.insert(static_cast<int>(random() % 97) % types,
                             static_cast<int>(random() % 3));
                else
                    w.erase(random() % w.rows.size());
                wrong += w.agrees() ? 0 : 1;
            }
            BOOST_TEST(wrong == 0);
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_failure_in_a_run_is_reported_under_its_own_id, Registry, registries)
{
    for (int const block : {1, 5, 1000}) {
        for (int const n : {1, 2, 9, 40, 300}) {
            world<Registry> w;
            std::vector<registry_io::handler_id> told;
            w.registry.on_panic(
                [&](registry_io::panic_info const& info) { told.push_back(info.handler_id()); });
            std::vector<registry_io::handler_id> failing;
            for (int i = 0; i < n; ++i) {
                auto const& row = w.insert(i / block % 12, 0, i % 4 == 0 ? 7 : 0);
                if (i % 4 == 0)
                    failing.push_back(row.id);
            }
            BOOST_TEST(w.agrees());
            w.log.clear();
            w.registry.notify(7);
            BOOST_TEST(w.log.size() == static_cast<std::size_t>(n));
            BOOST_TEST((told == failing));
            BOOST_TEST(w.agrees());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_sink_sees_the_failures_of_a_run)
{
    for (int const n : {2, 9, 300}) {
        world<registry_io::SyncRegistry<int>> w;
        std::vector<registry_io::handler_id> failing;
        for (int i = 0; i < n; ++i)
            failing.push_back(w.insert(0, 0, 7).id);
        std::vector<registry_io::handler_id> told;
        auto sink = [&](registry_io::panic_info const& info) { told.push_back(info.handler_id()); };
        w.registry.notify(7, sink);
        BOOST_TEST((told == failing));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_run_is_walked_whole_inside_one_of_its_handlers, Registry,
                              registries)
{
    for (int const n : {2, 9, 64, 65, 300}) {
        Registry r;
        int calls = 0;
        for (int i = 0; i < n; ++i)
            r.register_handler([&calls, &r, nests = i == n / 2](int const& depth) {
                ++calls;
                if (nests && depth < 2)
                    r.notify(depth + 1);
            });
        r.notify(0);
        BOOST_TEST(calls == 3 * n);
    }
}
