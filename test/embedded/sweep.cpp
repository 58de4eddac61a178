// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Interrupts every change at every instruction. The interrupt notifies, and must see exactly the
// list before the change or the list after it. A second interrupt of higher priority comes while
// the first one is inside a handler, and must see the same. Two lists without protection show that
// the sweep finds torn lists.

#include "board.hpp"

#include <type_traits>

#include <registry_io/alloc/intrusive.hpp>
#include <registry_io/presets/firmware.hpp>

extern std::uint32_t const code_begin __asm__("__code_begin");

namespace {

struct tick
{
};
#ifdef NODES
using registry = registry_io::FirmwareRegistry<tick, 8>::with<registry_io::alloc::intrusive>;
#else
using registry = registry_io::FirmwareRegistry<tick, 8>;
#endif
using registry_io::handler_id;

// ----- which handlers were called, and from where

struct log
{
    char text[16];
    std::uint32_t size;

    void clear() { size = 0; }
    void push(char c)
    {
        if (size < sizeof text)
            text[size++] = c;
    }
    bool is(char const* expected) const
    {
        std::uint32_t i = 0;
        for (; i != size && expected[i] != 0; ++i)
            if (text[i] != expected[i])
                return false;
        return i == size && expected[i] == 0;
    }
    bool operator==(log const& other) const
    {
        if (size != other.size)
            return false;
        for (std::uint32_t i = 0; i != size; ++i)
            if (text[i] != other.text[i])
                return false;
        return true;
    }
};

log by_main;
log by_tick;
log by_high;
log* current = &by_main;
bool volatile ticked;
/// The time from the first tick interrupt to the second; 0 for no second one.
std::uint32_t second_after;
log by_second;
bool volatile is_high_due;

struct handler
{
    char name;
    /// What the handler does, once, when a notify of the main program calls it.
    void (*act)();

