// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Random histories of a few operations on a few threads, recorded with one clock and checked: there
// is an order of all operations, each placed between its begin and its end, in which a plain sorted
// list gives the same answers. A notify shows the list as it was at one moment before its first
// handler ran.
//
// The search is that of J. Wing and C. Gong, Testing and Verifying Concurrent Objects (1993), with
// G. Lowe's memory of the states already tried (2017).

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include <boost/mp11/algorithm.hpp>
#include <boost/test/unit_test.hpp>

#include "stress/stress.hpp"

namespace {

using namespace stress;

/// Yields to another thread now and then: operations are short, and would otherwise hardly overlap.
void hesitate()
{
    static thread_local std::uint64_t state =
        std::hash<std::thread::id>()(std::this_thread::get_id()) | 1;
    state ^= state << 13;  // Marsaglia's xorshift
    state ^= state >> 7;
    state ^= state << 17;
    if (state % 8 == 0)
        std::this_thread::yield();
}

struct hesitant_before
{
    bool operator()(int a, int b) const
    {
        hesitate();
        return a > b;
    }
};

template <class T>
struct hesitant_allocator
{
    using value_type = T;
    hesitant_allocator() = default;
    template <class U>
    hesitant_allocator(hesitant_allocator<U> const&) noexcept
    {
    }
    T* allocate(std::size_t n)
    {
        hesitate();
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* p, std::size_t n) noexcept
    {
        std::allocator<T>().deallocate(p, n);
        hesitate();
    }
    friend bool operator==(hesitant_allocator, hesitant_allocator) noexcept { return true; }
};

template <class Registry>
using hesitant = typename Registry::template with<ordering::basic_priority<int, hesitant_before>,
                                                  alloc::basic_heap<hesitant_allocator<std::byte>>>;
using hesitant_registries = boost::mp11::mp_transform<hesitant, registries>;

/// A handler's index in a history, from 0 on; a history has at most 64 handlers.
using name = unsigned;
using names = std::uint64_t;

constexpr names only(name n)
{
    return names(1) << n;
}

enum class kind : unsigned char { add, remove, wait, clear, update, contains, notify };

struct operation
{
    kind is = kind::notify;
    bool answer = false;  ///< of remove, wait and contains
    bool clears = false;  ///< an update that clears first
    unsigned thread = 0;
    name who = 0;             ///< the handler that is removed or looked for
    names added = 0;          ///< by add and update
    names asked = 0;          ///< what an update removes
    std::size_t count = 0;    ///< of clear and update: how many handlers were removed
    std::vector<name> fired;  ///< by notify, in order
    unsigned begin = 0;
    unsigned end = 0;
};

/// What is known of a handler at the end of a history.
struct handler
{
    int key = 0;
    handler_id id;
    std::atomic<unsigned> destroyed{0};  ///< the time of destruction
    std::atomic<bool> gone{false};       ///< unregister_and_wait has returned
};

constexpr unsigned most_threads = 4;

/// One history: the registry, its handlers, and what the threads have done.
template <class Registry>
struct history
{
    /// The clock.
    std::atomic<unsigned> now{1};
    unsigned tick() { return now.fetch_add(1); }

    std::array<handler, 64> handlers;
    std::atomic<name> named{0};
    std::array<std::vector<operation>, most_threads> of_thread;
    std::atomic<long> wrong{0};  ///< calls and captures that outlived a removal

    struct captures
    {
        captures(history& h, name n) : in(&h), who(n) {}
        captures(captures&& other) noexcept : in(std::exchange(other.in, nullptr)), who(other.who)
        {
        }
        captures& operator=(captures&&) = delete;
        ~captures()
        {
            if (in != nullptr)
                in->handlers[who].destroyed.store(in->tick());
        }
        history* in;
        name who;
    };

    /// What a notify passes to its handlers, through a thread_local variable.
    struct listener
    {
        history* in;
        std::vector<name> fired;
        unsigned first = 0;  ///< when the first handler ran
        /// What the handlers should do, and on which thread.
        dice* random = nullptr;
        unsigned thread = 0;
        unsigned depth = 0;
    };
    inline static thread_local listener* listening = nullptr;

    Registry registry;

