// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The few names of Zephyr that the manual's sketch uses, so that it is compiled by the tests.

#ifndef REGISTRY_IO_TEST_EMBEDDED_RTOS_ZEPHYR_KERNEL_H
#define REGISTRY_IO_TEST_EMBEDDED_RTOS_ZEPHYR_KERNEL_H

#include <cstddef>

using k_tid_t = struct k_thread*;
struct k_timeout_t
{
    long ticks;
};
struct k_msgq
{
    char* buffer;
    std::size_t item_size;
    std::size_t items;
};
#define K_FOREVER (k_timeout_t{-1})
#define K_MSGQ_DEFINE(name, size, max, align)                                                      \
    alignas(align) char name##_buffer[(max) * (size)];                                             \
    k_msgq name                                                                                    \
    {                                                                                              \
        name##_buffer, size, max                                                                   \
    }

extern "C" {
bool k_is_in_isr();
k_tid_t k_current_get();
int k_msgq_put(k_msgq* queue, void const* item, k_timeout_t timeout);
int k_msgq_get(k_msgq* queue, void* item, k_timeout_t timeout);
}

#endif
