// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_TUNE_CANDIDATES_HPP
#define REGISTRY_IO_PERF_TUNE_CANDIDATES_HPP

// Selects the aliases that are worth measuring, as text. The compiler later decides which of them
// exist.

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "job.hpp"

namespace tune {

struct candidate
{
    std::string alias;    ///< with `Event` for the type of the event
    bool preset = false;  ///< it has a name of its own
};

/// An option that is not searched, and the reason.
struct pruned
{
    std::string what, why;
};

struct search_space
{
    std::vector<candidate> candidates;  ///< without the current alias
    std::vector<pruned> not_searched;
};

/// Splits at commas outside brackets, and trims blanks.
inline std::vector<std::string> split(std::string_view text)
{
    std::vector<std::string> parts(1);
    int depth = 0;
    for (char const c : text) {
        depth += c == '<' || c == '(' ? 1 : c == '>' || c == ')' ? -1 : 0;
        if (c == ',' && depth == 0)
            parts.emplace_back();
        else if (c != ' ' || !parts.back().empty())
            parts.back() += c;
    }
    return parts;
}

/// An alias separated from its event type.
struct parsed_alias
{
    std::string alias;  ///< with `Event` as the event
    std::string event;  ///< the original event type
};

namespace detail {

/// Returns the arguments if the text has the form `name<...>`, otherwise nothing.
inline std::vector<std::string> arguments_of(std::string_view text, std::string_view name)
{
    if (text.size() < name.size() + 2 || !text.starts_with(name) || text[name.size()] != '<' ||
        text.back() != '>')
        return {};
    text.remove_prefix(name.size() + 1);
    text.remove_suffix(1);
    return split(text);
}

/// Converts the full name of a registry, as a recording contains it, to a preset with other
/// policies. Removes a recorder around the panic policy. Other names are returned unchanged.
inline std::string shortened(std::string text)
{
    // gcc writes a space between closing brackets.
    for (std::size_t at; (at = text.find("> >")) != std::string::npos;)
        text.erase(at + 1, 1);
    bool asynchronous = true;
    std::vector<std::string> policies = arguments_of(text, "basic_async_registry");
    if (policies.empty()) {
        asynchronous = false;
        policies = arguments_of(text, "basic_registry");
    }
    if (policies.size() != 5)
        return text;
    if (auto const wrapped = arguments_of(policies[3], "observe::recorded"); !wrapped.empty())
        policies[3] = wrapped[0];
    for (auto const& [full, brief] :
         {std::pair("snapshot::basic_hazard_pointer<reclaim::prompt>", "snapshot::hazard_pointer"),
          std::pair("snapshot::basic_rcu<void>", "snapshot::rcu"),
          std::pair("ordering::basic_priority<>", "ordering::priority"),
          std::pair("alloc::basic_heap<>", "alloc::heap")})
        std::replace(policies.begin(), policies.end(), std::string(full), std::string(brief));
    std::string base = asynchronous ? "AsyncRegistry" : "SyncRegistry";
    if (!asynchronous && policies[1] == "snapshot::rcu")
        base = "RcuRegistry";
    else if (!asynchronous && policies[1] == "snapshot::single_thread")
        base = "LocalRegistry";
    std::string others;
    for (std::size_t i = 1; i != policies.size(); ++i) {
        bool const usual = policies[i] == "ordering::priority" ||
            policies[i] == "panic::catch_log" || policies[i] == "alloc::heap" ||
            policies[i] == "snapshot::hazard_pointer" ||
            (i == 1 && base != "SyncRegistry" && base != "AsyncRegistry");
        if (!usual)
            others += (others.empty() ? "" : ", ") + policies[i];
    }
    return base + '<' + policies[0] + '>' + (others.empty() ? "" : "::with<" + others + '>');
}

}  // namespace detail

/// Separates the event type from the name of a registry: `SyncRegistry`,
/// `SyncRegistry<order>::with<...>`, or the full name in a recording. Throws `bad_input` if the
/// brackets do not match.
inline parsed_alias parse_alias(std::string text)
{
    for (std::string_view const prefix : {"registry_io::v1::", "registry_io::"})
        for (std::size_t at; (at = text.find(prefix)) != std::string::npos;)
            text.erase(at, prefix.size());
    while (!text.empty() && text.back() == ' ')
        text.pop_back();
    text = detail::shortened(std::move(text));
    if (std::count(text.begin(), text.end(), '<') != std::count(text.begin(), text.end(), '>'))
        throw bad_input("\"" + text + "\": its angle brackets do not match");
    std::size_t const open = text.find('<');
    // Without an event, as in SyncRegistry or SyncRegistry::with<...>.
    std::size_t const name = text.find("::with<");
    if (name < open || open == std::string::npos)
        return {text.insert(std::min(name, text.size()), "<Event>"), "Event"};
    int depth = 0;
    std::size_t end = open + 1;
    for (; end < text.size(); ++end) {
        if (depth == 0 && (text[end] == ',' || text[end] == '>'))
            break;
        depth += text[end] == '<' || text[end] == '(' ? 1
            : text[end] == '>' || text[end] == ')'    ? -1
                                                      : 0;
    }
    return {text.substr(0, open + 1) + "Event" + text.substr(end),
            text.substr(open + 1, end - open - 1)};
}

/// Returns the alias as C++ for use inside a template over `Event`.
inline std::string dependent(std::string const& alias)
{
    std::string text = alias;
    bool const nested = text.find("::with<") != std::string::npos;
    for (std::size_t at = 0; (at = text.find("::with<", at)) != std::string::npos; at += 16)
        text.replace(at, 7, "::template with<");
    return nested ? "typename " + text : text;
}

/// Returns the alias with qualified names and the user's event type, ready to be pasted.
inline std::string qualified(std::string const& alias, std::string const& event)
{
    std::string text;
    for (std::size_t i = 0; i < alias.size();) {
        bool const begins = std::isalpha(static_cast<unsigned char>(alias[i])) &&
            (i == 0 ||
             (!std::isalnum(static_cast<unsigned char>(alias[i - 1])) && alias[i - 1] != '_' &&
              alias[i - 1] != ':'));
        if (begins) {
            std::size_t end = i;
            while (end < alias.size() &&
                   (std::isalnum(static_cast<unsigned char>(alias[end])) || alias[end] == '_'))
                ++end;
            std::string const word = alias.substr(i, end - i);
            bool const ours = word.ends_with("Registry") || word == "basic_registry" ||
                word == "snapshot" || word == "ordering" || word == "panic" || word == "alloc" ||
                word == "reclaim";
            text += word == "Event" ? event : ours ? "registry_io::" + word : word;
            i = end;
        } else {
            text += alias[i++];
        }
    }
    return text;
}

inline bool is_preset(std::string const& alias)
{
    return alias == "SyncRegistry<Event>" || alias == "RcuRegistry<Event>" ||
        alias == "LocalRegistry<Event>" || alias == "AsyncRegistry<Event>";
}

/// Whether the handlers of an alias are coroutines.
inline bool is_asynchronous(std::string const& alias)
{
    return alias.starts_with("AsyncRegistry<") || alias.starts_with("basic_async_registry<");
}

/// Returns the requirement that an alias does not meet, as far as its text shows it, or nothing.
inline std::string broken_requirement(job const& j, std::string const& alias)
{
    auto const names = [&](char const* part) { return alias.find(part) != std::string::npos; };
    bool const one_thread =
        names("single_thread") || names("LocalRegistry") || names("FixedRegistry");
    bool const replaced = names("snapshot::") && !names("single_thread");
    if (j.threads && one_thread && !replaced)
        return "is for one thread";
    if (!j.heap && !names("alloc::fixed") && !names("alloc::pool") && !names("FixedRegistry"))
        return "takes memory from the heap";
    if (j.memory_bound != 0 && !names("alloc::fixed") && !names("alloc::pool") &&
        !names("FixedRegistry"))
        return "has no bound on its memory";
    if (j.blocking &&
        (names("snapshot::rcu") || names("basic_rcu") ||
         (names("RcuRegistry") && !names("snapshot::"))))
        return "lets handlers that block hold up others";
    return "";
}

/// Returns the candidates that are worth measuring for the job. Requirements rule candidates out.
/// The order and the panic policy are part of a program's meaning, so they stay as they are, or as
/// the job says.
inline search_space candidates_for(job const& j, bool users_code)
{
    search_space space;
    std::string const current = parse_alias(j.current).alias;
    bool const from_preset = is_preset(current);
    bool const asynchronous = is_asynchronous(current);

    std::vector<std::string> snapshots{"hazard_pointer", "basic_hazard_pointer<reclaim::batched<>>",
                                       "basic_hazard_pointer<reclaim::by_writers>",
                                       "atomic_shared_ptr", "locked"};
    if (asynchronous)
        space.not_searched.push_back(
            {"snapshot::rcu", "its readers cannot hold a snapshot while a coroutine waits"});
    else if (j.blocking)
        space.not_searched.push_back({"snapshot::rcu",
                                      "handlers may block; if they do not, say so "
                                      "(\"blocking\": false, --no-blocking)"});
    else
        snapshots.insert(snapshots.begin() + 1, "rcu");
    if (!j.threads)
        snapshots.insert(snapshots.begin(), "single_thread");
    else
        space.not_searched.push_back({"snapshot::single_thread",
                                      "several threads use a registry; if one does, say so "
                                      "(\"threads\": false, --one-thread)"});
    space.not_searched.push_back({"snapshot::interrupt_safe", "it is for firmware"});

    std::vector<std::string> allocs;
    if (j.heap && j.memory_bound == 0)
        allocs.emplace_back("");
    if (!j.heap || j.memory_bound > 0 || j.changes_per_second > 0)
        allocs.emplace_back("alloc::pool");
    if (j.heap && j.memory_bound == 0 && j.changes_per_second > 0)
        allocs.emplace_back("alloc::pmr");
    else if (j.heap && j.memory_bound == 0)
        space.not_searched.push_back({"alloc::pool, alloc::pmr",
                                      "handlers stay, so nothing is allocated; if they change, say "
                                      "so (\"changes_per_second\", --changes-per-second)"});
    else
        space.not_searched.push_back({"alloc::pmr", "its memory may come from the heap"});
    if (!j.threads || !j.heap) {
        double most = 1;
        for (double const n : spread_out(j.handlers))
            most = std::max(most, n);
        allocs.push_back("alloc::fixed<" +
                         std::to_string(std::bit_ceil(static_cast<unsigned long>(most) + 4)) + ">");
    }
    if (users_code)
        std::erase_if(allocs, [](std::string const& a) { return a.starts_with("alloc::fixed"); });

    std::string others;
    if (!j.order.empty() && !(from_preset && j.order == "priority"))
        others += ", ordering::" + j.order;
    if (!j.panic.empty() && !(from_preset && j.panic == "catch_log"))
        others +=
            ", panic::" + j.panic + (j.panic == "collect" || j.panic == "quarantine" ? "<>" : "");

    for (std::string const& a : allocs)
        for (std::string const& s : snapshots) {
            std::string base = !from_preset ? current
                : asynchronous              ? "AsyncRegistry<Event>"
                                            : "SyncRegistry<Event>";
            std::string policies = ", snapshot::" + s;
            if (from_preset && asynchronous && s == "hazard_pointer")
                policies.clear();
            else if (from_preset && !asynchronous)
                for (auto const& [name, preset] :
                     {std::pair("hazard_pointer", "SyncRegistry<Event>"),
                      std::pair("rcu", "RcuRegistry<Event>"),
                      std::pair("single_thread", "LocalRegistry<Event>")})
                    if (s == name) {
                        base = preset;
                        policies.clear();
                    }
            policies += others + (a.empty() ? "" : ", " + a);
            std::string const alias =
                policies.empty() ? base : base + "::with<" + policies.substr(2) + ">";
            if (alias != current)
                space.candidates.push_back({alias, is_preset(alias)});
        }
    return space;
}

/// Returns the current alias with other panic policies and the other order, to measure what they
/// cost.
inline std::vector<candidate> prices_for(job const& j)
{
    std::string const current = parse_alias(j.current).alias;
    std::vector<candidate> all;
    for (char const* const policy :
         {"panic::terminate", "panic::propagate", "panic::catch_log", "panic::collect<>",
          "panic::quarantine<>", "ordering::fifo", "ordering::priority"})
        if (j.failures == 0 || std::string_view(policy) != "panic::terminate")
            all.push_back({current + "::with<" + policy + ">", false});
    return all;
}

}  // namespace tune

#endif
