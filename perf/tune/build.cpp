// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "build.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "candidates.hpp"
#include "job.hpp"

namespace tune {

std::sig_atomic_t volatile interrupted = 0;

namespace {

namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

double seconds_since(steady::time_point t)
{
    return std::chrono::duration<double>(steady::now() - t).count();
}

/// Starts a program. `in` is its standard input or -1; `out` receives its standard output, and also
/// its standard error if `errors` is set. Returns the process id.
pid_t start(std::vector<std::string> const& argv, int in, int out, bool errors)
{
    std::vector<char*> words;
    for (std::string const& a : argv)
        words.push_back(const_cast<char*>(a.c_str()));
    words.push_back(nullptr);
    pid_t const pid = ::fork();
    if (pid < 0)
        throw failed(std::string("cannot start a process: ") + std::strerror(errno));
    if (pid != 0)
        return pid;
    // In its own process group, so that only this program handles an interrupt from the terminal.
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    int const null = ::open("/dev/null", O_RDWR);
    ::dup2(in < 0 ? null : in, 0);
    ::dup2(out, 1);
    ::dup2(errors ? out : null, 2);
    ::execvp(words[0], words.data());
    ::_exit(127);
}

/// Ends a process and the processes it has started, and returns its status.
int end(pid_t pid, bool kill)
{
    if (kill)
        ::kill(-pid, SIGKILL);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct pipe_ends
{
    pipe_ends()
    {
        // Closed in other children, or the reader would never see the end of the pipe.
        if (::pipe2(fd, O_CLOEXEC) != 0)
            throw failed(std::string("cannot make a pipe: ") + std::strerror(errno));
    }
    int fd[2];
};

/// Waits until there is something to read. Returns false after the timeout or on an interrupt.
bool readable(int fd, steady::time_point begin, double seconds)
{
    for (;;) {
        double const left = seconds - seconds_since(begin);
        if (left <= 0 || interrupted)
            return false;
        pollfd p{fd, POLLIN, 0};
        // Wakes up now and then: a signal may have arrived before the call.
        if (::poll(&p, 1, static_cast<int>(std::min(left, 0.2) * 1000) + 1) > 0)
            return true;
    }
}

std::string first_line(std::string const& text)
{
    return text.substr(0, text.find('\n'));
}

std::vector<std::string> words(std::string const& text)
{
    std::vector<std::string> all;
    std::string word;
    bool any = false;
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        if (quote != 0) {
            if (c == quote)
                quote = 0;
            else
                word += c == '\\' && quote == '"' && i + 1 < text.size() ? text[++i] : c;
        } else if (c == '"' || c == '\'') {
            quote = c;
            any = true;
        } else if (c == ' ' || c == '\n' || c == '\t') {
            if (any || !word.empty())
                all.push_back(std::exchange(word, {}));
            any = false;
        } else {
            word += c == '\\' && i + 1 < text.size() ? text[++i] : c;
        }
    }
    if (any || !word.empty())
        all.push_back(word);
    return all;
}

/// Returns the compiler's reason for rejecting a candidate: the library's sentence, or the first
/// error.
std::string sentence_of(std::string const& output)
{
    std::size_t at = output.find("registry_io: ");
    if (at == std::string::npos) {
        at = output.find("error: ");
        if (at == std::string::npos)
            return "the compiler said: " + first_line(output);
        at += 7;
    }
    std::string line = first_line(output.substr(at));
    while (!line.empty() && (line.back() == '"' || line.back() == '\''))
        line.pop_back();
    return line;
}

std::string contents(fs::path const& path)
{
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void write(fs::path const& path, std::string const& text)
{
    std::ofstream out(path, std::ios::binary);
    out << text;
    out.close();
    if (!out)
        throw failed("cannot write " + path.string() + ": " + std::strerror(errno));
}

}  // namespace

outcome run_program(std::vector<std::string> const& argv, double seconds)
{
    pipe_ends p;
    pid_t const pid = start(argv, -1, p.fd[1], true);
    ::close(p.fd[1]);
    outcome o;
    auto const begin = steady::now();
    char buffer[4096];
    for (;;) {
        if (!readable(p.fd[0], begin, seconds)) {
            o.hung = true;
            break;
        }
        ssize_t const n = ::read(p.fd[0], buffer, sizeof buffer);
        if (n <= 0)
            break;
        o.output.append(buffer, static_cast<std::size_t>(n));
    }
    ::close(p.fd[0]);
    o.status = end(pid, o.hung);
    return o;
}

child::child(std::vector<std::string> const& argv, double seconds) : seconds_(seconds)
{
    pipe_ends to, from;
    pid_ = start(argv, to.fd[0], from.fd[1], false);
    ::close(to.fd[0]);
    ::close(from.fd[1]);
    in_ = to.fd[1];
    out_ = from.fd[0];
    try {
        greeting_ = read_line();
    } catch (...) {
        ::close(in_);
        ::close(out_);
        end(pid_, true);
        throw;
    }
}

child::~child()
{
    ::close(in_);
    ::close(out_);
    end(pid_, true);
}

std::string child::ask(std::string const& line)
{
    std::string const text = line + "\n";
    if (::write(in_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        throw gone("the workload ended its process");
    return read_line();
}

std::string child::read_line()
{
    auto const begin = steady::now();
    for (;;) {
        if (std::size_t const at = rest_.find('\n'); at != std::string::npos) {
            std::string line = rest_.substr(0, at);
            rest_.erase(0, at + 1);
            if (line.starts_with("error "))
                throw gone("the workload threw: " + line.substr(6));
            return line;
        }
        if (!readable(out_, begin, seconds_)) {
            std::ostringstream text;
            text << "the workload did not answer within " << seconds_ << " s";
            throw gone(interrupted ? "interrupted" : text.str());
        }
        char buffer[512];
        ssize_t const n = ::read(out_, buffer, sizeof buffer);
        if (n <= 0)
            throw gone("the workload ended its process");
        rest_.append(buffer, static_cast<std::size_t>(n));
    }
}

toolchain find_toolchain(std::string const& compile_commands, std::string const& like)
{
    toolchain t;
    if (!compile_commands.empty()) {
        std::ifstream in(compile_commands);
        if (!in)
            throw bad_input(compile_commands + ": cannot be read");
        std::ostringstream text;
        text << in.rdbuf();
        boost::system::error_code error;
        json::value const v = json::parse(text.str(), error);
        if (error || !v.is_array())
            throw bad_input(compile_commands + ": is not a list of compile commands");
        std::string directory;
        std::string file;
        for (json::value const& entry : v.as_array()) {
            if (!entry.is_object())
                continue;
            json::object const& o = entry.as_object();
            auto const text_at = [&](char const* key) {
                json::value const* const s = o.if_contains(key);
                return s != nullptr && s->is_string() ? std::string(s->as_string()) : std::string();
            };
            file = text_at("file");
            if (!like.empty() && !file.ends_with(like))
                continue;
            directory = text_at("directory");
            t.command = words(text_at("command"));
            if (json::value const* const a = o.if_contains("arguments"); a && a->is_array())
                for (json::value const& one : a->as_array())
                    if (one.is_string())
                        t.command.emplace_back(one.as_string());
            break;
        }
        if (t.command.empty())
            throw bad_input(compile_commands + ": has no command" +
                            (like.empty() ? "" : " for a file that ends with " + like));
        // Without the compiler launcher, the input and the output.
        if (t.command.front().ends_with("ccache"))
            t.command.erase(t.command.begin());
        std::vector<std::string> kept;
        for (std::size_t i = 0; i < t.command.size(); ++i) {
            std::string const& w = t.command[i];
            if (w == "-o" || w == "-MF" || w == "-MT" || w == "-MQ" || w == "-include")
                ++i;
            else if (w != "-c" && w != "-MD" && w != "-MMD" && w != file &&
                     fs::path(w).filename() != fs::path(file).filename())
                kept.push_back(w);
        }
        // Relative include paths are relative to the entry's directory.
        for (std::string& w : kept)
            if (w.starts_with("-I") && w.size() > 2 && w[2] != '/')
                w = "-I" + (fs::path(directory) / w.substr(2)).string();
        t.command = kept;
    } else {
        char const* const cxx = std::getenv("CXX");
        char const* const flags = std::getenv("CXXFLAGS");
        t.command = words(cxx != nullptr && *cxx != 0 ? cxx : "c++");
        for (std::string& w : words(flags != nullptr && *flags != 0 ? flags : "-O2 -DNDEBUG"))
            t.command.push_back(std::move(w));
    }
    for (std::size_t i = 1; i < t.command.size(); ++i)
        t.flags += (i == 1 ? "" : " ") + t.command[i];
    if (t.flags.find("-std=") == std::string::npos)
        t.command.emplace_back("-std=c++20");
    outcome const o = run_program({t.command.front(), "--version"}, 20);
    if (o.status != 0)
        throw failed("the compiler \"" + t.command.front() +
                     "\" does not run; set CXX to one that does");
    t.version = first_line(o.output);
    return t;
}

builder::builder(toolchain tools, fs::path cache, fs::path keep, std::string header,
                 long event_bytes)
    : tools_(std::move(tools)),
      cache_(std::move(cache)),
      keep_(std::move(keep)),
      header_(std::move(header)),
      event_bytes_(event_bytes)
{
    // When installed, the headers are beside the program; otherwise in the tree that it was built
    // from.
    fs::path const prefix = fs::read_symlink("/proc/self/exe").parent_path().parent_path();
    if (fs::exists(prefix / "include/registry_io_perf/serve.hpp"))
        includes_ = {(prefix / "include").string()};
    else
        includes_ = {REGISTRY_IO_TUNE_ROOT "/include", REGISTRY_IO_TUNE_ROOT "/policies/include",
                     REGISTRY_IO_TUNE_ROOT "/perf/include"};
    if (!header_.empty()) {
        if (!fs::exists(header_))
            throw bad_input(header_ + ": cannot be read");
        header_ = fs::absolute(header_).string();
    }
    std::error_code error;
    fs::create_directories(cache_, error);
    if (!keep_.empty() && !error)
        fs::create_directories(keep_, error);
    if (error)
        throw failed("cannot create " + cache_.string() + ": " + error.message() +
                     "; choose another folder with --cache");
}

std::string builder::source_of(std::string const& alias, int layout) const
{
    std::string text = "// Written by registry_tune: layout " + std::to_string(layout) +
        " of\n// " + alias + "\n\n";
    for (char const* const header :
         {"presets/sync", "presets/rcu", "presets/local", "snapshot/atomic_shared_ptr",
          "snapshot/locked", "alloc/fixed", "alloc/pool", "alloc/pmr", "ordering/fifo",
          "panic/collect", "panic/propagate", "panic/quarantine", "panic/terminate"})
        text += "#include <registry_io/" + std::string(header) + ".hpp>\n";
    bool const asynchronous = is_asynchronous(alias);
    bool const from_resource = alias.find("alloc::pmr") != std::string::npos;
    if (asynchronous)
        text += "#include <registry_io/presets/async.hpp>\n"
                "#include <registry_io_perf/asynchronous.hpp>\n";
    if (from_resource)
        text += "#include <memory_resource>\n";
    text += "#include <registry_io_perf/serve.hpp>\n#include <registry_io_perf/synthetic.hpp>\n";
    if (!header_.empty())
        text += "#include \"" + header_ + "\"\n";
    text += "\nnamespace candidate {\nusing namespace registry_io;\ntemplate <class Event>\nusing "
            "registry = " +
        dependent(alias) + ";\n}\n\n";
    std::string const type = header_.empty()
        ? "registry_io_perf::synthetic<candidate::registry, " + std::to_string(event_bytes_) + ">"
        : "workload<candidate::registry>";
    text += "using workload_type = " + type + ";\n";
    // The name of the type as the compiler writes it.
    text += "template <class T>\nchar const* name_of()\n{\n    return __PRETTY_FUNCTION__;\n}\n\n";
    if (layout > 0) {
        // Different distances, and members in a different order than that of their use.
        text += "asm(\".text\\n.skip " + std::to_string(layout * 1040 + 48) + "\");\n";
        std::string const run =
            "    if constexpr (requires { w.run(1, 0); })\n        w.run(1, 0);\n"
            "    else\n        w.run(1);\n";
        std::string const change =
            "    if constexpr (requires { w.change(1); })\n        w.change(1);\n";
        text += "template <class Workload>\nvoid use(Workload& w)\n{\n" +
            (layout % 2 == 1 ? change + run : run + change) +
            "}\n\nvoid first(workload_type& w)\n{\n    use(w);\n}\n\n";
    }
    text += "int main(int argc, char** argv)\n{\n";
    if (from_resource)
        text += "    std::pmr::synchronized_pool_resource pool;\n"
                "    std::pmr::set_default_resource(&pool);\n";
    text += "    return registry_io_perf::serve<workload_type>(argc, argv,\n"
            "        name_of<candidate::registry<int>>());\n}\n";
    return text;
}

std::string builder::hash_of_file(std::string const& path)
{
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        if (auto const at = hashes_.find(path); at != hashes_.end())
            return at->second;
    }
    std::string const h = hash_of(contents(path));
    std::lock_guard<std::mutex> const lock(mutex_);
    return hashes_[path] = h;
}

/// Returns a hash of all files that a make rule names as inputs.
std::string builder::hash_of_inputs(fs::path const& list)
{
    std::string all;
    std::string const text = contents(list);
    std::istringstream in(text.substr(std::min(text.size(), text.find(':') + 1)));
    for (std::string file; in >> file;)
        if (file != "\\")
            all += hash_of_file(file);
    return hash_of(all);
}

built builder::build(std::string const& alias, int layout)
{
    std::vector<std::string> command = tools_.command;
    for (std::string const& i : includes_)
        command.insert(command.end(), {"-isystem", i});
    command.emplace_back("-pthread");
    if (layout > 0)
        command.insert(command.end(),
                       {"-falign-functions=" + std::to_string(layout % 2 == 1 ? 64 : 32),
                        "-falign-loops=" + std::to_string(layout % 2 == 1 ? 32 : 1)});
    std::string const source = source_of(alias, layout);
    std::string key = tools_.version + '\n' + source;
    for (std::string const& w : command)
        key += '\n' + w;
    std::string const name = hash_of(key);
    fs::path const program = cache_ / name, file = cache_ / (name + ".cpp"),
                   list = cache_ / (name + ".d"), sum = cache_ / (name + ".sum");
    if (!keep_.empty())
        write(keep_ / (name + ".cpp"), source);
    if (fs::exists(program) && fs::exists(sum) && contents(sum) == hash_of_inputs(list)) {
        std::lock_guard<std::mutex> const lock(mutex_);
        ++cached_;
        return {program, ""};
    }
    write(file, source);
    // Writes to a temporary name first, because another run may be using the file.
    fs::path const made = cache_ / (name + "." + std::to_string(::getpid()));
    command.insert(command.end(),
                   {"-MD", "-MT", "x", "-MF", list.string(), file.string(), "-o", made.string()});
    outcome const o = run_program(command, 300);
    if (interrupted)
        return {{}, "interrupted"};
    if (o.status != 0 || o.hung) {
        std::error_code ignored;
        fs::remove(made, ignored);
        if (!o.hung && o.output.find("error") == std::string::npos)
            throw failed("the compiler failed with status " + std::to_string(o.status) + ": " +
                         first_line(o.output));
        return {{}, o.hung ? "the compiler did not end within 300 s" : sentence_of(o.output)};
    }
    fs::rename(made, program);
    write(sum, hash_of_inputs(list));
    std::lock_guard<std::mutex> const lock(mutex_);
    ++compiled_;
    return {program, ""};
}

}  // namespace tune
