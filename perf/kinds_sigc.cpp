// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <sigc++/sigc++.h>

#include <utility>
#include <vector>

#include "subject_of.hpp"

namespace perf {
namespace {

/// For a single thread.
class sigc_signal
{
public:
    using declared = sigc::signal<void(int const&)>;
    using token_type = sigc::connection;

    template <class F>
    token_type add(F f)
    {
        return signal_.connect(sigc::slot<void(int const&)>(std::move(f)));
    }
    void remove(token_type& c) { c.disconnect(); }
    BOOST_FORCEINLINE void notify(int const& event) const { signal_.emit(event); }

private:
    declared signal_;
};

}  // namespace

std::vector<kind> sigc_kinds()
{
    return {{.name = "libsigc++", .fails = true, .make = &make<sigc_signal, int>}};
}

}  // namespace perf
