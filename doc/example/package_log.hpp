// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A line of Debian's package log.

#ifndef REGISTRY_IO_EXAMPLE_PACKAGE_LOG_HPP
#define REGISTRY_IO_EXAMPLE_PACKAGE_LOG_HPP

#include <algorithm>
#include <array>
#include <optional>
#include <ranges>
#include <string_view>
#include <vector>

struct package_event
{
    std::string_view time;     // date and time of day
    std::string_view action;   // install, remove, status, ...
    std::string_view words;    // everything after the action
    std::string_view package;  // without its architecture; empty if the line names none
};

// A line has the form `date time action word...`; any other line is not an event.
inline std::optional<package_event> parse(std::string_view line)
{
    constexpr std::array<std::string_view, 10> actions{
        "configure", "conffile", "disappear", "install",  "purge",
        "remove",    "startup",  "status",    "trigproc", "upgrade"};
    constexpr std::string_view form = "dddd-dd-dd dd:dd:dd ";
    auto const fits = [](char f, char c) { return f == 'd' ? c >= '0' && c <= '9' : c == f; };
    auto const printable = [](char c) { return c >= ' ' && c <= '~'; };
    if (line.size() <= form.size() || line.size() > 4096 || !std::ranges::all_of(line, printable) ||
        !std::equal(form.begin(), form.end(), line.begin(), fits))
        return {};
    std::vector<std::string_view> words;
    for (auto const word : std::views::split(line.substr(form.size()), ' '))
        words.emplace_back(word.begin(), word.end());
    bool const known = std::ranges::find(actions, words[0]) != actions.end();
    bool const names_package = words[0] != "startup" && words[0] != "conffile";
    if (!known || words.size() != (names_package ? 4 : 3) || line.find("  ") != line.npos)
        return {};
    std::string_view const package = names_package ? words[words[0] == "status" ? 2 : 1] : "";
    return package_event{line.substr(0, form.size() - 1), words[0],
                         line.substr(form.size() + words[0].size() + 1),
                         package.substr(0, package.find(':'))};
}

#endif
