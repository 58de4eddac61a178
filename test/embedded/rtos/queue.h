// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_TEST_EMBEDDED_RTOS_QUEUE_H
#define REGISTRY_IO_TEST_EMBEDDED_RTOS_QUEUE_H

#include <FreeRTOS.h>

using QueueHandle_t = struct QueueDefinition*;

extern "C" {
QueueHandle_t xQueueCreate(UBaseType_t length, UBaseType_t item_size);
BaseType_t xQueueSend(QueueHandle_t queue, void const* item, TickType_t wait);
BaseType_t xQueueReceive(QueueHandle_t queue, void* item, TickType_t wait);
}

#endif
