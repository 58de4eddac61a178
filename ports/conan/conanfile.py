# Copyright 2026 the registry_io authors
# Distributed under the Boost Software License, Version 1.0.
# (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
# SPDX-License-Identifier: BSL-1.0

# For Conan 2: `conan create ports/conan` builds the tree that this file lies in. Not run by this
# project's tests.

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rm, rmdir


class RegistryIo(ConanFile):
    name = "registry_io"
    description = "Event registry: handlers that any thread may add, remove and call"
    license = "BSL-1.0"
    topics = ("events", "observer", "concurrency", "header-only")
    settings = "os", "arch", "compiler", "build_type"
    # Without `compiled` the package is header-only.
    options = {"compiled": [True, False], "shared": [True, False], "fPIC": [True, False]}
    default_options = {"compiled": False, "shared": False, "fPIC": True}
    implements = ["auto_shared_fpic"]

    @property
    def _root(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        header = load(self, os.path.join(self._root, "include/registry_io/version.hpp"))
        self.version = re.search(r'REGISTRY_IO_VERSION_STRING "([0-9.]+)"', header).group(1)

    def export_sources(self):
        for what in ("CMakeLists.txt", "LICENSE_1_0.txt", "include/*", "policies/*", "ports/*"):
            copy(self, what, self._root, self.export_sources_folder)

    def requirements(self):
        self.requires("boost/[>=1.81]", transitive_headers=True, options={"header_only": True})

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        if not self.options.compiled:
            self.info.clear()

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["REGISTRY_IO_COMPILED"] = bool(self.options.compiled)
        toolchain.cache_variables["BUILD_TESTING"] = False
        toolchain.cache_variables["REGISTRY_IO_EXAMPLES"] = False
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE_1_0.txt", self.source_folder, os.path.join(self.package_folder, "licenses"))
        if self.options.compiled:  # one kind of the two
            unwanted = "*.a" if self.options.shared else "*.so*"
            rm(self, unwanted, os.path.join(self.package_folder, "lib"))
        # CMakeDeps makes its own.
        rmdir(self, os.path.join(self.package_folder, "share", "cmake"))
        rmdir(self, os.path.join(self.package_folder, "lib", "cmake"))
        rmdir(self, os.path.join(self.package_folder, "lib", "pkgconfig"))
        rmdir(self, os.path.join(self.package_folder, "share", "pkgconfig"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "registry_io")

        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "registry_io::core")
        core.requires = ["boost::headers"]
        core.bindirs = core.libdirs = []

        everything = self.cpp_info.components["registry_io"]
        everything.set_property("cmake_target_name", "registry_io::registry_io")
        everything.set_property("pkg_config_name", "registry_io")
        everything.requires = ["core"]
        everything.bindirs = everything.libdirs = []
        if self.settings.os in ("Linux", "FreeBSD"):
            everything.system_libs = ["pthread"]

        if self.options.compiled:
            compiled = self.cpp_info.components["compiled"]
            compiled.set_property("cmake_target_name", "registry_io::compiled")
            compiled.set_property("pkg_config_name", "registry_io-compiled")
            compiled.requires = ["registry_io"]
            compiled.libs = ["registry_io"]
            compiled.defines = ["REGISTRY_IO_SEPARATE_COMPILATION"]
            if self.options.shared:
                compiled.defines.append("REGISTRY_IO_DYN_LINK")
