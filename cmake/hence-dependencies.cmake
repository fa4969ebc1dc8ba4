# What hence::hence needs, for the source tree and for the installed package alike.
#
# The source tree sets HENCE_IN_TREE and stops with CMake's own message where something is missing; the
# installed hence-config.cmake marks the package as not found instead, as find_package expects.

include(CMakeFindDependencyMacro)

macro(hence_find_ name)
    if(HENCE_IN_TREE)
        find_package(${name} ${ARGN} REQUIRED)
    else()
        find_dependency(${name} ${ARGN})
    endif()
endmacro()

set(THREADS_PREFER_PTHREAD_FLAG ON)
hence_find_(Threads)
hence_find_(nlohmann_json 3.9)

# xsimd is used for its headers alone. Debian's exported target also links xtl, which its package does not
# install, so only the include directory is taken from the target.
if(NOT TARGET hence::xsimd_headers)
    add_library(hence::xsimd_headers INTERFACE IMPORTED)
    if(NOT TARGET xsimd)
        find_package(xsimd 8 CONFIG QUIET)
    endif()
    if(TARGET xsimd)
        get_target_property(hence_xsimd_directories xsimd INTERFACE_INCLUDE_DIRECTORIES)
        set_target_properties(hence::xsimd_headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES
            "${hence_xsimd_directories}")
    else()
        find_path(HENCE_XSIMD_INCLUDE_DIR xsimd/xsimd.hpp)
        mark_as_advanced(HENCE_XSIMD_INCLUDE_DIR)
        if(HENCE_XSIMD_INCLUDE_DIR)
            set_target_properties(hence::xsimd_headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES
                "${HENCE_XSIMD_INCLUDE_DIR}")
        elseif(HENCE_IN_TREE)
            message(FATAL_ERROR "hence needs the headers of xsimd 8 or newer (Debian: libxsimd-dev)")
        else()
            set(${CMAKE_FIND_PACKAGE_NAME}_FOUND FALSE)
            set(${CMAKE_FIND_PACKAGE_NAME}_NOT_FOUND_MESSAGE "hence needs the headers of xsimd 8 or newer")
            return()
        endif()
    endif()
endif()
