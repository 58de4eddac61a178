// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Like machine.hpp, for registries that are changed by single stores: a running notify skips
// removed handlers, a slot on which a notify may stand is not reused before that notify has ended,
// and a full table returns an empty id.

#ifndef REGISTRY_IO_TEST_FUZZ_LINKED_MACHINE_HPP
#define REGISTRY_IO_TEST_FUZZ_LINKED_MACHINE_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <type_traits>
#include <utility>
#include <vector>

#include <registry_io/alloc/intrusive.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/presets/firmware.hpp>

#include "fuzz/program.hpp"

namespace fuzz {

constexpr std::size_t linked_slots = 12;

/// With slots, or with nodes that the caller owns.
template <class Registry>
class basic_linked_machine
{
public:
    basic_linked_machine(unsigned char const* data, std::size_t size) : program_(data, size) {}

    void run()
    {
        while (more())
            step();
        notify();
        demand(registry_.clear() == alive(), "clear() does not agree");
        demand(registry_.empty(), "a cleared registry is not empty");
    }

    unsigned long long operations() const noexcept { return operations_; }

private:
    static constexpr std::size_t slots = linked_slots;
    static constexpr bool has_nodes = !std::is_void_v<typename Registry::handler_node>;
    static constexpr int deepest = 5;

    struct entry
    {
        basic_linked_machine* owner = nullptr;
        int key = 0;
        registry_io::handler_id id;
        unsigned order = 0;
        bool alive = false;
        bool in_use = false;
    };

    bool more() const noexcept { return program_.more(); }
    unsigned next() noexcept { return program_.next(); }

    static void demand(bool holds, char const* what)
    {
        if (holds)
            return;
        std::fprintf(stderr, "firmware: %s\n", what);
        std::abort();
    }

    void step()
    {
        ++operations_;
        switch (next() % 8) {
        case 0:
        case 1:
        case 2:
            add();
            break;
        case 3:
        case 4:
            remove();
            break;
        case 5:
        case 6:
            notify();
            break;
        default:
            if (next() % 8 == 0)
                clear();
            break;
        }
        agree();
    }

    std::size_t alive() const
    {
        return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(),
                                                      [](entry const& e) { return e.alive; }));
    }

    std::vector<entry*> in_order()
    {
        std::vector<entry*> all;
        for (entry& e : entries_)
            if (e.alive)
                all.push_back(&e);
        std::sort(all.begin(), all.end(), [](entry const* a, entry const* b) {
            return a->key != b->key ? a->key > b->key : a->order < b->order;
        });
        return all;
    }

    void agree()
    {
        std::vector<entry*> const all = in_order();
        demand(registry_.size() == all.size(), "size() does not agree");
        demand(registry_.empty() == all.empty(), "empty() does not agree");
        std::size_t i = 0;
        registry_.for_each_handler([&](registry_io::handler_id id, int key) {
            demand(i < all.size(), "for_each_handler visits too many handlers");
            demand(all[i]->id == id && all[i]->key == key, "for_each_handler does not agree");
            ++i;
        });
        demand(i == all.size(), "for_each_handler visits too few handlers");
        if constexpr (has_nodes)
            for (std::size_t n = 0; n != slots; ++n)
                demand(nodes_[n].linked() == entries_[n].in_use, "linked() does not agree");
    }

    template <class F>
    registry_io::handler_id add_to(std::size_t node, int key, F f)
    {
        if constexpr (has_nodes)
            return registry_.register_handler(nodes_[node], key, f);
        else
            return registry_.register_handler(key, f);
    }

    void add()
    {
        int const key = static_cast<int>(next() % 5) - 2;
        auto const free = std::find_if(entries_.begin(), entries_.end(),
                                       [](entry const& e) { return !e.in_use; });
        if (free == entries_.end()) {
            demand(!add_to(order_ % slots, key, [](int) {}), "there is more room than asked for");
            return;
        }
        *free = {this, key, {}, ++order_, true, true};
        free->id = add_to(static_cast<std::size_t>(free - entries_.begin()), key,
                          [e = &*free](int) { e->owner->called(*e); });
        demand(static_cast<bool>(free->id), "there is less room than asked for");
    }

    void remove()
    {
        entry& e = entries_[next() % slots];
        demand(registry_.contains(e.id) == e.alive, "contains() does not agree");
        demand(registry_.unregister(e.id) == e.alive, "unregister() does not agree");
        e.alive = false;
        if (level_ == 0)
            e.in_use = false;
    }

    void clear()
    {
        demand(registry_.clear() == alive(), "clear() does not agree");
        for (entry& e : entries_) {
            e.alive = false;
            e.in_use = e.in_use && level_ != 0;
        }
    }

    void notify()
    {
        if (level_ == deepest)
            return;
        std::vector<entry*> order = in_order();
        std::vector<entry*>* const outer = std::exchange(expected_, &order);
        std::size_t const outer_at = std::exchange(reached_, 0);
        ++level_;
        registry_.notify(0);
        --level_;
        skip_removed();
        demand(reached_ == order.size(), "a notify did not call all handlers");
        expected_ = outer;
        reached_ = outer_at;
        if (level_ == 0)
            for (entry& e : entries_)
                e.in_use = e.alive;
    }

    void skip_removed()
    {
        while (reached_ != expected_->size() && !(*expected_)[reached_]->alive)
            ++reached_;
    }

    void called(entry& e)
    {
        demand(expected_ != nullptr, "a handler is called outside a notify");
        skip_removed();
        demand(reached_ != expected_->size() && (*expected_)[reached_] == &e,
               "a handler is called out of turn");
        ++reached_;
        if (more() && next() % 3 == 0)
            step();
    }

    program program_;
    std::conditional_t<has_nodes, typename Registry::handler_node, int>
        nodes_[has_nodes ? slots : 1]{};
    Registry registry_;
    std::array<entry, slots> entries_{};
    unsigned order_ = 0;
    int level_ = 0;
    std::vector<entry*>* expected_ = nullptr;  // of the running notify
    std::size_t reached_ = 0;                  // in `expected_`
    unsigned long long operations_ = 0;
};

using linked_machine = basic_linked_machine<registry_io::FirmwareRegistry<int, linked_slots>>;
using node_machine = basic_linked_machine<
    registry_io::FirmwareRegistry<int, 1>::with<registry_io::alloc::intrusive>>;

}  // namespace fuzz

#endif
