// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Every kind of empty callable, in every place that takes one.

#include <registry_io/presets/async.hpp>
#include <registry_io/presets/fixed.hpp>
#include <registry_io/presets/local.hpp>
#include <registry_io/presets/rcu.hpp>
#include <registry_io/presets/sync.hpp>
#include <registry_io/registry_ref.hpp>
#include <registry_io/unsynchronized.hpp>

#include <boost/function.hpp>
#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace rio = registry_io;

namespace {

struct event
{
    int value;
    int get() const { return value; }
};

/// Returns how many of the calls are refused.
template <class... Calls>
int refused(Calls... calls)
{
    int n = 0;
    auto const one = [&n](auto const& call) {
        try {
            call();
        } catch (std::invalid_argument const&) {
            ++n;
        }
    };
    (one(calls), ...);
    return n;
}

/// Whether the result of `make()` is refused wherever a handler is taken, and nothing changes.
template <class Registry, class Make>
bool refuses(Make make)
{
    Registry r;
    int const n =
        refused([&] { r.register_handler(make()); }, [&] { r.register_handler(1, make()); },
                [&] { static_cast<void>(r.register_guard(make())); },
                [&] { static_cast<void>(r.register_guard(1, make())); },
                [&] {
                    r.update([&](auto& tx) {
                        tx.register_handler([](event const&) {});
                        tx.register_handler(make());
                    });
                },
                [&] { r.update([&](auto& tx) { tx.register_handler(1, make()); }); });
    return n == 6 && r.empty();
}

/// The same through a `registry_ref`.
template <class Registry, class Make>
bool view_refuses(Make make)
{
    Registry r;
    rio::registry_ref<event> const view(r);
    int const n = refused([&] { view.register_handler(make()); },
                          [&] { static_cast<void>(view.register_guard(make())); });
    return n == 2 && r.empty();
}

std::function<void(event const&)> std_function;
boost::function<void(event const&)> boost_function;
void (*function_pointer)(event const&) = nullptr;
int event::* data_member = nullptr;
int (event::*member_function)() const = nullptr;

using registries = boost::mp11::mp_list<rio::SyncRegistry<event>, rio::LocalRegistry<event>,
                                        rio::RcuRegistry<event>, rio::FixedRegistry<event, 4>>;
using all_registries = boost::mp11::mp_push_back<registries, rio::AsyncRegistry<event>>;

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(empty_functions_are_refused, Registry, all_registries)
{
    BOOST_TEST(refuses<Registry>([] { return std_function; }));
    BOOST_TEST(refuses<Registry>([] { return boost_function; }));
    BOOST_TEST(refuses<Registry>([] { return function_pointer; }));
    BOOST_TEST(refuses<Registry>([] { return rio::unsynchronized(std_function); }));
#ifdef __cpp_lib_move_only_function
    using move_only = std::move_only_function<void(event const&) const>;
    BOOST_TEST(refuses<Registry>([] { return move_only(); }));
    static move_only const named;
    BOOST_TEST(refuses<Registry>([] { return std::ref(named); }));
#endif
}

BOOST_AUTO_TEST_CASE_TEMPLATE(references_to_empty_functions_are_refused, Registry, all_registries)
{
    BOOST_TEST(refuses<Registry>([] { return std::ref(std_function); }));
    BOOST_TEST(refuses<Registry>([] { return std::cref(std_function); }));
    BOOST_TEST(refuses<Registry>([] { return std::ref(boost_function); }));
    BOOST_TEST(refuses<Registry>([] { return std::ref(function_pointer); }));
    static auto reference = std::ref(std_function);
    BOOST_TEST(refuses<Registry>([] { return std::ref(reference); }));
    static rio::unsynchronized<std::function<void(event const&)>> wrapped(std_function);
    BOOST_TEST(refuses<Registry>([] { return std::ref(wrapped); }));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(null_member_pointers_are_refused, Registry, registries)
{
    BOOST_TEST(refuses<Registry>([] { return data_member; }));
    BOOST_TEST(refuses<Registry>([] { return member_function; }));
    BOOST_TEST(refuses<Registry>([] { return std::ref(member_function); }));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_view_refuses_what_its_registry_refuses, Registry, registries)
{
    BOOST_TEST(view_refuses<Registry>([] { return std_function; }));
    BOOST_TEST(view_refuses<Registry>([] { return boost_function; }));
    BOOST_TEST(view_refuses<Registry>([] { return std::ref(std_function); }));
    BOOST_TEST(view_refuses<Registry>([] { return function_pointer; }));
    BOOST_TEST(view_refuses<Registry>([] { return member_function; }));
    BOOST_TEST(view_refuses<Registry>([] { return rio::erased_handler<event>(std_function); }));
}

BOOST_AUTO_TEST_CASE(empty_callbacks_and_sinks_are_refused)
{
    rio::SyncRegistry<event> r;
    std::function<void(rio::panic_info const&)> const callback;
    boost::function<void(rio::panic_info const&)> const boost_callback;
    void (*const pointer)(rio::panic_info const&) = nullptr;
    std::function<void(std::string_view)> const sink;
    BOOST_TEST(refused([&] { r.on_panic(callback); }, [&] { r.on_panic(std::ref(callback)); },
                       [&] { r.on_panic(boost_callback); }, [&] { r.on_panic(pointer); },
                       [&] { r.log_to(sink); }, [&] { r.log_to(std::ref(sink)); }) == 6);
}

BOOST_AUTO_TEST_CASE(what_is_not_empty_is_taken_by_reference_too)
{
    int calls = 0;
    std::function<void(event const&)> const f = [&calls](event const&) { ++calls; };
    boost::function<void(event const&)> const b = f;
    auto const lambda = [&calls](event const&) { ++calls; };
    rio::SyncRegistry<event> r;
    r.register_handler(f);
    r.register_handler(std::ref(f));
    r.register_handler(b);
    r.register_handler(std::ref(b));
    r.register_handler(std::ref(lambda));
    r.register_handler(&event::get);
    r.register_handler([](event const&) {});
    r.notify(event{1});
    BOOST_TEST(calls == 5);
    BOOST_TEST(r.size() == 7u);
}
