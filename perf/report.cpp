// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Runs the suites and reports the results: tables on the terminal, and in a folder the rows as CSV
// and JSON, all samples, and tables and plots for the manual.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/utsname.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <registry_io/version.hpp>

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct program
{
    char const* name;
    char const* title;
    double quick, full;  ///< seconds for its rounds
};

// The quick runs take less than a minute together.
constexpr std::array<program, 12> programs{{
    {"notify", "Notify, one thread", 5, 60},
    {"threads", "Notify, several threads at once", 4, 45},
    {"writer", "Notify beside a writer", 4, 60},
    {"registration", "Register and remove", 6, 120},
    {"sleepers", "Register and remove beside sleeping notifies", 1, 15},
    {"queued", "Hand over events, cost of each", 3, 40},
    {"throwing", "Handlers that throw", 2, 20},
    {"registries", "Many registries in turn, one handler each", 2, 30},
    {"signals2", "Boost.Signals2, and its interface on our core", 2, 30},
    {"memory_use", "Memory", 0, 0},
    {"instructions", "Instructions for each notify", 0, 0},
    {"build", "The smallest use, compiled", 0, 60},
}};

struct row
{
    std::string suite, name, subject;
    long n = 0, threads = 1;
    bool bare = false;
    std::optional<double> ns, ns_low, ns_high, ratio, ratio_low, ratio_high;
    std::optional<double> instructions, allocations, bytes;
    long disturbed = 0;
    std::vector<double> samples;
};

std::optional<double> number(json::object const& o, char const* key)
{
    json::value const* const v = o.if_contains(key);
    return v == nullptr ? std::nullopt : std::optional<double>(v->to_number<double>());
}

row parse(std::string const& line)
{
    json::value const parsed = json::parse(line);
    json::object const& o = parsed.as_object();
    row r;
    r.suite = o.at("suite").as_string();
    r.name = o.at("case").as_string();
    r.subject = o.at("subject").as_string();
    r.n = o.at("n").to_number<long>();
    r.threads = o.at("threads").to_number<long>();
    r.bare = o.at("bare").as_bool();
    r.ns = number(o, "ns");
    r.ns_low = number(o, "ns_low");
    r.ns_high = number(o, "ns_high");
    r.ratio = number(o, "ratio");
    r.ratio_low = number(o, "ratio_low");
    r.ratio_high = number(o, "ratio_high");
    r.instructions = number(o, "instructions");
    r.allocations = number(o, "allocations");
    r.bytes = number(o, "bytes");
    r.disturbed = o.at("disturbed").to_number<long>();
    for (json::value const& s : o.at("samples").as_array())
        r.samples.push_back(s.to_number<double>());
    return r;
}

std::string text(char const* format, double v)
{
    std::array<char, 64> out{};
    std::snprintf(out.data(), out.size(), format, v);
    return out.data();
}

/// Three significant digits.
std::string brief(double v)
{
    return text(v < 9.995 ? "%.2f" : v < 99.95 ? "%.1f" : "%.0f", v);
}

std::string time_text(double ns)
{
    return ns < 9999.5 ? brief(ns) + " ns"
        : ns < 1e6     ? brief(ns / 1e3) + " us"
        : ns < 1e9     ? brief(ns / 1e6) + " ms"
                       : brief(ns / 1e9) + " s";
}

/// Formats a table cell: a time and its ratio to the bare loop with the spread (half of the
/// distance between the quartiles), or a count.
std::string cell(row const& r, std::vector<row> const& all)
{
    if (r.instructions) {
        std::string t = text("%.0f", *r.instructions);
        for (row const& base : all)
            if (base.bare && !r.bare && base.suite == r.suite && base.n == r.n)
                t += text(" (%+.0f)", *r.instructions - base.instructions.value_or(0));
        return t;
    }
    if (r.suite == "memory")
        return brief(r.allocations.value_or(0)) + " / " + text("%.0f", r.bytes.value_or(0)) + " B";
    std::string t = r.ns ? time_text(*r.ns) : "";
    if (r.bytes)
        t += " / " + text("%.0f", *r.bytes) + " B";
    if (!r.bare && r.ratio) {
        t += "  x" + brief(*r.ratio);
        if (r.ratio_low && r.ratio_high)
            t += " ±" + brief((*r.ratio_high - *r.ratio_low) / 2);
    }
    return t;
}

struct table
{
    std::string title;
    std::vector<std::string> columns;
    std::vector<std::pair<std::string, std::vector<std::string>>> lines;
};