    auto make(name n)
    {
        return [held = captures(*this, n)](event const&) {
            history& h = *held.in;
            listener& l = *listening;
            if (l.first == 0)
                l.first = h.tick();
            if (h.handlers[held.who].gone.load() || h.handlers[held.who].destroyed.load() != 0)
                ++h.wrong;
            l.fired.push_back(held.who);
            hesitate();
            // Now and then a handler performs an operation of its own.
            if (l.depth < 2 && l.random->below(6) == 0)
                h.one(*l.random, l.thread, l.depth + 1);
        };
    }

    name fresh(dice& random)
    {
        name const n = named.fetch_add(1);
        handlers[n].key = static_cast<int>(random.below(3));
        return n;
    }
    bool room(name n) const { return named.load() + n + 2 * most_threads < 64; }

    /// Returns any handler of any thread whose id may already be known.
    name some(dice& random) const
    {
        name const n = named.load();
        return n == 0 ? 63 : random.below(n);
    }

    /// Performs one operation on this thread.
    void one(dice& random, unsigned thread, unsigned depth)
    {
        operation o;
        o.thread = thread;
        unsigned const what = random.below(100);
        if (what < 30 && room(1)) {
            o.is = kind::add;
            name const n = fresh(random);
            o.added = only(n);
            o.begin = tick();
            // Not atomic, but sufficient: a thread that looks for the id too early finds an empty
            // one.
            publish(n, registry.register_handler(handlers[n].key, make(n)));
            registered[n].store(true);
        } else if (what < 50) {
            o.is = depth == 0 && random.below(3) == 0 ? kind::wait : kind::remove;
            o.who = some(random);
            handler_id const id = known(o.who);
            if (!id)
                return;
            o.begin = tick();
            if (o.is == kind::wait) {
                // If it was registered, it is removed afterwards, whichever thread removed it.
                bool const there = registered[o.who].load();
                o.answer = registry.unregister_and_wait(id);
                if (there) {
                    handlers[o.who].gone.store(true);
                    if (handlers[o.who].destroyed.load() == 0)
                        ++wrong;
                }
            } else {
                o.answer = registry.unregister(id);
            }
        } else if (what < 53) {
            o.is = kind::clear;
            o.begin = tick();
            o.count = registry.clear();
        } else if (what < 63 && room(2)) {
            o.is = kind::update;
            o.clears = random.below(8) == 0;
            std::array<name, 2> const fresh_ones{fresh(random), fresh(random)};
            std::array<name, 2> const old_ones{some(random), some(random)};
            o.begin = tick();
            auto const result = registry.update([&](auto& tx) {
                if (o.clears)
                    tx.clear();
                for (name const n : fresh_ones) {
                    o.added |= only(n);
                    publish(n, tx.register_handler(handlers[n].key, make(n)));
                }
                for (name const n : old_ones)
                    if (handler_id const id = known(n)) {
                        o.asked |= only(n);
                        tx.unregister(id);
                    }
            });
            for (name const n : fresh_ones)
                registered[n].store(true);
            o.count = result.unregistered;
            if (result.registered != 2)
                ++wrong;
        } else if (what < 70) {
            o.is = kind::contains;
            o.who = some(random);
            handler_id const id = known(o.who);
            if (!id)
                return;
            o.begin = tick();
            o.answer = registry.contains(id);
        } else {
            listener l{this, {}, 0, &random, thread, depth};
            listener* const outer = std::exchange(listening, &l);
            o.begin = tick();
            registry.notify({});
            o.end = tick();
            listening = outer;
            o.fired = std::move(l.fired);
            flights(thread, o.begin, o.end);
            // The notify took its snapshot before the first handler ran.
            if (l.first != 0)
                o.end = l.first;
            of_thread[thread].push_back(std::move(o));
            return;
        }
        o.end = tick();
        of_thread[thread].push_back(std::move(o));
    }

    /// The whole duration of each notify, as opposed to the time in which it takes its snapshot.
    struct flight
    {
        unsigned begin;
        unsigned end;
    };
    std::array<std::vector<flight>, most_threads> in_flight;
    void flights(unsigned thread, unsigned begin, unsigned end)
    {
        in_flight[thread].push_back({begin, end});
    }