    void operator()()
    {
        current->push(name);
        if (is_high_due) {
            is_high_due = false;
            board::raise_high();
        }
        if (act != nullptr && current == &by_main) {
            void (*const once)() = act;
            act = nullptr;
            once();
        }
    }
};

// ----- the registry, and the changes to it

registry r;
handler handlers[] = {
    {'a', nullptr}, {'b', nullptr}, {'c', nullptr}, {'d', nullptr}, {'n', nullptr}};
handler_id ids[5];

#ifdef NODES
registry::static_handler_node nodes[8];

template <class F>
handler_id add(int priority, F f)
{
    for (auto& node : nodes)
        if (!node.linked())
            return r.register_handler(node, priority, f);
    return {};
}
#else
template <class F>
handler_id add(int priority, F f)
{
    return r.register_handler(priority, f);
}
#endif

void put(int i, int priority)
{
    ids[i] = add(priority, [h = &handlers[i]](tick const&) { (*h)(); });
    CHECK(bool(ids[i]));
}

/// Empties the list, and leaves other links in its slots than the last round did: the links left in
/// a slot must not happen to be those that it is about to get.
void forget()
{
    r.clear();
    for (int i = 0; i != 8; ++i)
        add(0, [](tick const&) { current->push('!'); });
    r.clear();
}

void empty() {}
void one()
{
    put(0, 0);
}
void three()
{
    put(0, 2);
    put(1, 1);
    put(2, 1);
}
void add_first()
{
    put(4, 3);
}
void add_between()
{
    put(4, 2);
}
void add_last()
{
    put(4, -1);
}
void take_first()
{
    CHECK(r.unregister(ids[0]));
}
void take_between()
{
    CHECK(r.unregister(ids[1]));
}
void take_last()
{
    CHECK(r.unregister(ids[2]));
}
void take_all()
{
    r.clear();
}
void notify()
{
    r.notify({});
}
void add_and_notify()
{
    add_between();
    notify();
}
void change_twice()
{
    take_between();
    notify();
    add_last();
}

struct scenario
{
    char const* name;
    void (*setup)();
    void (*change)();
    char const* before;
    char const* after;
    /// The handlers that the main program's notify calls, if handler `a` makes the change or if the
    /// change is a notify; null if the change is made outside of a notify.
    char const* by_main = nullptr;
    /// The list between the changes, if there are two.
    char const* between = nullptr;
};

constexpr scenario scenarios[] = {
    {"register into an empty list", &empty, &add_first, "", "n"},
    {"register first", &three, &add_first, "abc", "nabc"},
    {"register in the middle", &three, &add_between, "abc", "anbc"},
    {"register last", &three, &add_last, "abc", "abcn"},
    {"unregister the only one", &one, &take_first, "a", ""},
    {"unregister the first", &three, &take_first, "abc", "bc"},
    {"unregister in the middle", &three, &take_between, "abc", "ac"},
    {"unregister the last", &three, &take_last, "abc", "ab"},
    {"clear", &three, &take_all, "abc", ""},
    {"notify", &three, &empty, "abc", "abc", "abc"},
    {"register in a handler", &three, &add_between, "abc", "anbc", "abc"},
    {"unregister the next in a handler", &three, &take_between, "abc", "ac", "ac"},
    {"unregister itself in a handler", &three, &take_first, "abc", "bc", "abc"},
    {"clear in a handler", &three, &take_all, "abc", "", "a"},
    {"register and notify in a handler", &three, &add_and_notify, "abc", "anbc", "aanbcbc"},
    {"two changes and a notify in a handler", &three, &change_twice, "abc", "acn", "aacc", "ac"},
};

// ----- the interrupts

template <class Notify>
void set_interrupts(Notify)
{
    board::on_tick = [] {
        bool const is_second = ticked;
        ticked = true;
        current = is_second ? &by_second : &by_tick;
        is_high_due = !is_second;
        Notify()();
        current = &by_main;
        if (!is_second && second_after != 0)
            board::start_tick(second_after);
    };
    board::on_high = [] {
        log* const interrupted = current;
        current = &by_high;
        Notify()();
        current = interrupted;
    };
}

// The instruction addresses at which the interrupt arrived, one bit for two bytes of code.
std::uint32_t places[1024];
std::uint32_t count_of_places;
std::uint32_t count_of_interrupts;

void note_place()
{
    std::uint32_t const at =
        (board::interrupted_at - reinterpret_cast<std::uintptr_t>(&code_begin)) / 2;
    ++count_of_interrupts;
    if (at / 32 >= sizeof places / sizeof *places)
        return;
    std::uint32_t const bit = 1u << at % 32;
    if ((places[at / 32] & bit) == 0) {
        places[at / 32] |= bit;
        ++count_of_places;
    }
}

void say(char const* what, log const& l)
{
    board::print(what);
    for (std::uint32_t i = 0; i != l.size; ++i) {
        char const text[] = {l.text[i], 0};
        board::print(text);
    }
    board::print("\n");
}

/// Runs `change` repeatedly, each time interrupted a little later, until it finishes before the
/// interrupt. A step is shorter than one instruction. Returns how often a list was torn.
template <class Prepare, class Change, class Right>
std::uint32_t sweep(Prepare prepare, Change change, Right is_right)
{
    std::uint32_t torn = 0;
    for (std::uint32_t ticks = BOARD_TICKS_PER_STEP;; ticks += BOARD_TICKS_PER_STEP) {
        prepare();
        by_main.clear();
        by_tick.clear();
        by_high.clear();
        by_second.clear();
        ticked = false;
        is_high_due = false;
        board::start_tick(ticks);
        change();
        board::stop_tick();
        if (!ticked)
            return torn;
        note_place();
        if (!is_right())
            ++torn;
    }
}

void sweep_registry(scenario const& s)
{
    second_after = 0;
    std::uint32_t const interrupts_before = count_of_interrupts;
    // Both lists must have been seen, or the sweep has missed the change.
    std::uint32_t olds = 0;
    std::uint32_t news = 0;
    std::uint32_t shown = 0;
    std::uint32_t const torn = sweep(
        [&] {
            handlers[0].act = nullptr;
            forget();
            s.setup();
            handlers[0].act = s.by_main != nullptr ? s.change : nullptr;
        },
        [&] {
            if (s.by_main != nullptr)
                r.notify({});
            else
                s.change();
        },
        [&] {
            bool const is_old = by_tick.is(s.before);
            bool const is_new = by_tick.is(s.after);
            olds += is_old ? 1 : 0;
            news += is_new ? 1 : 0;
            bool const right =
                (is_old || is_new || (s.between != nullptr && by_tick.is(s.between))) &&
                (by_tick.size == 0 || by_high == by_tick) &&
                by_main.is(s.by_main != nullptr ? s.by_main : "");
            if (!right && ++shown <= 3) {
                say("main: ", by_main);
                say("tick: ", by_tick);
                say("high: ", by_high);
            }
            return right;
        });
    CHECK(torn == 0);
    CHECK(olds != 0);
    CHECK(news != 0);
    // The change must leave a correct list.
    handlers[0].act = nullptr;
    by_main.clear();
    r.notify({});
    CHECK(by_main.is(s.after));
    board::print(s.name);
    board::print(": ");
    board::print(count_of_interrupts - interrupts_before);
    board::print(" interrupts\n");
}

/// Two interrupts in one change: the first at every instruction, the second up to 40 instructions
/// later. The state that the first one leaves must not mislead the second.
void sweep_twice(scenario const& s)
{
    std::uint32_t pairs = 0;
    std::uint32_t torn = 0;
    for (std::uint32_t gap = 2; gap <= 80; gap += 6) {
        second_after = gap * BOARD_TICKS_PER_STEP;
        torn += sweep(
            [&] {
                handlers[0].act = nullptr;
                forget();
                s.setup();
                handlers[0].act = s.by_main != nullptr ? s.change : nullptr;
            },
            [&] {
                if (s.by_main != nullptr)
                    r.notify({});
                else
                    s.change();
            },
            [&] {
                ++pairs;
                bool const is_new = by_tick.is(s.after);
                return (is_new || by_tick.is(s.before)) &&
                    (by_second.is(s.after) || (!is_new && by_second.is(s.before)) ||
                     by_second.size == 0);
            });
    }
    second_after = 0;
    CHECK(torn == 0);
    handlers[0].act = nullptr;
    by_main.clear();
    r.notify({});
    CHECK(by_main.is(s.after));
    board::print(s.name);
    board::print(": ");
    board::print(pairs);
    board::print(" pairs of interrupts\n");
}

// ----- what handlers read, and what they store

// Neither is volatile and no pointer refers to them, so the compiler sees all code that uses them.
bool is_valid;
std::uint32_t times_called;

// The same for all code of this registry: it does not even ask the processor which context is
// writing.
struct anybody
{
    static bool is_here() noexcept { return true; }
};
registry::with<registry_io::snapshot::basic_interrupt_safe<anybody>> anybodys;

/// A handler sees what was stored before its registration, and what it stores is visible after its
/// removal.
template <auto& Registry>
void sweep_surroundings()
{
    set_interrupts([] { Registry.notify({}); });
    std::uint32_t found = 0;
    std::uint32_t calls = 0;
    std::uint32_t const wrong = sweep(
        [] { is_valid = false; },
        [&] {
            times_called = 0;
            is_valid = true;
            auto const f = [](tick const&) {
                current->push(is_valid ? 'v' : '!');
                times_called = times_called + 1;
            };
#ifdef NODES
            static constinit
                typename std::remove_reference_t<decltype(Registry)>::static_handler_node node;
            handler_id const id = Registry.register_handler(node, 0, f);
#else
            handler_id const id = Registry.register_handler(f);
#endif
            Registry.unregister(id);
            found = times_called;
            times_called = 0;
            is_valid = false;
        },
        [&] {
            calls += found;
            return (by_tick.is("") || by_tick.is("v")) && found == by_tick.size;
        });
    CHECK(wrong == 0);
    CHECK(calls != 0);
    board::print("a handler was called ");
    board::print(calls);
    board::print(" times while it was registered and removed\n");
}

// ----- lists that the sweep must find to be torn

/// The obvious approach: an array whose entries are shifted to make room.
struct array_list
{
    static constexpr std::uint32_t capacity = 8;
    handler* volatile entries[capacity];
    std::uint32_t volatile size;

