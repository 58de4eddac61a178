// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The input of every machine: a string of bytes, followed by endless zeros.

#ifndef REGISTRY_IO_TEST_FUZZ_PROGRAM_HPP
#define REGISTRY_IO_TEST_FUZZ_PROGRAM_HPP

#include <cstddef>

namespace fuzz {

class program
{
public:
    program(unsigned char const* data, std::size_t size) : at_(data), end_(data + size) {}

    bool more() const noexcept { return at_ != end_; }
    unsigned next() noexcept { return more() ? *at_++ : 0; }
    void skip_rest() noexcept { at_ = end_; }

private:
    unsigned char const* at_;
    unsigned char const* end_;
};

}  // namespace fuzz

#endif
