// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_TUNE_BUILD_HPP
#define REGISTRY_IO_PERF_TUNE_BUILD_HPP

// Running other programs: the compiler, and the measuring processes that it builds.

#include <csignal>
#include <filesystem>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace tune {

/// Set by SIGINT and SIGTERM: stop measuring and report the results so far.
extern std::sig_atomic_t volatile interrupted;

/// An external failure, such as a compiler or a file. The message is a sentence for the user.
struct failed : std::runtime_error
{
    using std::runtime_error::runtime_error;
};

struct outcome
{
    int status = -1;     ///< as in a shell: 128 + the signal number if a signal ended it
    bool hung = false;   ///< it was ended because of the time limit
    std::string output;  ///< of both streams
};

/// Runs a program until it ends, `seconds` have passed, or an interrupt arrives. Collects its
/// output.
outcome run_program(std::vector<std::string> const& argv, double seconds);

/// A measuring process did not answer. The message says what happened.
struct gone : std::runtime_error
{
    using std::runtime_error::runtime_error;
};

/// A measuring process, which answers each line with a line. The destructor ends it.
class child
{
public:
    /// Starts the process and reads its greeting. Throws `gone` if there is none within `seconds`.
    child(std::vector<std::string> const& argv, double seconds);
    child(child const&) = delete;
    child& operator=(child const&) = delete;
    ~child();

    std::string const& greeting() const noexcept { return greeting_; }

    /// Sends a line and returns the answer. Throws `gone` if there is none within the time limit of
    /// the constructor.
    std::string ask(std::string const& line);

private:
    std::string read_line();

    double seconds_;
    pid_t pid_ = -1;
    int in_ = -1, out_ = -1;
    std::string rest_, greeting_;
};

/// The user's compiler, with flags.
struct toolchain
{
    std::vector<std::string> command;
    std::string version;  ///< the first line of --version
    std::string flags;    ///< as text, for reports
};

/// Finds the compiler. If `compile_commands` is not empty, uses the entry whose file ends with
/// `like`, or the first entry. Otherwise uses CXX and CXXFLAGS from the environment, or `c++ -O2
/// -DNDEBUG`. Throws `bad_input`, or `failed` if the compiler does not run.
toolchain find_toolchain(std::string const& compile_commands, std::string const& like);

struct built
{
    std::filesystem::path program;
    std::string refusal;  ///< if not empty, it did not compile, and this is the reason
};

/// Builds the measuring programs, one for each candidate and layout, and keeps them in a cache.
///
/// Rebuilds a program if its source, the compiler, the flags or any included file has changed.
/// Concurrency: several threads may call `build` at once.
class builder
{
public:
    /// `header` is the user's header, or empty. `event_bytes` is for the synthetic workload. `keep`
    /// is the folder to which sources are copied, or empty.
    builder(toolchain tools, std::filesystem::path cache, std::filesystem::path keep,
            std::string header, long event_bytes);

    /// Returns the program for an alias. Layouts above 0 place the same code differently: padding
    /// before it, other alignment, functions in another order.
    built build(std::string const& alias, int layout);

    /// The number of programs compiled and taken from the cache so far.
    int compiled() const noexcept { return compiled_; }
    int cached() const noexcept { return cached_; }

    toolchain const& tools() const noexcept { return tools_; }

private:
    std::string source_of(std::string const& alias, int layout) const;
    std::string hash_of_file(std::string const& path);
    std::string hash_of_inputs(std::filesystem::path const& list);

    toolchain tools_;
    std::filesystem::path cache_, keep_;
    std::string header_;
    long event_bytes_;
    std::vector<std::string> includes_;
    std::mutex mutex_;  ///< protects what follows
    std::map<std::string, std::string> hashes_;
    int compiled_ = 0, cached_ = 0;
};

}  // namespace tune

#endif
