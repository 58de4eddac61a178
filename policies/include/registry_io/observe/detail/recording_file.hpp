// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The file of a recorded workload: its text (JSON), and how it is written to disk. The text goes
// into a temporary file that is renamed when it is complete, so no reader sees an incomplete file,
// and a failure leaves an earlier file unchanged.

#ifndef REGISTRY_IO_OBSERVE_DETAIL_RECORDING_FILE_HPP
#define REGISTRY_IO_OBSERVE_DETAIL_RECORDING_FILE_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <registry_io/detail/type_name.hpp>
#include <registry_io/observe/detail/recording.hpp>
#include <registry_io/version.hpp>

namespace registry_io {
inline namespace v1 {
namespace observe {
namespace detail {

inline void append_number(std::string& out, std::uint64_t n)
{
    char text[24];
    std::snprintf(text, sizeof text, "%llu", static_cast<unsigned long long>(n));
    out += text;
}

inline void append_string(std::string& out, std::string_view s)
{
    out += '"';
    for (char const c : s) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            char text[8];
            std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned>(c));
            out += text;
        } else {
            out += c;
        }
    }
    out += '"';
}

template <std::size_t N>
void append_histogram(std::string& out, char const* name, histogram<N> const& h)
{
    out += "\n    \"";
    out += name;
    out += "\": [";
    bool first = true;
    for (std::size_t i = 0; i < N; ++i) {
        std::uint64_t const n = h.buckets[i].load(std::memory_order_relaxed);
        if (n == 0)
            continue;
        out += first ? "[" : ", [";
        first = false;
        append_number(out, i);
        out += ", ";
        append_number(out, n);
        out += ']';
    }
    out += ']';
}

inline std::string processor()
{
    std::string name = "unknown";
    if (std::FILE* const f = std::fopen("/proc/cpuinfo", "re")) {
        char line[256];
        while (std::fgets(line, sizeof line, f) != nullptr) {
            std::string_view const s(line);
            std::size_t const colon = s.find(": ");
            if (s.substr(0, 10) == "model name" && colon != s.npos) {
                name = s.substr(colon + 2, s.find('\n') - colon - 2);
                break;
            }
        }
        std::fclose(f);
    }
    return name;
}

/// The number of the last file of this process.
inline constinit std::atomic<unsigned> last_file{0};

inline std::error_code last_error() noexcept
{
    return {errno, std::generic_category()};
}

/// Writes all of `text`, flushes it to the disk, and closes the file.
inline std::error_code write_and_close(int fd, std::string_view text, bool regular) noexcept
{
    std::error_code failed;
    while (!text.empty() && !failed) {
        ssize_t const n = ::write(fd, text.data(), text.size());
        if (n >= 0)
            text.remove_prefix(static_cast<std::size_t>(n));
        else if (errno != EINTR)
            failed = last_error();
    }
    if (!failed && regular && ::fsync(fd) != 0)
        failed = last_error();
    if (::close(fd) != 0 && !failed)
        failed = last_error();
    return failed;
}

/// Opens a new temporary file, fills it, and gives it its final name.
inline std::error_code replace_file(std::string const& temporary, std::string const& path,
                                    std::string_view text) noexcept
{
    int const fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return last_error();
    std::error_code failed = write_and_close(fd, text, true);
    if (!failed && std::rename(temporary.c_str(), path.c_str()) != 0)
        failed = last_error();
    if (failed)
        ::unlink(temporary.c_str());
    return failed;
}

inline std::error_code write_path(std::string const& path, std::string_view text)
{
    // A device or a pipe is written to directly: renaming a file over it would remove it.
    struct stat s;
    if (::stat(path.c_str(), &s) == 0 && !S_ISREG(s.st_mode)) {
        int const fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
        return fd < 0 ? last_error() : write_and_close(fd, text, false);
    }
    std::string temporary = path + '.';
    append_number(temporary, static_cast<std::uint64_t>(::getpid()));
    temporary += '.';
    append_number(temporary, last_file.fetch_add(1, std::memory_order_relaxed));
    temporary += ".tmp";
    return replace_file(temporary, path, text);
}

/// Writes to a new file in `directory`.
inline std::error_code write_directory(std::string const& directory, std::string_view text)
{
    for (;;) {
        std::string path = directory + "/registry_io.";
        append_number(path, static_cast<std::uint64_t>(::getpid()));
        path += '.';
        append_number(path, last_file.fetch_add(1, std::memory_order_relaxed));
        path += ".json";
        // An earlier process may have had the same process id.
        struct stat s;
        if (::lstat(path.c_str(), &s) == 0)
            continue;
        std::error_code const failed = replace_file(path + ".tmp", path, text);
        if (failed != std::errc::file_exists)
            return failed;
    }
}

/// Returns the name of a registry in its recording. `notify` is the name of the type of its
/// notifies, which contains the policies but not the event.
inline std::string registry_name(std::string_view notify, bool asynchronous)
{
    constexpr std::string_view before = "writers<";
    std::size_t const begin = notify.find(before);
    std::size_t const outer = notify.rfind(">::failing");
    if (begin == notify.npos || outer == notify.npos)
        return std::string(notify);
    std::string_view policies = notify.substr(0, notify.rfind('>', outer - 1));
    policies.remove_prefix(begin + before.size());
    return (asynchronous ? "basic_async_registry<Event, " : "basic_registry<Event, ") +
        std::string(policies) + '>';
}

/// Returns the name of `T` as the compiler writes it.
template <class T>
std::string_view type_name() noexcept
{
    return registry_io::detail::type_name<T>;
}

/// The contents of the file besides the counts.
struct recording_facts
{
    std::string_view recorder;  ///< the name of the policy, if the registry is not known
    std::string cpu;
    std::uint64_t now;
    std::uint64_t clock_ns;
    std::uint32_t one_in;
};

/// Returns the text of the file. Precondition: the recording's mutex is held. Throws
/// `std::bad_alloc`.
inline std::string recording_text(recording& r, recording_facts const& facts)
{
    std::string out;
    counts all{};
    r.sum(all);
    std::uint64_t const ns = facts.now - r.begin;
    char seconds[48];
    std::snprintf(seconds, sizeof seconds, "%llu.%09llu",
                  static_cast<unsigned long long>(ns / 1000000000u),
                  static_cast<unsigned long long>(ns % 1000000000u));
    out += "{\n  \"registry_io_recording\": 1,\n  \"version\": ";
    append_string(out, version());
    out += ",\n  \"registry\": ";
    if (r.registry.empty())
        append_string(out, facts.recorder);
    else
        append_string(out,
                      registry_name(r.registry, r.asynchronous.load(std::memory_order_relaxed)));
    out += ",\n  \"processor\": ";
    append_string(out, facts.cpu);
    out += ",\n  \"threads\": ";
    append_number(out, r.threads);
    out += ",\n  \"seconds\": ";
    out += seconds;
    out += ",\n  \"sampled_one_in\": ";
    append_number(out, facts.one_in);
    out += ",\n  \"clock_ns\": ";
    append_number(out, facts.clock_ns);
    out += ",\n  \"counts\": {";
    auto const count = [&out](char const* name, counter const& c) {
        out += name;
        append_number(out, c.load(std::memory_order_relaxed));
    };
    count("\"notify\": ", all.notify);
    count(", \"register\": ", r.registered);
    count(", \"unregister\": ", r.unregistered);
    count(", \"failures\": ", all.failures);
    count(", \"nested\": ", all.nested);
    out += "},\n  \"histograms\": {";
    append_histogram(out, "inter_arrival_ns", all.inter_arrival_ns);
    out += ',';
    append_histogram(out, "handler_ns", all.handler_ns);
    out += ',';
    append_histogram(out, "handlers_at_notify", all.handlers_at_notify);
    out += ',';
    append_histogram(out, "depth", all.depth);
    out += ',';
    append_histogram(out, "change_interval_ns", r.change_interval_ns);
    out += "\n  },\n  \"sums\": {";
    count("\"inter_arrival_ns\": ", all.inter_arrival_ns.sum);
    count(", \"handler_ns\": ", all.handler_ns.sum);
    count(", \"handlers_at_notify\": ", all.handlers_at_notify.sum);
    count(", \"depth\": ", all.depth.sum);
    count(", \"change_interval_ns\": ", r.change_interval_ns.sum);
    out += "}\n}\n";
    return out;
}

}  // namespace detail
}  // namespace observe
}  // namespace v1
}  // namespace registry_io

#endif
