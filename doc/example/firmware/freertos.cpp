// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A registry under FreeRTOS: one task owns it, interrupts notify at once, other tasks send events.

#include <FreeRTOS.h>
#include <queue.h>
#include <task.h>

#include <registry_io/presets/firmware.hpp>

namespace rio = registry_io;

struct sample
{
    int degrees;
};

// tag::writer[]
// The task that owns the registry, and no interrupt, may register, unregister and notify.
struct owner_task
{
    static inline TaskHandle_t handle = nullptr;
    static bool is_here() noexcept
    {
        return xPortIsInsideInterrupt() == pdFALSE && xTaskGetCurrentTaskHandle() == handle;
    }
};

using sample_registry =
    rio::FirmwareRegistry<sample, 8>::with<rio::snapshot::basic_interrupt_safe<owner_task>>;
constinit sample_registry samples;
// end::writer[]

int volatile latest = 0;

// tag::tasks[]
// Interrupts run to completion, so they may notify at any time.
extern "C" void ADC_IRQHandler()
{
    samples.notify({21});
}

// Other tasks may preempt the owner in the middle of a change, so they send their events to a
// queue.
QueueHandle_t to_owner = nullptr;

void some_other_task(void*)
{
    for (;;) {
        sample const s{19};
        xQueueSend(to_owner, &s, portMAX_DELAY);
    }
}

void owner(void*)
{
    owner_task::handle = xTaskGetCurrentTaskHandle();
    samples.register_handler([](sample const& s) { latest = s.degrees; });
    for (;;) {
        sample s;
        if (xQueueReceive(to_owner, &s, portMAX_DELAY) == pdTRUE)
            samples.notify(s);
    }
}
// end::tasks[]

int main()
{
    to_owner = xQueueCreate(4, sizeof(sample));
    xTaskCreate(&owner, "owner", 256, nullptr, 2, nullptr);
    xTaskCreate(&some_other_task, "other", 256, nullptr, 3, nullptr);
    vTaskStartScheduler();
}
