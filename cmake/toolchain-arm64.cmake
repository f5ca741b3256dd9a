# Cross-compiles for Debian 12 on arm64: cmake -DCMAKE_TOOLCHAIN_FILE=cmake/toolchain-arm64.cmake -DAKR_SYSROOT=FOLDER
# where FOLDER holds the packages of that architecture.  scripts/check_arm64.sh makes one and builds with it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

# try_compile() reads this file, too, and knows no other variables of the cache than these.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES AKR_SYSROOT)
if(NOT AKR_SYSROOT)
  message(FATAL_ERROR "AKR_SYSROOT names the folder with Debian's arm64 packages; scripts/check_arm64.sh makes one")
endif()
set(CMAKE_SYSROOT "${AKR_SYSROOT}")
set(CMAKE_CXX_COMPILER clang++-16)
set(CMAKE_CXX_COMPILER_TARGET aarch64-linux-gnu)
# The system's ld is for the machine that builds; mold reads every architecture.
set(CMAKE_EXE_LINKER_FLAGS_INIT -fuse-ld=mold)

# Programs of this machine; headers, libraries and CMake's packages of the other one, and never ours by mistake.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${AKR_SYSROOT}")
set(ENV{PKG_CONFIG_PATH} "")
set(ENV{PKG_CONFIG_LIBDIR}
  "${AKR_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${AKR_SYSROOT}/usr/share/pkgconfig")
