// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// One call of a signal: the arguments, the iterator over the slots, and the result of the slot at
// which the iterator stands. All of it lies on the stack of the caller.

#ifndef REGISTRY_IO_SIGNALS2_DETAIL_INVOCATION_HPP
#define REGISTRY_IO_SIGNALS2_DETAIL_INVOCATION_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/detail/handler.hpp>
#include <registry_io/signals2/detail/attachment.hpp>
#include <registry_io/signals2/detail/callables.hpp>
#include <registry_io/signals2/detail/tracked_objects.hpp>
#include <registry_io/signals2/expired_slot.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {
namespace detail {

/// The result that a combiner gets of a slot that returns nothing.
struct void_result
{
};

/// Storage for a slot's result.
template <class R>
class result_place
{
public:
    using value_type = R;
    bool has_value() const noexcept { return value_.has_value(); }
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): after fill, by precondition.
    R const& get() const noexcept { return *value_; }
    void reset() noexcept { value_.reset(); }
    template <class F>
    void fill(F f)
    {
        value_.emplace(f());
    }

private:
    std::optional<R> value_;
};
template <class R>
class result_place<R&>
{
public:
    using value_type = R&;
    bool has_value() const noexcept { return value_ != nullptr; }
    R& get() const noexcept { return *value_; }
    void reset() noexcept { value_ = nullptr; }
    template <class F>
    void fill(F f)
    {
        value_ = std::addressof(f());
    }

private:
    R* value_ = nullptr;
};
template <>
class result_place<void>
{
public:
    using value_type = void_result;
    bool has_value() const noexcept { return done_; }
    void_result get() const noexcept { return {}; }
    void reset() noexcept { done_ = false; }
    template <class F>
    void fill(F f)
    {
        f();
        done_ = true;
    }

private:
    bool done_ = false;
};

/// How an argument is kept during a call: a word by value, anything else by reference.
template <class T>
using kept_argument =
    std::conditional_t<std::is_reference_v<T> ||
                           (std::is_trivially_copyable_v<T> && sizeof(T) <= 2 * sizeof(void*)),
                       T, T&>;

/// Returns the argument for one slot. Copies it if the signature takes it by value.
template <class T>
T pass(std::remove_reference_t<kept_argument<T>> const& kept)
    requires(!std::is_reference_v<T>)
{
    return kept;
}
template <class T>
T pass(T kept)
    requires std::is_reference_v<T>
{
    // NOLINTNEXTLINE(readability-redundant-casting): not for an rvalue reference.
    return static_cast<T>(kept);
}

template <class Signature>
struct event;
/// The event of a signal's engine: the arguments of a call.
template <class R, class... Args>
struct event<R(Args...)>
{
    std::tuple<kept_argument<Args>...> arguments;
    result_place<R>* result = nullptr;

    /// Calls a callable, with `first` in front of the arguments.
    template <class F, class... First>
    R call(F& f, First const&... first) const
    {
        return std::apply(
            [&](auto&... kept) -> R {
                return detail::call<R>(f, first..., detail::pass<Args>(forward<Args>(kept))...);
            },
            arguments);
    }

private:
    // The object that a reference parameter refers to is not const, although the event is.
    template <class T, class Kept>
    static decltype(auto) forward(Kept& kept) noexcept
    {
        if constexpr (std::is_rvalue_reference_v<T>)
            return static_cast<T>(kept);
        else
            return (kept);
    }
};

/// A call in which a combiner pulls the results of the slots one by one. `Root` is the snapshot
/// that is walked; the pointer to it is null for a signal without slots.
template <class Root, class Signature>
class invocation;
template <class Root, class R, class... Args>
class invocation<Root, R(Args...)>
{
    using entry = registry_io::detail::entry;

public:
    static constexpr std::uint32_t end = ~std::uint32_t(0);

