// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A thermostat on a Cortex-M3. The timer's interrupt notifies of each sample immediately. The main
// loop registers and unregisters handlers and prints what interrupts have posted. It masks no
// interrupt.

#include <cstdint>

#include <registry_io/presets/firmware.hpp>
#include <registry_io/queued/deferred.hpp>

namespace rio = registry_io;

namespace {

void print(char const* text);
[[noreturn]] void stop(char const* reason);

// tag::registries[]
struct sample
{
    int degrees;
};

// Constant-initialised, in zeroed memory: usable before any code runs.
constinit rio::FirmwareRegistry<sample, 4>::with<rio::panic::basic_trap<&stop>> samples;
constinit rio::queued::deferred<sample, 8> to_print{rio::queued::closed};
// end::registries[]

// tag::heater[]
class heater
{
public:
    void adjust(sample const& s) { is_on_ = s.degrees < 20; }
    bool is_on() const { return is_on_; }

private:
    bool volatile is_on_ = false;
};
heater the_heater;

// A handler is one word. It refers to anything larger by a pointer or a reference.
void connect_heater()
{
    samples.register_handler(100, [&h = the_heater](sample const& s) { h.adjust(s); });
}
// end::heater[]

// tag::interrupt[]
// The sensor, and the interrupt that reads it.
constexpr int readings[] = {18, 19, 21, 35, 22, 19};
std::uint32_t volatile count = 0;

void timer_interrupt()
{
    if (count < sizeof readings / sizeof *readings) {
        samples.notify({readings[count]});
        count = count + 1;
    }
}
// end::interrupt[]

void print(int n)
{
    char text[] = {static_cast<char>('0' + n / 10), static_cast<char>('0' + n % 10), 0};
    print(text);
}

void start_timer();
void wait_for_interrupt();

}  // namespace

// tag::main[]
int main()
{
    connect_heater();
    // Slow work does not belong in an interrupt: this handler posts, and the main loop prints.
    samples.register_handler([](sample const& s) { to_print.post(s); });
    rio::handler_id fire_alarm;

    rio::FirmwareRegistry<sample, 2> printers;
    printers.register_handler([](sample const& s) {
        print(s.degrees);
        print(the_heater.is_on() ? " degrees, heating\n" : " degrees\n");
    });

    to_print.open();
    start_timer();
    while (count < sizeof readings / sizeof *readings) {
        wait_for_interrupt();
        to_print.drain(printers);
        // Interrupts continue meanwhile, and see the list before or after this change.
        if (count == 2)
            fire_alarm = samples.register_handler(127, [](sample const& s) {
                if (s.degrees > 30)
                    print("fire!\n");
            });
        else if (count == 5)
            samples.unregister(fire_alarm);
    }
    if (to_print.lost() != 0)
        stop("samples were lost");
    print("done\n");
}
// end::main[]

// ----- what a vendor's library would provide

extern "C" {
extern std::uint32_t stack_top;
extern std::uint32_t bss_begin, bss_end;
}

namespace {

std::uint32_t volatile& reg(std::uintptr_t address)
{
    return *reinterpret_cast<std::uint32_t volatile*>(address);
}

// Semihosting: the emulator prints, and exits.
void host(std::uint32_t operation, void const* argument)
{
    register std::uint32_t r0 __asm__("r0") = operation;
    register void const* r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

void print(char const* text)
{
    host(0x04, text);
}

[[noreturn]] void end(std::uint32_t code)
{
    std::uint32_t const block[] = {0x20026, code};
    host(0x20, block);
    while (true)
        ;
}

void stop(char const* reason)
{
    print(reason);
    end(1);
}

void start_timer()
{
    reg(0xE000E014) = 25'000;  // a millisecond
    reg(0xE000E018) = 0;
    reg(0xE000E010) = 7;
}

void wait_for_interrupt()
{
    __asm__ volatile("wfi" ::: "memory");
}

[[noreturn]] void reset()
{
    for (std::uint32_t* p = &bss_begin; p != &bss_end; ++p)
        *p = 0;
    main();
    end(0);
}

[[noreturn]] void fault()
{
    stop("fault\n");
}

using entry = void (*)();
struct vector_table
{
    std::uint32_t* stack;
    entry entries[15];
};

[[gnu::used, gnu::section(".vectors")]] vector_table const vectors = {
    &stack_top,
    {&reset, &fault, &fault, &fault, &fault, &fault, &fault, &fault, &fault, &fault, &fault, &fault,
     &fault, &fault, &timer_interrupt}};

}  // namespace
