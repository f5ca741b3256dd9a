# Compiler flags and external libraries, once for all targets.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(CLI11 REQUIRED)
find_package(simdjson REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_package(PkgConfig REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(cares REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(brotli REQUIRED IMPORTED_TARGET libbrotlidec)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(jwt REQUIRED IMPORTED_TARGET libjwt)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
if(AKR_MYSQL)
  pkg_check_modules(mariadb REQUIRED IMPORTED_TARGET libmariadb)
endif()
if(AKR_POSTGRESQL)
  pkg_check_modules(pq REQUIRED IMPORTED_TARGET libpq)
endif()
if(AKR_TESTS)
  find_package(GTest REQUIRED)
  pkg_check_modules(brotlienc REQUIRED IMPORTED_TARGET libbrotlienc)  # what a test compresses
endif()
if(AKR_BENCH)
  find_package(benchmark REQUIRED)
endif()

find_program(AKR_CCACHE ccache)
if(AKR_CCACHE)
  # Without these two it does not keep what was compiled with a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${AKR_CCACHE}")
endif()

add_library(akr_flags INTERFACE)
target_include_directories(akr_flags INTERFACE "${CMAKE_SOURCE_DIR}/src")
# -pthread for all alike: what is compiled with a precompiled header needs the flags that the header was made with.
target_compile_options(akr_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wthread-safety
  -Wno-missing-field-initializers -Werror
  $<$<NOT:$<CONFIG:Release>>:-fno-omit-frame-pointer> -fstack-protector-strong -g1 -pthread)
target_compile_definitions(akr_flags INTERFACE
  AKR_VERSION="${PROJECT_VERSION}" $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
target_link_options(akr_flags INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed -Wl,--gc-sections)

find_program(AKR_MOLD NAMES mold)
if(AKR_MOLD)
  target_link_options(akr_flags INTERFACE -fuse-ld=mold)
endif()

if(AKR_SANITIZE STREQUAL "address")
  # vptr: SOCI's shared libraries do not export the type information that this check needs.
  target_compile_options(akr_flags INTERFACE
    -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined)
  target_link_options(akr_flags INTERFACE -fsanitize=address,undefined)
  target_compile_definitions(akr_flags INTERFACE AKR_SANITIZED=1)
elseif(AKR_SANITIZE STREQUAL "thread")
  target_compile_options(akr_flags INTERFACE -fsanitize=thread)
  target_link_options(akr_flags INTERFACE -fsanitize=thread)
  target_compile_definitions(akr_flags INTERFACE AKR_SANITIZED=1)
endif()
