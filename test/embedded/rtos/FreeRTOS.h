// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The few names of FreeRTOS that the manual's sketch uses, so that it is compiled by the tests.

#ifndef REGISTRY_IO_TEST_EMBEDDED_RTOS_FREERTOS_H
#define REGISTRY_IO_TEST_EMBEDDED_RTOS_FREERTOS_H

#include <cstdint>

using BaseType_t = long;
using UBaseType_t = unsigned long;
using TickType_t = std::uint32_t;
#define pdTRUE (BaseType_t(1))
#define pdFALSE (BaseType_t(0))
#define portMAX_DELAY (TickType_t(0xFFFFFFFF))

extern "C" BaseType_t xPortIsInsideInterrupt();

#endif
