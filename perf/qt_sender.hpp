// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_QT_SENDER_HPP
#define REGISTRY_IO_PERF_QT_SENDER_HPP

#include <QObject>

namespace perf {

class qt_sender : public QObject
{
    Q_OBJECT

Q_SIGNALS:
    void fired(int const& event);
};

}  // namespace perf

#endif
