// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Imports the module, with headers of the standard library beside it. The registry is shared with
// a file that includes the headers.

#include <cstdio>
#include <string>

// tag::import[]
import registry_io;
// end::import[]

registry_io::SyncRegistry<std::string>& words();  // in another_file_of_module.cpp
int length_there();

namespace {

struct quiet
{
    using category = registry_io::axis::panic;
};

int failed = 0;

void check(bool good, char const* what)
{
    if (!good) {
        std::printf("wrong: %s\n", what);
        ++failed;
    }
}

template <registry_io::registry_for<std::string> Registry>
void say(Registry& registry, std::string const& word)
{
    registry.notify(word);
}

}  // namespace

int main()
{
    std::string heard;
    registry_io::handler_id const last =
        words().register_handler(-1, [&](std::string const& w) { heard += w + "!"; });
    {
        auto const guard =
            words().register_guard(1, [&](std::string const& w) { heard += w + ", "; });
        say(words(), "one");
    }
    check(heard == "one, one!", "order, and the guard");
    check(length_there() == 3, "the handler of the other file");
    check(words().unregister(last) && !words().contains(last), "removal");

    // Policies, wrappers, one thread, an exception through `propagate`.
    registry_io::LocalRegistry<int>::with<registry_io::panic::propagate> local;
    int sum = 0;
    local.register_handler(registry_io::once([&](int i) { sum += i; }));
    local.notify(3);
    local.notify(4);
    check(sum == 3, "once");
    local.register_handler([](int) { throw 7; });
    try {
        local.notify(5);
        check(false, "an exception");
    } catch (int i) {
        check(i == 7, "an exception");
    }

    static_assert(registry_io::policy_of<registry_io::snapshot::rcu, registry_io::axis::snapshot>);
    static_assert(!registry_io::panic_policy<quiet>);
    std::printf("registry_io %s, imported: %d wrong\n", registry_io::version(), failed);
    return failed;
}
