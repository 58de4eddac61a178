// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A user of the compiled library: one half of each registry is in it, the other half here. Both
// must agree on the threads' records, the domains, the ids and the exceptions.

#include <registry_io/presets.hpp>
#include <registry_io/presets/async.hpp>

#include <atomic>
#include <cstdio>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#ifndef REGISTRY_IO_SEPARATE_COMPILATION
#error "the target of the compiled library does not say that it is compiled"
#endif

// In another file of this program.
int registered_elsewhere(registry_io::SyncRegistry<int>& r, std::atomic<int>& sum);

namespace {

int failures = 0;

void check(bool holds, char const* what, char const* registry)
{
    if (!holds) {
        std::printf("%s: %s\n", registry, what);
        ++failures;
    }
}

template <class Registry>
void one_thread(char const* name)
{
    Registry r;
    int sum = 0;
    int failed = 0;
    r.on_panic([&failed](registry_io::panic_info const&) { ++failed; });
    auto const id = r.register_handler(1, [&sum](int const& event) { sum += event; });
    for (int i = 0; i < 600; ++i)
        r.register_handler(i % 7, [&sum](int const& event) { sum += event; });
    r.register_handler([](int const&) { throw std::runtime_error("as it should"); });
    r.notify(1);
    check(sum == 601, "a notify calls all handlers", name);
    check(failed == 1, "a failure is reported", name);
    check(r.unregister(id) && !r.unregister(id), "an id is removed once", name);
    r.update([&](auto& change) {
        change.clear();
        change.register_handler(2, [&sum](int const& event) { sum -= event; });
    });
    r.synchronize();
    r.notify(600);
    check(sum == 1, "a transaction replaces all handlers", name);
    Registry other;
    check(!other.unregister(r.register_handler([](int const&) {})),
          "an id of another registry is refused", name);
    bool refused = false;
    r.register_handler([&](int const&) {
        try {
            r.synchronize();
        } catch (std::system_error const&) {
            refused = true;
        }
    });
    r.notify(0);
    check(refused, "waiting inside a handler is refused", name);
}

template <class Registry>
void several_threads(char const* name)
{
    Registry r;
    std::atomic<int> alive{0};
    std::atomic<bool> done{false};
    struct counted
    {
        explicit counted(std::atomic<int>& a) : alive(&a) { ++*alive; }
        counted(counted const& other) : alive(other.alive) { ++*alive; }
        counted& operator=(counted const&) = delete;
        ~counted() { --*alive; }
        void operator()(int const&) const
        {
            if (*alive <= 0)
                std::terminate();
        }
        std::atomic<int>* alive;
        int more_than_a_word[4] = {};
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([&] {
            while (!done)
                r.notify(i);
        });
    for (int i = 0; i < 2000; ++i) {
        auto const id = r.register_handler(i, counted(alive));
        check(i % 16 == 0 ? r.unregister_and_wait(id) : r.unregister(id), "it is removed", name);
    }
    done = true;
    for (auto& thread : threads)
        thread.join();
    r.synchronize();
    check(alive == 0, "captures are destroyed", name);
}

}  // namespace

int main()
{
    one_thread<registry_io::SyncRegistry<int>>("SyncRegistry");
    one_thread<registry_io::RcuRegistry<int>>("RcuRegistry");
    one_thread<registry_io::LocalRegistry<int>>("LocalRegistry");
    several_threads<registry_io::SyncRegistry<int>>("SyncRegistry");
    several_threads<registry_io::RcuRegistry<int>>("RcuRegistry");

    registry_io::AsyncRegistry<int> async;
    int sum = 0;
    async.register_handler([&sum](int const& event) { sum += event; });
    registry_io::async::sync_wait(async.notify(3));
    check(sum == 3, "a notify calls its handler", "AsyncRegistry");

    registry_io::SyncRegistry<int> shared;
    std::atomic<int> total{0};
    int const there = registered_elsewhere(shared, total);
    shared.register_handler([&total](int const& event) { total += event; });
    shared.notify(1);
    check(total == there + 1, "another file's handlers are called", "SyncRegistry");
    return failures == 0 ? 0 : 1;
}