/// Returns the tables of a suite, one for each case.
std::vector<table> tables(std::vector<row> const& rows, std::vector<row> const& all)
{
    std::vector<std::string> cases;
    for (row const& r : rows)
        if (std::find(cases.begin(), cases.end(), r.name) == cases.end())
            cases.push_back(r.name);
    std::vector<table> out;
    for (std::string const& name : cases) {
        table t{.title = name, .columns = {}, .lines = {}};
        std::vector<std::pair<long, long>> keys;
        std::vector<std::string> subjects;
        bool threads = false;
        for (row const& r : rows) {
            if (r.name != name)
                continue;
            threads = threads || r.threads != 1;
            if (std::find(keys.begin(), keys.end(), std::pair(r.n, r.threads)) == keys.end())
                keys.emplace_back(r.n, r.threads);
            if (std::find(subjects.begin(), subjects.end(), r.subject) == subjects.end())
                subjects.push_back(r.subject);
        }
        std::sort(keys.begin(), keys.end());
        for (auto const& [n, count] : keys)
            t.columns.push_back("N=" + std::to_string(n) +
                                (threads ? ", " + std::to_string(count) + " threads" : ""));
        for (std::string const& subject : subjects) {
            std::vector<std::string> cells;
            for (auto const& key : keys) {
                cells.emplace_back();
                for (row const& r : rows)
                    if (r.name == name && r.subject == subject && std::pair(r.n, r.threads) == key)
                        cells.back() = cell(r, all);
            }
            t.lines.emplace_back(subject, std::move(cells));
        }
        out.push_back(std::move(t));
    }
    return out;
}

