// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The part that no mutant changes, which is precompiled: the standard headers, and Relacy without
// its macros.

#ifndef REGISTRY_IO_TEST_RELACY_BASE_HPP
#define REGISTRY_IO_TEST_RELACY_BASE_HPP

#include <algorithm>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <iostream>
#include <iterator>
#include <mutex>
#include <new>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <relacy/relacy.hpp>

// Clears what Relacy records in an atomic. Otherwise a new atomic takes over from an earlier
// execution which threads have seen its first value, and an execution that depends on others cannot
// be replayed.
namespace relacy {
template <class Data>
void forget(Data& d)
{
    d.current_index_ = 0;
    for (auto& record : d.history_) {
        std::fill(std::begin(record.acq_rel_order_), std::end(record.acq_rel_order_), 0);
        std::fill(std::begin(record.first_seen_order_), std::end(record.first_seen_order_),
                  static_cast<rl::timestamp_t>(-1));
        record.busy_ = false;
        record.seq_cst_ = false;
        record.thread_id_ = static_cast<rl::thread_id_t>(-1);
        record.acq_rel_timestamp_ = 0;
    }
}
}  // namespace relacy
template <>
inline rl::atomic_data_impl<2>::atomic_data_impl()
{
    relacy::forget(*this);
}
template <>
inline rl::atomic_data_impl<3>::atomic_data_impl()
{
    relacy::forget(*this);
}
template <>
inline rl::atomic_data_impl<4>::atomic_data_impl()
{
    relacy::forget(*this);
}

#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef assert
#undef errno
#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst
#undef $

#endif
