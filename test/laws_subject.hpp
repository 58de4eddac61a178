// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The interface on which the laws are stated: any registry, behind virtual functions, so that each
// law is compiled once rather than for each of the many combinations of policies. Only the adapter
// is compiled for each combination.

#ifndef REGISTRY_IO_TEST_LAWS_SUBJECT_HPP
#define REGISTRY_IO_TEST_LAWS_SUBJECT_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include <boost/core/demangle.hpp>
#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include <registry_io/alloc/fixed.hpp>
#include <registry_io/alloc/heap.hpp>
#include <registry_io/alloc/pmr.hpp>
#include <registry_io/alloc/pool.hpp>
#include <registry_io/ordering/fifo.hpp>
#include <registry_io/ordering/priority.hpp>
#include <registry_io/panic/catch_log.hpp>
#include <registry_io/panic/collect.hpp>
#include <registry_io/panic/propagate.hpp>
#include <registry_io/panic/quarantine.hpp>
#include <registry_io/panic/terminate.hpp>
#include <registry_io/registry.hpp>

#include "memory.hpp"

namespace test {

using registry_io::handler_guard;
using registry_io::handler_id;
using registry_io::panic_info;
using registry_io::update_result;

/// Neither copyable nor movable: a registry never copies an event.
struct event
{
    explicit event(int v) : value(v) {}
    event(event const&) = delete;
    event& operator=(event const&) = delete;
    int value;
};

using function = std::function<void(event const&)>;

/// A trivial handler of one word, which is stored in the table if the policies allow it.
struct word
{
    struct target
    {
        void (*call)(target&, event const&);
    };
    target* to;
    void operator()(event const& e) const { to->call(*to, e); }
};

/// A handler that is large and over-aligned.
struct alignas(64) large
{
    explicit large(function g) : f(std::move(g)) { bytes.fill(0x5a); }
    void operator()(event const& e) const
    {
        misplaced = misplaced || reinterpret_cast<std::uintptr_t>(this) % 64 != 0;
        for (unsigned char const b : bytes)
            misplaced = misplaced || b != 0x5a;
        f(e);
    }
    /// Whether any object was found at a misaligned address or with changed bytes.
    inline static bool misplaced = false;
    std::array<unsigned char, 200> bytes{};
    function f;
};

/// The mutable side of a transaction.
class changes
{
public:
    virtual handler_id add(function f) = 0;
    virtual handler_id add(int key, function f) = 0;
    virtual void remove(handler_id id) = 0;
    virtual void clear() = 0;

protected:
    ~changes() = default;
};

/// How a notify ended.
struct ending
{
    bool threw = false;
    std::string what;                  ///< of the exception
    std::vector<panic_info> failures;  ///< that notify returned
    std::size_t more = 0;              ///< failures that were only counted
};

/// A registry with any policies. Without keys, the key arguments are ignored.
class subject
{
public:
    virtual ~subject() = default;
    virtual handler_id add(function f) = 0;
    virtual handler_id add(int key, function f) = 0;
    virtual handler_id add_word(int key, word w) = 0;
    virtual handler_id add_large(int key, function f) = 0;
    virtual handler_guard guard(function f) = 0;
    virtual bool remove(handler_id id) = 0;
    virtual bool remove_and_wait(handler_id id) = 0;
    virtual std::size_t clear() = 0;
    virtual bool contains(handler_id id) const = 0;
    virtual std::size_t size() const = 0;
    virtual bool empty() const = 0;
    virtual ending notify(int value) const = 0;
    virtual update_result update(std::function<void(changes&)> const& f) = 0;
    virtual void each(std::function<void(handler_id, int)> const& f) const = 0;
    virtual void synchronize() = 0;
    // These do nothing if the panic policy lacks them.
    virtual void on_panic(std::function<void(panic_info const&)> f) = 0;
    virtual void clear_panic_callback() = 0;
    virtual void log_to(std::function<void(std::string_view)> f) = 0;
};

enum class panics { logs, terminates, propagates, collects, quarantines };

/// One combination of policies, and what the laws need to know about it.
struct combination
{
    std::string name;
    bool concurrent;  ///< several threads may notify
    bool keyed;       ///< priorities are used
    bool reports;     ///< on_panic exists
    bool notify_is_noexcept;
    panics panic;
    std::size_t limit;     ///< of collected failures, or of failures in a row
    std::size_t capacity;  ///< 0: unbounded
    bool piece;            ///< the memory is a single piece that can be used up
    /// Uses memory from this resource if the alloc policy takes one.
    std::unique_ptr<subject> (*make)(counting_resource&);
    /// With so little memory that it soon runs out, if the memory is a single piece.
    std::unique_ptr<subject> (*make_small)();
};

/// Memory that returns null on failure instead of throwing: an alloc policy may do either.
class null_on_failure
{
public:
    using category = registry_io::axis::alloc;
    static constexpr std::size_t capacity = 0;
    static constexpr bool inside = false;
    static constexpr bool concurrent = true;

