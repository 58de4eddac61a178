// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The interface of the plugin of process/dso.

#ifndef REGISTRY_IO_TEST_PROCESS_DSO_HPP
#define REGISTRY_IO_TEST_PROCESS_DSO_HPP

#include <cstdlib>
#include <stdexcept>
#include <tuple>

#include "stress/stress.hpp"

namespace dso {

/// The functions of one kind of registry, as the code of one object sees it.
template <class Snapshot>
struct functions
{
    using registry = stress::registry_of<Snapshot>;

    registry* (*make)(stress::gate&, stress::census&);  ///< a notify of 1 stops at the gate
    void (*destroy)(registry*);
    void (*clear)(registry&);
    void (*notify)(registry const&, int);
    bool (*refused)(registry&);  ///< whether registering and waiting are refused
    registry_io::handler_guard (*guard)(registry&);         ///< of a new handler
    bool (*ask)(registry const&, registry_io::handler_id);  ///< whether there is a registration
};

using plugin =
    std::tuple<functions<registry_io::snapshot::hazard_pointer>,
               functions<registry_io::snapshot::rcu>, functions<registry_io::snapshot::locked>,
               functions<registry_io::snapshot::atomic_shared_ptr>>;

template <class Snapshot>
functions<Snapshot> functions_here()
{
    using registry = stress::registry_of<Snapshot>;
    return {
        [](stress::gate& g, stress::census& birds) {
            auto* const r = new registry;
            r->register_handler(9, [&g](stress::event const& e) {
                if (e.value == 1)
                    g.pass();
            });
            r->register_handler(stress::singing(birds));
            return r;
        },
        [](registry* r) { delete r; },
        [](registry& r) { r.clear(); },
        [](registry const& r, int v) { r.notify({v}); },
        [](registry& r) {
            int refused = 0;
            try {
                r.unregister(r.register_handler(1, [](stress::event const&) {}));
            } catch (std::logic_error const&) {
                ++refused;
            }
            try {
                r.synchronize();
            } catch (std::logic_error const&) {
                ++refused;
            }
            if (refused == 1)
                std::abort();
            return refused != 0;
        },
        [](registry& r) { return r.register_guard(5, [](stress::event const&) {}); },
        [](registry const& r, registry_io::handler_id id) { return bool(r.registration_of(id)); }};
}

inline plugin plugin_here()
{
    return {functions_here<registry_io::snapshot::hazard_pointer>(),
            functions_here<registry_io::snapshot::rcu>(),
            functions_here<registry_io::snapshot::locked>(),
            functions_here<registry_io::snapshot::atomic_shared_ptr>()};
}

}  // namespace dso

#endif
