// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Runs scenarios under Relacy and reports the results.

#ifndef REGISTRY_IO_TEST_RELACY_DRIVER_HPP
#define REGISTRY_IO_TEST_RELACY_DRIVER_HPP

#include <signal.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "relacy/env.hpp"

namespace relacy {

/// How the next thread is chosen at each step.
///
/// @c even: each thread that can run has the same chance. @c falls: the thread with the highest
/// random priority runs, and at each step it may fall to the lowest priority, with a probability
/// that is drawn for each execution. @c pct: like @c falls, but with at most four falls, at steps
/// that are drawn in advance from the whole length of an execution. So @c pct lets threads run for
/// long periods between few switches, and finds a bug that needs `d` of them with a probability of
/// at least 1 / (threads * length ^ (d - 1)) in each execution (S. Burckhardt et al., A Randomized
/// Scheduler with Probabilistic Guarantees of Finding Bugs, 2010).
enum class schedulers : unsigned char { even, falls, pct, in_turn };
constexpr std::string_view scheduler_names[] = {"even", "falls", "pct", "in_turn"};

struct options
{
    std::string_view scenario;  ///< empty: all
    std::string_view model;
    schedulers scheduler = schedulers::in_turn;  ///< `in_turn`: a different one for each execution
    unsigned long schedules = 10000;             ///< the limit for each scenario
    unsigned long seed = 1;
    unsigned long replay = 0;  ///< runs only this execution, and prints all its steps
    int bound = -1;            ///< search all schedules with this many preemptions instead
    double seconds = 0;        ///< the limit for each scenario; 0: none
    bool first = false;        ///< stop at the first failure
    bool history = false;      ///< print all steps of a failure
};
inline options chosen;

/// The current execution, so that a crash can be reported with it.
struct execution
{
    std::string_view scenario;
    std::string_view model;
    schedulers scheduler = schedulers::even;
    unsigned long number = 0;
    unsigned length = 0;    ///< the greatest number of steps of this scenario's executions
    bool measures = false;  ///< `length` is being measured
    std::chrono::steady_clock::time_point started;
};
inline execution running;

/// The generator splitmix64. Relacy's own generator repeats a bit thousands of times, so a thread
/// that waits for a value in a loop may never see that value.
class random_numbers
{
public:
    void seed(std::uint64_t s) { state_ = s; }
    unsigned operator()()
    {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return static_cast<unsigned>((z ^ (z >> 31)) >> 32);
    }

private:
    std::uint64_t state_ = 0;
};

/// Chooses the thread for each step, and the value that a load returns, among those that the memory
/// model allows. An execution depends only on the scheduler, the seed and its number.
template <rl::thread_id_t Threads>
class random_scheduler
    : public rl::scheduler<random_scheduler<Threads>, rl::scheduler_thread_info, Threads>
{
    using base = rl::scheduler<random_scheduler, rl::scheduler_thread_info, Threads>;

    static constexpr unsigned most_falls = 4;

public:
    struct task_t
    {
    };

    random_scheduler(rl::test_params& p, typename base::shared_context_t& c,
                     rl::thread_id_t dynamic)
        : base(p, c, dynamic)
    {
    }

    rl::thread_id_t iteration_begin_impl()
    {
        running.number = this->iter_;
        running.scheduler = chosen.scheduler == schedulers::in_turn
            ? static_cast<schedulers>(this->iter_ % 3)
            : chosen.scheduler;
        if (running.measures)
            running.scheduler = schedulers::even;
        random_.seed(chosen.seed * 0x2545f4914f6cdd1d + this->iter_);
        step_ = 0;
        lowest_ = 0;
        for (int i = 0; i < Threads; ++i)
            priority_[i] = 1 + static_cast<int>(random_() % 1000);
        if (running.scheduler == schedulers::falls) {
            rate_ = 4u << random_() % 5;
        } else if (running.scheduler == schedulers::pct) {
            falls_ = random_() % (most_falls + 1);
            // The steps are random, so the depths of the falls need not be.
            for (unsigned i = 0; i < falls_; ++i)
                fall_at_[i] = random_() % running.length;
            lowest_ = -static_cast<int>(most_falls);
        }
        rl::unpark_reason reason;
        return schedule_impl(reason, 0);
    }

    bool iteration_end_impl()
    {
        if (this->iter_ >= this->params_.iteration_count)
            return true;
        return chosen.seconds != 0 && this->iter_ % 64 == 0 && seconds() > chosen.seconds;
    }

    rl::thread_id_t schedule_impl(rl::unpark_reason& reason, unsigned yield)
    {
        reason = rl::unpark_reason_normal;
        int const n = this->running_threads_count;
        ++step_;
        if (running.measures && step_ > running.length)
            running.length = step_;
        if (running.scheduler == schedulers::even)
            return this->running_threads[random_() % static_cast<unsigned>(n)];
        if (this->thread_ != nullptr)
            fall(priority_[this->thread_->index_],
                 yield != 0 && this->thread_->state_ == rl::thread_state_running);
        rl::thread_id_t best = this->running_threads[0];
        for (int i = 1; i < n; ++i)
            if (priority_[this->running_threads[i]] > priority_[best])
                best = this->running_threads[i];
        return best;
    }

    unsigned rand_impl(unsigned limit, rl::sched_type) { return random_() % limit; }
    rl::iteration_t iteration_count_impl() { return this->params_.iteration_count; }
    void get_state_impl(std::ostream&) {}
    void set_state_impl(std::istream&) {}
    void on_thread_block(rl::thread_id_t, bool) {}

    static double seconds()
    {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - running.started)
            .count();
    }

private:
    /// Lowers the priority of the thread that has run, if a fall is due. A thread that waits in a
    /// loop sets `yields`, and must let the other threads run.
    void fall(int& priority, bool yields)
    {
        if (yields || (running.scheduler == schedulers::falls && random_() % rate_ == 0)) {
            priority = --lowest_;
            return;
        }
        if (running.scheduler == schedulers::pct) {
            for (unsigned i = 0; i < falls_; ++i)
                if (fall_at_[i] == step_)
                    priority = -static_cast<int>(i);
        }
    }

