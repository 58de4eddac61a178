// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

// Runs scenarios under Relacy and says what came of it.

#ifndef REGISTRY_IO_TEST_RELACY_DRIVER_HPP
#define REGISTRY_IO_TEST_RELACY_DRIVER_HPP

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string_view>

#include "relacy/env.hpp"

namespace relacy {

struct options
{
    std::string_view scenario;  ///< empty: all
    std::string_view model;
    unsigned long schedules = 10000;  ///< at most, for each
    unsigned long seed = 1;
    int bound = -1;        ///< search all schedules with so many preemptions instead
    double seconds = 0;    ///< at most, for each; 0: no limit
    bool first = false;    ///< stop at the first failure
    bool history = false;  ///< print all steps of a failure
};
inline options chosen;
inline std::chrono::steady_clock::time_point started;

/// Random schedules. Every other execution runs the thread of the highest priority, with random
/// priorities and a few random places where the running thread falls to the lowest: such schedules
/// let one thread sleep for long, which even chances seldom do. Source of the idea: S. Burckhardt
/// et al., A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs (2010).
template <rl::thread_id_t Threads>
class random_scheduler
    : public rl::scheduler<random_scheduler<Threads>, rl::scheduler_thread_info, Threads>
{
    using base = rl::scheduler<random_scheduler, rl::scheduler_thread_info, Threads>;

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
        random_.seed(this->iter_ * 2654435761u + chosen.seed);
        even_ = random_.rand() % 2 == 0;
        fall_ = 4u << random_.rand() % 5;
        lowest_ = 0;
        for (int i = 0; i < Threads; ++i)
            priority_[i] = 1 + static_cast<int>(random_.rand() % 1000);
        rl::unpark_reason reason;
        return schedule_impl(reason, 0);
    }

    bool iteration_end_impl()
    {
        if (this->iter_ >= this->params_.iteration_count)
            return true;
        return chosen.seconds != 0 && this->iter_ % 64 == 0 &&
            std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count() >
            chosen.seconds;
    }

    rl::thread_id_t schedule_impl(rl::unpark_reason& reason, unsigned yield)
    {
        reason = rl::unpark_reason_normal;
        int const n = this->running_threads_count;
        if (even_)
            return this->running_threads[random_.rand() % static_cast<unsigned>(n)];
        if (this->thread_ != nullptr && (yield != 0 || random_.rand() % fall_ == 0))
            priority_[this->thread_->index_] = --lowest_;
        rl::thread_id_t best = this->running_threads[0];
        for (int i = 1; i < n; ++i)
            if (priority_[this->running_threads[i]] > priority_[best])
                best = this->running_threads[i];
        return best;
    }

    unsigned rand_impl(unsigned limit, rl::sched_type) { return random_.rand() % limit; }
    rl::iteration_t iteration_count_impl() { return this->params_.iteration_count; }
    void get_state_impl(std::ostream&) {}
    void set_state_impl(std::istream&) {}
    void on_thread_block(rl::thread_id_t, bool) {}

private:
    rl::random_generator random_;
    bool even_ = true;
    unsigned fall_ = 1;
    int lowest_ = 0;
    int priority_[Threads] = {};
};

/// Runs one scenario; returns whether it held.
template <class Suite>
bool run(std::string_view name, std::string_view model)
{
    constexpr int threads = Suite::params::thread_count;
    rl::ostringstream log;
    rl::ostringstream progress;
    rl::test_params p;
    p.output_stream = &log;
    p.progress_stream = &progress;
    p.iteration_count = chosen.schedules;
    p.execution_depth_limit = 20000;
    p.search_type =
        chosen.bound < 0 ? rl::random_scheduler_type : rl::fair_context_bound_scheduler_type;
    p.context_bound = static_cast<unsigned>(chosen.bound < 0 ? 0 : chosen.bound);

    auto once = [&](bool again) {
        rl::ostringstream state;
        rl::test_result_e const r = chosen.bound < 0
            ? rl::run_test<Suite, random_scheduler<threads>>(p, state, again)
            : rl::run_test<Suite, rl::context_bound_scheduler<threads>>(p, state, again);
        p.initial_state = state.str();
        return r;
    };
    started = std::chrono::steady_clock::now();
    rl::test_result_e const result = once(false);
    double const seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    std::printf("%-24.*s %-10.*s %9lu schedules %6.1f s  %s\n", static_cast<int>(name.size()),
                name.data(), static_cast<int>(model.size()), model.data(),
                static_cast<unsigned long>(p.stop_iteration), seconds,
                result == rl::test_result_success ? "held" : rl::test_result_str(result));
    std::fflush(stdout);
    if (result == rl::test_result_success)
        return true;
    // Once more, to tell how it went.
    p.collect_history = true;
    once(true);
    rl::string const text = log.str();
    std::printf("  %s\n", text.substr(0, chosen.history ? text.npos : text.find('\n')).c_str());
    std::fflush(stdout);
    return false;
}

}  // namespace relacy

// Eras of RCU domains are kept for ever, so their memory is not asked back.
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
