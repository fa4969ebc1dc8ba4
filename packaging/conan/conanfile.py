"""The Conan 2 recipe of hence: a header library."""

import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout
from conan.tools.scm import Version

required_conan_version = ">=2.0"


class HenceConan(ConanFile):
    name = "hence"
    description = "Inference-time reasoning with frozen models, header-only C++20"
    license = "MIT"
    topics = ("inference", "reasoning", "language-models", "simd", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"system_deps": [True, False]}
    default_options = {"system_deps": False}
    no_copy_source = True

    @property
    def _root(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        config = load(self, os.path.join(self._root, "include", "hence", "config.hpp"))
        self.version = re.search(r'HENCE_VERSION_STRING "([^"]+)"', config).group(1)

    def export_sources(self):
        copy(self, "include/*", self._root, self.export_sources_folder)
        copy(self, "LICENSE", self._root, self.export_sources_folder)

    def layout(self):
        basic_layout(self, src_folder=".")

    def requirements(self):
        if not self.options.system_deps:
            self.requires("xsimd/[>=8 <15]", transitive_headers=True)
            self.requires("nlohmann_json/[>=3.9 <4]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)
        oldest = {"gcc": "12", "clang": "14"}
        compiler = str(self.settings.compiler)
        if compiler not in oldest:
            raise ConanInvalidConfiguration(f"hence supports gcc and clang, not {compiler}")
        if Version(self.settings.compiler.version) < oldest[compiler]:
            raise ConanInvalidConfiguration(
                f"hence needs {compiler} {oldest[compiler]} or newer, found {self.settings.compiler.version}")

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))

    def package_id(self):
        self.info.clear()

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_file_name", "hence")
        self.cpp_info.set_property("cmake_target_name", "hence::hence")
        if self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread"]