    void clear() { size = 0; }
    void insert(std::uint32_t at, handler& h)
    {
        for (std::uint32_t i = size; i != at; --i)
            entries[i] = entries[i - 1];
        entries[at] = &h;
        size = size + 1;
    }
    void notify() const
    {
        for (std::uint32_t i = 0; i < size; ++i)
            (*entries[i])();
    }
} array;

/// The correct list, except that two stores are swapped.
struct wrong_list
{
    struct node
    {
        handler* h;
        node* volatile next;
    };
    node nodes[4];
    node* volatile first;

    void set_up()
    {
        nodes[0] = {&handlers[0], &nodes[1]};
        nodes[1] = {&handlers[1], nullptr};
        nodes[2] = {&handlers[4], nullptr};
        first = &nodes[0];
    }
    void insert()
    {
        nodes[0].next = &nodes[2];
        nodes[2].next = &nodes[1];
    }
    void notify() const
    {
        for (node const* n = first; n != nullptr; n = n->next)
            (*n->h)();
    }
} wrong;

struct notify_registry
{
    void operator()() const { r.notify({}); }
};
struct notify_array
{
    void operator()() const { array.notify(); }
};
struct notify_wrong
{
    void operator()() const { wrong.notify(); }
};

}  // namespace

int main()
{
    board::set_priorities();

    set_interrupts(notify_registry());
    for (scenario const& s : scenarios)
        sweep_registry(s);
    board::print("an interrupt at ");
    board::print(count_of_places);
    board::print(" different instructions, ");
    board::print(count_of_interrupts);
    board::print(" times: no list was torn\n");

    for (scenario const& s : scenarios)
        if (s.between == nullptr && s.change != &add_and_notify)
            sweep_twice(s);

    handlers[0].act = nullptr;
    sweep_surroundings<r>();
    sweep_surroundings<anybodys>();

    set_interrupts(notify_array());
    std::uint32_t const torn_arrays = sweep(
        [] {
            array.clear();
            array.insert(0, handlers[0]);
            array.insert(1, handlers[1]);
            array.insert(2, handlers[2]);
        },
        [] { array.insert(1, handlers[4]); },
        [] { return by_tick.is("abc") || by_tick.is("anbc"); });
    board::print("an array without protection was torn ");
    board::print(torn_arrays);
    board::print(" times\n");
    CHECK(torn_arrays != 0);

    set_interrupts(notify_wrong());
    std::uint32_t const torn_lists = sweep([] { wrong.set_up(); }, [] { wrong.insert(); },
                                           [] { return by_tick.is("ab") || by_tick.is("anb"); });
    board::print("a list with two stores in the wrong order was torn ");
    board::print(torn_lists);
    board::print(" times\n");
    CHECK(torn_lists != 0);

    test::end();
}
