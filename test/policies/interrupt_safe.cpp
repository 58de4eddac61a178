// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The firmware preset on a host: everything that it guarantees apart from interrupts, which
// test/embedded tests.

#include <registry_io/alloc/intrusive.hpp>
#include <registry_io/ordering/fifo.hpp>
#include <registry_io/panic/terminate.hpp>
#include <registry_io/presets/firmware.hpp>
#include <registry_io/registry_ref.hpp>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdint>
#include <new>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <sys/mman.h>

#include <boost/test/unit_test.hpp>

#include "fuzz/linked_machine.hpp"

namespace rio = registry_io;
using rio::handler_id;

namespace {

using registry = rio::FirmwareRegistry<int, 8>;

constinit registry global;
static_assert(std::is_trivially_destructible_v<registry>);
static_assert(std::is_nothrow_default_constructible_v<registry>);
static_assert(noexcept(global.notify(0)));
static_assert(rio::registry_for<registry, int>);
static_assert(rio::word_store_policy<rio::snapshot::interrupt_safe>);
static_assert(rio::snapshot_policy<rio::snapshot::interrupt_safe>);
static_assert(!rio::root_swap_policy<rio::snapshot::interrupt_safe>);
static_assert(rio::panic_policy<rio::panic::trap>);
static_assert(sizeof(void*) != 8 || sizeof(registry) == 16 + 8 * 32);

/// The handlers do their work in a recorder, because a handler is one word.
struct recorder
{
    std::vector<int>* seen;
    int name;
    void operator()(int event) { seen->push_back(name * 100 + event); }
};

auto record(recorder& r)
{
    return [&r](int event) { r(event); };
}

struct coy_event
{
    coy_event* operator&() = delete;
    coy_event const* operator&() const = delete;
    int value = 0;
};

struct coy_handler
{
    int* to;
    coy_handler* operator&() = delete;
    coy_handler const* operator&() const = delete;
    void operator()(coy_event const& e) const noexcept { *to += e.value; }
};

// ----- misuse

std::jmp_buf before_misuse;
std::string reason;

[[noreturn]] void leave(char const* why)
{
    reason = why;
    std::longjmp(before_misuse, 1);
}

using checked = registry::with<rio::panic::basic_trap<&leave>>;

/// Returns the message that the hook gets when `f` is called; empty if the hook is not called. `f`
/// must not hold anything with a destructor, because the hook leaves it with longjmp.
template <class F>
std::string reason_of(F f)
{
    reason.clear();
    if (setjmp(before_misuse) == 0)
        f();
    return reason;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_firmware_registry_is_all_zero_when_it_is_empty)
{
    auto const* const bytes = reinterpret_cast<unsigned char const*>(&global);
    BOOST_TEST(std::all_of(bytes, bytes + sizeof global, [](unsigned char b) { return b == 0; }));
    global.notify(1);
    BOOST_TEST(global.empty());
    BOOST_TEST(global.size() == 0u);
    BOOST_TEST(global.clear() == 0u);
    BOOST_TEST(!global.contains(handler_id()));
    BOOST_TEST(!global.unregister(handler_id()));
    global.synchronize();
}

BOOST_AUTO_TEST_CASE(one_word_handlers_fire_by_priority_and_ties_as_registered)
{
    registry r;
    std::vector<int> seen;
    std::array<recorder, 5> rs{{{&seen, 1}, {&seen, 2}, {&seen, 3}, {&seen, 4}, {&seen, 5}}};
    r.register_handler(record(rs[0]));
    r.register_handler(127, record(rs[1]));
    r.register_handler(-128, record(rs[2]));
    r.register_handler(record(rs[3]));
    r.register_handler(127, record(rs[4]));
    r.notify(7);
    BOOST_TEST(seen == (std::vector{207, 507, 107, 407, 307}), boost::test_tools::per_element());

    std::vector<int> keys;
    r.for_each_handler([&](handler_id id, std::int8_t key) {
        BOOST_TEST(r.contains(id));
        keys.push_back(key);
    });
    BOOST_TEST(keys == (std::vector{127, 127, 0, 0, -128}), boost::test_tools::per_element());
    BOOST_TEST(r.size() == 5u);
    BOOST_TEST(r.clear() == 5u);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(keys_of_any_trivial_type_order_a_firmware_registry)
{
    std::vector<int> seen;
    std::array<recorder, 3> rs{{{&seen, 1}, {&seen, 2}, {&seen, 3}}};
    registry::with<rio::ordering::basic_priority<>> ints;
    ints.register_handler(-1'000'000, record(rs[0]));
    ints.register_handler(1'000'000, record(rs[1]));
    ints.register_handler(record(rs[2]));
    ints.notify(0);
    BOOST_TEST(seen == (std::vector{200, 300, 100}), boost::test_tools::per_element());

    seen.clear();
    registry::with<rio::ordering::fifo, rio::panic::terminate> fifo;
    for (recorder& r : rs)
        fifo.register_handler(record(r));
    fifo.notify(0);
    BOOST_TEST(seen == (std::vector{100, 200, 300}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(firmware_handlers_and_events_may_have_address_operators_of_their_own)
{
    rio::FirmwareRegistry<coy_event, 2> r;
    int sum = 0;
    r.register_handler(coy_handler{&sum});
    r.notify({.value = 3});
    BOOST_TEST(sum == 3);
}

BOOST_AUTO_TEST_CASE(functions_and_guards_work_with_firmware_registries)
{
    registry r;
    static int sum;
    sum = 0;
    r.register_handler(static_cast<void (*)(int const&)>([](int const& n) { sum += n; }));
    {
        rio::handler_guard const guard = r.register_guard(1, [](int n) { sum += 10 * n; });
        BOOST_TEST(r.contains(guard.id()));
        rio::handler_guard kept = r.register_guard([](int n) { sum += 100 * n; });
        BOOST_TEST(r.contains(kept.release()));
        r.notify(1);
        BOOST_TEST(sum == 111);
    }
    BOOST_TEST(r.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_running_notify_skips_what_has_been_removed_and_runs_the_rest)
{
    // Each of four handlers removes each subset of the four, including itself.
    for (int actor = 0; actor < 4; ++actor)
        for (unsigned removed = 0; removed < 16; ++removed) {
            struct
            {
                registry r;
                std::vector<int> seen;
                std::array<handler_id, 4> ids;
                int actor;
                unsigned removed;
            } all{{}, {}, {}, actor, removed};
            struct
            {
                decltype(all)* a;
                int name;
            } handlers[4];
            for (int i = 0; i < 4; ++i) {
                handlers[i] = {&all, i};
                all.ids[static_cast<std::size_t>(i)] =
                    all.r.register_handler([h = &handlers[i]](int) {
                        h->a->seen.push_back(h->name);
                        if (h->name != h->a->actor)
                            return;
                        for (unsigned k = 0; k < 4; ++k)
                            if ((h->a->removed >> k & 1) != 0) {
                                BOOST_TEST(h->a->r.unregister(h->a->ids[k]));
                                BOOST_TEST(!h->a->r.unregister(h->a->ids[k]));
                                BOOST_TEST(!h->a->r.contains(h->a->ids[k]));
                            }
                    });
            }
            all.r.notify(0);
            std::vector<int> first, then;
            for (int i = 0; i < 4; ++i) {
                bool const gone = (removed >> i & 1) != 0;
                if (i <= actor || !gone)
                    first.push_back(i);
                if (!gone)
                    then.push_back(i);
            }
            BOOST_TEST(all.seen == first, boost::test_tools::per_element());
            BOOST_TEST(all.r.size() == then.size());
            all.seen.clear();
            all.actor = -1;
            all.r.notify(0);
            BOOST_TEST(all.seen == then, boost::test_tools::per_element());
        }
}

BOOST_AUTO_TEST_CASE(what_a_handler_registers_fires_from_the_next_notify_on_nested_ones_included)
{
    struct state
    {
        registry r;
        std::vector<int> seen;
    } s;
    // The first of the two existing handlers adds new ones before, between and after them.
    s.r.register_handler(10, [&s](int event) {
        s.seen.push_back(event * 10);
        if (event != 1)
            return;
        s.r.register_handler(20, [&s](int e) { s.seen.push_back(e * 10 + 1); });
        s.r.register_handler(5, [&s](int e) { s.seen.push_back(e * 10 + 2); });
        s.r.register_handler(-5, [&s](int e) { s.seen.push_back(e * 10 + 3); });
        s.r.notify(2);
    });
    s.r.register_handler(0, [&s](int event) { s.seen.push_back(event * 10 + 4); });
    s.r.notify(1);
    BOOST_TEST(s.seen == (std::vector{10, 21, 20, 22, 24, 23, 14}),
               boost::test_tools::per_element());
    s.seen.clear();
    s.r.notify(3);
    BOOST_TEST(s.seen == (std::vector{31, 30, 32, 34, 33}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_full_firmware_registry_gives_an_empty_id_and_nothing_changes)
{
    struct state
    {
        rio::FirmwareRegistry<int, 2> r;
        int calls = 0;
        handler_id second;
        bool full_inside = false;
    } s;
    BOOST_TEST(bool(s.r.register_handler([&s](int) { ++s.calls; })));
    s.second = s.r.register_handler(-1, [&s](int event) {
        ++s.calls;
        if (event == 1) {
            // Its slot stays in use until this notify has ended.
            BOOST_TEST(s.r.unregister(s.second));
            s.full_inside = s.r.register_handler([&s](int) { ++s.calls; }) == handler_id();
        }
    });
    BOOST_TEST(bool(s.second));
    handler_id const third = s.r.register_handler([&s](int) { ++s.calls; });
    BOOST_TEST(third == handler_id());
    BOOST_TEST(!s.r.register_guard([](int) {}));
    BOOST_TEST(!s.r.contains(third));
    BOOST_TEST(s.r.size() == 2u);
    s.r.notify(1);
    BOOST_TEST(s.calls == 2);
    BOOST_TEST(s.full_inside);
    BOOST_TEST(s.r.size() == 1u);
    BOOST_TEST(bool(s.r.register_handler([&s](int) { ++s.calls; })));
    s.r.notify(2);
    BOOST_TEST(s.calls == 4);
}

BOOST_AUTO_TEST_CASE(changes_in_handlers_alone_never_use_the_slots_up)
{
    // A handler that keeps replacing itself: no change is ever made outside a notify.
    static rio::FirmwareRegistry<int, 2> r;
    static handler_id self;
    static int calls;
    calls = 0;
    struct replacing
    {
        void operator()(int) const
        {
            ++calls;
            BOOST_TEST(r.unregister(self));
            self = r.register_handler(replacing());
            BOOST_TEST(bool(self));
        }
    };
    self = r.register_handler(replacing());
    for (int i = 0; i < 1000; ++i)
        r.notify(0);
    BOOST_TEST(calls == 1000);
    BOOST_TEST(r.size() == 1u);
}

BOOST_AUTO_TEST_CASE(ids_of_a_firmware_registry_recur_after_4096_uses_of_a_slot)
{
    rio::FirmwareRegistry<int, 1> r;
    auto const f = [](int) {};
    handler_id const first = r.register_handler(-1, f);
    BOOST_TEST(r.unregister(first));
    for (int i = 1; i < 4096; ++i) {
        handler_id const id = r.register_handler(-1, f);
        BOOST_REQUIRE(id && id != first);
        BOOST_REQUIRE(!r.contains(first));
        BOOST_REQUIRE(!r.unregister(first));
        BOOST_REQUIRE(r.unregister(id));
    }
    BOOST_TEST(r.register_handler(-1, f) == first);
}

BOOST_AUTO_TEST_CASE(an_id_of_another_firmware_registry_is_refused)
{
    registry a;
    registry b;
    handler_id const of_a = a.register_handler([](int) {});
    handler_id const of_b = b.register_handler([](int) {});
    BOOST_TEST(of_a != of_b);
    BOOST_TEST(!b.contains(of_a));
    BOOST_TEST(!b.unregister(of_a));
    BOOST_TEST(b.size() == 1u);
    BOOST_TEST(b.unregister(of_b));
}

BOOST_AUTO_TEST_CASE(an_id_is_refused_where_its_node_has_moved_to)
{
    using nodes = rio::FirmwareRegistry<int, 1>::with<rio::alloc::intrusive>;
    nodes a;
    nodes b;
    nodes::static_handler_node n;
    handler_id const in_b = b.register_handler(n, [](int) {});
    BOOST_TEST(b.clear() == 1u);
    handler_id const in_a = a.register_handler(n, [](int) {});
    BOOST_TEST(!a.contains(in_b));
    BOOST_TEST(!a.unregister(in_b));
    BOOST_TEST(a.unregister(in_a));
}

// An id is made from the address of its slot. It must not be empty even if the low bits of that
// address are zero.
BOOST_AUTO_TEST_CASE(an_id_is_not_empty_wherever_its_slot_lies)
{
    using one = rio::FirmwareRegistry<int, 1>;
    constexpr std::size_t piece = 65536;
    // The lower half of this address also begins with the same bits as the names in ids.
    auto* const wanted = reinterpret_cast<void*>(std::uintptr_t(0x2E0000000));
    void* const pages =
        ::mmap(wanted, 2 * piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    BOOST_REQUIRE(pages != MAP_FAILED);
    auto* const room = static_cast<std::byte*>(pages);
    // At some of these addresses the only slot lies at the beginning of the second piece.
    for (std::size_t before = alignof(one); before < sizeof(one); before += alignof(one)) {
        one& r = *::new (static_cast<void*>(room + piece - before)) one;
        for (int i = 0; i < 4096; ++i) {
            handler_id const id = r.register_handler([](int) {});
            BOOST_REQUIRE(id);
            BOOST_REQUIRE(r.unregister(id));
        }
    }
    ::munmap(pages, 2 * piece);
}

BOOST_AUTO_TEST_CASE(misuse_of_a_firmware_registry_ends_in_the_hook)
{
    static checked r;
    BOOST_TEST(reason_of([] {
                   r.register_handler(1, static_cast<void (*)(int const&)>(nullptr));
               }) == "registry_io: an empty handler was registered");
    BOOST_TEST(reason_of([] { r.register_handler(128, [](int) {}); }) ==
               "registry_io: the priority is out of its key's range");
    BOOST_TEST(reason_of([] { r.register_handler(-129L, [](int) {}); }) ==
               "registry_io: the priority is out of its key's range");
    BOOST_TEST(reason_of([] { r.register_handler(0xFFFFFFFFu, [](int) {}); }) ==
               "registry_io: the priority is out of its key's range");
    enum level { critical = 200 };
    BOOST_TEST(reason_of([] { r.register_handler(critical, [](int) {}); }) ==
               "registry_io: the priority is out of its key's range");
    using far = std::integral_constant<int, 300>;
    BOOST_TEST(reason_of([] { r.register_handler(far(), [](int) {}); }) ==
               "registry_io: the priority is out of its key's range");
    BOOST_TEST(r.empty());

    static checked waiting;
    waiting.register_handler([](int) { waiting.synchronize(); });
    BOOST_TEST(reason_of([] { waiting.notify(0); }) ==
               "registry_io: waiting here would wait for itself");

    // 254 levels are allowed. One more is refused if a handler makes a change there, two more are
    // always refused.
    static checked deep;
    static int depth;
    static int limit;
    deep.register_handler([](int) {
        if (++depth < limit)
            deep.notify(0);
        --depth;
    });
    limit = 255;
    BOOST_TEST(reason_of([] { deep.notify(0); }).empty());
    BOOST_TEST(depth == 0);
    limit = 256;
    BOOST_TEST(reason_of([] { deep.notify(0); }) == "registry_io: notify is nested too deep");

    static checked changed;
    static int calls;
    changed.register_handler([](int) {
        if (++depth < limit)
            changed.notify(0);
        else
            changed.register_handler([](int) { ++calls; });
        --depth;
    });
    depth = 0;
    limit = 254;
    BOOST_TEST(reason_of([] { changed.notify(0); }).empty());
    limit = 0;
    changed.notify(0);
    BOOST_TEST(calls == 1);
    depth = 0;
    limit = 255;
    BOOST_TEST(reason_of([] { changed.notify(0); }) == "registry_io: notify is nested too deep");

    // A walk is one level more.
    static checked walked;
    static int seen;
    walked.register_handler([](int) {
        if (++depth < limit)
            walked.notify(0);
        else
            walked.for_each_handler([](handler_id, std::int8_t) { ++seen; });
        --depth;
    });
    depth = 0;
    limit = 253;
    BOOST_TEST(reason_of([] { walked.notify(0); }).empty());
    BOOST_TEST(seen == 1);
    depth = 0;
    limit = 254;
    BOOST_TEST(reason_of([] { walked.notify(0); }) == "registry_io: notify is nested too deep");
}

// CONTRACT: registering and unregistering while a notify runs; a walk is as one.
BOOST_AUTO_TEST_CASE(what_changes_inside_a_walk_is_in_order_after_it)
{
    rio::FirmwareRegistry<int, 1> one;
    handler_id const id = one.register_handler([](int) {});
    one.for_each_handler([&](handler_id i, std::int8_t) { BOOST_TEST(one.unregister(i)); });
    BOOST_TEST(!one.contains(id));
    // Its slot is free again.
    BOOST_TEST(bool(one.register_handler([](int) {})));

    struct state
    {
        registry r;
        int calls = 0;
    } s;
    s.r.register_handler([&s](int) { ++s.calls; });
    int walked = 0;
    s.r.for_each_handler([&](handler_id, std::int8_t) {
        ++walked;
        s.r.register_handler(-1, [&s](int) { ++s.calls; });
    });
    BOOST_TEST(walked == 1);
    s.r.notify(0);
    BOOST_TEST(s.calls == 2);
}

namespace {

bool in_interrupt = false;
struct outside
{
    static bool is_here() noexcept { return !in_interrupt; }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_change_in_an_interrupt_ends_in_the_hook_every_time)
{
    using guarded = checked::with<rio::snapshot::basic_interrupt_safe<outside>>;
    static guarded r;
    static handler_id id;
    id = r.register_handler([](int) {});
    in_interrupt = true;
    char const* const refused = "registry_io: a registry cannot be changed in an interrupt";
    BOOST_TEST(reason_of([] { r.register_handler([](int) {}); }) == refused);
    BOOST_TEST(reason_of([] { r.unregister(id); }) == refused);
    BOOST_TEST(reason_of([] { r.clear(); }) == refused);
    BOOST_TEST(reason_of([] { r.synchronize(); }) == refused);
    BOOST_TEST(r.contains(id));
    BOOST_TEST(r.size() == 1u);
    r.notify(0);
    in_interrupt = false;
    BOOST_TEST(r.unregister(id));
}

namespace {

/// Runs random programs on a machine that compares with the model; the fuzzer runs more of them. A
/// failure ends the program. Returns the number of operations.
template <class Machine>
unsigned long long run_programs()
{
    unsigned long long steps = 0;
    for (std::uint32_t seed = 1; seed <= 200; ++seed) {
        std::mt19937 random(seed);
        std::vector<unsigned char> program(600);
        std::generate(program.begin(), program.end(),
                      [&] { return static_cast<unsigned char>(random()); });
        Machine m(program.data(), program.size());
        m.run();
        steps += m.operations();
    }
    return steps;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_firmware_registry_agrees_with_a_naive_model)
{
    BOOST_TEST(run_programs<fuzz::linked_machine>() > 20'000u);
}

// ----- nodes that the caller owns

using with_nodes = registry::with<rio::alloc::intrusive>;
static_assert(std::is_trivially_destructible_v<with_nodes>);
static_assert(std::is_trivially_destructible_v<with_nodes::static_handler_node>);
static_assert(!std::is_copy_constructible_v<with_nodes::handler_node>);

BOOST_AUTO_TEST_CASE(a_registry_of_the_callers_nodes_agrees_with_a_naive_model)
{
    BOOST_TEST(run_programs<fuzz::node_machine>() > 20'000u);
}

BOOST_AUTO_TEST_CASE(a_node_that_is_in_use_gives_an_empty_id_and_nothing_changes)
{
    struct state
    {
        with_nodes::handler_node node;
        with_nodes r;
        with_nodes other;
        int calls = 0;
        handler_id id;
        bool refused_inside = false;
    } s;
    auto const count = [&s](int) { ++s.calls; };
    s.id = s.r.register_handler(s.node, [&s](int) {
        ++s.calls;
        BOOST_TEST(s.r.unregister(s.id));
        // This notify still stands on the node.
        BOOST_TEST(s.node.linked());
        s.refused_inside = !s.r.register_handler(s.node, 1, [](int) {});
    });
    BOOST_TEST(bool(s.id));
    BOOST_TEST(s.node.linked());
    BOOST_TEST(!s.r.register_handler(s.node, 1, count));
    BOOST_TEST(!s.other.register_handler(s.node, count));
    BOOST_TEST(!s.other.unregister(s.id));
    BOOST_TEST(!s.other.contains(s.id));
    s.r.notify(0);
    BOOST_TEST(s.refused_inside);
    BOOST_TEST(!s.node.linked());
    BOOST_TEST(!s.r.unregister(s.id));
    {
        rio::handler_guard const guard = s.other.register_guard(s.node, 5, count);
        BOOST_TEST(s.other.contains(guard.id()));
        s.other.notify(0);
        s.other.for_each_handler([&](handler_id id, std::int8_t key) {
            BOOST_TEST(id == guard.id());
            BOOST_TEST(key == 5);
        });
    }
    BOOST_TEST(s.calls == 2);
    BOOST_TEST(!s.node.linked());
}

BOOST_AUTO_TEST_CASE(an_id_does_not_name_a_new_node_where_an_old_one_was)
{
    with_nodes r;
    alignas(with_nodes::handler_node) unsigned char room[sizeof(with_nodes::handler_node)];
    handler_id old;
    for (int i = 0; i < 100; ++i) {
        auto* const node = new (room) with_nodes::handler_node;
        handler_id const id = r.register_handler(*node, [](int) {});
        BOOST_TEST(id != old);
        BOOST_TEST(!r.contains(old));
        BOOST_TEST(!r.unregister(old));
        BOOST_TEST(r.unregister(id));
        node->~checked_node();
        // Overwrites the memory of the destroyed node.
        std::fill(std::begin(room), std::end(room), static_cast<unsigned char>(0xFF));
        BOOST_TEST(!r.contains(id));
        BOOST_TEST(!r.unregister(id));
        old = id;
    }
}

BOOST_AUTO_TEST_CASE(destroying_a_node_that_is_in_use_ends_in_the_hook)
{
    using refusing = checked::with<rio::alloc::intrusive>;
    using node = refusing::handler_node;
    static refusing r;
    alignas(node) static unsigned char room[sizeof(node)];
    static node* n;
    static handler_id id;
    char const* const refused = "registry_io: a node was destroyed while its registry used it";

    n = new (room) node;
    id = r.register_handler(*n, [](int) {});
    BOOST_TEST(reason_of([] { n->~node(); }) == refused);
    BOOST_TEST(r.unregister(id));
    BOOST_TEST(reason_of([] { n->~node(); }).empty());

    // The node is removed, but the notify in which that happens has not ended.
    n = new (room) node;
    id = r.register_handler(*n, [](int) {
        r.unregister(id);
        n->~node();
    });
    BOOST_TEST(reason_of([] { r.notify(0); }) == refused);
}

// CONTRACT: a key is what the ordering policy sorts by, and an event is passed by const&, however
// either is aligned.
BOOST_AUTO_TEST_CASE(keys_and_events_may_be_aligned_more_than_a_word)
{
    struct alignas(16) wide
    {
        int value = 0;
        bool operator>(wide const& other) const noexcept { return value > other.value; }
    };
    static rio::FirmwareRegistry<wide, 4>::with<rio::ordering::basic_priority<wide>> r;
    static int last = 0;
    static bool right = true;
    auto const check = [](wide const& e) {
        right = right && reinterpret_cast<std::uintptr_t>(&e) % alignof(wide) == 0 && e.value == 7;
    };
    r.register_handler(wide{1}, [=](wide const& e) {
        check(e);
        right = right && last == 2;
        last = 1;
    });
    r.register_handler(wide{2}, [=](wide const& e) {
        check(e);
        last = 2;
    });
    r.notify({7});
    BOOST_TEST(last == 1);
    BOOST_TEST(right);
}
