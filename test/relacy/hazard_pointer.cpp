// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/snapshot/hazard_pointer.hpp>

#include "relacy/main.hpp"

namespace {

template <class Env>
using hazard_pointer =
    registry_io::snapshot::basic_hazard_pointer<registry_io::reclaim::prompt, Env>;

}  // namespace

int main(int argc, char** argv)
{
    return relacy::program<hazard_pointer>(argc, argv);
}
