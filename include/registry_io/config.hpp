// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Macros for what compilers and platforms do in different ways. Names with `DETAIL` are not for
// users. Of the others, users may define `REGISTRY_IO_INITIAL_EXEC`, and the targets of the
// compiled library define `REGISTRY_IO_DYN_LINK`; authors of policies may use the rest.

#ifndef REGISTRY_IO_CONFIG_HPP
#define REGISTRY_IO_CONFIG_HPP

#include <registry_io/detail/supported.hpp>

#include <boost/config.hpp>

/// Lets an empty policy take no space. MSVC ignores the standard attribute to keep its ABI.
#if defined(_MSC_VER)
#define REGISTRY_IO_NO_UNIQUE_ADDRESS [[msvc::no_unique_address]]
#else
#define REGISTRY_IO_NO_UNIQUE_ADDRESS [[no_unique_address]]
#endif

/// Put these around constructors of classes that have such members. `-Weffc++` asks for an
/// initializer of each member, but with `{}` gcc 12 zeroes the other member at the same address.
#if defined(__GNUC__) && !defined(__clang__)
#define REGISTRY_IO_DETAIL_BEGIN_UNINITIALIZED                                                     \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Weffc++\"")
#define REGISTRY_IO_DETAIL_END_UNINITIALIZED _Pragma("GCC diagnostic pop")
#else
#define REGISTRY_IO_DETAIL_BEGIN_UNINITIALIZED
#define REGISTRY_IO_DETAIL_END_UNINITIALIZED
#endif

/// Marks objects that must exist once in a process, even if shared objects are built with hidden
/// visibility: the reclamation domains, the threads' records, and the types that these consist of.
#if defined(_WIN32)
#define REGISTRY_IO_EXPORT
#else
#define REGISTRY_IO_EXPORT [[gnu::visibility("default")]]
#endif

/// Marks the few thread-local words that every notify touches. In a shared object, the default TLS
/// model costs a call for each access. Define REGISTRY_IO_INITIAL_EXEC to avoid this call in
/// objects that are linked and never loaded by dlopen. It is not the default, because it marks the
/// whole object, and the loader's space for such objects is used up by three or four plugins.
#if defined(REGISTRY_IO_INITIAL_EXEC) && !defined(_WIN32)
#define REGISTRY_IO_HOT_TLS [[gnu::tls_model("initial-exec")]]
#else
#define REGISTRY_IO_HOT_TLS
#endif

// Declares code that another file contains: a file of the program, or the compiled library. Code in
// a shared object must be visible; both sides are then compiled with REGISTRY_IO_DYN_LINK, which
// the build's targets define. This does not work on Windows, where a program and its DLLs each have
// their own thread-local variables, and a registry needs one set. Clang refuses the attribute in
// square brackets here.
#if defined(REGISTRY_IO_DYN_LINK) && defined(_WIN32)
#error "registry_io: on Windows link the compiled library statically, without REGISTRY_IO_DYN_LINK"
#elif defined(REGISTRY_IO_DYN_LINK)
#define REGISTRY_IO_DETAIL_EXTERN extern template class __attribute__((visibility("default")))
#else
#define REGISTRY_IO_DETAIL_EXTERN extern template class
#endif

// Refuses policies after the arguments of a preset, with one sentence. Users pass presets to
// `template <class> class` parameters, so this is off if the compiler does not accept a template
// with a pack there. Use REGISTRY_IO_DETAIL_ALONE on a policy that does not depend on the preset's
// arguments, or these cannot be deduced.
#ifdef __cpp_template_template_args
#define REGISTRY_IO_DETAIL_MORE , class... More
#define REGISTRY_IO_DETAIL_ALONE(...) detail::alone<__VA_ARGS__, More...>
#else
#define REGISTRY_IO_DETAIL_MORE
#define REGISTRY_IO_DETAIL_ALONE(...) __VA_ARGS__
#endif

// Marks functions that at most one change in a hundred calls: they should be small, not fast.
#if defined(__GNUC__)
#define REGISTRY_IO_DETAIL_COLD [[gnu::cold, gnu::noinline]]
#else
#define REGISTRY_IO_DETAIL_COLD BOOST_NOINLINE
#endif

#endif
