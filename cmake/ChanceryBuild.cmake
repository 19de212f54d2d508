# SPDX-License-Identifier: Apache-2.0
# Compiler settings shared by every target, and the two helpers the folders use.
option(CHANCERY_TESTS "Build the tests" ON)
option(CHANCERY_WERROR "Treat warnings as errors" OFF)
option(CHANCERY_FUZZ "Build the libFuzzer targets (clang)" OFF)
option(CHANCERY_COVERAGE "Instrument for gcov" OFF)
set(CHANCERY_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")

set(CMAKE_C_STANDARD 23)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# The tests use assert(), and the dev preset optimises.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET libssl>=3.0 libcrypto>=3.0)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(YAJL REQUIRED IMPORTED_TARGET yajl)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(P11KIT REQUIRED IMPORTED_TARGET p11-kit-1)
pkg_check_modules(NETTLE REQUIRED IMPORTED_TARGET nettle>=3.0)
pkg_check_modules(GLIB REQUIRED IMPORTED_TARGET glib-2.0)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
if(CHANCERY_TESTS)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
endif()
pkg_check_modules(SYSTEMD IMPORTED_TARGET libsystemd)

# Usage requirements every target of the project takes.
add_library(chancery_flags INTERFACE)
target_include_directories(chancery_flags INTERFACE
  ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include)
target_compile_definitions(chancery_flags INTERFACE _GNU_SOURCE)
target_compile_options(chancery_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes
  -Wno-sign-conversion $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation> -fno-strict-aliasing -fstack-protector-strong
  $<$<BOOL:${CHANCERY_WERROR}>:-Werror>
  $<$<CONFIG:Release,RelWithDebInfo>:-U_FORTIFY_SOURCE$<SEMICOLON>-D_FORTIFY_SOURCE=2>
  $<$<BOOL:${CHANCERY_COVERAGE}>:--coverage>)
target_link_options(chancery_flags INTERFACE -Wl,-z,relro,-z,now $<$<BOOL:${CHANCERY_COVERAGE}>:--coverage>)
if(CHANCERY_SANITIZE)
  target_compile_options(chancery_flags INTERFACE -fsanitize=${CHANCERY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(chancery_flags INTERFACE -fsanitize=${CHANCERY_SANITIZE})
endif()

# chancery_library(NAME SOURCES a.c ... LINK public libs ... PRIVATE private libs ...)
function(chancery_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC chancery_flags ${arg_LINK} PRIVATE ${arg_PRIVATE})
endfunction()

# chancery_test(NAME SOURCES a.c ... LINK libs ... LABELS unit|component): one cmocka program, one ctest entry, ten minutes at most.
function(chancery_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT arg_LABELS)
    message(FATAL_ERROR "chancery_test(${name}): LABELS unit or LABELS component is missing")
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} PkgConfig::CMOCKA chancery_flags)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600 LABELS "${arg_LABELS}")
endfunction()
