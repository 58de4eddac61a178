// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `owner`: removes the handlers of a module, from any number of registries, when the module is
// destroyed. `owned<Registry>` is a registry that refuses handlers without an owner, so no module
// can forget to remove its handlers.

#ifndef REGISTRY_IO_HANDLERS_OWNER_HPP
#define REGISTRY_IO_HANDLERS_OWNER_HPP

#include <registry_io/detail/supported.hpp>

#include <algorithm>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/handler_id.hpp>
#include <registry_io/registration.hpp>

namespace registry_io {
inline namespace v1 {

/// Owns handlers of any number of registries, and removes them together.
///
/// Give one to each module, plugin or session, as a member or as a base class. When it is
/// destroyed, it removes all handlers that were registered through it. Move-only. An owner may
/// outlive a registry (with `alloc::fixed` that violates a precondition, as for guards).
///
/// Concurrency: any thread may call the members at any time, except for the move operations and the
/// destructor. `remove_all` may miss a registration that runs at the same time. Reentrancy: all
/// members may be called inside handlers, and by the destructors of captures.
class owner
{
public:
    /// Creates an owner without handlers. Throws `std::bad_alloc`: one allocation.
    owner() : owned_(std::make_shared<owned>()) {}

    /// Takes over the handlers of `other`. The moved-from owner may only be destroyed or assigned
    /// to.
    owner(owner&& other) noexcept = default;
    /// Takes over the handlers of `other`, and removes its own previous handlers. Terminates the
    /// program if the removal fails for lack of memory.
    owner& operator=(owner&& other) noexcept
    {
        owner before(std::move(other));
        owned_.swap(before.owned_);
        return *this;
    }

    /// Removes the handlers. If there is no memory left for that, it terminates the program, as a
    /// guard does; to handle the failure, call `remove_all` first.
    ///
    /// If the owner is a base class or not the last member, other threads may still run the
    /// handlers after the members that they use have been destroyed. Then call
    /// `remove_all_and_wait` first, in the destructor of the derived class.
    ~owner()
    {
        if (owned_ != nullptr)
            remove_all();
    }

    /// Registers a handler as `registry.register_handler(arguments...)` does, and owns it.
    ///
    /// Returns its id. Throws what registering throws, and `std::bad_alloc`; then the handler is
    /// not registered. (If there is no memory left to remove it either, the program is terminated,
    /// as with a guard.) Complexity: that of registering. Now and then it forgets the ids of
    /// handlers that were removed elsewhere, at an amortised cost of one `contains` per
    /// registration.
    template <class Registry, class... Arguments>
    handler_id register_handler(Registry& registry, Arguments&&... arguments)
    {
        static_assert(
            requires(Registry& r, handler_id id) { r.registration_of(id); },
            "registry_io: an owner owns handlers of hosted registries and registry_refs");
        // A guard: if `add` throws, its destructor removes the handler, which no owner would.
        auto guard = registry.register_guard(std::forward<Arguments>(arguments)...);
        add(registry.registration_of(guard.id()));
        return guard.release();
    }

    /// Takes ownership of a handler that is already registered, for example by a transaction:
    /// `owner.add(registry.registration_of(id))`. Does nothing for an empty registration. Throws
    /// `std::bad_alloc`; then nothing has changed.
    void add(registration const& r)
    {
        if (!r)
            return;
        std::lock_guard<std::mutex> const lock(owned_->mutex);
        auto& groups = owned_->groups;
        auto g = std::find_if(groups.begin(), groups.end(),
                              [&](group const& other) { return other.anchor == r.anchor(); });
        if (g == groups.end()) {
            // Add the group together with its id: if memory ran out between the two, an empty group
            // would stay and `remove_all_and_wait` would wait for its registry.
            std::list<group> made;
            made.emplace_back(r.anchor(), r.operations()).ids.push_back(r.id());
            groups.splice(g, made);
            return;
        }
        if (g->ids.size() >= g->forget_at)
            g->forget_removed();
        g->ids.push_back(r.id());
    }

    /// Removes all handlers, those of one registry in a single publication. Returns how many of
    /// them were still registered.
    ///
    /// A notify that is running finishes its snapshot, including the removed handlers; see
    /// `remove_all_and_wait`. Throws `std::bad_alloc`; then the registries that were not reached
    /// are unchanged, and their handlers are still owned.
    std::size_t remove_all()
    {
        // Destroying captures may destroy this owner.
        std::shared_ptr<owned> const o = owned_;
        return remove(*o, o->take());
    }

    /// Removes all handlers, and waits until no notify runs them and their captures are destroyed.
    ///
    /// Like `remove_all`, followed by `synchronize` for each registry that this owner has
    /// registered with since the last `remove_all`, even if nothing was left to remove there. So
    /// afterwards no code of the module runs in a handler. Throws what these functions throw. If
    /// one of them would wait for itself, throws `std::system_error` with
    /// `std::errc::resource_deadlock_would_occur`, and nothing has changed.
    std::size_t remove_all_and_wait()
    {
        std::shared_ptr<owned> const o = owned_;
        std::list<group> waiting;
        {
            std::lock_guard<std::mutex> const lock(o->mutex);
            for (group const& g : o->groups) {
                g.operations->refuse_deadlock(g.anchor);
                waiting.emplace_back(g.anchor, *g.operations);
            }
        }
        std::size_t const removed = remove(*o, o->take());
        for (group const& g : waiting)
            g.operations->synchronize(g.anchor);
        return removed;
    }

    /// Returns how many of its handlers are still registered. Complexity: one `contains` for each.
    std::size_t size() const
    {
        std::lock_guard<std::mutex> const lock(owned_->mutex);
        std::size_t n = 0;
        for (group const& g : owned_->groups)
            for (handler_id const id : g.ids)
                n += g.operations->contains(g.anchor, id) ? 1 : 0;
        return n;
    }

private:
    /// The handlers of one registry.
    struct group
    {
        group(detail::guard_anchor* a, detail::anchor_operations const& o) noexcept
            : anchor(a), operations(&o)
        {
            o.hold(a);
        }
        group(group const&) = delete;
        group& operator=(group const&) = delete;
        ~group() { anchor->release(); }

        /// Keeps the ids of one-shot handlers and of expired handlers from accumulating.
        void forget_removed()
        {
            std::erase_if(ids, [this](handler_id id) { return !operations->contains(anchor, id); });
            forget_at = std::max<std::size_t>(16, 2 * ids.size());
        }

        detail::guard_anchor* anchor;
        detail::anchor_operations const* operations;
        std::vector<handler_id> ids{};
        std::size_t forget_at = 16;
    };

    struct owned
    {
        std::list<group> take()
        {
            std::list<group> all;
            std::lock_guard<std::mutex> const lock(mutex);
            all.swap(groups);
            return all;
        }

        std::mutex mutex{};
        std::list<group> groups{};  // a list, so that putting groups back cannot fail
    };

    static std::size_t remove(owned& o, std::list<group> all)
    {
        std::size_t removed = 0;
        BOOST_TRY
        {
            for (; !all.empty(); all.pop_front()) {
                group const& g = all.front();
                removed += g.operations->remove(g.anchor, g.ids.data(), g.ids.size());
            }
        }
        BOOST_CATCH(...)
        {
            std::lock_guard<std::mutex> const lock(o.mutex);
            o.groups.splice(o.groups.end(), all);
            BOOST_RETHROW
        }
        BOOST_CATCH_END
        return removed;
    }

    std::shared_ptr<owned> owned_;
};

/// A registry whose handlers all have an owner: the members that register handlers take it as their
/// first argument.
///
/// Use `owned<SyncRegistry<event>>` instead of `SyncRegistry<event>` if a handler that is never
/// removed would be a mistake. The other members are those of `Registry`.
template <class Registry>
class owned : private Registry
{
public:
    using typename Registry::event_type;
    using typename Registry::key_type;
    using typename Registry::result_type;

    using Registry::clear;
    using Registry::contains;
    using Registry::empty;
    using Registry::for_each_handler;
    using Registry::notify;
    using Registry::size;
    using Registry::synchronize;
    using Registry::unregister;
    using Registry::unregister_and_wait;

    using Registry::Registry;
    /// An empty registry.
    owned() = default;

    /// Registers a handler, with or without a key, that `o` owns. Otherwise as
    /// `owner::register_handler`.
    template <class... Arguments>
    handler_id register_handler(owner& o, Arguments&&... arguments)
    {
        return o.register_handler(static_cast<Registry&>(*this),
                                  std::forward<Arguments>(arguments)...);
    }

    /// Refuses a handler without an owner, with an error sentence.
    template <class First, class... Arguments>
        requires(!std::is_base_of_v<owner, std::remove_cvref_t<First>>)
    handler_id register_handler(First&&, Arguments&&...)
    {
        static_assert(std::is_base_of_v<owner, std::remove_cvref_t<First>>,
                      "registry_io: a handler of this registry needs an owner: "
                      "register_handler(owner, f)");
        return {};
    }

    /// Returns the registry with all its members, for code that keeps the rule by other means.
    Registry& unowned() noexcept { return *this; }
};

}  // namespace v1
}  // namespace registry_io

#endif
