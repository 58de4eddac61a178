// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_TEST_EMBEDDED_BOARD_HPP
#define REGISTRY_IO_TEST_EMBEDDED_BOARD_HPP

#include <cstdint>

// What the tests need from a board: printing, stopping, and three interrupts of different priority.
// All of it is at the same addresses on every Cortex-M; the emulator's semihosting prints and
// stops.

namespace board {

using isr = void (*)();

namespace detail {

inline std::uint32_t volatile& reg(std::uintptr_t address)
{
    return *reinterpret_cast<std::uint32_t volatile*>(address);
}

inline void host(std::uint32_t operation, void const* argument)
{
    register std::uint32_t r0 __asm__("r0") = operation;
    register void const* r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

/// A volatile store does not order other memory for the compiler. Without this barrier it may delay
/// a store that an interrupt should see until after the store that raises the interrupt, or keep in
/// a register a value that the interrupt changes.
inline void barrier()
{
    __asm__ volatile("" ::: "memory");
}

constexpr std::uintptr_t systick_control = 0xE000E010;
constexpr std::uintptr_t systick_reload = 0xE000E014;
constexpr std::uintptr_t systick_value = 0xE000E018;
constexpr std::uintptr_t system_pending = 0xE000ED04;
constexpr std::uintptr_t interrupt_enable = 0xE000E100;
constexpr std::uintptr_t interrupt_pend = 0xE000E200;
constexpr std::uintptr_t interrupt_priority = 0xE000E400;
constexpr std::uintptr_t system_priority = 0xE000ED20;

}  // namespace detail

inline void print(char const* text)
{
    detail::host(0x04, text);
}

inline void print(std::uint32_t n)
{
    char digits[11];
    char* p = digits + 10;
    *p = 0;
    do {
        // No division: not every core has it, and its library function would only distort the
        // results.
        std::uint32_t tenth = 0;
        std::uint32_t rest = n;
        for (int bit = 28; bit >= 0; --bit)
            if (rest >= std::uint64_t(10) << bit) {
                rest -= 10u << bit;
                tenth |= 1u << bit;
            }
        *--p = static_cast<char>('0' + rest);
        n = tenth;
    } while (n != 0);
    print(p);
}

[[noreturn]] inline void stop(std::uint32_t code)
{
    std::uint32_t const block[] = {0x20026, code};
    detail::host(0x20, block);
    while (true)
        ;
}

/// The functions that the vector table calls. An interrupt whose function is null counts as a
/// fault.
extern isr on_tick;
extern isr on_low;
extern isr on_high;

/// Leaves the low-priority interrupt from any place within it.
[[noreturn]] void leave_interrupt();

/// The address at which the tick interrupt arrived.
extern std::uint32_t interrupted_at;

/// The tick's priority is the middle one.
inline void set_priorities()
{
    detail::reg(detail::system_priority) = 0x80000000;
    detail::reg(detail::interrupt_priority) = 0x000000C0;  // low 0xC0, high 0x00
    detail::reg(detail::interrupt_enable) = 3;
}

inline void raise_low()
{
    detail::barrier();
    detail::reg(detail::interrupt_pend) = 1;
    __asm__ volatile("dsb; isb" ::: "memory");
}
inline void raise_high()
{
    detail::barrier();
    detail::reg(detail::interrupt_pend) = 2;
    __asm__ volatile("dsb; isb" ::: "memory");
}

/// Calls `on_tick` once, after the given number of clock ticks.
inline void start_tick(std::uint32_t ticks)
{
    detail::reg(detail::systick_control) = 0;
    detail::reg(detail::systick_reload) = ticks;
    detail::reg(detail::systick_value) = 0;
    detail::barrier();
    detail::reg(detail::systick_control) = 7;
    detail::barrier();
}
inline void stop_tick()
{
    detail::barrier();
    detail::reg(detail::systick_control) = 0;
    // A short tick may already be pending again.
    detail::reg(detail::system_pending) = 1u << 25;
    detail::barrier();
}

/// Starts a clock that counts down without interrupting.
inline void start_clock()
{
    detail::reg(detail::systick_control) = 0;
    detail::reg(detail::systick_reload) = 0xFFFFFF;
    detail::reg(detail::systick_value) = 0;
    detail::reg(detail::systick_control) = 5;
}
inline std::uint32_t clock()
{
    return detail::reg(detail::systick_value);
}

}  // namespace board

/// Checks a condition, prints it if it does not hold, and continues.
#define CHECK(condition) ::test::check(static_cast<bool>(condition), #condition, __LINE__)

namespace test {

extern std::uint32_t checks;
extern std::uint32_t failures;

/// Prints a summary, and stops.
[[noreturn]] inline void end()
{
    board::print(checks);
    board::print(" checks, ");
    board::print(failures);
    board::print(" failures\n");
    board::stop(failures == 0 ? 0 : 1);
}

inline void check(bool holds, char const* condition, std::uint32_t line)
{
    ++checks;
    if (holds)
        return;
    if (++failures > 20)
        return;
    board::print("line ");
    board::print(line);
    board::print(": ");
    board::print(condition);
    board::print("\n");
#ifdef END_AT_FAILURE
    end();  // a broken list may be endless
#endif
}

}  // namespace test

#endif
