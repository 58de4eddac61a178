// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What the tests of whole processes share.

#ifndef REGISTRY_IO_TEST_PROCESS_CHILD_HPP
#define REGISTRY_IO_TEST_PROCESS_CHILD_HPP

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <exception>

namespace process {

/// Runs `f` in a child process, which exits with the result of `f`. Returns its exit code, or the
/// negative number of the signal that ended it.
template <class F>
int in_child(F f)
{
    pid_t const child = ::fork();
    if (child == 0) {
        // The test framework's signal handlers are only for its own process.
        for (int s : {SIGABRT, SIGSEGV, SIGALRM, SIGTERM, SIGBUS, SIGFPE, SIGILL})
            std::signal(s, SIG_DFL);
        std::set_terminate(&std::abort);
        ::alarm(20);  // rather than hang
        ::_exit(f());
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child)
        return -1000;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// For children that end with output on stderr.
inline void silence()
{
    int const null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, STDERR_FILENO);
    ::dup2(null, STDOUT_FILENO);
}

}  // namespace process

#endif
