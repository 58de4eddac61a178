// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <QObject>

#include <utility>
#include <vector>

#include "qt_sender.hpp"
#include "subject_of.hpp"

namespace perf {
namespace {

/// Direct connections to function objects: the handler runs in the thread that emits.
class qt
{
public:
    using declared = qt_sender;
    using token_type = QMetaObject::Connection;

    template <class F>
    token_type add(F f)
    {
        return QObject::connect(&sender_, &qt_sender::fired, std::move(f));
    }
    void remove(token_type& c) { QObject::disconnect(c); }
    BOOST_FORCEINLINE void notify(int const& event) const { Q_EMIT sender_.fired(event); }

private:
    mutable qt_sender sender_;
};

}  // namespace

std::vector<kind> qt_kinds()
{
    // Qt does not let exceptions leave a slot.
    return {{.name = "Qt", .threads = true, .readers = true, .make = &make<qt, int>}};
}

}  // namespace perf
