// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The index of a large registry forgets the ids of removed handlers. An index that keeps them gives
// right answers until it is full, and then searches for ever. So these tests look at its memory.

#include <registry_io/alloc/pmr.hpp>
#include <registry_io/ordering/priority.hpp>
#include <registry_io/panic/terminate.hpp>
#include <registry_io/registry.hpp>
#include <registry_io/snapshot/single_thread.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory_resource>
#include <new>
#include <vector>

namespace {

namespace rio = registry_io;

struct event
{
};
using registry = rio::basic_registry<event, rio::snapshot::single_thread, rio::ordering::priority,
                                     rio::panic::terminate, rio::alloc::pmr>;

/// Knows its blocks.
class memory : public std::pmr::memory_resource
{
public:
    std::map<void*, std::size_t> blocks;

    /// The only block of this size, null if there is none.
    std::byte const* block(std::size_t size) const
    {
        std::byte const* found = nullptr;
        for (auto const& [p, n] : blocks) {
            if (n == size) {
                BOOST_TEST(found == nullptr);
                found = static_cast<std::byte const*>(p);
            }
        }
        return found;
    }

private:
    void* do_allocate(std::size_t size, std::size_t align) override
    {
        void* const p = ::operator new(size, std::align_val_t(align));
        blocks[p] = size;
        return p;
    }
    void do_deallocate(void* p, std::size_t, std::size_t align) override
    {
        blocks.erase(p);
        ::operator delete(p, std::align_val_t(align));
    }
    bool do_is_equal(memory_resource const& other) const noexcept override
    {
        return this == &other;
    }
};

// 1000 ids are more than three quarters of 1024 slots, which have 32 bits of an id and a key. Two
// words and a key come first. The handlers have a key each, and one of these is the common one,
// which is not in the index.
constexpr std::size_t handlers = 1000;
constexpr std::size_t slots_at = 24;
constexpr std::size_t index_bytes = slots_at + std::size_t(2048) * 8;

template <class To>
rio::handler_id add(To& to, std::size_t key)
{
    return to.register_handler(static_cast<int>(key), [](event const&) {});
}

BOOST_AUTO_TEST_CASE(a_clear_leaves_no_id_in_the_index)
{
    memory m;
    registry r{rio::alloc::pmr(&m)};
    for (std::size_t i = 0; i < handlers; ++i)
        add(r, i);
    auto const used = [&] {
        std::size_t n = 0;
        if (std::byte const* const p = m.block(index_bytes))
            for (std::size_t at = slots_at; at < index_bytes; at += 8)
                n += std::any_of(p + at, p + at + 4, [](std::byte b) { return b != std::byte(0); });
        return n;
    };
    BOOST_TEST(used() == handlers - 1);
    // Others take their places at once, so the index stays.
    r.update([](auto& tx) {
        tx.clear();
        for (std::size_t i = 0; i < handlers; ++i)
            add(tx, i);
    });
    BOOST_TEST(used() == handlers - 1);
    r.clear();
    BOOST_TEST(used() == 0u);
}

BOOST_AUTO_TEST_CASE(a_registry_that_has_become_small_has_no_index)
{
    memory m;
    registry r{rio::alloc::pmr(&m)};
    std::vector<rio::handler_id> ids;
    for (std::size_t i = 0; i < handlers; ++i)
        ids.push_back(add(r, i));
    BOOST_TEST(m.block(index_bytes) != nullptr);
    for (; ids.size() != 4; ids.pop_back())
        r.unregister(ids.back());
    BOOST_TEST(m.block(index_bytes) == nullptr);
}

/// Whether the index has more than its first 16 slots.
bool has_grown(memory const& m)
{
    for (std::size_t slots = 32; slots <= 2048; slots *= 2)
        if (m.block(slots_at + slots * 8) != nullptr)
            return true;
    return false;
}

BOOST_AUTO_TEST_CASE(handlers_with_the_key_that_most_have_are_not_in_the_index)
{
    memory m;
    registry r{rio::alloc::pmr(&m)};
    std::vector<rio::handler_id> ids;
    for (std::size_t i = 0; i < handlers; ++i)
        ids.push_back(add(r, 7));
    ids.push_back(add(r, 8));
    BOOST_TEST(!has_grown(m));
    for (rio::handler_id const id : ids)
        BOOST_TEST(r.contains(id));
    for (std::size_t i = 0; i < ids.size(); i += 2)
        BOOST_TEST(r.unregister(ids[i]));
    for (std::size_t i = 0; i < ids.size(); ++i)
        BOOST_TEST(r.contains(ids[i]) == (i % 2 == 1));
}

BOOST_AUTO_TEST_CASE(an_index_does_not_grow_with_removals)
{
    memory m;
    registry r{rio::alloc::pmr(&m)};
    for (std::size_t i = 0; i < handlers; ++i)
        add(r, 0);
    for (int i = 0; i < 5000; ++i)
        BOOST_TEST(r.unregister(add(r, 1)));
    BOOST_TEST(!has_grown(m));
}

}  // namespace
