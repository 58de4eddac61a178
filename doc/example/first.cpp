// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <iostream>
#include <registry_io.hpp>

int main()
{
    registry_io::SyncRegistry<int> heat;  // an event is a number of degrees
    heat.register_handler([](int t) { std::cout << t << " degrees\n"; });
    auto alarm = heat.register_guard(10, [](int t) { std::cout << (t > 90 ? "too hot: " : ""); });
    heat.notify(20);  // prints: 20 degrees
    heat.notify(95);  // prints: too hot: 95 degrees
    alarm.reset();
    heat.notify(96);  // prints: 96 degrees
}
