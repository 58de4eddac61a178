// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_PROFILE_HPP
#define REGISTRY_IO_PERF_PROFILE_HPP

#include <charconv>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace registry_io_perf {

/// The parameters of the synthetic workload, which a measuring process receives on its command
/// line.
struct profile
{
    long registries = 1;
    long threads = 1;                ///< threads that notify at once
    long nesting = 0;                ///< notifies inside a notify, each of another registry
    std::vector<long> handlers{16};  ///< per registry; registry i takes entry i modulo size
    std::vector<long> work{0};       ///< steps of arithmetic in each handler, likewise
    double failures = 0;             ///< share of the calls that throw
    double changes = 0;              ///< handlers replaced per notify
    long batch = 1;                  ///< handlers replaced by one transaction
    long pool = 0;  ///< bytes of each registry's pool, if its allocator takes them; 0: its default
    double waiting = 0;  ///< share of the removals that wait for running handlers

    /// Sets one value from `key=value`; the items of a list are separated by commas. Throws
    /// `std::invalid_argument` if the key does not exist or the value is not a number.
    void set(std::string_view text)
    {
        auto const at = text.find('=');
        std::string_view const key = text.substr(0, at);
        std::string_view const value = at == text.npos ? "" : text.substr(at + 1);
        if (key == "registries")
            registries = number<long>(value);
        else if (key == "threads")
            threads = number<long>(value);
        else if (key == "nesting")
            nesting = number<long>(value);
        else if (key == "handlers")
            handlers = list(value);
        else if (key == "work")
            work = list(value);
        else if (key == "failures")
            failures = number<double>(value);
        else if (key == "changes")
            changes = number<double>(value);
        else if (key == "batch")
            batch = number<long>(value);
        else if (key == "pool")
            pool = number<long>(value);
        else if (key == "waiting")
            waiting = number<double>(value);
        else
            throw std::invalid_argument("unknown key of a profile: " + std::string(key));
    }

    /// Returns the profile in the form that `set` reads, one `key=value` per string.
    std::vector<std::string> arguments() const
    {
        auto const joined = [](std::vector<long> const& v) {
            std::string text;
            for (long const n : v)
                text += (text.empty() ? "" : ",") + std::to_string(n);
            return text;
        };
        return {"registries=" + std::to_string(registries),
                "threads=" + std::to_string(threads),
                "nesting=" + std::to_string(nesting),
                "handlers=" + joined(handlers),
                "work=" + joined(work),
                "failures=" + std::to_string(failures),
                "changes=" + std::to_string(changes),
                "batch=" + std::to_string(batch),
                "pool=" + std::to_string(pool),
                "waiting=" + std::to_string(waiting)};
    }

private:
    template <class T>
    static T number(std::string_view text)
    {
        T value{};
        auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size())
            throw std::invalid_argument("not a number: " + std::string(text));
        return value;
    }

    static std::vector<long> list(std::string_view text)
    {
        std::vector<long> v;
        while (!text.empty()) {
            auto const comma = text.find(',');
            v.push_back(number<long>(text.substr(0, comma)));
            text = comma == text.npos ? "" : text.substr(comma + 1);
        }
        if (v.empty())
            throw std::invalid_argument("an empty list");
        return v;
    }
};

/// One step of a handler's work. Each step depends on the one before, so that a processor cannot
/// overlap them.
inline unsigned long work_steps(unsigned long value, long steps) noexcept
{
    for (long i = 0; i < steps; ++i)
        value = value * 6364136223846793005UL + 1442695040888963407UL;
    return value;
}

}  // namespace registry_io_perf

#endif
