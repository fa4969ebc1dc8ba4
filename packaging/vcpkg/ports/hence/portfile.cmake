# An overlay port: it packages the source tree that it lies in, or the one that HENCE_SOURCE names.
if(DEFINED ENV{HENCE_SOURCE})
    set(SOURCE_PATH "$ENV{HENCE_SOURCE}")
else()
    get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../.." ABSOLUTE)
endif()

if(NOT "compiled" IN_LIST FEATURES)
    set(VCPKG_BUILD_TYPE release)  # headers only: one configuration is all there is
endif()

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -DHENCE_BUILD_TESTS=OFF
        -DHENCE_BUILD_EXAMPLES=OFF
        -DHENCE_BUILD_BENCH=OFF
        -DHENCE_INSTALL=ON
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME hence CONFIG_PATH lib/cmake/hence)

file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
if(NOT "compiled" IN_LIST FEATURES)
    file(REMOVE "${CURRENT_PACKAGES_DIR}/share/hence/hence-compiled-targets.cmake"
        "${CURRENT_PACKAGES_DIR}/share/hence/hence-compiled-targets-release.cmake")
    file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug" "${CURRENT_PACKAGES_DIR}/lib")
endif()

vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
