// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "result.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace tune {
namespace {

using registry_io_perf::group;
using registry_io_perf::interval;

std::string number(char const* format, double v)
{
    char text[64];
    std::snprintf(text, sizeof text, format, v);
    return text;
}

std::string fact(result const& r, std::string_view key)
{
    for (auto const& [k, v] : r.machine)
        if (k == key)
            return v;
    return "";
}

std::string escaped(std::string_view text)
{
    std::string out;
    for (char const c : text)
        out += c == '<' ? "&lt;"
            : c == '>'  ? "&gt;"
            : c == '&'  ? "&amp;"
            : c == '"'  ? "&quot;"
                        : std::string(1, c);
    return out;
}

json::object json_of(interval const& i)
{
    json::object o{{"low", i.low}, {"middle", i.middle}};
    // Unknown if no round was undisturbed.
    if (i.high < 1e6)
        o["high"] = i.high;
    return o;
}

json::array json_of(std::vector<taken> const& samples)
{
    json::array all;
    for (taken const& t : samples)
        all.push_back(json::array{t.layout, t.process, t.round, t.ns, t.disturbed ? 1 : 0});
    return all;
}

json::array json_of(std::vector<pruned> const& all)
{
    json::array out;
    for (pruned const& p : all)
        out.push_back(json::object{{"alias", p.what}, {"why", p.why}});
    return out;
}

/// A short name for the axis of a plot.
std::string brief(std::string text)
{
    for (std::string_view const part : {"<Event>", "snapshot::", "reclaim::"})
        for (std::size_t at; (at = text.find(part)) != std::string::npos;)
            text.erase(at, part.size());
    return text;
}

std::string svg(std::string_view title, int width, int height, std::string const& content)
{
    return "<svg role=\"img\" aria-label=\"" + escaped(title) + "\" viewBox=\"0 0 " +
        std::to_string(width) + " " + std::to_string(height) + "\"><title>" + escaped(title) +
        "</title>" + content + "</svg>\n";
}

std::string text_at(double x, double y, std::string_view text, char const* attributes = "")
{
    return "<text x=\"" + number("%.1f", x) + "\" y=\"" + number("%.1f", y) + "\" " + attributes +
        ">" + escaped(text) + "</text>";
}

std::string line(double x1, double y1, double x2, double y2, char const* name)
{
    return "<line class=\"" + std::string(name) + "\" x1=\"" + number("%.1f", x1) + "\" y1=\"" +
        number("%.1f", y1) + "\" x2=\"" + number("%.1f", x2) + "\" y2=\"" + number("%.1f", y2) +
        "\"/>";
}

std::string rect(double x, double y, double w, double h, std::string const& name,
                 std::string_view tip = "")
{
    return "<rect class=\"" + name + "\" x=\"" + number("%.1f", x) + "\" y=\"" + number("%.1f", y) +
        "\" width=\"" + number("%.1f", std::max(0.5, w)) + "\" height=\"" +
        number("%.1f", std::max(0.5, h)) + "\">" +
        (tip.empty() ? "" : "<title>" + escaped(tip) + "</title>") + "</rect>";
}

std::string circle(double x, double y, char const* name, std::string_view tip)
{
    return "<circle class=\"" + std::string(name) + "\" cx=\"" + number("%.1f", x) + "\" cy=\"" +
        number("%.1f", y) + "\" r=\"6\"><title>" + escaped(tip) + "</title></circle>";
}

char const* class_of(finalist const& f, result const& r)
{
    return &f == &r.finalists[0]   ? "same"
        : f.group == group::better ? "better"
        : f.group == group::worse  ? "worse"
                                   : "same";
}

/// Returns the finalists, the fastest first.
std::vector<finalist const*> by_ratio(result const& r)
{
    std::vector<finalist const*> order;
    for (finalist const& f : r.finalists)
        order.push_back(&f);
    std::sort(order.begin(), order.end(), [](finalist const* a, finalist const* b) {
        return a->ratio.middle != b->ratio.middle ? a->ratio.middle < b->ratio.middle : a < b;
    });
    return order;
}

/// Draws the intervals of the ratios, with the margin around 1.
std::string ranking(result const& r)
{
    double low = 1 - r.margin, high = 1 + r.margin;
    for (finalist const& f : r.finalists) {
        low = std::min(low, f.ratio.low);
        high = std::max(high, std::min(f.ratio.high, 4.0));
    }
    low -= 0.05;
    high += 0.05;
    std::vector<finalist const*> const order = by_ratio(r);
    int const step = 46, height = static_cast<int>(order.size()) * step + 44;
    auto const x = [&](double ratio) {
        return 10 + (std::clamp(ratio, low, high) - low) / (high - low) * 380;
    };
    std::string s = rect(x(1 - r.margin), 4, x(1 + r.margin) - x(1 - r.margin), height - 36,
                         "margin", "less than the margin is no difference") +
        line(x(1), 4, x(1), height - 32, "axis");
    double y = 18;
    for (finalist const* f : order) {
        s += text_at(10, y, brief(f->alias) + (f == &r.finalists[0] ? " (current)" : ""));
        std::string const tip = f->alias + ": " + number("%.3f", f->ratio.middle) + " (" +
            number("%.3f", f->ratio.low) + " to " + number("%.3f", f->ratio.high) + "), " +
            name_of(f->group);
        s += rect(x(f->ratio.low), y + 9, x(f->ratio.high) - x(f->ratio.low), 8, class_of(*f, r),
                  tip) +
            circle(x(f->ratio.middle), y + 13, class_of(*f, r), tip);
        y += step;
    }
    double const unit = high - low > 2 ? 0.5 : high - low > 0.8 ? 0.2 : 0.1;
    for (double t = std::ceil(low / unit) * unit; t <= high; t += unit)
        s += text_at(x(t), height - 10, number("%.1f", t), "text-anchor=\"middle\"");
    return svg("Ratio to the current alias with its interval; lower is better", 400, height, s);
}

/// Draws the candidates by two objectives.
std::string scatter(result const& r, char const* horizontal, char const* vertical)
{
    double most_x = 0, most_y = 0;
    std::vector<finalist const*> with_both;
    for (finalist const& f : r.finalists)
        if (f.figures.contains(horizontal) && f.figures.contains(vertical)) {
            with_both.push_back(&f);
            most_x = std::max(most_x, f.figures.at(horizontal));
            most_y = std::max(most_y, f.figures.at(vertical));
        }
    if (with_both.empty() || most_x <= 0 || most_y <= 0)
        return "";
    std::string s = line(46, 10, 46, 210, "axis") + line(46, 210, 390, 210, "axis");
    char letter = 'A';
    std::string legend;
    struct place
    {
        double x, y;
    };
    std::vector<place> places;  // of the circles, then of the letters
    for (finalist const* f : with_both)
        places.push_back({46 + f->figures.at(horizontal) / most_x * 320,
                          210 - f->figures.at(vertical) / most_y * 180});
    for (std::size_t i = 0; i != with_both.size(); ++i) {
        finalist const* const f = with_both[i];
        double const h = f->figures.at(horizontal), v = f->figures.at(vertical);
        auto const [x, y] = places[i];
        s += circle(x, y, class_of(*f, r),
                    f->alias + ": " + number("%.4g", h) + ", " + number("%.4g", v));
        // Beside its circle, or below that if the place is taken: many circles are close to each
        // other.
        place at{x + 12, y};
        while (std::any_of(places.begin(), places.end(), [&](place const& p) {
            return std::abs(p.x - at.x) < 11 && std::abs(p.y - at.y) < 12;
        }))
            at.y += 3;
        places.push_back(at);
        s += text_at(at.x, at.y + 4, std::string(1, letter), "text-anchor=\"middle\"");
        legend += "<li><b>" + std::string(1, letter++) + "</b> <code>" + escaped(brief(f->alias)) +
            "</code>: " + number("%.4g", h) + "; " + number("%.4g", v) + "</li>";
    }
    auto const unit = [](std::string_view o) { return o == "bytes" ? "" : ", ns"; };
    s += text_at(218, 240, std::string(horizontal) + unit(horizontal), "text-anchor=\"middle\"") +
        text_at(42, 26, number("%.4g", most_y), "text-anchor=\"end\"") + text_at(30, 214, "0") +
        text_at(366, 226, number("%.4g", most_x), "text-anchor=\"middle\"") +
        text_at(52, 16, std::string(vertical) + unit(vertical));
    return svg(std::string(vertical) + " by " + horizontal, 400, 250, s) + "<ol class=\"legend\">" +
        legend + "</ol>\n";
}

/// Draws which candidate is the fastest where.
std::string plane(result const& r)
{
    std::vector<std::string> winners;
    std::vector<long> handlers;
    std::vector<double> changes;
    for (sensitivity const& p : r.plane) {
        if (std::find(winners.begin(), winners.end(), p.winner) == winners.end())
            winners.push_back(p.winner);
        if (std::find(handlers.begin(), handlers.end(), p.handlers) == handlers.end())
            handlers.push_back(p.handlers);
        if (std::find(changes.begin(), changes.end(), p.changes) == changes.end())
            changes.push_back(p.changes);
    }
    std::string s;
    for (sensitivity const& p : r.plane) {
        auto const at = [](auto const& v, auto const& value) {
            return static_cast<double>(std::find(v.begin(), v.end(), value) - v.begin());
        };
        double const x = 70 + 80 * at(changes, p.changes), y = 10 + 40 * at(handlers, p.handlers);
        auto const w = static_cast<int>(at(winners, p.winner));
        s += rect(x, y, 76, 36, "w" + std::to_string(w % 4),
                  p.winner + ", " + number("%.2f", p.ratio) + " of the current alias") +
            text_at(x + 38, y + 23,
                    std::string(1, static_cast<char>('A' + w)) + " " + number("%.2f", p.ratio),
                    "text-anchor=\"middle\" class=\"on\"");
    }
    for (std::size_t i = 0; i != handlers.size(); ++i)
        s += text_at(62, 33 + 40 * static_cast<double>(i), std::to_string(handlers[i]),
                     "text-anchor=\"end\"");
    double const bottom = 28 + 40 * static_cast<double>(handlers.size());
    for (std::size_t i = 0; i != changes.size(); ++i)
        s += text_at(108 + 80 * static_cast<double>(i), bottom, number("%g", changes[i]),
                     "text-anchor=\"middle\"");
    s += text_at(230, bottom + 20, "changes for each notify", "text-anchor=\"middle\"") +
        text_at(2, 12, "handlers");
    std::string legend;
    for (std::size_t w = 0; w != winners.size(); ++w)
        legend += "<li><b>" + std::string(1, static_cast<char>('A' + w)) + "</b> <code>" +
            escaped(brief(winners[w])) + "</code>" +
            (winners[w] == r.finalists[0].alias ? " (current)" : "") + "</li>";
    return svg("The fastest candidate by handlers and changes", 400, static_cast<int>(bottom) + 30,
               s) +
        "<ol class=\"legend\">" + legend + "</ol>\n";
}

std::string bars(std::string const& title, std::vector<std::pair<std::string, double>> const& all)
{
    double most = 0;
    for (auto const& [label, n] : all)
        most = std::max(most, n);
    if (most <= 0)
        return "";
    double const width = 380.0 / static_cast<double>(all.size());
    std::string s = line(10, 110, 390, 110, "axis");
    for (std::size_t i = 0; i != all.size(); ++i) {
        double const h = all[i].second / most * 100, x = 10 + width * static_cast<double>(i);
        s += rect(x + 1, 110 - h, width - 2, h, "bar",
                  all[i].first + ": " + number("%.0f", all[i].second));
        if (i % ((all.size() + 7) / 8) == 0)
            s += text_at(x + width / 2, 126, all[i].first, "text-anchor=\"middle\"");
    }
    return "<figure><figcaption>" + escaped(title) + "</figcaption>" + svg(title, 400, 132, s) +
        "</figure>\n";
}

/// Draws how the undisturbed samples of a finalist are distributed, up to their 98th percentile.
std::string spread(finalist const& f)
{
    std::vector<double> v;
    for (taken const& t : f.samples)
        if (!t.disturbed)
            v.push_back(t.ns);
    if (v.size() < 5)
        return "";
    double const low = registry_io_perf::quantile(v, 0), high = registry_io_perf::quantile(v, 0.98);
    constexpr int n = 24;
    double const unit = high < 1000 ? 1 : high < 1e6 ? 1e3 : 1e6;
    std::vector<std::pair<std::string, double>> all;
    for (int i = 0; i < n; ++i)
        all.emplace_back(number("%.3g", (low + (high - low) * i / n) / unit), 0.0);
    for (double const ns : v)
        if (ns <= high && high > low)
            ++all[static_cast<std::size_t>(std::min(n - 1.0, (ns - low) / (high - low) * n))]
                  .second;
    return bars(brief(f.alias) + (unit == 1 ? ", ns" : unit == 1e3 ? ", us" : ", ms"), all);
}

std::string list(char const* id, char const* title, std::vector<pruned> const& all)
{
    if (all.empty())
        return "";
    std::string s = "<section id=\"" + std::string(id) + "\"><h2>" + title + "</h2><dl>";
    for (pruned const& p : all)
        s += "<dt><code>" + escaped(p.what) + "</code></dt><dd>" + escaped(p.why) + "</dd>";
    return s + "</dl></section>\n";
}

// Colours: the contrast with the background is at least 4.5 : 1 for text and 3 : 1 for marks, in
// both schemes.
constexpr char style[] = R"(
:root{color-scheme:light dark;--ground:#fff;--text:#1b1f24;--quiet:#4a5560;--line:#7a8590;
--soft:#e9edf1;
--better:#0b6b3a;--worse:#b3261e;--same:#1f5fa8;--w0:#1f5fa8;--w1:#0b6b3a;--w2:#8a4b00;
--w3:#7a2e8e;--on:#fff}
@media(prefers-color-scheme:dark){:root{--ground:#14181d;--text:#e8ecf0;--quiet:#b4bec8;
--line:#8b96a1;
--soft:#262d35;--better:#5fd394;--worse:#ff8a80;--same:#7ab8ff;--w0:#7ab8ff;--w1:#5fd394;
--w2:#ffb868;
--w3:#dda0f0;--on:#14181d}}
*{box-sizing:border-box}body{margin:0 auto;max-width:60rem;padding:1rem;background:var(--ground);
color:var(--text);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.15rem;margin-top:2rem}
nav a{display:inline-block;margin-right:1rem;padding:.35rem 0}a{color:var(--same)}
a:focus-visible,summary:focus-visible,pre:focus-visible,.scroll:focus-visible{
outline:3px solid var(--same);
outline-offset:2px}
pre{overflow-x:auto;background:var(--soft);padding:1rem;border-radius:6px}code{
overflow-wrap:anywhere}
.scroll{overflow-x:auto}table{border-collapse:collapse}td:first-child{min-width:13rem}th,td{
text-align:left;padding:.3rem .8rem .3rem 0;
border-bottom:1px solid var(--line);vertical-align:top}th{overflow-wrap:normal}td.n{
text-align:right}td.n,td.g{white-space:nowrap}
svg{display:block;width:100%;max-width:30rem;height:auto}svg text{fill:var(--text);font-size:12px}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(20rem,100%),1fr));gap:1rem}
.plots>*{min-width:0}
figure{margin:0}figcaption,.quiet{color:var(--quiet)}
.axis{stroke:var(--line)}.margin{fill:var(--soft)}.bar{fill:var(--same)}
.better{fill:var(--better)}.worse{fill:var(--worse)}.same{fill:var(--same)}
rect.better,rect.worse,rect.same{opacity:.45}
.w0{fill:var(--w0)}.w1{fill:var(--w1)}.w2{fill:var(--w2)}.w3{fill:var(--w3)}svg text.on{
fill:var(--on)}
ol.legend{list-style:none;padding:0}dt{margin-top:.6rem}dd{margin-left:1rem;
overflow-wrap:anywhere}
summary{cursor:pointer;padding:.35rem 0}
)";

}  // namespace

