// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The handler that `tracked` makes. It holds a weak pointer, locks it for each call, and removes
// itself when the object no longer exists. Pointers of the standard library and of Boost are
// recognised by their members, so that this header includes neither.

#ifndef REGISTRY_IO_DETAIL_TRACKING_HPP
#define REGISTRY_IO_DETAIL_TRACKING_HPP

#include <cstddef>
#include <type_traits>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/detail/callable.hpp>
#include <registry_io/detail/wrapper.hpp>
#include <registry_io/registration.hpp>

// Declared here, so that Boost.SmartPtr need not be included.
namespace boost {
template <class T>
class shared_ptr;
template <class T>
class weak_ptr;
}  // namespace boost

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Has the members that `std::weak_ptr` and `boost::weak_ptr` have.
template <class P>
concept weak_pointer = requires(P const& p) {
    p.lock();
    p.lock().use_count();
    p.lock().get();
    p.owner_before(p);
};

template <class P>
struct weak_behind
{
};
template <class P>
    requires weak_pointer<P>
struct weak_behind<P>
{
    using type = P;
};
template <class P>
    requires requires { typename P::weak_type; }
struct weak_behind<P>
{
    using type = typename P::weak_type;
};
template <class T>
struct weak_behind<boost::shared_ptr<T>>
{
    using type = boost::weak_ptr<T>;
};
/// The type of weak pointer for `P`, a shared or weak pointer.
template <class P>
using weak_of = typename weak_behind<std::remove_cv_t<P>>::type;
template <class P>
concept tracks = requires { typename weak_of<P>; };

/// Whether a handler takes the tracked object as its first argument.
template <class F, class T, class... Args>
inline constexpr bool takes_object = [] {
    if constexpr (std::is_void_v<T>)
        return false;
    else
        return std::is_invocable_v<F, T&, Args...>;
}();
// Has no type if there is no call: clang looks at return types before constraints.
template <class F, class T, class... Args>
struct tracked_result
{
};
template <class F, class T, class... Args>
    requires(takes_object<F, T, Args...>)
struct tracked_result<F, T, Args...>
{
    using type = wrapper_result_t<F, T&, Args...>;
};
template <class F, class T, class... Args>
    requires(!takes_object<F, T, Args...> && std::is_invocable_v<F, Args...>)
struct tracked_result<F, T, Args...>
{
    using type = wrapper_result_t<F, Args...>;
};

/// A handler that runs while its object is alive; see `tracked`.
template <class Weak, class F>
class tracked_handler
{
    using object_type = typename Weak::element_type;
    template <class G, class... Args>
    static constexpr bool calls =
        takes_object<G, object_type, Args...> || std::is_invocable_v<G, Args...>;

public:
    /// Throws what moving or copying `f` throws.
    template <class G>
    tracked_handler(std::in_place_t, Weak weak, G&& f)
        : weak_(std::move(weak)), f_(std::forward<G>(f))
    {
    }

    /// Calls the handler if the object is alive. Throws what the handler throws.
    template <class... Args>
        requires(calls<F const&, Args const&...>)
    typename tracked_result<F const&, object_type, Args const&...>::type operator()(
        Args const&... args) const
    {
        return run(f_, args...);
    }
    /// The same for a handler with a non-const call operator alone, in a registry for one thread.
    template <class... Args>
        requires(calls<F&, Args const&...> && !calls<F const&, Args const&...>)
    typename tracked_result<F&, object_type, Args const&...>::type operator()(Args const&... args)
    {
        return run(f_, args...);
    }

    /// For registries.
    void on_registered(registration const& r) noexcept
    {
        self_ = r;
        detail::tell(f_, r);
    }

    /// For `once`.
    void on_one_shot() noexcept
        requires told_of_one_shot<F>
    {
        f_.on_one_shot();
    }

    /// Returns the wrapped handler, for code that looks for its label.
    F const& handler_of_user() const noexcept { return f_; }

    /// Whether the handler or the pointer is empty, which a registry refuses.
    friend bool operator==(tracked_handler const& h, std::nullptr_t)
    {
        // Does not use `expired`: an object that has been destroyed meanwhile is not an error.
        Weak const none;
        return (!h.weak_.owner_before(none) && !none.owner_before(h.weak_)) ||
            detail::is_empty_handler(h.f_);
    }

private:
    template <class G, class... Args>
    auto run(G& f, Args const&... args) const ->
        typename tracked_result<G&, object_type, Args const&...>::type
    {
        using result = typename tracked_result<G&, object_type, Args const&...>::type;
        constexpr bool with_object = takes_object<G&, object_type, Args const&...>;
        auto object = weak_.lock();
        // Does not test `object == nullptr`: an aliasing pointer may own an object and point to
        // null.
        if (object.use_count() == 0 || (with_object && object.get() == nullptr)) [[unlikely]] {
            detail::remove_if_possible(self_);
            return detail::skipped<result>();
        }
        if constexpr (std::is_void_v<result>) {
            if constexpr (with_object)
                detail::call_handler(f, *object, args...);
            else
                detail::call_handler(f, args...);
        } else {
            static_assert(made_by_coroutines<result>,
                          "registry_io: a tracked handler returns nothing or a task, such as "
                          "async::task<>; make it a coroutine that awaits the other awaitable");
            auto* const p = object.get();
            if constexpr (!made_by_coroutines<result>)
                static_cast<void>(p);
            else if constexpr (with_object)
                return detail::keep_while_running<result>(std::move(object), f, *p, args...);
            else
                return detail::keep_while_running<result>(std::move(object), f, args...);
        }
    }

    Weak weak_;
    registration self_;
    REGISTRY_IO_NO_UNIQUE_ADDRESS F f_;
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