    random_numbers random_;
    unsigned step_ = 0;
    unsigned rate_ = 1;
    unsigned falls_ = 0;
    unsigned fall_at_[most_falls] = {};
    int lowest_ = 0;
    int priority_[Threads] = {};
};

/// Reports the result of a scenario. `--replay` takes the name of a schedule.
inline void report(unsigned long schedules, double seconds, char const* result, bool failed)
{
    auto const n = [](std::string_view s) { return static_cast<int>(s.size()); };
    std::printf("%-24.*s %-10.*s %9lu schedules %6.1f s  %s", n(running.scenario),
                running.scenario.data(), n(running.model), running.model.data(), schedules, seconds,
                result);
    if (failed && chosen.bound < 0) {
        std::string_view const by = scheduler_names[static_cast<unsigned>(running.scheduler)];
        std::printf(" (%.*s:%lu:%lu)", n(by), by.data(), chosen.seed, running.number);
    }
    std::printf("\n");
    std::fflush(stdout);
}

/// Also reports the schedule of a crash.
inline void report_crash(int)
{
    report(running.number, 0, "crash", true);
    std::_Exit(1);
}
inline void catch_crashes()
{
    alignas(16) static char stack[1 << 16];
    stack_t s{};
    s.ss_sp = stack;
    s.ss_size = sizeof stack;
    ::sigaltstack(&s, nullptr);
    struct sigaction a{};
    a.sa_handler = report_crash;
    a.sa_flags = SA_ONSTACK | SA_RESETHAND;
    for (int const signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL})
        ::sigaction(signal, &a, nullptr);
}

/// Runs one scenario; returns whether it held.
template <class Suite>
bool run(std::string_view name, std::string_view model)
{
    constexpr int threads = Suite::params::thread_count;
    using scheduler = random_scheduler<threads>;
    rl::ostringstream log;
    rl::ostringstream progress;
    rl::test_params p;
    p.output_stream = &log;
    p.progress_stream = &progress;
    p.execution_depth_limit = 20000;
    p.search_type =
        chosen.bound < 0 ? rl::random_scheduler_type : rl::fair_context_bound_scheduler_type;
    p.context_bound = static_cast<unsigned>(chosen.bound < 0 ? 0 : chosen.bound);

    auto once = [&](bool again) {
        rl::ostringstream state;
        rl::test_result_e const r = chosen.bound < 0
            ? rl::run_test<Suite, scheduler>(p, state, again)
            : rl::run_test<Suite, rl::context_bound_scheduler<threads>>(p, state, again);
        p.initial_state = state.str();
        return r;
    };
    running = execution{name, model};
    running.started = std::chrono::steady_clock::now();
    running.length = 1;
    if (chosen.bound < 0) {
        // Measures the length of executions, over which `pct` spreads its falls. A failure here
        // will occur again.
        running.measures = true;
        p.iteration_count = 32;
        once(false);
        running.measures = false;
        p.initial_state.clear();
    }
    p.iteration_count = chosen.schedules;
    if (chosen.replay != 0) {
        p.initial_state = std::to_string(chosen.replay).c_str();
        p.iteration_count = chosen.replay;
        p.collect_history = true;
        p.output_history = true;
        p.output_stream = &std::cout;
    }
    rl::test_result_e const result = once(false);
    bool const held = result == rl::test_result_success;
    std::cout.flush();
    report(static_cast<unsigned long>(p.stop_iteration), scheduler::seconds(),
           held ? "held" : rl::test_result_str(result), !held);
    if (held || chosen.replay != 0)
        return held;
    // Runs the failing schedule once more to record its history.
    p.collect_history = true;
    once(true);
    rl::string const text = log.str();
    std::printf("  %s\n", text.substr(0, chosen.history ? text.npos : text.find('\n')).c_str());
    std::fflush(stdout);
    return false;
}

}  // namespace relacy

// Eras of RCU domains are kept for ever, so their memory is not checked for leaks.
void* operator new(std::size_t n, std::nothrow_t const&) noexcept
{
    return relacy::world::now().allocate(n, true);
}

namespace boost {
void assertion_failed(char const* what, char const*, char const* file, long line)
{
    rl::ctx().fail_test(what, rl::test_result_user_assert_failed,
                        rl::debug_info("", file, static_cast<unsigned>(line)));
}
void assertion_failed_msg(char const* what, char const*, char const*, char const* file, long line)
{
    rl::ctx().fail_test(what, rl::test_result_user_assert_failed,
                        rl::debug_info("", file, static_cast<unsigned>(line)));
}
}  // namespace boost

#endif
