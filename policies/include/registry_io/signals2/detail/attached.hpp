// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The attachment that contains the callable: the one allocation of a connection. The tables call it
// like any handler.

#ifndef REGISTRY_IO_SIGNALS2_DETAIL_ATTACHED_HPP
#define REGISTRY_IO_SIGNALS2_DETAIL_ATTACHED_HPP

#include <registry_io/detail/supported.hpp>

#include <memory>
#include <type_traits>
#include <utility>

#include <boost/core/addressof.hpp>
#include <boost/core/no_exceptions_support.hpp>
#include <boost/core/typeinfo.hpp>
#include <boost/function.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/handler.hpp>
#include <registry_io/signals2/connection.hpp>
#include <registry_io/signals2/detail/attachment.hpp>
#include <registry_io/signals2/detail/callables.hpp>
#include <registry_io/signals2/detail/invocation.hpp>
#include <registry_io/signals2/detail/tracked_objects.hpp>
#include <registry_io/signals2/expired_slot.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {
namespace detail {

/// An attachment that knows its position among the slots.
template <class Key>
class placed_attachment : public attachment
{
public:
    Key key;

protected:
    template <class K>
    placed_attachment(typename attachment::destroy_type d, hub& h, operations const& o, K&& k)
        : attachment(d, h, o), key(std::forward<K>(k))
    {
    }
    ~placed_attachment() = default;
};

/// Which code checks whether to call a slot: the slot itself, if the tables are walked without a
/// combiner, or the iterator.
enum class looks : unsigned char { slot, iterator };

struct no_tracked_objects
{
};

/// An attachment of a callable of type `F`. `Extended`: the callable is called with its connection
/// first. `Tracking`: it tracks objects.
template <class Signature, class Key, looks Looks, class F, bool Extended, bool Tracking>
class attached;
template <class R, class... Args, class Key, looks Looks, class F, bool Extended, bool Tracking>
class attached<R(Args...), Key, Looks, F, Extended, Tracking> final : public placed_attachment<Key>
{
    using base = registry_io::detail::block_base<no_state>;
    using event_type = event<R(Args...)>;

public:
    template <class K, class G>
    attached(hub& h, K&& k, G&& f)
        : placed_attachment<Key>(&destroy_callable, h, about_this, std::forward<K>(k)),
          f_(std::forward<G>(f))
    {
    }
    template <class K, class G>
    attached(hub& h, K&& k, G&& f, tracked_objects&& tracked)
        : placed_attachment<Key>(&destroy_callable, h, about_this, std::forward<K>(k)),
          f_(std::forward<G>(f)),
          tracked_(std::move(tracked))
    {
    }

    registry_io::detail::entry entry() noexcept { return {&run, static_cast<base*>(this)}; }

private:
    ~attached() {}  // the callable was destroyed before

    static attached& of(attachment& a) noexcept { return static_cast<attached&>(a); }

    static void destroy_callable(garbage* g) noexcept
    {
        auto& self = *static_cast<attached*>(g);
        // If the signal was destroyed, its connections have not been told.
        self.mark();
        self.f_.~F();
        self.drop();
    }

    static void run(void* state, void const* event)
    {
        attached& self = *static_cast<attached*>(static_cast<base*>(state));
        auto const& e = *static_cast<event_type const*>(event);
        if constexpr (Looks == looks::iterator) {
            e.result->fill([&]() -> R { return self.call(e); });
        } else if constexpr (Tracking) {
            locked_objects locked;
            if (detail::lock_for_call(self, locked))
                self.call_and_disconnect(e);
        } else {
            if (!self.is_idle()) [[likely]]
                self.call_and_disconnect(e);
        }
    }

    BOOST_FORCEINLINE R call(event_type const& e)
    {
        if constexpr (Extended)
            return e.call(f_, connection(attachment_ptr(*this)));
        else
            return e.call(f_);
    }

    /// Calls the slot, and disconnects it if it throws `expired_slot`, as the default combiner
    /// does.
    BOOST_FORCEINLINE void call_and_disconnect(event_type const& e)
    {
        BOOST_TRY
        {
            call(e);
        }
        BOOST_CATCH(expired_slot const&)
        {
            this->disconnect();
        }
        BOOST_CATCH_END
    }

    static consteval auto tracked_of() noexcept
        -> tracked_objects const* (*)(attachment const&) noexcept
    {
        if constexpr (Tracking)
            return [](attachment const& a) noexcept -> tracked_objects const* {
                return &static_cast<attached const&>(a).tracked_;
            };
        else
            return nullptr;
    }

    static constexpr attachment::operations about_this{
        [](attachment& a) noexcept { delete &of(a); },
        []() noexcept -> boost::core::typeinfo const& {
            return BOOST_CORE_TYPEID(std::remove_cv_t<called<F>>);
        },
        [](attachment& a) noexcept -> void const* {
            if constexpr (std::is_object_v<called<F>>)
                return boost::addressof(detail::called_object(of(a).f_));
            else
                return nullptr;
        },
        []([[maybe_unused]] attachment& a) noexcept -> boost::function_base const* {
            if constexpr (std::is_convertible_v<F*, boost::function_base*>)
                return std::addressof(of(a).f_);
            else
                return nullptr;
        },
        tracked_of(),
        std::is_trivially_destructible_v<F> && !Tracking};

    union
    {
        F f_;
    };
    REGISTRY_IO_NO_UNIQUE_ADDRESS std::conditional_t<Tracking, tracked_objects, no_tracked_objects>
        tracked_;
};

}  // namespace detail
}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
