// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The observer that `tapped` and `traced` share. It calls static functions at the beginning and at
// the end of each notify and each handler.

#ifndef REGISTRY_IO_OBSERVE_DETAIL_TAP_HPP
#define REGISTRY_IO_OBSERVE_DETAIL_TAP_HPP

#include <registry_io/detail/supported.hpp>

#include <utility>

#include <registry_io/detail/report.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/handler_label.hpp>
#include <registry_io/observe/detail/adaptor.hpp>
#include <registry_io/observe/tapped_call.hpp>

namespace registry_io {
inline namespace v1 {
namespace observe {

namespace detail {

/// Calls a tap at the beginning and at the end of each notify and of each handler.
template <class Tap>
struct tap_observer
{
    template <class Notify>
    class of
    {
        class running
        {
        public:
            running(handler_id id, handler_label const& label, char const* event) noexcept
                : call_{id, label, event}
            {
                Tap::handler_begins(call_);
            }
            void end() noexcept { Tap::handler_ends(call_); }

        private:
            tapped_call call_;
        };
        class running_apart
        {
        public:
            running_apart(handler_id id, handler_label label, char const* event) noexcept
                : label_(std::move(label)), running_(id, label_, event)
            {
            }
            running_apart(running_apart const&) = delete;
            running_apart& operator=(running_apart const&) = delete;
            void end() noexcept { running_.end(); }

        private:
            handler_label label_;
            running running_;
        };
        inline static constinit handler_label const none_{};

        template <class View>
        static handler_label const& label(View handler) noexcept
        {
            if constexpr (requires { handler.state().label(); })
                return handler.state().label();
            else
                return none_;
        }

    public:
        explicit of(Notify n) noexcept : event_(registry_io::detail::event_name_of(n))
        {
            Tap::notify_begins(event_);
        }
        of(of const&) = delete;
        of& operator=(of const&) = delete;
        ~of() { Tap::notify_ends(event_); }

        template <class View>
        running begin(View handler) noexcept
        {
            return {handler.id(), label(handler), event_};
        }
        template <class View>
        running_apart begin_apart(View handler) noexcept
        {
            return {handler.id(), label(handler), event_};
        }
        template <class View>
        void failed(View handler) noexcept
        {
            Tap::handler_failed(tapped_call{handler.id(), label(handler), event_});
        }

    private:
        char const* event_;
    };
};

template <class Tap>
struct tap_state
{
};

}  // namespace detail
}  // namespace observe
}  // namespace v1
}  // namespace registry_io

#endif