/// The number of columns on a terminal; "±" takes one.
std::size_t width(std::string_view s)
{
    return static_cast<std::size_t>(
        std::count_if(s.begin(), s.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void print(table const& t)
{
    std::vector<std::size_t> widths{width(t.title)};
    for (std::size_t c = 0; c != t.columns.size(); ++c)
        widths.push_back(width(t.columns[c]));
    for (auto const& [subject, cells] : t.lines) {
        widths[0] = std::max(widths[0], width(subject));
        for (std::size_t c = 0; c != cells.size(); ++c)
            widths[c + 1] = std::max(widths[c + 1], width(cells[c]));
    }
    auto const pad = [](std::string const& s, std::size_t w, bool right) {
        std::string const blank(w - std::min(w, width(s)), ' ');
        return right ? blank + s : s + blank;
    };
    std::string line = pad(t.title, widths[0], false);
    for (std::size_t c = 0; c != t.columns.size(); ++c)
        line += "  " + pad(t.columns[c], widths[c + 1], true);
    std::cout << line << '\n';
    for (auto const& [subject, cells] : t.lines) {
        line = pad(subject, widths[0], false);
        for (std::size_t c = 0; c != cells.size(); ++c)
            line += "  " + pad(cells[c], widths[c + 1], true);
        std::cout << line << '\n';
    }
}

std::ofstream create(fs::path const& path)
{
    std::ofstream file(path);
    if (!file)
        throw std::runtime_error("cannot write " + path.string());
    return file;
}

constexpr char adoc_head[] =
    "////\n"
    "Copyright 2026 the registry_io authors\n"
    "Distributed under the Boost Software License, Version 1.0.\n"
    "(See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)\n"
    "\n"
    "Written by ./dev perf.\n"
    "////\n\n";

void write_adoc(fs::path const& path, std::vector<table> const& all)
{
    std::ofstream out = create(path);
    out << adoc_head;
    for (table const& t : all) {
        out << "\n." << t.title << "\n[%autowidth,cols=\"<";
        for (std::size_t c = 0; c != t.columns.size(); ++c)
            out << ",>";
        out << "\"]\n|===\n| ";
        for (std::string const& c : t.columns)
            out << " | " << c;
        out << "\n\n";
        for (auto const& [subject, cells] : t.lines) {
            out << "| pass:c[" << subject << "]";
            for (std::string const& c : cells)
                out << " | " << c;
            out << '\n';
        }
        out << "|===\n";
    }
}

std::string quoted(std::string const& s)
{
    return s.find(',') == std::string::npos ? s : '"' + s + '"';
}

void write_csv(fs::path const& path, std::vector<row> const& all)
{
    std::ofstream out = create(path);
    out << "suite,case,policy_or_peer,n,threads,ns,ratio_to_bare,instructions,allocations,bytes\n";
    auto const put = [&](std::optional<double> const& v) {
        out << ',';
        if (v)
            out << *v;
    };
    for (row const& r : all) {
        out << r.suite << ',' << quoted(r.name) << ',' << quoted(r.subject) << ',' << r.n << ','
            << r.threads;
        put(r.ns);
        put(r.bare && r.ns ? std::optional<double>(1) : r.ratio);
        put(r.instructions);
        put(r.allocations);
        put(r.bytes);
        out << '\n';
    }
}

void write_samples(fs::path const& path, std::vector<row> const& all)
{
    std::ofstream out = create(path);
    out << "suite,case,policy_or_peer,n,threads,round,ns\n";
    for (row const& r : all)
        for (std::size_t i = 0; i != r.samples.size(); ++i)
            out << r.suite << ',' << quoted(r.name) << ',' << quoted(r.subject) << ',' << r.n << ','
                << r.threads << ',' << i << ',' << r.samples[i] << '\n';
}

using facts = std::vector<std::pair<std::string, std::string>>;

std::string first_value(char const* file, std::string_view key)
{
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);)
        if (line.compare(0, key.size(), key) == 0) {
            std::size_t const at = line.find_first_not_of(" \t\"", line.find_first_of(":=") + 1);
            std::size_t const end = line.find_last_not_of(" \"");
            return at == std::string::npos ? "" : line.substr(at, end + 1 - at);
        }
    return "unknown";
}

facts machine(bool quick)
{
    utsname u{};
    uname(&u);
    std::string load;
    std::getline(std::ifstream("/proc/loadavg"), load);
    std::time_t const now = std::time(nullptr);
    std::array<char, 32> day{};
    std::strftime(day.data(), day.size(), "%Y-%m-%d", std::gmtime(&now));
    return {{"processor",
             first_value("/proc/cpuinfo", "model name") + ", " +
                 first_value("/proc/cpuinfo", "siblings") + " threads"},
            {"system",
             std::string(u.sysname) + " " + u.release + " " + u.machine + ", " +
                 first_value("/etc/os-release", "PRETTY_NAME")},
            {"load at the start", load.substr(0, load.find(' '))},
            {"compiler", REGISTRY_IO_PERF_VERSION},
            {"flags", std::string("-std=c++20") + REGISTRY_IO_PERF_FLAGS},
            {"registry_io", REGISTRY_IO_VERSION_STRING},
            {"run", std::string(quick ? "quick, " : "full, ") + day.data()}};
}

void write_json(fs::path const& path, facts const& about, std::vector<row> const& all)
{
    json::object told;
    for (auto const& [key, value] : about)
        told[key] = value;
    json::array rows;
    auto const put = [](json::object& o, char const* key, std::optional<double> const& v) {
        if (v)
            o[key] = *v;
    };
    for (row const& r : all) {
        json::object o{{"suite", r.suite},
                       {"case", r.name},
                       {"policy_or_peer", r.subject},
                       {"n", r.n},
                       {"threads", r.threads}};
        put(o, "ns", r.ns);
        put(o, "ns_low", r.ns_low);
        put(o, "ns_high", r.ns_high);
        put(o, "ratio_to_bare", r.bare && r.ns ? std::optional<double>(1) : r.ratio);
        put(o, "ratio_low", r.ratio_low);
        put(o, "ratio_high", r.ratio_high);
        put(o, "instructions", r.instructions);
        put(o, "allocations", r.allocations);
        put(o, "bytes", r.bytes);
        o["samples"] = r.samples.size();
        o["disturbed"] = r.disturbed;
        rows.push_back(std::move(o));
    }
    create(path) << json::object{{"machine", std::move(told)}, {"rows", std::move(rows)}} << '\n';
}

/// Plots a value by N, with a line for each of these policies and other libraries. Six lines at
/// most can be told apart. Each line has its own pattern and point, and its name beside its end.
void plot(fs::path const& folder, char const* name, std::string const& title, char const* label,
          std::vector<row> const& all, std::string_view suite, std::string_view case_name,
          bool ratio, std::vector<std::string> const& subjects)
{
    std::map<std::string, std::map<long, double>> lines;
    double lowest = 1e300;
    double highest = 0;
    long most = 1;
    for (row const& r : all) {
        std::optional<double> const v = ratio ? r.ratio : r.ns;
        if (r.suite != suite || r.name != case_name || r.threads != 1 || r.n == 0 || !v ||
            std::find(subjects.begin(), subjects.end(), r.subject) == subjects.end())
            continue;
        lines[r.subject][r.n] = *v;
        lowest = std::min(lowest, *v);
        highest = std::max(highest, *v);
        most = std::max(most, r.n);
    }
    if (lines.empty())
        return;
    lowest /= 1.25;
    highest *= 1.25;
    // The heights of the names, as fractions of the plot: at the lines' ends, without overlap.
    std::vector<std::pair<double, std::string>> names;
    for (auto const& [subject, points] : lines)
        names.emplace_back(std::log(points.rbegin()->second / lowest) / std::log(highest / lowest),
                           subject);
    std::sort(names.begin(), names.end());
    double below = -1;
    for (auto& [height, subject] : names)
        below = height = std::max(height, below + 0.055);

    fs::path const script = folder / (std::string(name) + ".gnuplot");
    {
        std::ofstream out = create(script);
        for (std::size_t i = 0; i != subjects.size(); ++i) {
            out << "$d" << i << " << END\n";
            for (auto const& [n, v] : lines[subjects[i]])
                out << n << ' ' << v << '\n';
            out << "END\n";
        }
        out << "set terminal svg size 860,480 background 'white' font 'sans,13' noenhanced\n"
            << "set output '" << (folder / (std::string(name) + ".svg")).string() << "'\n"
            << "set title '" << title << "'\nset xlabel 'handlers'\nset ylabel '" << label << "'\n"
            << "set logscale xy\nset grid\nset linetype 5 linecolor '#806000'\nunset key\nset "
               "rmargin 20\n"
            << "set xrange [1:" << most << "]\nset yrange [" << lowest << ':' << highest << "]\n";
        for (auto const& [height, subject] : names)
            out << "set label '" << subject << "' at graph 1.02, graph " << height
                << " textcolor linetype "
                << std::find(subjects.begin(), subjects.end(), subject) - subjects.begin() + 1
                << '\n';
        out << "plot ";
        for (std::size_t i = 0; i != subjects.size(); ++i)
            if (!lines[subjects[i]].empty())
                out << (i == 0 ? "" : ", \\\n    ") << "$d" << i << " with linespoints linewidth 2"
                    << " linetype " << i + 1 << " dashtype " << i + 1 << " pointtype " << 2 * i + 4;
        out << '\n';
    }
    if (std::system(("gnuplot '" + script.string() + "'").c_str()) != 0)
        throw std::runtime_error("gnuplot failed: " + script.string());
    fs::remove(script);
}

/// Draws bars for each policy and each other library, one for each case.
void bars(fs::path const& folder, char const* name, std::string const& title, char const* label,
          std::vector<row> const& all, std::string_view suite, long n,
          std::function<std::string(row const&)> const& series)
{
    std::vector<std::string> subjects, names;
    std::map<std::pair<std::string, std::string>, double> values;
    for (row const& r : all) {
        if (r.suite != suite || r.n != n || !r.ns || r.name.find("the writer") != r.name.npos)
            continue;
        std::string const s = series(r);
        if (std::find(names.begin(), names.end(), s) == names.end())
            names.push_back(s);
        if (std::find(subjects.begin(), subjects.end(), r.subject) == subjects.end())
            subjects.push_back(r.subject);
        values[{r.subject, s}] = *r.ns;
    }
    if (names.empty())
        return;
    fs::path const script = folder / (std::string(name) + ".gnuplot");
    {
        std::ofstream out = create(script);
        out << "$d << END\n";
        for (std::string const& s : subjects) {
            out << '"' << s << '"';
            for (std::string const& c : names) {
                auto const v = values.find({s, c});
                out << ' ' << (v == values.end() ? std::string("NaN") : text("%g", v->second));
            }
            out << '\n';
        }
        out << "END\nset terminal svg size 860,480 background 'white' font 'sans,13' noenhanced\n"
            << "set output '" << (folder / (std::string(name) + ".svg")).string() << "'\n"
            << "set title '" << title << "'\nset ylabel '" << label << "'\n"
            << "set logscale y\nset grid ytics\nset style data histogram\n"
            << "set style histogram clustered gap 1\nset style fill solid 0.7\n"
            << "set xtics rotate by -35\nset key top left\nplot ";
        for (std::size_t i = 0; i != names.size(); ++i)
            out << (i == 0 ? "" : ", \\\n    ") << "$d using " << i + 2 << ":xtic(1) title '"
                << names[i] << "'";
        out << '\n';
    }
    if (std::system(("gnuplot '" + script.string() + "'").c_str()) != 0)
        throw std::runtime_error("gnuplot failed: " + script.string());
    fs::remove(script);
}

int run(bool quick, std::string const& filter, fs::path const& out)
{
    facts const about = machine(quick);
    for (auto const& [key, value] : about)
        std::cout << key << ": " << value << '\n';
    std::cout.flush();
    fs::path const folder = fs::read_symlink("/proc/self/exe").parent_path();
    fs::create_directories(out);
    fs::path const lines = out / "rows.jsonl";
    std::vector<row> all;
    std::vector<std::pair<program const*, std::vector<row>>> by_program;
    for (program const& p : programs) {
        fs::remove(lines);
        std::string command = "'" + (folder / ("perf." + std::string(p.name))).string() +
            "' --rows '" + lines.string() + "'" + (quick ? " --quick" : "");
        if (double const seconds = quick ? p.quick : p.full; seconds > 0)
            command += " --seconds " + text("%g", seconds);
        if (!filter.empty())
            command += " --filter '" + filter + "'";
        if (std::system(command.c_str()) != 0)
            throw std::runtime_error("failed: " + command);
        std::vector<row> rows;
        std::ifstream in(lines);
        for (std::string line; std::getline(in, line);)
            rows.push_back(parse(line));
        // Omits suites in which the filter matches nothing but the bare loop.
        if (!filter.empty() && std::none_of(rows.begin(), rows.end(), [&](row const& r) {
                return !r.bare &&
                    std::regex_search(r.suite + "/" + r.name + "/" + r.subject, std::regex(filter));
            }))
            continue;
        all.insert(all.end(), rows.begin(), rows.end());
        by_program.emplace_back(&p, std::move(rows));
    }
    fs::remove(lines);

    long samples = 0;
    long disturbed = 0;
    for (row const& r : all) {
        samples += static_cast<long>(r.samples.size());
        disturbed += r.disturbed;
    }
    for (auto const& [p, rows] : by_program) {
        std::vector<table> const t = tables(rows, all);
        if (!t.empty())
            std::cout << "\n=== " << p->title << '\n';
        for (table const& one : t) {
            std::cout << '\n';
            print(one);
        }
        write_adoc(out / (std::string(p->name) + ".adoc"), t);
    }
    std::cout
        << "\nA time is the median of the rounds; x is its ratio to the bare loop of the same "
           "round, with half the distance\nbetween the quartiles. "
        << samples << " samples, one for each round. " << disturbed
        << " times a sample was disturbed: it was taken again, or left out if enough others "
           "remained.\n";

    facts told = about;
    told.emplace_back("samples",
                      std::to_string(samples) + ", and " + std::to_string(disturbed) +
                          " times one was found disturbed");
    write_csv(out / "perf.csv", all);
    write_json(out / "perf.json", told, all);
    write_samples(out / "samples.csv", all);
    {
        std::ofstream adoc = create(out / "machine.adoc");
        adoc << adoc_head << "[horizontal]\n";
        for (auto const& [key, value] : told)
            adoc << key << ":: pass:c[" << value << "]\n";
    }
    std::string const four = "event of 4 bytes";
    std::string const on = ", " + about.front().second;
    plot(out, "notify", "notify" + on, "ratio to the bare loop", all, "notify", four, true,
         {"sync", "rcu", "bare", "Boost.Signals2", "libsigc++", "Qt"});
    plot(out, "notify_plain", "notify, beside what one writes by hand" + on,
         "ratio to the bare loop", all, "notify", four, true,
         {"sync", "local", "std::function", "mutex", "shared_mutex", "atomic<shared_ptr>"});
    plot(out, "pair", "remove a random handler and register another" + on, "ns", all,
         "registration", "pair", false,
         {"sync", "rcu", "mutex", "Boost.Signals2", "libsigc++", "Qt"});
    bars(out, "threads", "notify, 1 handler" + on, "ns", all, "threads", 1, [](row const& r) {
        return std::to_string(r.threads) + (r.threads == 1 ? " thread" : " threads");
    });
    bars(out, "writer", "notify, 16 handlers" + on, "ns", all, "writer", 16,
         [](row const& r) { return r.name; });
    std::cout << "\nwritten to " << out.string()
              << ": perf.csv perf.json samples.csv *.svg *.adoc\n";
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    bool quick = false;
    std::string filter;
    std::string out = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "results";
    CLI::App app{"Runs the benchmarks", "./dev perf"};
    app.add_flag("--quick", quick, "Few sizes and few rounds: within a minute");
    app.add_option("--filter", filter, "A regular expression for suite/case/policy_or_peer");
    app.add_option("--out", out, "The folder for CSV, JSON, tables and plots")
        ->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        return run(quick, filter, out);
    } catch (std::exception const& e) {
        std::cerr << "perf: " << e.what() << '\n';
        return 1;
    }
}
