# Copyright 2026 the registry_io authors
# Distributed under the Boost Software License, Version 1.0.
# (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
# SPDX-License-Identifier: BSL-1.0

# The headers fit every processor, so this file lies in share/. The compiled library does not: it is
# looked for in the directories for libraries of the processor at hand.

include("${CMAKE_CURRENT_LIST_DIR}/registry_io-dependencies.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/registry_io-targets.cmake")

# Not for firmware, which has no threads and shares nothing.
if(NOT CMAKE_SYSTEM_NAME STREQUAL Generic)
    get_filename_component(registry_io_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
    foreach(registry_io_dir IN ITEMS lib/${CMAKE_LIBRARY_ARCHITECTURE} lib64 lib lib32)
        set(registry_io_dir "${registry_io_prefix}/${registry_io_dir}/cmake/registry_io")
        if(EXISTS "${registry_io_dir}/registry_io-compiled.cmake"
                AND NOT TARGET registry_io::compiled_static)
            include("${registry_io_dir}/registry_io-compiled.cmake")
        endif()
    endforeach()
    unset(registry_io_dir)
    unset(registry_io_prefix)
endif()

# Shared if BUILD_SHARED_LIBS is set, else static, as in the library's own build.
set(registry_io_compiled_FOUND FALSE)
if(TARGET registry_io::compiled_static)
    set(registry_io_compiled_FOUND TRUE)
    if(NOT TARGET registry_io::compiled)
        add_library(registry_io::compiled INTERFACE IMPORTED)
        if(BUILD_SHARED_LIBS AND TARGET registry_io::compiled_shared)
            target_link_libraries(registry_io::compiled INTERFACE registry_io::compiled_shared)
        else()
            target_link_libraries(registry_io::compiled INTERFACE registry_io::compiled_static)
        endif()
    endif()
endif()

foreach(registry_io_component IN LISTS registry_io_FIND_COMPONENTS)
    if(registry_io_FIND_REQUIRED_${registry_io_component} AND NOT registry_io_${registry_io_component}_FOUND)
        set(registry_io_FOUND FALSE)
        set(registry_io_NOT_FOUND_MESSAGE
            "registry_io is installed without its component ${registry_io_component} (there is: compiled)")
    endif()
endforeach()
unset(registry_io_component)
