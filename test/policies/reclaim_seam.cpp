// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

// Moments that no program can arrange: through the environment that the reclamation takes as a
// parameter, a writer comes exactly between a reader's announcement and its second look.

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

#include <registry_io/reclaim/hazard.hpp>

namespace {

namespace reclaim = registry_io::reclaim;
using registry_io::garbage;

/// One thread, whose record goes when its read ends, as it does while a thread exits. What is to
/// happen between a reader's store and its next load is done by `in_between`.
struct staged_env : reclaim::single_thread_env
{
    using mutex = std::mutex;

    struct exit_hook
    {
        bool create(void (*)(void*)) noexcept { return false; }
        bool arm(void*) noexcept { return false; }
    };

    template <class Record>
    static Record& record() noexcept
    {
        static Record r;
        return r;
    }
    template <class Words>
    static Words hot() noexcept
    {
        static atomic<typename Words::state_type> state{};
        static atomic<typename Words::era_type*> mail{};
        static typename Words::state_type last{};
        static atomic<void const*> cell{};
        return Words{state, mail, last, cell};
    }

    inline static std::function<void()> in_between;
    static void light_fence() noexcept
    {
        if (in_between != nullptr)
            std::exchange(in_between, nullptr)();
    }
    static bool heavy_fence(reclaim::fence_mode) noexcept { return true; }
    static reclaim::fence_mode decide_fence_mode() noexcept
    {
        return reclaim::fence_mode::asymmetric;
    }
    static void at_fork(void (*)(), void (*)(), void (*)()) noexcept {}
    template <class T>
    static T& global() noexcept
    {
        return reclaim::detail::process_wide<T>::value;
    }
};

using domain = reclaim::hazard_domain<staged_env>;
using root_type = reclaim::counted_root<staged_env>;
using retired = reclaim::retired_roots<staged_env>;

/// Captures with a destructor.
struct captures : garbage
{
    explicit captures(std::function<void()> f)
        : garbage([](garbage* g) noexcept { static_cast<captures*>(g)->at_end(); }),
          at_end(std::move(f))
    {
    }
    std::function<void()> at_end;
};

/// A root that notes that it was freed.
struct root : root_type
{
    explicit root(retired& log, std::uint64_t version)
    {
        belong(log);
        birth = version;
        destroy = [](garbage* g) noexcept { static_cast<root*>(g)->freed = true; };
    }
    bool freed = false;
};

BOOST_AUTO_TEST_CASE(a_read_that_starts_over_stays_known_whatever_captures_do_meanwhile)
{
    domain::prepare();
    int const cell = 0;
    retired log(&cell);
    root first(log, 1);
    root second(log, 2);
    root* current = &first;
    auto const load = [&current](std::memory_order) { return current; };

    // The removal of what only `first` shows, by a writer that finds our announcement there. So
    // our read, which has not begun, is the last to let go of it, and destroys.
    bool nested = false;
    captures removed([&] {
        domain::slow_read const inner(&cell, load);
        nested = inner.root() == &second;
    });
    staged_env::in_between = [&] {
        current = &second;
        registry_io::garbage_list dead;
        dead.push(&removed);
        retired::release r(log);
        log.take_out(&first, dead, r);
        BOOST_TEST(
            (domain::settle(&cell, &first, domain::fence::allowed) == domain::outcome::settled));
        log.retire(first, r);
        BOOST_TEST(r.free.empty());
    };
    {
        domain::slow_read const outer(&cell, load);
        BOOST_TEST(nested);
        BOOST_TEST(outer.root() == &second);
        // A writer that replaces what it reads has to find it.
        BOOST_TEST(domain::mine().linked);
        BOOST_TEST(domain::reading(&cell));
        BOOST_TEST(domain::held(&cell, second));
    }
    BOOST_TEST(!domain::mine().linked);
    BOOST_TEST(first.freed);
}

}  // namespace
