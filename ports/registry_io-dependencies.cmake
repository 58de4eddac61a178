# Copyright 2026 the registry_io authors
# Distributed under the Boost Software License, Version 1.0.
# (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
# SPDX-License-Identifier: BSL-1.0

# What registry_io needs: its own build includes this file, and so does the installed package.

include(CMakeFindDependencyMacro)

# A parent project may have added Boost as a subdirectory.
if(NOT TARGET Boost::headers)
    if(CMAKE_SYSTEM_NAME STREQUAL Generic)
        # Firmware. Boost's headers are the host's, and so are those beside them: /usr/include on the
        # path would hide the C library of the target. So they get a directory of their own.
        find_path(REGISTRY_IO_BOOST_INCLUDE_DIR boost/version.hpp REQUIRED
            HINTS ${Boost_INCLUDE_DIR} ${Boost_ROOT}/include ${Boost_ROOT}
                ENV Boost_ROOT ENV BOOST_ROOT
            PATHS /usr/include /usr/local/include
            NO_CMAKE_FIND_ROOT_PATH
            DOC "Where boost/version.hpp is")
        file(STRINGS ${REGISTRY_IO_BOOST_INCLUDE_DIR}/boost/version.hpp registry_io_boost
            REGEX "^#define BOOST_VERSION ")
        string(REGEX REPLACE "[^0-9]" "" registry_io_boost "${registry_io_boost}")
        if(registry_io_boost LESS 108100)
            message(FATAL_ERROR "registry_io needs Boost 1.81 or later, and ${REGISTRY_IO_BOOST_INCLUDE_DIR} "
                "has ${registry_io_boost}: set REGISTRY_IO_BOOST_INCLUDE_DIR")
        endif()
        set(registry_io_boost ${CMAKE_BINARY_DIR}/registry_io-boost)
        file(MAKE_DIRECTORY ${registry_io_boost})
        file(CREATE_LINK ${REGISTRY_IO_BOOST_INCLUDE_DIR}/boost ${registry_io_boost}/boost SYMBOLIC)
        add_library(Boost::headers INTERFACE IMPORTED)
        target_include_directories(Boost::headers SYSTEM INTERFACE ${registry_io_boost})
        unset(registry_io_boost)
    else()
        find_dependency(Boost 1.81 CONFIG)
    endif()
endif()

if(NOT CMAKE_SYSTEM_NAME STREQUAL Generic)
    find_dependency(Threads)
endif()