    class source
    {
    public:
        explicit source(counting_resource& r) noexcept : resource_(&r) {}
        void* allocate(std::size_t size, std::size_t align) noexcept
        {
            try {
                return resource_->allocate(size, align);
            } catch (std::bad_alloc const&) {
                return nullptr;
            }
        }
        void deallocate(void* p, std::size_t size, std::size_t align) noexcept
        {
            resource_->deallocate(p, size, align);
        }

    private:
        counting_resource* resource_;
    };

    null_on_failure() = default;
    explicit null_on_failure(counting_resource& r) noexcept : resource_(&r) {}
    source get_source() noexcept { return source(*resource_); }

private:
    counting_resource* resource_ = nullptr;
};

template <class P>
inline constexpr panics panic_of = panics::logs;
template <>
inline constexpr panics panic_of<registry_io::panic::terminate> = panics::terminates;
template <>
inline constexpr panics panic_of<registry_io::panic::propagate> = panics::propagates;
template <std::size_t N>
inline constexpr panics panic_of<registry_io::panic::collect<N>> = panics::collects;
template <std::uint32_t N>
inline constexpr panics panic_of<registry_io::panic::quarantine<N>> = panics::quarantines;

template <class P>
inline constexpr std::size_t limit_of = 0;
template <std::size_t N>
inline constexpr std::size_t limit_of<registry_io::panic::collect<N>> = N;
template <std::uint32_t N>
inline constexpr std::size_t limit_of<registry_io::panic::quarantine<N>> = N;

inline constexpr std::size_t small_piece = 12 * 1024;

template <class R>
class adapter final : public subject
{
    using alloc = typename R::alloc_policy;
    using panic = typename R::panic_policy;
    static constexpr bool keyed = !std::is_void_v<typename R::key_type>;

    static R make_registry(counting_resource* memory)
    {
        if constexpr (std::is_same_v<alloc, registry_io::alloc::pmr>)
            return R(alloc(memory));
        else if constexpr (std::is_same_v<alloc, null_on_failure>)
            return R(alloc(*memory));
        else if constexpr (std::is_same_v<alloc, registry_io::alloc::pool>)
            return R(alloc(memory != nullptr ? std::size_t(1) << 20 : small_piece));
        else
            return R();
    }

    class transaction final : public changes
    {
    public:
        explicit transaction(typename R::transaction& t) : tx(t) {}
        handler_id add(function f) override { return tx.register_handler(std::move(f)); }
        handler_id add(int key, function f) override
        {
            if constexpr (keyed)
                return tx.register_handler(key, std::move(f));
            else
                return static_cast<void>(key), tx.register_handler(std::move(f));
        }
        void remove(handler_id id) override { tx.unregister(id); }
        void clear() override { tx.clear(); }

    private:
        typename R::transaction& tx;
    };

