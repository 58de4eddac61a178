// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Objects in memory from an alloc policy's source: made by `create`, which frees the memory again
// if the constructor throws, and destroyed by `destroy`.

#ifndef REGISTRY_IO_DETAIL_ALLOCATION_HPP
#define REGISTRY_IO_DETAIL_ALLOCATION_HPP

#include <new>
#include <stdexcept>
#include <utility>

#include <registry_io/detail/raise.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

// These are functions, and not `raise` at each call: with exceptions off, `raise` records the name
// of its caller. The name of a member of a class template is long, and different for each registry.

[[noreturn]] inline void no_memory()
{
    raise(std::bad_alloc());
}

[[noreturn]] inline void refuse_full()
{
    raise(std::length_error("registry_io: the registry holds as many handlers as it can"));
}

[[noreturn]] inline void refuse_empty_handler()
{
    raise(std::invalid_argument("registry_io: the handler is empty"));
}

[[noreturn]] inline void refuse_priority()
{
    raise(std::out_of_range("registry_io: the priority is out of its key's range"));
}

/// Memory for a `T`, freed unless it is released.
template <class T, class Source>
struct allocated
{
    explicit allocated(Source& s) : source(s), memory(s.allocate(sizeof(T), alignof(T)))
    {
        if (memory == nullptr)
            no_memory();
    }
    allocated(allocated const&) = delete;
    allocated& operator=(allocated const&) = delete;
    ~allocated()
    {
        if (memory != nullptr)
            source.deallocate(memory, sizeof(T), alignof(T));
    }

    Source& source;
    void* memory;
};

/// Makes a `T`. Throws `std::bad_alloc` if the source returns null, and what the source and the
/// constructor throw. After an exception, the memory is free again.
template <class T, class Source, class... Arguments>
T* create(Source& source, Arguments&&... arguments)
{
    allocated<T, Source> room(source);
    T* const made = ::new (room.memory) T(std::forward<Arguments>(arguments)...);
    room.memory = nullptr;
    return made;
}

/// Destroys an object that `create` has made. `source` is a copy, since `t` may hold the original.
template <class T, class Source>
void destroy(T* t, Source source) noexcept
{
    t->~T();
    source.deallocate(t, sizeof(T), alignof(T));
}

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
