// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What the tests of the relay share.

#ifndef REGISTRY_IO_TEST_RELAY_SUPPORT_HPP
#define REGISTRY_IO_TEST_RELAY_SUPPORT_HPP

#include <registry_io/presets/sync.hpp>
#include <registry_io/relay/nats_connection.hpp>

#include <atomic>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <boost/describe.hpp>
#include <boost/test/unit_test.hpp>

#include "relay/broker.hpp"

namespace relay_test {

namespace rio = registry_io;

struct quote
{
    std::string symbol;
    int sender = 0;
    int number = 0;
};
BOOST_DESCRIBE_STRUCT(quote, (), (symbol, sender, number))

using registry = rio::SyncRegistry<quote>;
using states = rio::SyncRegistry<nats::connection_event>;

/// The server that the program's argument names.
class server : public broker
{
public:
    explicit server(std::vector<std::string> more = {}) : broker(program(), std::move(more)) {}

private:
    static std::string program()
    {
        auto const& suite = boost::unit_test::framework::master_test_suite();
        BOOST_REQUIRE(suite.argc == 2);
        return suite.argv[1];
    }
};

/// Counts what happens to a connection.
class watched
{
public:
    watched()
    {
        registry_.register_handler([this](nats::connection_event const& e) {
            counts_[static_cast<std::size_t>(e.what)].fetch_add(1);
        });
    }
    states& registry() { return registry_; }
    int count(nats::change c) const { return counts_[static_cast<std::size_t>(c)]; }

private:
    std::atomic<int> counts_[6]{};
    states registry_;
};

}  // namespace relay_test

#endif