    // Ids are passed between threads in two words, the second of which is written last.
    std::array<std::atomic<std::uint64_t>, 64> values{};
    std::atomic<std::uint64_t> serial{0};
    std::array<std::atomic<bool>, 64> registered{};  ///< the registration has returned
    void publish(name n, handler_id id)
    {
        handlers[n].id = id;  // for its own thread, and for the judge
        serial.store(id.registry_serial());
        values[n].store(id.value());
    }
    handler_id known(name n) const
    {
        std::uint64_t const value = n < 64 ? values[n].load() : 0;
        return value == 0 ? handler_id() : handler_id(serial.load(), value);
    }
};

/// Searches for an order that explains a history.
class judge
{
public:
    template <class H>
    explicit judge(H& h)
    {
        for (auto const& ops : h.of_thread)
            all_.insert(all_.end(), ops.begin(), ops.end());
        std::sort(all_.begin(), all_.end(),
                  [](operation const& a, operation const& b) { return a.begin < b.begin; });
        // Handlers by key and id: the order in which they must fire.
        for (name n = 0; n < h.named.load(); ++n)
            if (h.handlers[n].id)
                in_order_.push_back(n);
        std::sort(in_order_.begin(), in_order_.end(), [&](name a, name b) {
            return h.handlers[a].key != h.handlers[b].key ? h.handlers[a].key > h.handlers[b].key
                                                          : h.handlers[a].id < h.handlers[b].id;
        });
    }

    bool linearizable() { return all_.size() <= 64 && search(0, 0); }
    std::size_t operations() const { return all_.size(); }
    std::size_t states() const { return tried_.size(); }

    std::string text() const
    {
        static constexpr char const* words[] = {"add",    "remove",   "remove and wait", "clear",
                                                "update", "contains", "notify"};
        std::ostringstream out;
        for (operation const& o : all_) {
            out << o.begin << ".." << o.end << " thread " << o.thread << ": "
                << words[static_cast<unsigned>(o.is)];
            switch (o.is) {
            case kind::remove:
            case kind::wait:
            case kind::contains:
                out << ' ' << o.who << (o.answer ? ": yes" : ": no");
                break;
            case kind::clear:
                out << ": " << o.count;
                break;
            case kind::add:
            case kind::update:
                out << (o.clears ? " clear" : "") << std::hex << " +" << o.added << " -" << o.asked
                    << std::dec << ": " << o.count;
                break;
            case kind::notify:
                for (name const n : o.fired)
                    out << ' ' << n;
                break;
            }
            out << '\n';
        }
        return out.str();
    }

private:
    static std::size_t size(names s) { return static_cast<std::size_t>(std::popcount(s)); }

    /// Whether `o` can happen in state `s`. Updates `s`.
    bool happens(operation const& o, names& s) const
    {
        switch (o.is) {
        case kind::add:
            s |= o.added;
            return true;
        case kind::remove:
        case kind::wait:
            if (((s & only(o.who)) != 0) != o.answer)
                return false;
            s &= ~only(o.who);
            return true;
        case kind::contains:
            return ((s & only(o.who)) != 0) == o.answer;
        case kind::clear:
            if (size(s) != o.count)
                return false;
            s = 0;
            return true;
        case kind::update: {
            std::size_t removed = 0;
            if (o.clears)
                removed += size(std::exchange(s, 0));
            s |= o.added;
            removed += size(s & o.asked);
            s &= ~o.asked;
            return removed == o.count;
        }
        case kind::notify: {
            std::size_t i = 0;
            for (name const n : in_order_) {
                if ((s & only(n)) == 0)
                    continue;
                if (i == o.fired.size() || o.fired[i] != n)
                    return false;
                ++i;
            }
            return i == o.fired.size();
        }
        }
        return false;
    }

    bool search(std::uint64_t done, names s)
    {
        // The next operation must begin before every other remaining operation has ended.
        unsigned first_end = ~0u;
        bool left = false;
        for (std::size_t i = 0; i < all_.size(); ++i)
            if ((done >> i & 1) == 0) {
                left = true;
                first_end = std::min(first_end, all_[i].end);
            }
        if (!left)
            return true;
        if (!tried_.insert(std::to_string(done) + ' ' + std::to_string(s)).second)
            return false;
        for (std::size_t i = 0; i < all_.size() && all_[i].begin < first_end; ++i) {
            if ((done >> i & 1) != 0)
                continue;
            names next = s;
            if (happens(all_[i], next) && search(done | std::uint64_t(1) << i, next))
                return true;
        }
        return false;
    }

