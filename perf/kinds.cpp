// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "subject.hpp"

#include <vector>

namespace perf {

std::vector<kind> const& kinds()
{
    static std::vector<kind> const all = [] {
        std::vector<kind> joined;
        for (auto const& some : {
                 plain_kinds(),
                 our_kinds(),
#ifdef REGISTRY_IO_PERF_PEERS
                 urcu_kinds(),
                 signals2_kinds(),
                 sigc_kinds(),
                 gsignal_kinds(),
                 qt_kinds(),
#endif
             })
            joined.insert(joined.end(), some.begin(), some.end());
        return joined;
    }();
    return all;
}

}  // namespace perf
