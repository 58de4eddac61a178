// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/panic/catch_log.hpp>
#include <registry_io/panic/quarantine.hpp>
#include <registry_io/presets/sync.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

using threaded = registry_io::SyncRegistry<int>;

// Asked before anything in this file has used its constructor: all files must get one answer.
static_assert(registry_io::detail::constant_initialized<registry_io::panic::catch_log>);

namespace {

/// While it lives, captures what is written to stderr.
class stderr_to_file
{
public:
    stderr_to_file() : file_(std::tmpfile()), saved_(::dup(2))
    {
        std::fflush(stderr);
        ::dup2(::fileno(file_), 2);
    }
    stderr_to_file(stderr_to_file const&) = delete;
    stderr_to_file& operator=(stderr_to_file const&) = delete;
    ~stderr_to_file()
    {
        restore();
        std::fclose(file_);
    }
    std::string text()
    {
        restore();
        std::string all;
        std::rewind(file_);
        for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_))
            all += static_cast<char>(c);
        return all;
    }

private:
    void restore()
    {
        if (saved_ < 0)
            return;
        std::fflush(stderr);
        ::dup2(saved_, 2);
        ::close(saved_);
        saved_ = -1;
    }
    std::FILE* file_;
    int saved_;
};

std::string id_text(registry_io::handler_id id)
{
    std::ostringstream out;
    out << id;
    return out.str();
}

void fails(int)
{
    throw std::runtime_error("broken");
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_failure_is_logged_to_stderr_by_default)
{
    threaded r;
    registry_io::handler_id const id = r.register_handler(&fails);
    stderr_to_file captured;
    r.notify(0);
    std::string const text = captured.text();
    BOOST_TEST(text == "registry_io: handler " + id_text(id) + " of int threw: broken\n");
}

BOOST_AUTO_TEST_CASE(a_callback_takes_the_place_of_the_log)
{
    threaded r;
    int told = 0;
    r.register_handler(&fails);
    r.on_panic([&](registry_io::panic_info const&) { ++told; });
    stderr_to_file captured;
    r.notify(0);
    BOOST_TEST(captured.text().empty());
    BOOST_TEST(told == 1);
    std::vector<std::string> lines;
    r.log_to([&](std::string_view line) { lines.emplace_back(line); });
    r.notify(0);
    BOOST_TEST(lines.empty());
    r.clear_panic_callback();
    r.notify(0);
    BOOST_TEST(lines.size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_log_is_limited_to_a_line_a_second_and_says_what_it_held_back)
{
    threaded r;
    threaded other;
    std::vector<std::string> lines;
    std::vector<std::string> other_lines;
    r.log_to([&](std::string_view line) { lines.emplace_back(line); });
    other.log_to([&](std::string_view line) { other_lines.emplace_back(line); });
    registry_io::handler_id const id = r.register_handler(&fails);
    other.register_handler([](int) { throw 1; });
    for (int i = 0; i < 10; ++i)
        r.notify(0);
    BOOST_TEST_REQUIRE(lines.size() == 1u);
    BOOST_TEST(lines[0] == "registry_io: handler " + id_text(id) + " of int threw: broken");
    // Each registry has its own limit.
    other.notify(0);
    BOOST_TEST_REQUIRE(other_lines.size() == 1u);
    BOOST_TEST(other_lines[0].find("not a std::exception") != std::string::npos);
    std::this_thread::sleep_for(std::chrono::milliseconds(1050));
    r.notify(0);
    BOOST_TEST_REQUIRE(lines.size() == 2u);
    BOOST_TEST(lines[1] == lines[0] + " (and 9 failures held back)");
    r.notify(0);
    BOOST_TEST(lines.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_long_message_is_cut_and_the_line_is_still_whole)
{
    threaded r;
    std::vector<std::string> lines;
    r.log_to([&](std::string_view line) { lines.emplace_back(line); });
    r.register_handler([](int) { throw std::runtime_error(std::string(5000, 'x')); });
    r.notify(0);
    BOOST_TEST_REQUIRE(lines.size() == 1u);
    BOOST_TEST(lines[0].size() <= 480u);
    BOOST_TEST(lines[0].find(std::string(300, 'x')) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_sink_that_throws_is_swallowed_and_its_captures_go_with_it)
{
    threaded r;
    auto const token = std::make_shared<int>();
    int calls = 0;
    r.log_to([&, token](std::string_view) {
        ++calls;
        throw 1;
    });
    int siblings = 0;
    r.register_handler(&fails);
    r.register_handler([&](int) { ++siblings; });
    r.notify(0);
    BOOST_TEST(calls == 1);
    BOOST_TEST(siblings == 1);
    BOOST_TEST(token.use_count() == 2);
    r.log_to_stderr();
    BOOST_TEST(token.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_removal_by_quarantine_is_said_on_stderr_without_a_callback)
{
    threaded::with<registry_io::panic::quarantine<2>> r;
    registry_io::handler_id const id = r.register_handler(&fails);
    stderr_to_file captured;
    r.notify(0);
    r.notify(0);
    r.notify(0);
    std::string const text = captured.text();
    BOOST_TEST(r.empty());
    BOOST_TEST(text ==
               "registry_io: handler " + id_text(id) +
                   " of int removed after 2 failures in a row; the last: broken\n");
}

BOOST_AUTO_TEST_CASE(a_null_what_is_logged_as_an_empty_message)
{
    struct speechless : std::exception
    {
        char const* what() const noexcept override { return nullptr; }
    };
    threaded r;
    std::vector<std::string> lines;
    r.log_to([&](std::string_view line) { lines.emplace_back(line); });
    r.register_handler([](int) { throw speechless(); });
    r.notify(0);
    BOOST_TEST_REQUIRE(lines.size() == 1u);
    BOOST_TEST(lines[0].ends_with("threw: "));
    threaded::with<registry_io::panic::quarantine<1>> q;
    q.register_handler([](int) { throw speechless(); });
    stderr_to_file captured;
    q.notify(0);
    BOOST_TEST(captured.text().ends_with("in a row; the last: \n"));
}

BOOST_AUTO_TEST_CASE(a_failure_inside_the_callback_is_logged)
{
    threaded r;
    std::vector<std::string> lines;
    int reports = 0;
    r.log_to([&](std::string_view line) { lines.emplace_back(line); });
    r.on_panic([&](registry_io::panic_info const&) {
        ++reports;
        r.notify(0);
    });
    r.register_handler(&fails);
    r.notify(0);
    BOOST_TEST(reports == 1);
    BOOST_TEST(lines.size() == 1u);
    // A callback that removes itself, and fails.
    r.on_panic([&](registry_io::panic_info const&) {
        ++reports;
        r.clear_panic_callback();
        r.notify(0);
        throw 1;
    });
    r.notify(0);
    BOOST_TEST(reports == 2);
    // After a callback has thrown, the next failure is reported again.
    r.on_panic([&](registry_io::panic_info const&) {
        ++reports;
        throw 1;
    });
    r.notify(0);
    r.notify(0);
    BOOST_TEST(reports == 4);
}
