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

/// Lets an empty policy take no room. MSVC ignores the standard's spelling for the sake of its ABI.
#if defined(_MSC_VER)
#define REGISTRY_IO_NO_UNIQUE_ADDRESS [[msvc::no_unique_address]]
#else
#define REGISTRY_IO_NO_UNIQUE_ADDRESS [[no_unique_address]]
#endif

/// Stand around constructors of classes that have such members. `-Weffc++` asks for an initializer
/// of each member, but with `{}` gcc 12 sets to zero what lies at the same address.
#if defined(__GNUC__) && !defined(__clang__)
#define REGISTRY_IO_DETAIL_BEGIN_UNINITIALIZED                                                     \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Weffc++\"")
#define REGISTRY_IO_DETAIL_END_UNINITIALIZED _Pragma("GCC diagnostic pop")
#else
#define REGISTRY_IO_DETAIL_BEGIN_UNINITIALIZED
#define REGISTRY_IO_DETAIL_END_UNINITIALIZED
#endif

/// Marks what must exist once in a process, even when shared objects are built with hidden
/// visibility: the reclamation domains and the threads' records, and what their types are made of.
#if defined(_WIN32)
#define REGISTRY_IO_EXPORT
#else
#define REGISTRY_IO_EXPORT [[gnu::visibility("default")]]
#endif

/// For the few thread-local words that every notify touches. In a shared object the default model
/// costs a call for each access; objects that are linked, and never loaded by dlopen, may define
/// REGISTRY_IO_INITIAL_EXEC to do without. Not the default: it marks the whole object, and the room
/// that the loader keeps for such objects is used up by the third or fourth plugin.
#if defined(REGISTRY_IO_INITIAL_EXEC) && !defined(_WIN32)
#define REGISTRY_IO_HOT_TLS [[gnu::tls_model("initial-exec")]]
#else
#define REGISTRY_IO_HOT_TLS
#endif

// Declares code that another file holds: one of the program, or the compiled library. What is found
// in a shared object has to be visible; both sides are compiled with REGISTRY_IO_DYN_LINK then,
// which the build's targets define. Not on Windows, where a program and its DLLs have thread-local
// variables of their own: these would be two halves of one registry. The attribute is not in
// brackets, which clang refuses here.
#if defined(REGISTRY_IO_DYN_LINK) && defined(_WIN32)
#error "registry_io: on Windows link the compiled library statically, without REGISTRY_IO_DYN_LINK"
#elif defined(REGISTRY_IO_DYN_LINK)
#define REGISTRY_IO_DETAIL_EXTERN extern template class __attribute__((visibility("default")))
#else
#define REGISTRY_IO_DETAIL_EXTERN extern template class
#endif

// Policies behind the arguments of a preset, which are refused in a sentence. Not where a template
// with a pack cannot stand for one without, as users pass presets to `template <class> class`. To
// be used on a policy that depends on nothing, or the preset's arguments could not be deduced.
#ifdef __cpp_template_template_args
#define REGISTRY_IO_DETAIL_MORE , class... More
#define REGISTRY_IO_DETAIL_ALONE(...) detail::alone<__VA_ARGS__, More...>
#else
#define REGISTRY_IO_DETAIL_MORE
#define REGISTRY_IO_DETAIL_ALONE(...) __VA_ARGS__
#endif

// What is done once in a hundred changes or less: better small than fast.
#if defined(__GNUC__)
#define REGISTRY_IO_DETAIL_COLD [[gnu::cold, gnu::noinline]]
#else
#define REGISTRY_IO_DETAIL_COLD BOOST_NOINLINE
#endif

#endif
