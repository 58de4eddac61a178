// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What observe::recorded counts, with a clock that the test advances, and the files that it writes.
// Each test case has its own tag, and so its own recording.

#include <atomic>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <registry_io/observe/recorded.hpp>
#include <registry_io/panic/propagate.hpp>
#include <registry_io/panic/quarantine.hpp>
#include <registry_io/presets.hpp>
#include <registry_io/presets/async.hpp>

#include "memory.hpp"
#include "observe/support.hpp"

namespace {

namespace rio = registry_io;
namespace fs = std::filesystem;
using rio::observe::recorded;
using test::gate;
using test::hand_clock;
using test::notify_of;

bool const quiet = ::setenv("REGISTRY_IO_RECORDING_DIRECTORY", "", 1) == 0;

using buckets = std::map<unsigned, std::uint64_t>;

/// The number that follows `"name": `.
double number(std::string const& text, std::string const& name)
{
    std::size_t const at = text.find('"' + name + "\": ");
    BOOST_TEST_REQUIRE(at != text.npos, name);
    return std::strtod(text.c_str() + at + name.size() + 4, nullptr);
}

/// The sum of the values of a histogram.
double sum(std::string const& text, std::string const& name)
{
    return number(text.substr(text.find("\"sums\"")), name);
}

buckets histogram(std::string const& text, std::string const& name)
{
    std::size_t at = text.find('"' + name + "\": [");
    BOOST_TEST_REQUIRE(at != text.npos, name);
    buckets all;
    std::istringstream in(text.substr(at + name.size() + 5));
    char c = ' ';
    while (in >> c && c != ']') {
        unsigned bucket = 0;
        std::uint64_t n = 0;
        if (c == ',')
            in >> c;
        in >> bucket >> c >> n >> c;
        all[bucket] = n;
    }
    return all;
}

/// The mean, with the values assumed to be spread evenly over their buckets.
double mean(buckets const& h)
{
    double sum = 0;
    double n = 0;
    for (auto const& [bucket, count] : h) {
        sum += std::ldexp(1.5, static_cast<int>(bucket)) * static_cast<double>(count);
        n += static_cast<double>(count);
    }
    return sum / n;
}

std::uint64_t total(buckets const& h)
{
    std::uint64_t n = 0;
    for (auto const& b : h)
        n += b.second;
    return n;
}

std::string read(fs::path const& p)
{
    std::ifstream in(p);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// A temporary directory for one test case.
struct scratch
{
    scratch()
    {
        char name[] = "recorded.XXXXXX";
        BOOST_TEST_REQUIRE(::mkdtemp(name) != nullptr);
        path = fs::absolute(name);
    }
    ~scratch() { fs::remove_all(path); }
    std::vector<fs::path> files() const
    {
        std::vector<fs::path> all;
        for (auto const& e : fs::directory_iterator(path))
            all.push_back(e.path());
        return all;
    }
    fs::path path;
};

/// Runs `f` in a child process, which then calls `exit`. Returns its exit status.
template <class F>
int in_child(F f)
{
    pid_t const child = ::fork();
    if (child == 0) {
        f();
        // exit, not _exit: it runs write_at_exit. The fork has removed the test framework's own
        // handlers.
        std::exit(0);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return status;
}

template <class Tag, class Panic = rio::panic::catch_log, std::uint32_t OneIn = 1>
using by_hand = recorded<Panic, Tag, hand_clock, OneIn>;

}  // namespace

BOOST_AUTO_TEST_CASE(counts_and_histograms_of_a_known_workload_are_exact)
{
    struct tag;
    using policy = by_hand<tag>;
    rio::SyncRegistry<int>::with<policy> r;
    r.on_panic([](rio::panic_info const&) {});
    auto const slow = r.register_handler([](int) { hand_clock::advance(1000); });
    hand_clock::advance(5000);
    r.register_handler([](int i) {
        hand_clock::advance(70);
        if (i % 10 == 0)
            throw std::runtime_error("ten");
    });
    for (int i = 0; i < 100; ++i) {
        r.notify(i);
        hand_clock::advance(100000 - 1070);
    }
    hand_clock::advance(100);
    BOOST_TEST(r.unregister(slow));
    BOOST_TEST(!r.unregister(slow));
    std::string const t = policy::text();
    BOOST_TEST_INFO(t);
    BOOST_TEST(number(t, "registry_io_recording") == 1);
    BOOST_TEST(number(t, "notify") == 100);
    BOOST_TEST(number(t, "failures") == 10);
    BOOST_TEST(number(t, "nested") == 0);
    BOOST_TEST(number(t, "register") == 2);
    BOOST_TEST(number(t, "unregister") == 1);
    BOOST_TEST(number(t, "threads") == 1);
    BOOST_TEST(number(t, "sampled_one_in") == 1);
    BOOST_TEST(number(t, "seconds") == (5000 + 100 * 100000 + 100) * 1e-9,
               boost::test_tools::tolerance(1e-9));
    BOOST_TEST((histogram(t, "inter_arrival_ns") == buckets{{16, 99}}));
    BOOST_TEST((histogram(t, "handler_ns") == buckets{{6, 100}, {9, 100}}));
    BOOST_TEST((histogram(t, "handlers_at_notify") == buckets{{1, 100}}));
    BOOST_TEST((histogram(t, "depth") == buckets{{0, 100}}));
    BOOST_TEST((histogram(t, "change_interval_ns") == buckets{{12, 1}, {23, 1}}));
    BOOST_TEST(sum(t, "inter_arrival_ns") == 99 * 100000);
    BOOST_TEST(sum(t, "handler_ns") == 100 * (1000 + 70));
    BOOST_TEST(sum(t, "handlers_at_notify") == 200);
    BOOST_TEST(sum(t, "depth") == 100);
    BOOST_TEST(sum(t, "change_interval_ns") == 5000 + 100 * 100000 + 100);
    BOOST_TEST(number(t, "clock_ns") == 0);
    BOOST_TEST(t.find("\"registry\": \"basic_registry<Event, ") != t.npos);
    BOOST_TEST(t.find("recorded<") != t.npos);
    BOOST_TEST(t.find(">::failing") == t.npos);
}

BOOST_AUTO_TEST_CASE(a_value_is_in_the_bucket_of_its_logarithm)
{
    struct tag;
    using policy = by_hand<tag>;
    rio::LocalRegistry<std::uint64_t>::with<policy> r;
    r.register_handler([](std::uint64_t ns) { hand_clock::advance(ns); });
    for (unsigned b = 1; b < 47; ++b) {
        r.notify((std::uint64_t(1) << b) - 1);
        r.notify(std::uint64_t(1) << b);
    }
    r.notify(0);
    r.notify(std::uint64_t(1) << 50);  // greater than all buckets: counted in the last one
    buckets expected;
    for (unsigned b = 1; b < 47; ++b) {
        ++expected[b - 1];
        ++expected[b];
    }
    ++expected[0];
    ++expected[47];
    std::string const t = policy::text();
    BOOST_TEST((histogram(t, "handler_ns") == expected));
}

BOOST_AUTO_TEST_CASE(changes_are_counted_however_they_are_made)
{
    struct tag;
    using policy = by_hand<tag, rio::panic::quarantine<2>>;
    rio::SyncRegistry<int>::with<policy> r;
    r.on_panic([](rio::panic_info const&) {});
    std::vector<rio::handler_id> ids;
    for (int i = 0; i < 1000; ++i)  // includes tables of many chunks
        ids.push_back(r.register_handler(i % 7, [&ids](int) { (void)ids; }));
    for (std::size_t i = 0; i < 500; ++i)
        BOOST_TEST_REQUIRE(r.unregister(ids[i * 2]));
    auto const result = r.update([&](auto& tx) {
        tx.register_handler([](int) {});
        tx.register_handler(-1, [](int) {});
        tx.unregister(ids[1]);
        tx.unregister(ids[0]);  // already removed
    });
    BOOST_TEST((result.registered == 2 && result.unregistered == 1));
    try {
        r.update([](auto& tx) {
            tx.register_handler([](int) {});
            throw 1;
        });
    } catch (int) {
    }
    {
        auto const guard = r.register_guard([](int) {});
    }
    BOOST_TEST(r.clear() == 501u);
    BOOST_TEST(r.clear() == 0u);
    r.register_handler([](int) { throw 1; });
    r.notify(0);
    r.notify(0);  // the second failure: quarantine removes it
    std::string const t = policy::text();
    BOOST_TEST(number(t, "register") == 1000 + 2 + 1 + 1);
    BOOST_TEST(number(t, "unregister") == 500 + 1 + 1 + 501 + 1);
    // A transaction with two changes counts as one interval: 1000 + 500 + 1 + 2 + 1 + 1 + 1
    // intervals.
    BOOST_TEST(total(histogram(t, "change_interval_ns")) == 1505u);
    BOOST_TEST(number(t, "failures") == 2);
}

BOOST_AUTO_TEST_CASE(a_change_that_fails_is_not_counted)
{
    struct tag;
    using policy = by_hand<tag>;
    rio::FixedRegistry<int, 2>::with<policy> r;
    r.register_handler([](int) {});
    r.register_handler([](int) {});
    BOOST_CHECK_THROW(r.register_handler([](int) {}), std::length_error);
    BOOST_CHECK_THROW(r.update([](auto& tx) { tx.register_handler([](int) {}); }),
                      std::length_error);
    BOOST_TEST(number(policy::text(), "register") == 2);
}

BOOST_AUTO_TEST_CASE(nested_notifies_are_counted_with_their_depth)
{
    struct tag;
    using policy = by_hand<tag, rio::panic::propagate>;
    rio::SyncRegistry<int>::with<policy> a;
    rio::SyncRegistry<int>::with<policy> b;
    a.register_handler([&](int i) {
        if (i > 0)
            b.notify(i - 1);
    });
    b.register_handler([&](int i) {
        a.notify(i);
        if (i == 100)
            throw std::runtime_error("deep");
    });
    for (int i = 0; i < 5; ++i)
        a.notify(2);  // depths 1, 2, 3, 4, 5
    // An exception restores the depth.
    BOOST_CHECK_THROW(b.notify(100), std::runtime_error);
    double const nested = number(policy::text(), "nested");
    a.notify(0);
    std::string const t = policy::text();
    BOOST_TEST(number(t, "nested") == nested);
    buckets const depth = histogram(t, "depth");
    BOOST_TEST(depth.at(0) == 5u + 1 + 1);
    BOOST_TEST(total(depth) == number(t, "notify"));
    BOOST_TEST(number(t, "notify") == 5 * 5 + (1 + 1 + 200) + 1);
    BOOST_TEST(nested == 5 * 4 + 201);
    BOOST_TEST(total(histogram(t, "inter_arrival_ns")) == 6u);
}

BOOST_AUTO_TEST_CASE(what_threads_counted_is_kept_when_they_end)
{
    struct tag;
    using policy = recorded<rio::panic::catch_log, tag>;
    rio::SyncRegistry<int>::with<policy> r;
    r.on_panic([](rio::panic_info const&) {});
    r.register_handler([](int i) {
        if (i % 100 == 0)
            throw 1;
    });
    constexpr int threads = 8;
    constexpr int each = 1000;
    for (int round = 0; round < 2; ++round) {
        std::vector<std::thread> running;
        for (int t = 0; t < threads; ++t)
            running.emplace_back([&] {
                for (int i = 0; i < each; ++i)
                    r.notify(i);
            });
        std::string const meanwhile = policy::text();  // concurrent, for ThreadSanitizer
        BOOST_TEST(number(meanwhile, "notify") <= 2 * threads * each);
        for (std::thread& t : running)
            t.join();
    }
    std::string const t = policy::text();
    BOOST_TEST(number(t, "threads") == 2 * threads);
    BOOST_TEST(number(t, "notify") == 2 * threads * each);
    BOOST_TEST(number(t, "failures") == 2 * threads * each / 100);
}

BOOST_AUTO_TEST_CASE(a_notify_in_the_last_destructor_of_a_thread_is_counted)
{
    struct tag;
    using policy = recorded<rio::panic::catch_log, tag>;
    using registry = rio::SyncRegistry<int>::with<policy>;
    static registry r;
    r.register_handler([](int) {});
    // Created after the recording's key, so with glibc its destructor runs later.
    ::pthread_key_t key{};
    BOOST_TEST_REQUIRE(::pthread_key_create(&key, [](void*) { r.notify(1); }) == 0);
    struct at_end
    {
        ~at_end() { r.notify(2); }
    };
    std::thread([&] {
        static thread_local at_end const end;
        (void)&end;
        ::pthread_setspecific(key, &r);
        r.notify(0);
    }).join();
    ::pthread_key_delete(key);
    std::string const t = policy::text();
    BOOST_TEST(number(t, "notify") == 3);
    BOOST_TEST(number(t, "threads") == 1);
}

BOOST_AUTO_TEST_CASE(a_thread_that_is_cancelled_in_a_handler_has_not_failed)
{
    struct tag;
    using policy = by_hand<tag, rio::panic::propagate>;
    using registry = rio::LocalRegistry<int>::with<policy>;
    static std::atomic<bool> inside{false};
    ::pthread_t thread{};
    auto const run = [](void*) -> void* {
        registry r;
        r.register_handler([](int) {
            inside = true;
            for (;;)
                ::usleep(1000);  // a cancellation point
        });
        r.notify(1);
        return nullptr;
    };
    BOOST_TEST_REQUIRE(::pthread_create(&thread, nullptr, run, nullptr) == 0);
    while (!inside)
        std::this_thread::yield();
    ::pthread_cancel(thread);
    void* result = nullptr;
    ::pthread_join(thread, &result);
    BOOST_TEST(result == PTHREAD_CANCELED);
    std::string const t = policy::text();
    BOOST_TEST(number(t, "notify") == 1);
    BOOST_TEST(number(t, "failures") == 0);
    BOOST_TEST((histogram(t, "handlers_at_notify") == buckets{{0, 1}}));
}

BOOST_AUTO_TEST_CASE(notify_does_not_allocate_nor_does_a_threads_first)
{
    struct tag;
    using policy = recorded<rio::panic::catch_log, tag, rio::observe::monotonic_clock, 2>;
    rio::SyncRegistry<int>::with<policy> r;
    r.register_handler([](int) {});
    std::atomic<long> more{-1};
    std::thread([&] {
        std::uint64_t const before = test::allocations();
        for (int i = 0; i < 100; ++i)
            r.notify(i);
        more = static_cast<long>(test::allocations() - before);
    }).join();
    BOOST_TEST(more.load() == 0);
}

BOOST_AUTO_TEST_CASE(an_asynchronous_registry_is_recorded)
{
    struct tag;
    using policy = by_hand<tag>;
    rio::AsyncRegistry<int>::with<policy> r;
    r.on_panic([](rio::panic_info const&) {});
    gate g;
    rio::LocalRegistry<int>::with<policy> other;
    other.register_handler([](int) {});
    r.register_handler(2, [&](int) -> rio::async::task<> {
        hand_clock::advance(600);
        other.notify(0);  // nested
        co_await g;
        hand_clock::advance(1 << 20);
        throw std::runtime_error("after it has waited");
    });
    r.register_handler(1, [](int) { hand_clock::advance(40); });
    r.register_handler(0, [](int) { throw 1; });
    int ended = 0;
    notify_of(r, 0, ended);
    BOOST_TEST(ended == 0);
    // While a notify is suspended, its thread is not inside a handler.
    other.notify(1);
    BOOST_TEST(number(policy::text(), "nested") == 1);
    std::thread([&] { g.open(); }).join();
    BOOST_TEST(ended == 1);
    std::string const t = policy::text();
    BOOST_TEST(t.find("\"registry\": \"basic_async_registry<Event, ") != t.npos);
    BOOST_TEST(number(t, "notify") == 3);
    BOOST_TEST(number(t, "nested") == 1);
    BOOST_TEST(number(t, "failures") == 2);
    BOOST_TEST(number(t, "register") == 4);
    buckets const handlers = histogram(t, "handlers_at_notify");
    BOOST_TEST((handlers == buckets{{0, 2}, {1, 1}}));
    buckets const ns = histogram(t, "handler_ns");
    BOOST_TEST(ns.at(9) == 1u);
    BOOST_TEST(ns.at(5) == 1u);
    BOOST_TEST(ns.at(0) == 3u);
    BOOST_TEST(total(ns) >= 5u);
}

BOOST_AUTO_TEST_CASE(a_synthetic_workload_gives_back_its_parameters)
{
    // Only the clock advances. A handler takes 2048 to 4095 ns; a notify begins 65536 to 131071 ns
    // after the previous one; one notify in five is nested; there are eight handlers, and one
    // change per 250 notifies. One notify in twenty is measured; this must not fall into step with
    // the one in five.
    struct tag;
    using policy = by_hand<tag, rio::panic::catch_log, 20>;
    rio::SyncRegistry<int>::with<policy> r;
    rio::SyncRegistry<int>::with<policy> inner;
    r.on_panic([](rio::panic_info const&) {});
    std::mt19937 random(7);
    std::uniform_int_distribution<std::uint64_t> duration(2048, 4095);
    std::uniform_int_distribution<std::uint64_t> period(65536, 131071);
    for (int i = 0; i < 8; ++i)
        r.register_handler([&, i](int n) {
            hand_clock::advance(duration(random));
            if (i == 0 && n % 4 == 0)
                inner.notify(n);
            if (i == 7 && n % 100 == 0)
                throw 1;
        });
    for (int i = 0; i < 8; ++i)
        inner.register_handler([](int) {});
    std::uint64_t const begin = hand_clock::now();
    constexpr int notifies = 40000;
    for (int n = 0; n < notifies; ++n) {
        std::uint64_t const next = hand_clock::now() + period(random);
        r.notify(n);
        hand_clock::time = next;
        if (n % 500 == 0) {
            auto const guard = r.register_guard([](int) {});
        }
    }
    double const seconds = static_cast<double>(hand_clock::now() - begin) * 1e-9;
    std::string const t = policy::text();
    auto const near = [](double a, double b) {
        BOOST_TEST(a == b, boost::test_tools::tolerance(0.1));
    };
    near(number(t, "notify"), notifies * 1.25);
    near(number(t, "nested") / number(t, "notify"), 0.2);
    near(number(t, "failures") / notifies, 0.01);
    near(number(t, "register") - 16, notifies / 500.0);
    near(number(t, "seconds"), seconds);
    buckets const depth = histogram(t, "depth");
    near(static_cast<double>(total(depth)), notifies * 1.25 / 20);
    near(static_cast<double>(depth.at(0)) / static_cast<double>(total(depth)), 0.8);
    BOOST_TEST((histogram(t, "handlers_at_notify") == buckets{{3, total(depth)}}));
    // The inner handlers, a fifth of all, take no time.
    buckets ns = histogram(t, "handler_ns");
    near(static_cast<double>(ns.at(0)) / static_cast<double>(total(ns)), 0.2);
    ns.erase(0);
    near(mean(ns), 3072);
    near(mean(histogram(t, "inter_arrival_ns")), 98304);
}

BOOST_AUTO_TEST_CASE(write_replaces_a_file_or_leaves_it_as_it_was)
{
    struct tag;
    using policy = by_hand<tag>;
    rio::SyncRegistry<int>::with<policy> r;
    r.register_handler([](int) {});
    r.notify(1);
    scratch dir;
    fs::path const file = dir.path / "mine.json";
    std::ofstream(file) << "older";
    BOOST_TEST(!policy::write(file));
    BOOST_TEST(read(file) == policy::text());
    BOOST_TEST(dir.files().size() == 1u);  // no temporary file is left
    BOOST_TEST(
        (policy::write(dir.path / "none" / "mine.json") == std::errc::no_such_file_or_directory));
    // A full disk, and a limit on the file size that leaves the older file unchanged.
    BOOST_TEST((policy::write("/dev/full") == std::errc::no_space_on_device));
    BOOST_TEST(fs::is_character_file("/dev/full"));
    std::ofstream(file) << "older";
    int const status = in_child([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        ::rlimit const small{10, 10};
        ::setrlimit(RLIMIT_FSIZE, &small);
        std::_Exit(policy::write(file) == std::errc::file_too_large ? 0 : 1);
    });
    BOOST_TEST(status == 0);
    BOOST_TEST(read(file) == "older");
    BOOST_TEST(dir.files().size() == 1u);
}

BOOST_AUTO_TEST_CASE(processes_and_types_write_files_of_their_own_at_exit)
{
    struct tag;
    struct other_tag;
    using policy = by_hand<tag>;
    using other = by_hand<other_tag>;
    scratch dir;
    rio::SyncRegistry<int>::with<policy> r;
    rio::SyncRegistry<int>::with<other> s;
    r.register_handler([](int) {});
    for (int i = 0; i < 10; ++i)
        r.notify(i);
    for (int child = 1; child <= 2; ++child)
        BOOST_TEST(in_child([&] {
                       policy::directory(dir.path.string());
                       other::directory(dir.path.string());
                       // An earlier process with the same process id has left files.
                       for (unsigned n = 0; n < 3; ++n)
                           std::ofstream(dir.path /
                                         ("registry_io." + std::to_string(::getpid()) + '.' +
                                          std::to_string(n) + ".json"))
                               << "older";
                       s.register_handler([](int) {});
                       for (int i = 0; i < child; ++i)
                           r.notify(i);
                       std::thread([&] { r.notify(0); }).join();
                   }) == 0);
    std::map<double, int> notified;
    int older = 0;
    for (fs::path const& p : dir.files()) {
        BOOST_TEST(p.extension() == ".json");
        std::string const t = read(p);
        if (t == "older")
            ++older;
        else
            ++notified[number(t, "notify")];
    }
    BOOST_TEST(older == 6);
    // The child of a fork counts from zero, and the parent continues.
    std::map<double, int> const expected{{0, 2}, {2, 1}, {3, 1}};
    BOOST_TEST((notified == expected));
    BOOST_TEST(number(policy::text(), "notify") == 10);
}

BOOST_AUTO_TEST_CASE(a_failure_at_exit_is_one_sentence)
{
    struct tag;
    using policy = by_hand<tag>;
    rio::SyncRegistry<int>::with<policy> r;
    r.register_handler([](int) {});
    scratch dir;
    fs::path const said = dir.path / "stderr";
    BOOST_TEST(in_child([&] {
                   policy::directory((dir.path / "none").string());
                   int const fd = ::open(said.c_str(), O_WRONLY | O_CREAT, 0666);
                   ::dup2(fd, 2);
                   r.notify(1);
               }) == 0);
    BOOST_TEST(read(said) ==
               "registry_io: the recording was not written: No such file or directory\n");
    BOOST_TEST((policy::directory(std::string(512, 'x')) == std::errc::filename_too_long));
}

BOOST_AUTO_TEST_CASE(a_thread_that_exits_folds_its_counts_when_they_are_measured)
{
    struct tag;
    using policy = by_hand<tag, rio::panic::catch_log, 4>;
    static rio::SyncRegistry<int>::with<policy> r;
    constexpr int notifies = 4000;
    r.register_handler([](int) { hand_clock::advance(1000); });
    // With glibc, called after the recording's own hook.
    ::pthread_key_t key{};
    BOOST_TEST_REQUIRE(::pthread_key_create(&key, [](void*) {
                           for (int i = 1; i < notifies; ++i)
                               r.notify(i);
                       }) == 0);
    std::thread([&] {
        r.notify(0);
        ::pthread_setspecific(key, &r);
    }).join();
    ::pthread_key_delete(key);
    std::string const t = policy::text();
    double const n = number(t, "notify");
    auto const measured = total(histogram(t, "handlers_at_notify"));
    // At most the notifies since the last measured one are lost.
    BOOST_TEST(n <= notifies);
    BOOST_TEST(n > notifies - 7);
    BOOST_TEST(measured > 800);
    BOOST_TEST(measured < 1200);
    BOOST_TEST(measured == total(histogram(t, "handler_ns")));
    BOOST_TEST(number(t, "threads") == 1);
}
