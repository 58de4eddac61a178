// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `observe::named`: a panic policy that wraps another one and gives handlers names, together with
// the source locations of their registration. `name` and `here` attach them to a handler.

#ifndef REGISTRY_IO_OBSERVE_NAMED_HPP
#define REGISTRY_IO_OBSERVE_NAMED_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

#include <registry_io/detail/wrapper.hpp>
#include <registry_io/handler_label.hpp>
#include <registry_io/observe/detail/adaptor.hpp>

namespace registry_io {
inline namespace v1 {
namespace observe {

namespace detail {

/// The state that is kept for each handler.
class label_state
{
public:
    /// Returns the handler's name, source location and type.
    handler_label const& label() const noexcept { return label_; }
    /// Called by the policy before the handler is in the table.
    void set_label(handler_label l) noexcept { label_ = std::move(l); }

private:
    handler_label label_;
};

}  // namespace detail

/// A handler with a label, made by `name`. It calls the wrapped handler and is callable in the same
/// way.
template <class F>
class labelled : public registry_io::detail::wrapper<labelled<F>, F>
{
    using base = registry_io::detail::wrapper<labelled, F>;
    friend base;

public:
    /// Wraps `f` with a label. Throws what constructing `F` throws.
    template <class G>
    labelled(handler_label label, G&& f)
        : base(std::in_place, std::forward<G>(f)), label_(std::move(label))
    {
    }

    /// Returns the handler's name and source location.
    handler_label const& label() const noexcept { return label_; }

private:
    template <class G, class... Args>
    static auto run(labelled const&, G& f, Args const&... args)
        -> registry_io::detail::wrapper_result_t<G&, Args const&...>
    {
        return registry_io::detail::call_handler(f, args...);
    }

    handler_label label_;
};

/// Names a handler: `registry.register_handler(name("audit", f))`. The source location is that of
/// the call.
///
/// A registry with the panic policy `named` shows both. Every other registry calls the handler and
/// ignores the label. Throws `std::bad_alloc`, and what moving or copying `f` throws. Costs one
/// allocation.
template <class F>
labelled<std::decay_t<F>> name(std::string_view handler_name, F&& f,
                               std::source_location where = std::source_location::current())
{
    return {handler_label(handler_name, registry_io::detail::type_name<std::decay_t<F>>, where),
            std::forward<F>(f)};
}

/// Gives a handler its source location without a name: `registry.register_handler(here(f))`.
template <class F>
labelled<std::decay_t<F>> here(F&& f, std::source_location where = std::source_location::current())
{
    return observe::name(std::string_view(), std::forward<F>(f), where);
}

/// Knows each handler's name and source location: a panic policy that behaves like `Panic`, and
/// shows them in its log line, in `panic_info::label`, and in `for_each_handler`:
///
///     registry.for_each_handler([](handler_id id, auto const& key, auto const& state) {
///         std::cout << id << ' ' << state.label().text() << '\n'; });
///
/// Register handlers with `name` or `here`; for other handlers it shows the type. Adaptors around
/// it and inside it show the label too. A notify does the same work as with `Panic`, but each
/// handler has a block with one pointer for the label: handlers of one word are no longer stored in
/// the table.
/// Use it: to see in a log which handler failed, and where it was registered.
template <class Panic>
class named : public detail::adaptor<Panic, detail::label_state>
{
    using base = detail::adaptor<Panic, detail::label_state>;

public:
    /// Like that of the wrapped policy.
    template <class Notify>
    using scope = detail::transparent_scope<Panic, Notify>;

    /// Called by the registry for each handler, before it is in the table.
    template <class State, class F>
    void registering(State& state, F const& f, char const* event)
    {
        state.set_label(detail::label_in(f));
        if constexpr (requires { base::registering(state, f, event); })
            base::registering(state, f, event);
    }
};

}  // namespace observe
}  // namespace v1
}  // namespace registry_io

#endif
