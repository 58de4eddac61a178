// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <glib-object.h>

#include <bit>
#include <type_traits>
#include <utility>
#include <vector>

#include "subject_of.hpp"

namespace perf {
namespace {

/// A signal with one pointer argument. GLib has a marshaller for it, which GLib's manual recommends
/// over the generic one.
class gsignal
{
    struct object
    {
        GObject parent;
    };
    struct object_class
    {
        GObjectClass parent;
    };
    struct description
    {
        GType type;
        guint fired;
    };

public:
    using declared = object*;
    using token_type = gulong;

    gsignal() : object_(static_cast<GObject*>(g_object_new(known().type, nullptr))) {}
    gsignal(gsignal const&) = delete;
    gsignal& operator=(gsignal const&) = delete;
    ~gsignal() { g_object_unref(object_); }

    template <class F>
    token_type add(F f)
    {
        if constexpr (std::is_trivially_copyable_v<F>) {
            return connect(
                [](GObject*, void* event, void* data) {
                    std::bit_cast<F>(data)(*static_cast<int const*>(event));
                },
                std::bit_cast<void*>(f), nullptr);
        } else {
            return connect(
                [](GObject*, void* event, void* data) {
                    (*static_cast<F const*>(data))(*static_cast<int const*>(event));
                },
                new F(f), [](void* data, GClosure*) { delete static_cast<F*>(data); });
        }
    }
    void remove(token_type id) { g_signal_handler_disconnect(object_, id); }
    BOOST_FORCEINLINE void notify(int const& event) const
    {
        g_signal_emit(object_, known().fired, 0, &event);
    }

private:
    gulong connect(void (*f)(GObject*, void*, void*), void* data, GClosureNotify destroy)
    {
        return g_signal_connect_data(object_, "fired", reinterpret_cast<GCallback>(f), data,
                                     destroy, GConnectFlags(0));
    }

    static description make_known()
    {
        GType const type =
            g_type_register_static_simple(G_TYPE_OBJECT, "perf_object", sizeof(object_class),
                                          nullptr, sizeof(object), nullptr, GTypeFlags(0));
        g_type_class_unref(g_type_class_ref(type));
        guint const fired =
            g_signal_new("fired", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr,
                         g_cclosure_marshal_VOID__POINTER, G_TYPE_NONE, 1, G_TYPE_POINTER);
        g_signal_set_va_marshaller(fired, type, g_cclosure_marshal_VOID__POINTERv);
        return {type, fired};
    }
    static description const& known()
    {
        static description const d = make_known();
        return d;
    }

    GObject* object_;
};

}  // namespace

std::vector<kind> gsignal_kinds()
{
    // Exceptions must not pass through GLib's C code.
    return {{.name = "GSignal", .threads = true, .readers = true, .make = &make<gsignal, int>}};
}

}  // namespace perf