    std::vector<operation> all_;
    std::vector<name> in_order_;
    std::unordered_set<std::string> tried_;
};

/// Whether each handler's captures were destroyed in time: by the end of the removal, or of the
/// last notify that was in flight then.
template <class H>
bool prompt(H& h, bool others_may_help)
{
    // Determines by when each handler was certainly removed.
    for (name n = 0; n < h.named.load(); ++n) {
        if (!h.handlers[n].id)
            continue;
        unsigned removed_by = 0;
        bool certain = true;
        for (auto const& ops : h.of_thread)
            for (operation const& o : ops) {
                bool const this_one =
                    ((o.is == kind::remove || o.is == kind::wait) && o.answer && o.who == n) ||
                    (o.is == kind::update && (o.asked & only(n)) != 0);
                // It is not known which of these removed it; the end of the last one is a safe
                // bound.
                if (this_one || o.is == kind::clear || (o.is == kind::update && o.clears))
                    removed_by = std::max(removed_by, o.end);
                certain = certain && o.is != kind::clear && !o.clears;
            }
        unsigned const destroyed = h.handlers[n].destroyed.load();
        if (removed_by == 0 || (!certain && destroyed == 0))
            continue;
        if (h.registry.contains(h.handlers[n].id))
            continue;
        unsigned latest = removed_by;
        // This policy documents that a writer may delay the destruction of handlers that another
        // writer has removed.
        if (others_may_help)
            for (auto const& ops : h.of_thread)
                for (operation const& o : ops)
                    if (o.begin < removed_by)
                        latest = std::max(latest, o.end);
        for (auto const& flights : h.in_flight)
            for (auto const& f : flights)
                if (f.begin < removed_by)
                    latest = std::max(latest, f.end);
        if (destroyed == 0 || destroyed > latest)
            return false;
    }
    return true;
}

std::uint64_t all_histories = 0;
std::uint64_t all_operations = 0;
std::uint64_t all_states = 0;

BOOST_AUTO_TEST_SUITE(linearizability, *boost::unit_test::timeout(200))

BOOST_AUTO_TEST_CASE_TEMPLATE(histories_have_an_order_that_explains_them, Registry,
                              hesitant_registries)
{
    // The threads are reused, since starting them takes longer than their work.
    std::atomic<unsigned> round{0};
    std::atomic<unsigned> finished{0};
    std::atomic<history<Registry>*> current{nullptr};
    crew threads;
    for (unsigned t = 0; t < most_threads; ++t)
        threads.add([&, t] {
            dice random(t);
            for (unsigned seen = 0;;) {
                unsigned r = round.load();
                for (; r == seen && !threads.stopped(); r = round.load())
                    std::this_thread::yield();
                if (r == seen)
                    return;
                seen = r;
                history<Registry>& h = *current.load();
                // Two to four of them take part.
                if (t < 2 + seen % 3)
                    for (unsigned n = 3 + random.below(4); n != 0; --n) {
                        h.one(random, t, 0);
                        if (random.below(3) == 0)
                            std::this_thread::yield();
                    }
                finished.fetch_add(1);
            }
        });

    constexpr bool others_may_help =
        std::is_same_v<typename Registry::snapshot_policy, snapshot::atomic_shared_ptr>;
    std::uint64_t histories = 0;
    std::uint64_t operations = 0;
    std::uint64_t states = 0;
    std::string failure;
    stopwatch const watch;
    while (failure.empty() && (histories < 200 || !watch.over(4 * budget()))) {
        auto h = std::make_unique<history<Registry>>();
        finished.store(0);
        current.store(h.get());
        round.fetch_add(1);
        while (finished.load() != most_threads)
            std::this_thread::yield();
        judge j(*h);
        if (j.operations() > 64)
            continue;
        if (!j.linearizable())
            failure = "no order explains\n" + j.text();
        else if (h->wrong.load() != 0)
            failure = "a call, or captures, outlived unregister_and_wait in\n" + j.text();
        else if (!prompt(*h, others_may_help))
            failure = "captures were destroyed late in\n" + j.text();
        ++histories;
        operations += j.operations();
        states += j.states();
    }
    threads.stop_and_join();
    BOOST_TEST(failure == "");
    all_histories += histories;
    all_operations += operations;
    all_states += states;
}

BOOST_AUTO_TEST_CASE(the_histories_are_counted)
{
    std::printf("linearizability: %llu histories, %llu operations, %llu states\n",
                static_cast<unsigned long long>(all_histories),
                static_cast<unsigned long long>(all_operations),
                static_cast<unsigned long long>(all_states));
    BOOST_TEST(all_histories > 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