    invocation(Root const* r, event<R(Args...)>& e) noexcept : event_(e)
    {
        event_.result = &result_;
        if (r == nullptr) {
            at_ = end;
            return;
        }
        auto const seen = r->look();
        if (seen.is_flat()) {
            next_ = r->rows().entries;
            last_ = next_ + seen.size();
        } else {
            chunks_ = typename Root::chunk_range(*r, seen);
        }
    }
    invocation(invocation const&) = delete;
    invocation& operator=(invocation const&) = delete;

    std::uint32_t at() const noexcept { return at_; }

    /// Goes to the first or next slot that is to be called.
    void advance()
    {
        result_.reset();
        do {
            if (locked_)
                locked_->clear();
            if (next_ == last_ && !next_rows()) {
                at_ = end;
                return;
            }
            ++next_;
            ++at_;
        } while (!is_to_be_called(of(next_[-1])));
    }

    /// Calls the current slot the first time, and returns its result.
    decltype(auto) result()
    {
        if (!result_.has_value()) {
            entry const& e = next_[-1];
            BOOST_TRY
            {
                e.invoke(e.state, &event_);
            }
            BOOST_CATCH(expired_slot const&)
            {
                of(e).disconnect();
                BOOST_RETHROW
            }
            BOOST_CATCH_END
        }
        return result_.get();
    }

private:
    static attachment& of(entry const& e) noexcept
    {
        return *static_cast<attachment*>(
            static_cast<registry_io::detail::block_base<no_state>*>(e.state));
    }

    bool next_rows() noexcept
    {
        if (chunks_.empty())
            return false;
        std::uint32_t n = 0;
        next_ = chunks_.next(n).rows().entries;
        last_ = next_ + n;
        return true;
    }

    bool is_to_be_called(attachment& a)
    {
        if (a.is_idle())
            return false;
        if (a.about.tracked == nullptr) [[likely]]
            return true;
        if (!locked_)
            locked_.emplace();
        return detail::lock_for_call(a, *locked_);
    }

    event<R(Args...)>& event_;
    result_place<R> result_;
    std::optional<locked_objects> locked_;  // engaged once a slot tracks something
    entry const* next_ = nullptr;
    entry const* last_ = nullptr;
    typename Root::chunk_range chunks_;
    std::uint32_t at_ = 0;
};

/// The input iterator that a combiner is called with. Dereferencing it calls a slot, once, and
/// gives its result. It leaves out slots that are disconnected or blocked when it reaches them.
template <class Invocation, class R>
class slot_call_iterator
{
    using place = result_place<R>;

public:
    using iterator_category = std::input_iterator_tag;
    using value_type = std::remove_cvref_t<typename place::value_type>;
    using reference = decltype(std::declval<place const&>().get());
    using pointer = std::remove_reference_t<reference>*;
    using difference_type = std::ptrdiff_t;

    slot_call_iterator(Invocation& of, std::uint32_t at) noexcept : of_(&of), at_(at) {}

    reference operator*() const { return of_->result(); }
    pointer operator->() const
        requires std::is_reference_v<reference>
    {
        return std::addressof(of_->result());
    }
    slot_call_iterator& operator++()
    {
        of_->advance();
        at_ = of_->at();
        return *this;
    }
    /// The result of `i++`, for `*i++`: the result of the slot that the iterator leaves.
    class left
    {
    public:
        explicit left(value_type v) : value_(std::move(v)) {}
        value_type const& operator*() const noexcept { return value_; }

    private:
        value_type value_;
    };
#if defined(__GNUC__) && !defined(__clang__)
// -Weffc++ demands that `i++` returns the iterator, which no longer has the result for `*i++`.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Weffc++"
#endif
    left operator++(int)
    {
        left before(**this);
        ++*this;
        return before;
    }
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
    friend bool operator==(slot_call_iterator const& a, slot_call_iterator const& b) noexcept
    {
        return a.at_ == b.at_;
    }

private:
    Invocation* of_;
    std::uint32_t at_;
};

}  // namespace detail
}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
