// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Relays the events of a registry to other processes and back at least once, through a NATS server
// that stores them (JetStream). `outbound` keeps an event until the server has acknowledged it;
// `inbound` acknowledges an event when its handlers have succeeded.

#ifndef REGISTRY_IO_RELAY_JETSTREAM_HPP
#define REGISTRY_IO_RELAY_JETSTREAM_HPP

#include <registry_io/relay/jetstream_inbound.hpp>
#include <registry_io/relay/jetstream_outbound.hpp>
#include <registry_io/relay/jetstream_stream.hpp>

#endif
