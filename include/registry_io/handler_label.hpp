// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The label by which reports, logs and traces name a handler. Panic policies such as
// `observe::named` keep one for each handler. A label has the size of a pointer; its text is shared
// and immutable.

#ifndef REGISTRY_IO_HANDLER_LABEL_HPP
#define REGISTRY_IO_HANDLER_LABEL_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/detail/type_name.hpp>

namespace registry_io {
inline namespace v1 {

/// The name of a handler, the place where it was registered, and its type. Each may be missing.
///
/// Holds one pointer. Copies share one immutable text, which lives until the last copy is
/// destroyed. Concurrency: a value type; copies on different threads are independent.
class handler_label
{
    struct body
    {
        std::atomic<std::uint32_t> references{1};
        char const* name;
        char const* type;
        // gcc warns of a missing initializer without it.
        // NOLINTNEXTLINE(readability-redundant-member-init)
        std::source_location where{};
        bool placed = false;
    };

public:
    /// An empty label.
    constexpr handler_label() noexcept = default;

    /// Makes a label with a name and a place. Allocates once. Throws `std::bad_alloc`.
    explicit handler_label(std::string_view name,
                           std::source_location where = std::source_location::current())
        : handler_label(name, "", where)
    {
    }
    /// Makes a label with a name, a type and a place. `type` must have static storage duration.
    /// Throws `std::bad_alloc`.
    handler_label(std::string_view name, char const* type, std::source_location where)
    {
        auto* const p = static_cast<char*>(::operator new(sizeof(body) + name.size() + 1));
        char* const text = p + sizeof(body);
        name.copy(text, name.size());
        text[name.size()] = '\0';
        body_ = ::new (static_cast<void*>(p)) body{1, text, type, where, true};
    }

    /// Returns the label of handlers of type `F` that were registered without a label: their type
    /// alone. Does not allocate.
    template <class F>
    static handler_label of_type() noexcept
    {
        // Never destroyed, since a registry may outlive static objects: its count begins at one.
        static constinit body of{1, "", detail::type_name<F>};
        handler_label l;
        l.body_ = &of;
        of.references.fetch_add(1, std::memory_order_relaxed);
        return l;
    }

    /// Shares the text.
    handler_label(handler_label const& other) noexcept : body_(other.body_)
    {
        // relaxed: `other` keeps the text alive during this call, and nothing is published.
        if (body_ != nullptr)
            body_->references.fetch_add(1, std::memory_order_relaxed);
    }
    /// Takes over what `other` holds.
    handler_label(handler_label&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
    /// Shares or takes over the text.
    handler_label& operator=(handler_label other) noexcept
    {
        std::swap(body_, other.body_);
        return *this;
    }
    ~handler_label()
    {
        if (body_ != nullptr)
            release(body_);
    }

    /// Whether the label is not empty.
    explicit operator bool() const noexcept { return body_ != nullptr; }

    /// The name that was given; empty if there is none. Null-terminated.
    char const* name() const noexcept { return body_ != nullptr ? body_->name : ""; }
    /// The handler's type as the compiler writes it; empty if unknown. Null-terminated.
    char const* type() const noexcept { return body_ != nullptr ? body_->type : ""; }
    /// Whether the place is known.
    bool has_place() const noexcept { return body_ != nullptr && body_->placed; }
    /// The place where the handler was registered. Its line is 0 if the place is unknown.
    std::source_location where() const noexcept
    {
        return body_ != nullptr ? body_->where : std::source_location();
    }

    /// Writes `'name' (file:line)`, or the part of it that is known, or `(type)` if neither is
    /// known. Cuts the text at `size` characters, including the null at the end. Returns how many
    /// characters were written, without the null.
    std::size_t write(char* to, std::size_t size) const noexcept
    {
        if (size == 0)
            return 0;
        int n = 0;
        if (has_place()) {
            char const* const quote = *name() != '\0' ? "'" : "";
            n = std::snprintf(to, size, "%s%s%s%s(%s:%lu)", quote, name(), quote,
                              *quote != '\0' ? " " : "", body_->where.file_name(),
                              static_cast<unsigned long>(body_->where.line()));
        } else if (*type() != '\0') {
            n = std::snprintf(to, size, "(%s)", type());
        } else {
            *to = '\0';
        }
        auto const written = n < 0 ? 0 : static_cast<std::size_t>(n);
        return written < size ? written : size - 1;
    }
    /// Returns the text that `write` writes, without cutting it. Throws `std::bad_alloc`.
    std::string text() const
    {
        char room[64];
        std::string s(std::strlen(name()) + std::strlen(type()) +
                          (has_place() ? std::strlen(body_->where.file_name()) : 0) + sizeof room,
                      '\0');
        s.resize(write(s.data(), s.size()));
        return s;
    }

private:
    REGISTRY_IO_DETAIL_COLD static void release(body* b) noexcept
    {
        // acq_rel: each release pairs with the acquire of the last one. Without it, the text could
        // be freed before another thread's last use of it.
        if (b->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            b->~body();
            ::operator delete(static_cast<void*>(b));
        }
    }

    body* body_ = nullptr;
};

}  // namespace v1
}  // namespace registry_io

#endif