    template <class F>
    handler_id add_any(int key, F f)
    {
        if constexpr (keyed)
            return r.register_handler(key, std::move(f));
        else
            return static_cast<void>(key), r.register_handler(std::move(f));
    }

public:
    explicit adapter(counting_resource* memory) : r(make_registry(memory)) {}

    static std::unique_ptr<subject> make(counting_resource& memory)
    {
        return std::make_unique<adapter>(&memory);
    }
    static std::unique_ptr<subject> make_small() { return std::make_unique<adapter>(nullptr); }

    handler_id add(function f) override { return r.register_handler(std::move(f)); }
    handler_id add(int key, function f) override { return add_any(key, std::move(f)); }
    handler_id add_word(int key, word w) override { return add_any(key, w); }
    handler_id add_large(int key, function f) override { return add_any(key, large(std::move(f))); }
    handler_guard guard(function f) override { return r.register_guard(std::move(f)); }
    bool remove(handler_id id) override { return r.unregister(id); }
    bool remove_and_wait(handler_id id) override { return r.unregister_and_wait(id); }
    std::size_t clear() override { return r.clear(); }
    bool contains(handler_id id) const override { return r.contains(id); }
    std::size_t size() const override { return r.size(); }
    bool empty() const override { return r.empty(); }
    void synchronize() override { r.synchronize(); }

    ending notify(int value) const override
    {
        ending end;
        event const e(value);
        if constexpr (panic_of<panic> == panics::propagates) {
            try {
                r.notify(e);
            } catch (std::exception const& x) {
                end.threw = true;
                end.what = x.what() == nullptr ? "" : x.what();
            } catch (...) {
                end.threw = true;
            }
        } else if constexpr (panic_of<panic> == panics::collects) {
            auto const failures = r.notify(e);
            end.failures.assign(failures.begin(), failures.end());
            end.more = failures.more();
        } else {
            r.notify(e);
        }
        return end;
    }

    update_result update(std::function<void(changes&)> const& f) override
    {
        return r.update([&f](typename R::transaction& tx) {
            transaction t(tx);
            f(t);
        });
    }

    void each(std::function<void(handler_id, int)> const& f) const override
    {
        if constexpr (keyed)
            r.for_each_handler([&f](handler_id id, int key) { f(id, key); });
        else
            r.for_each_handler([&f](handler_id id) { f(id, 0); });
    }

    void on_panic(std::function<void(panic_info const&)> f) override
    {
        if constexpr (panic::reports)
            r.on_panic(std::move(f));
    }
    void clear_panic_callback() override
    {
        if constexpr (panic::reports)
            r.clear_panic_callback();
    }
    void log_to(std::function<void(std::string_view)> f) override
    {
        if constexpr (panic::logs)
            r.log_to(std::move(f));
    }

    static combination describe(std::string name)
    {
        combination c;
        c.name = std::move(name);
        c.concurrent = R::snapshot_policy::concurrent;
        c.keyed = keyed;
        c.reports = panic::reports;
        c.notify_is_noexcept =
            noexcept(std::declval<R const&>().notify(std::declval<event const&>()));
        c.panic = panic_of<panic>;
        c.limit = limit_of<panic>;
        c.capacity = alloc::capacity;
        c.piece = std::is_same_v<alloc, registry_io::alloc::pool>;
        c.make = &adapter::make;
        c.make_small = &adapter::make_small;
        return c;
    }

private:
    R r;
};

/// A policy's name as users write it.
template <class P>
std::string name_of()
{
    std::string name = boost::core::demangle(typeid(P).name());
    for (std::string const noise :
         {"registry_io::", "v1::", "ordering::", "snapshot::", "panic::", "alloc::", "test::"})
        for (std::size_t at = 0; (at = name.find(noise)) != std::string::npos;)
            name.erase(at, noise.size());
    if (std::size_t const at = name.find('<'); at != std::string::npos && name.size() > 30)
        name.erase(at);
    return name;
}

}  // namespace test

#endif
