// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The guarantees of the firmware preset with real interrupts: order, removal, changes in handlers,
// nested priorities, misuse, and events that an interrupt posts.

#include "board.hpp"

#include <new>
#include <type_traits>

#include <registry_io/alloc/intrusive.hpp>
#include <registry_io/presets/firmware.hpp>
#include <registry_io/queued/deferred.hpp>

// The program must not call functions that firmware lacks: the C library's assertions and heap, and
// exceptions.
#if defined(__EXCEPTIONS) || defined(__GXX_RTTI)
#error "to be compiled without exceptions and RTTI"
#endif

namespace rio = registry_io;
using rio::handler_id;

namespace {

struct tick
{
    std::uint32_t n;
};
using registry = rio::FirmwareRegistry<tick, 4>;
static_assert(std::is_trivially_destructible_v<registry>);
static_assert(sizeof(registry) == 8 + 4 * 16);

// volatile: the compiler does not know that interrupts change it.
std::uint32_t volatile seen;
void note(std::uint32_t digit)
{
    seen = seen * 10 + digit;
}

// ----- without interrupts

constinit registry plain;
handler_id second;

void check_order()
{
    seen = 0;
    plain.notify({0});
    CHECK(seen == 0);
    handler_id const a = plain.register_handler([](tick const&) { note(1); });
    second = plain.register_handler(7, [](tick const& t) { note(t.n); });
    handler_id const c = plain.register_handler([](tick const&) { note(3); });
    plain.notify({2});
    CHECK(seen == 213);
    CHECK(plain.register_handler(-5, [](tick const&) { note(4); }));
    CHECK(!plain.register_handler([](tick const&) { note(9); }));
    CHECK(plain.size() == 4);
    seen = 0;
    plain.notify({2});
    CHECK(seen == 2134);
    CHECK(plain.unregister(a));
    CHECK(!plain.unregister(a));
    CHECK(!plain.contains(a));
    CHECK(plain.contains(c));
    seen = 0;
    plain.notify({5});
    CHECK(seen == 534);
    plain.synchronize();
    CHECK(plain.clear() == 3);
    CHECK(plain.empty());
}

void check_changes_in_handlers()
{
    seen = 0;
    plain.register_handler(3, [](tick const& t) {
        note(1);
        if (t.n != 0)
            return;
        CHECK(plain.unregister(second));
        CHECK(plain.register_handler(2, [](tick const&) { note(5); }));
        plain.notify({1});
    });
    second = plain.register_handler(2, [](tick const&) { note(2); });
    plain.register_handler(1, [](tick const&) { note(3); });
    plain.notify({0});
    CHECK(seen == 11533);
    seen = 0;
    plain.notify({1});
    CHECK(seen == 153);
    plain.clear();
}

constinit registry shared;

void check_foreign_ids()
{
    handler_id const mine = plain.register_handler([](tick const&) { note(1); });
    handler_id const theirs = shared.register_handler([](tick const&) { note(2); });
    CHECK(mine != theirs);
    CHECK(!plain.contains(theirs));
    CHECK(!plain.unregister(theirs));
    CHECK(!shared.contains(mine));
    CHECK(!shared.unregister(mine));
    CHECK(!plain.unregister(handler_id()));
    CHECK(shared.unregister(theirs));
    CHECK(plain.unregister(mine));
}

// ----- interrupts of two priorities, and a handler in each

void check_nested_priorities()
{
    board::on_low = [] { shared.notify({1}); };
    board::on_high = [] { shared.notify({2}); };
    shared.register_handler(1, [](tick const& t) {
        note(t.n);
        if (t.n == 0)
            board::raise_low();
        else if (t.n == 1)
            board::raise_high();
        note(t.n);
    });
    shared.register_handler([](tick const& t) { note(t.n + 4); });
    seen = 0;
    shared.notify({0});
    CHECK(seen == 12261504);
    seen = 0;
    board::raise_low();
    CHECK(seen == 122615);
    shared.clear();
}

// ----- a change in an interrupt

std::uint32_t volatile misuses;
void count_misuse(char const*)
{
    // Leaves the interrupt and skips the operation that was refused, because there are more tests
    // to run.
    misuses = misuses + 1;
    board::leave_interrupt();
}
using guarded_registry = registry::with<rio::panic::basic_trap<&count_misuse>>;
constinit guarded_registry guarded;
handler_id guarded_id;

void check_writers()
{
    guarded_id = guarded.register_handler([](tick const& t) { note(t.n); });
    board::on_low = [] { guarded.unregister(guarded_id); };
    board::raise_low();
    CHECK(misuses == 1);
    board::on_low = [] { guarded.register_handler([](tick const&) {}); };
    board::raise_low();
    CHECK(misuses == 2);
    board::on_low = [] { guarded.clear(); };
    board::raise_low();
    CHECK(misuses == 3);
    // Reading is allowed.
    board::on_low = [] {
        CHECK(guarded.contains(guarded_id));
        CHECK(guarded.size() == 1);
        guarded.notify({6});
    };
    seen = 0;
    board::raise_low();
    CHECK(misuses == 3);
    CHECK(seen == 6);
    CHECK(guarded.unregister(guarded_id));
}

// ----- nodes that the caller owns

using node_registry = registry::with<rio::alloc::intrusive>;
static_assert(std::is_trivially_destructible_v<node_registry>);
static_assert(sizeof(node_registry) == 8);
static_assert(sizeof(node_registry::handler_node) == 16);
constinit node_registry by_nodes;
constinit node_registry::static_handler_node first_node;
constinit node_registry::static_handler_node second_node;
constinit guarded_registry::with<rio::alloc::intrusive> by_guarded_nodes;
using guarded_node = decltype(by_guarded_nodes)::handler_node;
alignas(guarded_node) unsigned char room[sizeof(guarded_node)];

void check_nodes()
{
    second = by_nodes.register_handler(first_node, [](tick const& t) { note(t.n); });
    CHECK(bool(second));
    CHECK(first_node.linked());
    CHECK(!by_nodes.register_handler(first_node, [](tick const&) { note(9); }));
    // Removes the first handler, on whose node the interrupted notify may stand.
    handler_id const other = by_nodes.register_handler(second_node, 1, [](tick const& t) {
        board::raise_low();
        if (t.n != 1)
            return;
        CHECK(by_nodes.unregister(second));
        CHECK(first_node.linked());
        CHECK(!by_nodes.register_handler(first_node, [](tick const&) { note(9); }));
        board::raise_low();
    });
    board::on_low = [] { note(by_nodes.contains(second) ? 7 : 8); };
    seen = 0;
    by_nodes.notify({2});
    CHECK(seen == 72);
    by_nodes.notify({1});
    CHECK(seen == 7278);
    CHECK(!first_node.linked());
    CHECK(by_nodes.register_handler(first_node, 2, [](tick const&) { note(5); }));
    by_nodes.notify({2});
    CHECK(seen == 727858);
    CHECK(by_nodes.unregister(other));
    CHECK(by_nodes.clear() == 1);
    CHECK(!first_node.linked() && !second_node.linked());

    // A node is destroyed while it is in use.
    misuses = 0;
    auto* const node = new (room) guarded_node;
    handler_id const id = by_guarded_nodes.register_handler(*node, [](tick const&) {});
    board::on_low = [] { std::launder(reinterpret_cast<guarded_node*>(room))->~guarded_node(); };
    board::raise_low();
    CHECK(misuses == 1);
    CHECK(by_guarded_nodes.unregister(id));
    board::raise_low();
    CHECK(misuses == 1);
}

// ----- events that an interrupt posts

constinit rio::queued::deferred<tick, 3> posted{rio::queued::closed};
std::uint32_t volatile overflows;
void count_overflow(tick const& t)
{
    overflows = overflows * 10 + t.n;
}
constinit rio::queued::deferred<tick, 1, rio::queued::call<&count_overflow>> narrow{
    rio::queued::closed};
std::uint32_t volatile number;

void check_deferred()
{
    board::on_low = [] {
        number = number + 1;
        posted.post({number});
    };
    board::raise_low();
    CHECK(posted.lost() == 1);
    CHECK(posted.empty());
    CHECK(posted.drain(plain) == 0);
    posted.open();
    plain.register_handler([](tick const& t) { note(t.n); });
    seen = 0;
    for (int i = 0; i != 4; ++i)
        board::raise_low();
    CHECK(posted.lost() == 2);
    CHECK(!posted.empty());
    CHECK(posted.drain(plain, 1) == 1);
    CHECK(seen == 2);
    CHECK(posted.drain(plain) == 2);
    CHECK(seen == 234);
    CHECK(posted.empty());

    // An event that is posted while the main loop drains is drained too, up to the limit.
    plain.clear();
    plain.register_handler([](tick const& t) {
        note(t.n);
        if (t.n < 8)
            board::raise_low();
    });
    number = 5;
    seen = 0;
    board::raise_low();
    CHECK(posted.drain(plain) == 3);
    CHECK(seen == 678);
    CHECK(posted.empty());
    plain.clear();

    // The overflow callback of the caller counts.
    narrow.open();
    CHECK(narrow.post({1}));
    CHECK(!narrow.post({2}));
    CHECK(!narrow.post({3}));
    CHECK(overflows == 23);
    CHECK(narrow.lost() == 2);
}

}  // namespace

int main()
{
    board::set_priorities();
    check_order();
    check_changes_in_handlers();
    check_foreign_ids();
    check_nested_priorities();
    check_writers();
    check_nodes();
    check_deferred();
    test::end();
}
