// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What the smallest use costs a user's build: compile time, and code size.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

#include "harness.hpp"

namespace {

using namespace perf;

/// A source file that registers one lambda and notifies. `use` calls what `declare` declares.
struct user
{
    char const* name;
    char const* flags;
    char const* text;
    bool bare = false;
};

constexpr std::array<user, 12> users{{
    {"std::vector of std::function", "",
     "#include <functional>\n#include <vector>\n"
     "void run(int& sum) {\n"
     "    std::vector<std::function<void(int const&)>> r;\n"
     "    r.push_back([&sum](int const& e) { sum += e; });\n"
     "    for (auto const& f : r) f(1);\n}\n",
     true},
    {"<atomic> <functional> <memory> <mutex>, alone", "",
     "#include <atomic>\n#include <functional>\n#include <memory>\n#include <mutex>\n"},
    {"sync", "",
     "#include <registry_io/presets/sync.hpp>\n"
     "void run(int& sum) {\n"
     "    registry_io::SyncRegistry<int> r;\n"
     "    r.register_handler([&sum](int const& e) { sum += e; });\n"
     "    r.notify(1);\n}\n"},
    {"sync, separate compilation", "-DREGISTRY_IO_SEPARATE_COMPILATION",
     "#include <registry_io/presets/sync.hpp>\n"
     "void run(int& sum) {\n"
     "    registry_io::SyncRegistry<int> r;\n"
     "    r.register_handler([&sum](int const& e) { sum += e; });\n"
     "    r.notify(1);\n}\n"},
    {"sync, ten more event types", "",
     "#include <registry_io/presets/sync.hpp>\n"
     "template <int> struct event { int value; };\n"
     "template <class Event> void use(int& sum) {\n"
     "    registry_io::SyncRegistry<Event> r;\n"
     "    r.register_handler([&sum](Event const& e) { sum += e.value; });\n"
     "    r.notify(Event{1});\n}\n"
     "template <int... N> void use_all(int& sum) { (use<event<N>>(sum), ...); }\n"
     "void run(int& sum) { use_all<0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10>(sum); }\n"},
    {"rcu", "",
     "#include <registry_io/presets/rcu.hpp>\n"
     "void run(int& sum) {\n"
     "    registry_io::RcuRegistry<int> r;\n"
     "    r.register_handler([&sum](int const& e) { sum += e; });\n"
     "    r.notify(1);\n}\n"},
    {"local", "",
     "#include <registry_io/presets/local.hpp>\n"
     "void run(int& sum) {\n"
     "    registry_io::LocalRegistry<int> r;\n"
     "    r.register_handler([&sum](int const& e) { sum += e; });\n"
     "    r.notify(1);\n}\n"},
    {"sync, by <registry_io.hpp>", "",
     "#include <registry_io.hpp>\n"
     "void run(int& sum) {\n"
     "    registry_io::SyncRegistry<int> r;\n"
     "    r.register_handler([&sum](int const& e) { sum += e; });\n"
     "    r.notify(1);\n}\n"},
    {"signals2", "",
     "#include <registry_io/signals2.hpp>\n"
     "void run(int& sum) {\n"
     "    registry_io::signals2::signal<void(int const&)> r;\n"
     "    r.connect([&sum](int const& e) { sum += e; });\n"
     "    r(1);\n}\n"},
    {"Boost.Signals2", "",
     "#include <boost/signals2.hpp>\n"
     "void run(int& sum) {\n"
     "    boost::signals2::signal<void(int const&)> r;\n"
     "    r.connect([&sum](int const& e) { sum += e; });\n"
     "    r(1);\n}\n"},
    {"libsigc++", "$(pkg-config --cflags sigc++-3.0)",
     "#include <sigc++/sigc++.h>\n"
     "void run(int& sum) {\n"
     "    sigc::signal<void(int const&)> r;\n"
     "    r.connect([&sum](int const& e) { sum += e; });\n"
     "    r.emit(1);\n}\n"},
    {"GSignal", "$(pkg-config --cflags gobject-2.0)",
     "#include <glib-object.h>\n"
     "void run(GObject* r, int& sum) {\n"
     "    void (*const f)(GObject*, int*, int*) = [](GObject*, int* e, int* to) { *to += *e; };\n"
     "    g_signal_connect(r, \"fired\", reinterpret_cast<GCallback>(f), &sum);\n"
     "    int e = 1;\n"
     "    g_signal_emit_by_name(r, \"fired\", &e);\n}\n"},
}};

double seconds_of_children()
{
    rusage r{};
    getrusage(RUSAGE_CHILDREN, &r);
    auto const of = [](timeval t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return of(r.ru_utime) + of(r.ru_stime);
}

class folder
{
public:
    folder()
    {
        std::string path = std::filesystem::temp_directory_path() / "registry_io.XXXXXX";
        if (mkdtemp(path.data()) == nullptr)
            throw std::runtime_error("cannot make a folder for the object files");
        path_ = path;
    }
    folder(folder const&) = delete;
    folder& operator=(folder const&) = delete;
    ~folder() { std::filesystem::remove_all(path_); }

    std::string file(char const* name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

double compile(folder const& in, user const& u)
{
    std::ofstream(in.file("user.cpp")) << u.text;
    std::string const root = REGISTRY_IO_PERF_ROOT;
    std::string const command = std::string(REGISTRY_IO_PERF_COMPILER) + " -std=c++20 -O2 -I'" +
        root + "/include' -I'" + root + "/policies/include' " + u.flags + " -c '" +
        in.file("user.cpp") + "' -o '" + in.file("user.o") + "'";
    double const before = seconds_of_children();
    if (std::system(command.c_str()) != 0)
        throw std::runtime_error("does not compile: " + command);
    return seconds_of_children() - before;
}

/// Returns the size of code and constants of the last object file, as `size` reports it.
double text(folder const& in)
{
    std::string const command = "size '" + in.file("user.o") + "'";
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> const out(popen(command.c_str(), "r"), pclose);
    double bytes = 0;
    if (out == nullptr || std::fscanf(out.get(), "%*[^\n]\n%lf", &bytes) != 1)
        throw std::runtime_error("no answer from: " + command);
    return bytes;
}

}  // namespace

int main(int argc, char** argv)
{
    return run_suite(argc, argv, "build", "What a user's build costs", [](suite& s) {
        auto const in = std::make_shared<folder>();
        for (user const& u : users) {
            kind const k{.name = u.name, .bare = u.bare};
            bool const brief = u.bare || k.name == "sync" || k.name == "Boost.Signals2";
            if (!s.wants("smallest use", k) || (s.quick() && !brief))
                continue;
            double const seconds = compile(*in, u);
            measurement m{.name = "smallest use",
                          .subject = u.name,
                          .n = 1,
                          .bare = u.bare,
                          .ns = seconds * 1e9,
                          .bytes = text(*in)};
            if (!s.quick())
                m.run = [in, &u] { return sample{.ns = compile(*in, u) * 1e9}; };
            s.add(std::move(m));
        }
    });
}
