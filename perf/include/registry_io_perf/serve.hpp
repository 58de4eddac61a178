// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_SERVE_HPP
#define REGISTRY_IO_PERF_SERVE_HPP

// The measuring process: it creates one workload and takes a sample whenever it is asked. The
// measuring program starts one process for each candidate and asks them in turn, so that the
// candidates share neither code nor memory, and one that hangs does not stop the others.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>

#include <registry_io/version.hpp>
#include <registry_io_perf/profile.hpp>
#include <registry_io_perf/stopwatch.hpp>

namespace registry_io_perf {

namespace detail {

template <class Workload>
concept takes_profile = std::is_constructible_v<Workload, profile>;
template <class Workload>
concept runs_on_threads = requires(Workload& w) {
    w.run(1L, 0L);
    w.threads();
};
template <class Workload>
concept changes = requires(Workload& w) { w.change(1L); };

template <class Workload>
std::unique_ptr<Workload> make(profile const& p)
{
    if constexpr (takes_profile<Workload>)
        return std::make_unique<Workload>(p);
    else
        return std::make_unique<Workload>();
}

/// Threads that run the workload besides the first thread.
template <class Workload>
class crew
{
public:
    explicit crew(Workload& w) : workload_(w)
    {
        if constexpr (runs_on_threads<Workload>)
            for (long t = 1; t < w.threads(); ++t)
                threads_.emplace_back([this, t] {
                    for (unsigned seen = 0;;) {
                        turn_.wait(seen);
                        seen = turn_.load();
                        if (times_ < 0)
                            return;
                        if (times_ > 0)
                            workload_.run(times_, t);
                        else
                            while (!stop_.load())
                                workload_.run(16, t);
                        ++done_;
                    }
                });
    }
    crew(crew const&) = delete;
    crew& operator=(crew const&) = delete;
    ~crew()
    {
        start(-1);
        stop();  // needed if an exception skipped the other call
        for (std::thread& t : threads_)
            t.join();
    }

    /// Makes the other threads run this many operations; 0: until `stop`.
    void start(long times)
    {
        times_ = times;
        stop_ = false;
        done_ = 0;
        ++turn_;
        turn_.notify_all();
    }
    void stop() { stop_ = true; }
    /// Waits for the other threads without sleeping, which would disturb the sample.
    void wait()
    {
        while (done_.load() != threads_.size())
            if (threads_.size() + 1 > std::thread::hardware_concurrency())
                std::this_thread::yield();
    }

private:
    Workload& workload_;
    long times_ = 0;
    std::atomic<bool> stop_{false};
    std::atomic<unsigned> turn_{0};
    std::atomic<std::size_t> done_{0};
    std::vector<std::thread> threads_;
};

template <class Workload>
void run(Workload& w, long times)
{
    if constexpr (runs_on_threads<Workload>)
        w.run(times, 0);
    else
        w.run(times);
}

/// Times chunks of `chunk` operations each, and returns a quantile of their times.
template <class Workload>
sample chunks(Workload& w, crew<Workload>& c, long times, long chunk, double part)
{
    std::vector<double> v(static_cast<std::size_t>(std::max(8L, times / chunk)));
    stopwatch const watch;
    c.start(times);
    auto before = std::chrono::steady_clock::now();
    for (double& ns : v) {
        run(w, chunk);
        auto const now = std::chrono::steady_clock::now();
        ns = std::chrono::duration<double, std::nano>(now - before).count() /
            static_cast<double>(chunk);
        before = now;
    }
    sample s = watch.stop(1);
    c.wait();
    auto const at = v.begin() + static_cast<long>(part * static_cast<double>(v.size() - 1));
    std::nth_element(v.begin(), at, v.end());
    s.ns = *at;
    return s;
}

template <class Workload>
sample take(Workload& w, crew<Workload>& c, std::string_view objective, long times)
{
    if (objective == "removal") {
        if constexpr (changes<Workload>) {
            // While the other threads notify: the cost of removals depends on the readers.
            c.start(0);
            stopwatch const watch;
            w.change(times);
            sample const s = watch.stop(static_cast<double>(times));
            c.stop();
            c.wait();
            return s;
        } else {
            throw std::runtime_error(
                "the objective removal needs a member `void change(long times)` "
                "of the workload");
        }
    }
    if (objective == "notify_p99")
        return chunks(w, c, times, 1, 0.99);
    if (objective == "notify_p50")
        return chunks(w, c, times, std::max(1L, times / 100), 0.5);
    stopwatch const watch;
    c.start(times);
    run(w, times);
    c.wait();
    return watch.stop(static_cast<double>(times));
}

}  // namespace detail

/// main() of a measuring process, for one workload and one type of registry.
///
/// Arguments: the values of a profile, as `key=value`. It prints one line of greeting with fields
/// separated by tabs: the version, the bytes of one workload, and the name of the registry's type.
/// Then it reads lines, and answers each with one line:
///
///     calibrate OBJECTIVE MICROSECONDS    the number of operations that take about this long
///     sample OBJECTIVE OPERATIONS         nanoseconds per operation, and 1 if disturbed, else 0
///
/// The objectives are `notify_p50`, `notify_p99`, `throughput` and `removal`. If the workload
/// throws, the process prints a line with `error` and the message, and exits with status 1.
template <class Workload>
int serve(int argc, char** argv, char const* registry_type)
{
    // The asking process handles interrupts; it ends this one by closing the pipe. If it dies, the
    // kernel ends this process.
    ::signal(SIGINT, SIG_IGN);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
        profile p;
        for (int i = 1; i < argc; ++i)
            p.set(argv[i]);
        auto const heap = [] { return static_cast<double>(::mallinfo2().uordblks); };
        double const before = heap();
        std::unique_ptr<Workload> const w = detail::make<Workload>(p);
        double const bytes = heap() - before;
        detail::crew<Workload> c(*w);
        std::printf("%s\t%.0f\t%s\n", REGISTRY_IO_VERSION_STRING, bytes, registry_type);
        std::fflush(stdout);
        char line[256], verb[32], objective[32];
        long n = 0;
        while (std::fgets(line, sizeof line, stdin) != nullptr) {
            if (std::sscanf(line, "%31s %31s %ld", verb, objective, &n) != 3)
                throw std::runtime_error("not a command: " + std::string(line));
            if (std::strcmp(verb, "calibrate") == 0) {
                // On one thread: the others would take long to wake up.
                long const times = calibrated(
                    [&](long k) {
                        if (std::strcmp(objective, "removal") == 0)
                            detail::take(*w, c, objective, k);
                        else
                            detail::run(*w, k);
                    },
                    static_cast<double>(n) * 1e-6);
                std::printf("%ld\n", times);
            } else {
                // Not timed: the samples of other processes have evicted this one's data from the
                // caches.
                detail::take(*w, c, objective, std::max(1L, n / 4));
                sample const s = detail::take(*w, c, objective, n);
                std::printf("%.6g %d\n", s.ns, s.disturbed ? 1 : 0);
            }
            std::fflush(stdout);
        }
        return 0;
    } catch (std::exception const& e) {
        std::printf("error %s\n", e.what());
    } catch (...) {
        std::printf("error an exception that is not a std::exception\n");
    }
    return 1;
}

}  // namespace registry_io_perf

#endif
