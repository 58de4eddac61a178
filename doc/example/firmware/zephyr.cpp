// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A registry under Zephyr: the main thread owns it, interrupts notify at once, other threads send
// events.

#include <zephyr/kernel.h>

#include <registry_io/presets/firmware.hpp>

namespace rio = registry_io;

struct sample
{
    int degrees;
};

// tag::writer[]
struct owner_thread
{
    static inline k_tid_t id = nullptr;
    static bool is_here() noexcept { return !k_is_in_isr() && k_current_get() == id; }
};

using sample_registry =
    rio::FirmwareRegistry<sample, 8>::with<rio::snapshot::basic_interrupt_safe<owner_thread>>;
constinit sample_registry samples;
// end::writer[]

int volatile latest = 0;

// tag::threads[]
void adc_isr(void const*)
{
    samples.notify({21});
}

K_MSGQ_DEFINE(to_owner, sizeof(sample), 4, 4);

void some_other_thread(void*, void*, void*)
{
    for (;;) {
        sample const s{19};
        k_msgq_put(&to_owner, &s, K_FOREVER);
    }
}

int main()
{
    owner_thread::id = k_current_get();
    samples.register_handler([](sample const& s) { latest = s.degrees; });
    for (;;) {
        sample s;
        if (k_msgq_get(&to_owner, &s, K_FOREVER) == 0)
            samples.notify(s);
    }
}
// end::threads[]
