// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "board.hpp"

#include <cstring>

extern "C" {
extern std::uint32_t stack_top;
extern std::uint32_t data_load, data_begin, data_end, bss_begin, bss_end;
extern board::isr constructors_begin, constructors_end;
int main();
}

namespace board {
isr on_tick = nullptr;
isr on_low = nullptr;
isr on_high = nullptr;
std::uint32_t interrupted_at = 0;
}  // namespace board

extern "C" {
[[gnu::used]] std::uint32_t low_frame = 0;
}

[[gnu::naked]] void board::leave_interrupt()
{
    __asm__ volatile("ldr r0, =low_frame\n\t"
                     "ldr r0, [r0]\n\t"
                     "mov sp, r0\n\t"
                     "ldr r0, =leave_low\n\t"
                     "bx r0\n\t"
                     ".ltorg");
}

namespace test {
std::uint32_t checks = 0;
std::uint32_t failures = 0;
}  // namespace test

namespace {

[[noreturn]] void reset()
{
    auto const bytes = [](std::uint32_t const& from, std::uint32_t const& to) {
        return static_cast<std::size_t>(reinterpret_cast<char const*>(&to) -
                                        reinterpret_cast<char const*>(&from));
    };
    std::memcpy(&data_begin, &data_load, bytes(data_begin, data_end));
    std::memset(&bss_begin, 0, bytes(bss_begin, bss_end));
    // There must be no static constructors: a registry is constant-initialised.
    // volatile: the compiler knows that two objects have different addresses, so it might remove
    // the comparison.
    board::isr const* const volatile begin = &constructors_begin;
    if (begin != &constructors_end) {
        board::print("there is a static constructor\n");
        board::stop(3);
    }
    board::stop(static_cast<std::uint32_t>(main()));
}

[[noreturn]] void fault()
{
    board::print("fault\n");
    board::stop(2);
}

void call(board::isr f)
{
    if (f == nullptr)
        fault();
    f();
}

extern "C" void call_low()
{
    call(board::on_low);
}

extern "C" void tick_from(std::uint32_t const* frame)
{
    board::stop_tick();
    board::interrupted_at = frame[6];
    call(board::on_tick);
}

// The processor has stacked eight words; the seventh is the interrupted address.
[[gnu::naked]] void tick()
{
    __asm__ volatile("mov r0, sp\n\t"
                     "ldr r1, =tick_from\n\t"
                     "bx r1\n\t"
                     ".ltorg");
}
void high()
{
    call(board::on_high);
}

// Saves all registers that a call preserves, so that the interrupt can be left from anywhere.
[[gnu::naked]] void low()
{
    __asm__ volatile("push {r3-r7, lr}\n\t"
                     "mov r4, r8\n\t"
                     "mov r5, r9\n\t"
                     "mov r6, r10\n\t"
                     "mov r7, r11\n\t"
                     "push {r4-r7}\n\t"
                     "ldr r0, =low_frame\n\t"
                     "mov r1, sp\n\t"
                     "str r1, [r0]\n\t"
                     "bl call_low\n\t"
                     ".thumb_func\n"
                     "leave_low:\n\t"
                     "pop {r4-r7}\n\t"
                     "mov r8, r4\n\t"
                     "mov r9, r5\n\t"
                     "mov r10, r6\n\t"
                     "mov r11, r7\n\t"
                     "pop {r3-r7, pc}\n\t"
                     ".ltorg");
}

struct vector_table
{
    std::uint32_t* stack;
    board::isr handlers[17];
};

[[gnu::used, gnu::section(".vectors")]] vector_table const vectors = {
    &stack_top,
    {&reset, &fault, &fault, &fault, &fault, &fault, &fault, &fault, &fault, &fault, &fault, &fault,
     &fault, &fault, &tick, &low, &high}};

}  // namespace