std::string snippet(result const& r)
{
    finalist const& won = r.finalists[r.chosen];
    std::string text = "// Chosen by registry_tune for " + r.asked.objective + ": " +
        number("%.2f", won.ratio.middle) + " (" + number("%.2f", won.ratio.low) + " to " +
        number("%.2f", won.ratio.high) + ") of " + r.finalists[0].alias + ".\n// Profile " +
        fact(r, "profile") + ", registry_io " + fact(r, "registry_io") + ", " + fact(r, "date") +
        ".\n// " + fact(r, "processor") + ".\n// " + fact(r, "compiler") + ", " + fact(r, "flags") +
        ".\n";
    if (won.alias.find("alloc::pool") != std::string::npos && r.asked.memory_bound > 0)
        text += "// Construct it with registry_io::alloc::pool(" +
            number("%.0f", r.asked.memory_bound / static_cast<double>(r.asked.registries)) + ").\n";
    if (won.alias.find("alloc::pmr") != std::string::npos)
        text +=
            "// Measured with a std::pmr::synchronized_pool_resource `pool`, which must outlive "
            "the registry:\n// construct it with registry_io::alloc::pmr(&pool).\n";
    return text + "using registry = " + qualified(won.alias, r.event) + ";\n";
}

json::object to_json(result const& r)
{
    json::object machine;
    for (auto const& [k, v] : r.machine)
        machine[k] = v;
    json::array candidates;
    for (finalist const& f : r.finalists) {
        json::object figures;
        for (auto const& [k, v] : f.figures)
            figures[k] = v;
        candidates.push_back(json::object{{"alias", f.alias},
                                          {"ratio", json_of(f.ratio)},
                                          {"group", name_of(f.group)},
                                          {"bytes", f.bytes},
                                          {"figures", figures},
                                          {"beyond", f.beyond},
                                          {"samples", json_of(f.samples)}});
    }
    json::array points;
    for (sensitivity const& p : r.plane)
        points.push_back(json::object{{"handlers", p.handlers},
                                      {"changes_for_each_notify", p.changes},
                                      {"winner", p.winner},
                                      {"ratio", p.ratio}});
    return {{"registry_tune_result", 1},
            {"job", write_job(r.asked)},
            {"event", r.event},
            {"machine", machine},
            {"seconds", r.seconds},
            {"interrupted", r.interrupted},
            {"trouble", r.trouble},
            {"enough", r.enough},
            {"layouts", r.layouts},
            {"processes", r.processes},
            {"rounds", r.rounds},
            {"samples", r.samples},
            {"disturbed", r.disturbed},
            {"margin", r.margin},
            {"twin", json_of(r.twin)},
            {"sample_fields", json::array{"layout", "process", "round", "ns", "disturbed"}},
            {"twin_samples", json_of(r.twin_samples)},
            {"candidates", candidates},
            {"current", r.finalists.empty() ? "" : r.finalists[0].alias},
            {"chosen", r.finalists.empty() ? "" : r.finalists[r.chosen].alias},
            {"sensitivity", points},
            {"refused", json_of(r.refused)},
            {"failed", json_of(r.failed)},
            {"dropped", json_of(r.dropped)},
            {"not_searched", json_of(r.not_searched)}};
}

