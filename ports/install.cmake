# Copyright 2026 the registry_io authors
# Distributed under the Boost Software License, Version 1.0.
# (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
# SPDX-License-Identifier: BSL-1.0

# What is installed, and where. The headers, and what finds them, fit every processor and go to
# include/ and share/; the compiled library, and what finds it, to the directory for libraries.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(config_dir ${PROJECT_BINARY_DIR}/config)
set(shared_dir ${CMAKE_INSTALL_DATADIR}/cmake/registry_io)

install(TARGETS registry_io_core registry_io EXPORT registry_io FILE_SET HEADERS)
install(EXPORT registry_io
    NAMESPACE registry_io:: FILE registry_io-targets.cmake DESTINATION ${shared_dir})
write_basic_package_version_file(${config_dir}/registry_io-config-version.cmake
    COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
install(
    FILES
        ports/registry_io-config.cmake
        ports/registry_io-dependencies.cmake
        ${config_dir}/registry_io-config-version.cmake
    DESTINATION ${shared_dir})

# For who finds libraries by pkg-config, by the Common Package Specification, and for who must know
# what he installs. These files find the rest from where they lie, so a prefix may be moved.
function(install_relocatable source from)
    cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX}/${from}
        OUTPUT_VARIABLE to_prefix)
    cmake_path(GET source FILENAME name)
    set(prefix "@prefix@")  # CPS's own
    configure_file(${source}.in ${config_dir}/${name} @ONLY)
    install(FILES ${config_dir}/${name} DESTINATION ${from})
endfunction()

set(cps_components)
set(cps_dir ${CMAKE_INSTALL_DATADIR}/cps)
if(REGISTRY_IO_COMPILED AND compiled_kinds)
    set(compiled)
    foreach(kind IN LISTS compiled_kinds)
        list(APPEND compiled registry_io_compiled_${kind})
        string(TOUPPER ${kind} KIND)
        set(type archive)
        set(definitions "\"REGISTRY_IO_SEPARATE_COMPILATION\": null")
        if(kind STREQUAL shared)
            set(type dylib)
            string(APPEND definitions ", \"REGISTRY_IO_DYN_LINK\": null")
        endif()
        string(APPEND cps_components ",
    \"compiled_${kind}\": {
      \"type\": \"${type}\",
      \"location\": \"@prefix@/${CMAKE_INSTALL_LIBDIR}/${CMAKE_${KIND}_LIBRARY_PREFIX}registry_io${CMAKE_${KIND}_LIBRARY_SUFFIX}\",
      \"definitions\": { \"*\": { ${definitions} } },
      \"requires\": [ \":registry_io\" ]
    }")
    endforeach()
    set(cps_dir ${CMAKE_INSTALL_LIBDIR}/cps)
    install(TARGETS ${compiled} EXPORT registry_io_compiled
        LIBRARY COMPONENT runtime NAMELINK_COMPONENT compiled
        ARCHIVE COMPONENT compiled)
    install(EXPORT registry_io_compiled
        NAMESPACE registry_io:: FILE registry_io-compiled.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/registry_io COMPONENT compiled)
    set(definitions -DREGISTRY_IO_SEPARATE_COMPILATION)
    if(TARGET registry_io_compiled_shared)
        string(APPEND definitions " -DREGISTRY_IO_DYN_LINK")
    endif()
    install_relocatable(ports/registry_io-compiled.pc ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
install_relocatable(ports/registry_io.pc ${CMAKE_INSTALL_DATADIR}/pkgconfig)
install_relocatable(ports/registry_io.cps ${cps_dir})
install_relocatable(ports/registry_io.spdx.json ${CMAKE_INSTALL_DATADIR}/registry_io)
install(FILES policies/module/registry_io.cppm DESTINATION ${CMAKE_INSTALL_DATADIR}/registry_io)
