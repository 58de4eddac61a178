// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How a call of a signal treats exceptions, combiners and results: the panic policy that lets an
// exception end the call, the storage of a combiner with state, and the storage of a result.

#ifndef REGISTRY_IO_SIGNALS2_DETAIL_COMBINING_HPP
#define REGISTRY_IO_SIGNALS2_DETAIL_COMBINING_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/detail/table.hpp>
#include <registry_io/fatal.hpp>
#include <registry_io/policy.hpp>
#include <registry_io/signals2/detail/attachment.hpp>
#include <registry_io/signals2/last_value.hpp>
#include <registry_io/signals2/optional_last_value.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {
namespace detail {

/// The panic policy of signals: an exception ends the call.
struct REGISTRY_IO_EXPORT passing
{
    using category = axis::panic;
    static constexpr bool isolates = false;
    static constexpr bool reports = false;
    static constexpr bool logs = false;
    using result_type = void;
    using handler_state = no_state;

    template <class Notify>
    struct scope
    {
        // A loop over slots of one type would not check each slot, and a call must.
        static constexpr bool calls_apart = true;

        explicit scope(Notify const&) noexcept {}
        template <class Call, class View>
        BOOST_FORCEINLINE verdict invoke(Call call, View)
        {
            call();
            return verdict::keep;
        }
        void finish() noexcept {}
    };

    [[noreturn]] static void fatal(char const* reason) noexcept { registry_io::fatal(reason); }
};

/// Whether a combiner only calls all slots and returns nothing: then the tables are walked without
/// iterators.
template <class Combiner>
inline constexpr bool only_calls = false;
template <>
inline constexpr bool only_calls<optional_last_value<void>> = true;
template <>
inline constexpr bool only_calls<last_value<void>> = true;

/// A combiner with state, stored in the place of a registry's callback.
template <class Combiner>
struct combiner_hook : registry_io::detail::hook
{
    explicit combiner_hook(Combiner const& c)
        : hook([](garbage* g) noexcept { static_cast<combiner_hook*>(g)->drop(); }), combiner(c)
    {
    }
    void hold() noexcept { references.fetch_add(1, std::memory_order_relaxed); }
    void drop() noexcept
    {
        // acq_rel: pairs with the drop of other users, whose uses happen before the deletion.
        if (references.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }

    std::atomic<std::uint32_t> references{1};  // the tables
    Combiner combiner;
};

/// Storage for the result of a call of the signal, whose type may have no default constructor.
template <class T>
class returned
{
public:
    returned() noexcept {}
    returned(returned const&) = delete;
    returned& operator=(returned const&) = delete;
    ~returned()
    {
        if (full_)
            value_.~T();
    }
    template <class F>
    void fill(F f)
    {
        ::new (static_cast<void*>(&value_)) T(f());
        full_ = true;
    }
    bool is_full() const noexcept { return full_; }
    T take() { return std::move(value_); }

private:
    union
    {
        T value_;
    };
    bool full_ = false;
};
template <class T>
class returned<T&>
{
public:
    template <class F>
    void fill(F f)
    {
        value_ = std::addressof(f());
    }
    bool is_full() const noexcept { return value_ != nullptr; }
    T& take() const noexcept { return *value_; }

private:
    T* value_ = nullptr;
};
template <>
class returned<void>
{
public:
    template <class F>
    void fill(F f)
    {
        f();
        full_ = true;
    }
    bool is_full() const noexcept { return full_; }
    void take() const noexcept {}

private:
    bool full_ = false;
};

}  // namespace detail
}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
