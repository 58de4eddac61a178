// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Programs of operations that run on every preset and on a naive model beside it: the programs in
// `corpus`, and random ones. With REGISTRY_IO_FUZZ, libFuzzer drives this file instead.

#ifndef REGISTRY_IO_FUZZ
#include <boost/test/unit_test.hpp>
#endif

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz/targets.hpp"

#ifdef REGISTRY_IO_FUZZ

/// The target, from the environment variable REGISTRY_IO_FUZZ_TARGET.
static fuzz::target const* chosen = nullptr;

extern "C" int LLVMFuzzerInitialize(int*, char***)
{
    char const* const wish = std::getenv("REGISTRY_IO_FUZZ_TARGET");
    for (fuzz::target const& t : fuzz::targets())
        if (wish != nullptr && t.name == wish)
            chosen = &t;
    if (chosen == nullptr) {
        std::fputs("REGISTRY_IO_FUZZ_TARGET is none of", stderr);
        for (fuzz::target const& t : fuzz::targets())
            std::fprintf(stderr, " %s", t.name.c_str());
        std::fputs("\n", stderr);
        std::exit(2);
    }
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    chosen->run(data, size);
    return 0;
}

#else

namespace {

std::filesystem::path const corpus = std::filesystem::path(__FILE__).parent_path() / "corpus";

std::uint64_t seed()
{
    char const* const wish = std::getenv("REGISTRY_IO_SEED");
    std::uint64_t const s =
        wish != nullptr ? std::strtoull(wish, nullptr, 10) : std::random_device{}();
    std::cout << "REGISTRY_IO_SEED=" << s << std::endl;
    return s;
}

BOOST_AUTO_TEST_SUITE(operations, *boost::unit_test::timeout(200))

BOOST_AUTO_TEST_CASE(the_corpus_agrees_with_the_model)
{
    for (fuzz::target const& t : fuzz::targets()) {
        std::size_t programs = 0;
        unsigned long long steps = 0;
        for (auto const& file : std::filesystem::directory_iterator(corpus / t.name)) {
            std::ifstream in(file.path(), std::ios::binary);
            std::vector<unsigned char> const program(std::istreambuf_iterator<char>(in), {});
            steps += t.run(program.data(), program.size());
            ++programs;
        }
        std::cout << t.name << ": " << programs << " programs, " << steps << " operations\n";
        BOOST_TEST(programs > 0u);
        BOOST_TEST(steps > 0u);
    }
}

BOOST_AUTO_TEST_CASE(random_programs_agree_with_the_model)
{
    constexpr int programs = 30;  // a program takes seconds with a sanitizer; the fuzzer tries more
    std::mt19937_64 random(seed());
    for (fuzz::target const& t : fuzz::targets()) {
        unsigned long long steps = 0;
        for (int i = 0; i < programs; ++i) {
            std::vector<unsigned char> program(random() % 300);
            std::generate(program.begin(), program.end(),
                          [&] { return static_cast<unsigned char>(random()); });
            steps += t.run(program.data(), program.size());
        }
        std::cout << t.name << ": " << programs << " programs, " << steps << " operations\n";
        BOOST_TEST(steps > 0u);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

#endif
