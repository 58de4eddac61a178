// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// An empty handler ends the program through the panic policy, with a message on stderr.

#include "contract.hpp"

#include <csignal>
#include <functional>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include <registry_io.hpp>

namespace rio = registry_io;

namespace {

/// Returns what a child process that runs `f` writes to stderr; empty unless it ends by SIGABRT.
template <class F>
std::string last_words(F f)
{
    int ends[2];
    if (::pipe(ends) != 0)
        return {};
    ::pid_t const child = ::fork();
    if (child == 0) {
        ::dup2(ends[1], STDERR_FILENO);
        ::close(ends[0]);
        f();
        std::_Exit(0);
    }
    ::close(ends[1]);
    std::string said;
    char buffer[256];
    for (::ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
        said.append(buffer, static_cast<std::size_t>(n));
    ::close(ends[0]);
    int status = 0;
    BOOST_TEST_EQ(::waitpid(child, &status, 0), child);
    BOOST_TEST(WIFSIGNALED(status));
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? said : std::string();
}

template <class Registry>
void check()
{
    for (int kind = 0; kind < 3; ++kind) {
        std::string const said = last_words([&] {
            Registry r;
            if (kind == 0)
                r.register_handler(std::function<void(int)>());
            else if (kind == 1)
                r.register_handler(static_cast<void (*)(int const&)>(nullptr));
            else
                r.update([](auto& tx) { tx.register_handler(std::function<void(int)>()); });
        });
        BOOST_TEST(said.find("registry_io: an empty handler was registered") == 0);
    }
    // The same for a priority that its key cannot hold.
    std::string const said = last_words([] {
        Registry r;
        r.register_handler(4000000000u, [](int) {});
    });
    BOOST_TEST(said.find("registry_io: the priority is out of its key's range") == 0);
}

}  // namespace

int main()
{
    using local = rio::LocalRegistry<int>;
    check<local>();
    check<rio::SyncRegistry<int>>();
    check<rio::RcuRegistry<int>>();
    check<rio::FixedRegistry<int, 4>>();
    check<local::with<rio::panic::terminate>>();
    check<local::with<rio::panic::propagate>>();
    check<local::with<rio::panic::collect<2>>>();
    check<local::with<rio::panic::quarantine<2>>>();
    return boost::report_errors();
}
