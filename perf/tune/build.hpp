// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_TUNE_BUILD_HPP
#define REGISTRY_IO_PERF_TUNE_BUILD_HPP

// Other programs: the compiler, and the measuring processes that it makes.

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

/// Set by SIGINT and SIGTERM: stop measuring, and report what there is.
extern std::sig_atomic_t volatile interrupted;

/// Something outside failed: a compiler, a file. The message is a sentence for the user.
struct failed : std::runtime_error
{
    using std::runtime_error::runtime_error;
};

struct outcome
{
    int status = -1;     ///< as the shell has it: 128 + the signal where one ended it
    bool hung = false;   ///< it was ended at its time limit
    std::string output;  ///< of both streams
};

/// Runs a program to its end, or to `seconds`, or to an interrupt, and collects what it prints.
outcome run_program(std::vector<std::string> const& argv, double seconds);

/// A measuring process did not answer. The message says what happened.
struct gone : std::runtime_error
{
    using std::runtime_error::runtime_error;
};

/// A measuring process: a line to it, a line back. The destructor ends it.
class child
{
public:
    /// Starts it and reads its greeting. Throws `gone` if there is none within `seconds`.
    child(std::vector<std::string> const& argv, double seconds);
    child(child const&) = delete;
    child& operator=(child const&) = delete;
    ~child();

    std::string const& greeting() const noexcept { return greeting_; }

    /// Sends a line and returns the answer. Throws `gone` if there is none within the seconds that
    /// the constructor was given.
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

/// Finds the compiler: that of `compile_commands` (the entry whose file ends with `like`, or the
/// first) if that is not empty, else CXX and CXXFLAGS of the environment, else `c++ -O2 -DNDEBUG`.
/// Throws `bad_input`, or `failed` if the compiler does not run.
toolchain find_toolchain(std::string const& compile_commands, std::string const& like);

struct built
{
    std::filesystem::path program;
    std::string refusal;  ///< not empty: it did not compile, and this sentence says why
};

/// Makes the measuring programs, one for each candidate and layout, and keeps them in a cache.
///
/// A program is made anew if its source, the compiler, the flags or any file that it included have
/// changed. Concurrency: `build` may be called by several threads at once.
class builder
{
public:
    /// `header` is the user's, or empty. `event_bytes` is for the synthetic workload. `keep` is
    /// where sources are copied to, or empty.
    builder(toolchain tools, std::filesystem::path cache, std::filesystem::path keep,
            std::string header, long event_bytes);

    /// Returns the program of an alias. Layouts above 0 place the same code elsewhere: padding
    /// before it, other alignment, functions in another order.
    built build(std::string const& alias, int layout);

    /// Programs made and taken from the cache so far.
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
