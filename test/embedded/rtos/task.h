// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_TEST_EMBEDDED_RTOS_TASK_H
#define REGISTRY_IO_TEST_EMBEDDED_RTOS_TASK_H

#include <FreeRTOS.h>

using TaskHandle_t = struct tskTaskControlBlock*;

extern "C" {
TaskHandle_t xTaskGetCurrentTaskHandle();
BaseType_t xTaskCreate(void (*code)(void*), char const* name, std::uint16_t depth, void* argument,
                       UBaseType_t priority, TaskHandle_t* created);
void vTaskStartScheduler();
}

#endif
