// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The default codec of relays: events as JSON text, by Boost.JSON. It has a header of its own, so
// that programs with their own codec need no Boost.JSON.

#ifndef REGISTRY_IO_RELAY_JSON_HPP
#define REGISTRY_IO_RELAY_JSON_HPP

#include <registry_io/detail/supported.hpp>

#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace registry_io {
inline namespace v1 {
namespace relay {

/// Encodes events as JSON with Boost.JSON. An event's type must be described with Boost.Describe
/// (`BOOST_DESCRIBE_STRUCT`), or have `tag_invoke` functions.
template <class Event>
struct json_codec
{
    /// Returns the event as text. Throws what the conversion throws.
    static std::string encode(Event const& e)
    {
        return boost::json::serialize(boost::json::value_from(e));
    }
    /// Returns the event that the text encodes. Throws `boost::system::system_error` if the text is
    /// not the JSON of an event.
    static Event decode(std::string_view text)
    {
        return boost::json::value_to<Event>(
            boost::json::parse(boost::json::string_view(text.data(), text.size())));
    }
};

}  // namespace relay
}  // namespace v1
}  // namespace registry_io

#endif