std::string to_html(result const& r)
{
    std::string s = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                    "<link rel=\"icon\" href=\"data:,\"><title>registry_tune</title><style>" +
        std::string(style) + "</style></head><body>\n";
    if (r.finalists.empty())
        return s + "<h1>Nothing was measured</h1></body></html>\n";
    finalist const& won = r.finalists[r.chosen];
    std::string const headline = r.interrupted ? "Interrupted: nothing is chosen"
        : !r.trouble.empty()                   ? "Nothing is chosen: " + r.trouble
        : !r.enough                            ? "Too little was measured for an answer"
        : r.price                              ? "What other policies cost"
        : r.chosen == 0 && r.margin > registry_io_perf::most_margin
        ? "This machine is too noisy to tell"
        : r.chosen == 0 ? "No candidate beats " + brief(won.alias)
                        : brief(won.alias) + " takes " + number("%.0f", 100 * won.ratio.middle) +
            (r.asked.objective == "bytes" ? " % of the memory of " : " % of the time of ") +
            brief(r.finalists[0].alias);
    s += "<header><h1>" + escaped(headline) + "</h1><p class=\"quiet\">" +
        escaped(r.asked.objective) + " · workload from " + escaped(r.door) + " · " +
        escaped(fact(r, "date")) + "</p></header>\n<main>\n";
    if (r.chosen != 0)
        s += "<pre tabindex=\"0\"><code>" + escaped(snippet(r)) + "</code></pre>\n";
    std::string const by_objective = scatter(
        r, r.asked.objective == "bytes" ? "notify_p50" : r.asked.objective.c_str(), "bytes");
    std::string const removal =
        scatter(r, r.asked.objective == "notify_p99" ? "notify_p50" : "notify_p99", "removal");
    std::string shapes, recorded;
    for (finalist const& f : r.finalists)
        shapes += spread(f);
    for (auto const& [name, h] : r.asked.recorded) {
        std::vector<std::pair<std::string, double>> all;
        for (auto const& [b, n] : h)
            all.emplace_back("2^" + std::to_string(b), n);
        recorded += bars(name, all);
    }
    s += "<nav aria-label=\"Sections\"><a href=\"#ranking\">Ranking</a>";
    for (auto const& [there, link] :
         {std::pair(!by_objective.empty() || !removal.empty(),
                    "<a href=\"#objectives\">Objectives</a>"),
          std::pair(!r.plane.empty(), "<a href=\"#sensitivity\">Sensitivity</a>"),
          std::pair(!shapes.empty(), "<a href=\"#samples\">Samples</a>"),
          std::pair(!recorded.empty(), "<a href=\"#recorded\">Recorded</a>"),
          std::pair(!r.refused.empty(), "<a href=\"#refused\">Refused</a>")})
        if (there)
            s += link;
    s += "<a href=\"#how\">How it was measured</a></nav>\n";

    s += "<section id=\"ranking\"><h2>Ranking</h2><p>The ratio to the current alias, with its "
         "95 % interval; lower is better. Inside the grey band, ±" +
        number("%.1f", 100 * r.margin) + " %, there is no difference.</p>" + ranking(r) +
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of candidates\">"
        "<table><thead><tr><th>alias</th><th>ratio</th><th>interval</th><th>group</th><th>bytes"
        "</th></tr></thead><tbody>";
    for (finalist const* const one : by_ratio(r)) {
        finalist const& f = *one;
        s += "<tr><td><code>" + escaped(f.alias) + "</code>" +
            (f.beyond.empty() ? "" : "<br>" + escaped(f.beyond)) + "</td><td class=\"n\">" +
            number("%.3f", f.ratio.middle) + "</td><td class=\"n\">" + number("%.3f", f.ratio.low) +
            " to " + (f.ratio.high > 1e6 ? "unknown" : number("%.3f", f.ratio.high)) +
            "</td><td class=\"g\">" + (&f == &r.finalists[0] ? "current" : name_of(f.group)) +
            "</td><td class=\"n\">" + number("%.0f", f.bytes) + "</td></tr>";
    }
    s += "</tbody></table></div></section>\n";
    if (!by_objective.empty() || !removal.empty())
        s +=
            "<section id=\"objectives\"><h2>Candidates by objectives</h2><p>The lower left is best."
            "</p><div class=\"plots\"><div>" +
            by_objective + "</div><div>" + removal + "</div></div></section>\n";
    if (!r.plane.empty())
        s += "<section id=\"sensitivity\"><h2>Sensitivity</h2><p>The fastest candidate with other "
             "numbers of handlers and changes, and its ratio to the current alias. One process "
             "each, so an indication only.</p>" +
            plane(r) + "</section>\n";
    if (!shapes.empty())
        s += "<section id=\"samples\"><h2>Samples</h2><div class=\"plots\">" + shapes +
            "</div></section>\n";
    if (!recorded.empty())
        s += "<section id=\"recorded\"><h2>Recorded</h2><div class=\"plots\">" + recorded +
            "</div></section>\n";
    s += list("refused", "Refused by the compiler", r.refused) +
        list("failed", "Failed while they ran", r.failed) +
        list("dropped", "Dropped after the screening", r.dropped) +
        list("not_searched", "Not searched", r.not_searched);
    s += "<section id=\"how\"><h2>How it was measured</h2><p>" + std::to_string(r.samples) +
        " samples in " + std::to_string(r.processes) + " processes over " +
        std::to_string(r.layouts) + " layouts of the programs, " + std::to_string(r.rounds) +
        " rounds each; " + std::to_string(r.disturbed) +
        " samples were disturbed by other work and left out. A twin of the current alias came out "
        "at " +
        number("%.3f", r.twin.middle) + " (" + number("%.3f", r.twin.low) + " to " +
        number("%.3f", r.twin.high) + ").</p><dl>";
    for (auto const& [k, v] : r.machine)
        s += "<dt>" + escaped(k) + "</dt><dd>" + escaped(v) + "</dd>";
    s += "</dl><details><summary>The job</summary><pre tabindex=\"0\">" +
        escaped(json::serialize(write_job(r.asked))) + "</pre></details></section>\n";
    return s + "</main></body></html>\n";
}

}  // namespace tune
