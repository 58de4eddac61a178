# Copyright 2026 the registry_io authors
# Distributed under the Boost Software License, Version 1.0.
# (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
# SPDX-License-Identifier: BSL-1.0

# The toolchain: cmake --toolchain cortex-m3.cmake. For another core, change the one line.
# tag::toolchain[]
set(core -mcpu=cortex-m3 -mthumb)

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
# A program does not link before there is a linker script.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

list(JOIN core " " core)
set(CMAKE_CXX_FLAGS_INIT "${core} -fno-exceptions -fno-rtti -fno-threadsafe-statics")
string(APPEND CMAKE_CXX_FLAGS_INIT " -ffunction-sections -fdata-sections")
# No start files: the program has its own. newlib-nano for memcpy and memset.
set(CMAKE_EXE_LINKER_FLAGS_INIT
    "${core} -nostartfiles --specs=nano.specs -Wl,--gc-sections")
# -Os and NDEBUG, unless told otherwise.
set(CMAKE_BUILD_TYPE MinSizeRel CACHE STRING "")
# end::toolchain[]
