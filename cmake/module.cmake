# mydr24_layer(NAME) opens a layer; mydr24_module(NAME USES ... LINKS ...) declares a module in it.
#
# A module is the folder src/LAYER/NAME: *.cc makes its library, *_test.cc its test, *_fuzz.cc its fuzz targets.
# USES names other modules, all declared before this one: a name that points up or right fails to configure.
# An include of another module's header without USES is caught by `./dev check`.
# LINKS names packages (targets of flags.cmake) that only this module needs.

set_property(GLOBAL PROPERTY MYDR24_MODULES "")

function(mydr24_layer name)
  set_property(GLOBAL PROPERTY MYDR24_LAYER ${name})
endfunction()

function(mydr24_module name)
  cmake_parse_arguments(arg "" "" "USES;LINKS" ${ARGN})
  get_property(layer GLOBAL PROPERTY MYDR24_LAYER)
  get_property(known GLOBAL PROPERTY MYDR24_MODULES)
  set(folder ${CMAKE_SOURCE_DIR}/src/${layer}/${name})

  set(uses "")
  foreach(used IN LISTS arg_USES)
    if(NOT used IN_LIST known)
      message(FATAL_ERROR "module ${layer}/${name} USES ${used}, which is not declared before it in src/CMakeLists.txt")
    endif()
    list(APPEND uses mydr24_${used})
  endforeach()

  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cc)
  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz)\\.cc$")

  if(sources)
    add_library(mydr24_${name} STATIC ${sources})
    target_link_libraries(mydr24_${name} PUBLIC mydr24_flags ${uses} ${arg_LINKS})
    mydr24_precompile(mydr24_${name})
  else()
    add_library(mydr24_${name} INTERFACE)
    target_link_libraries(mydr24_${name} INTERFACE mydr24_flags ${uses} ${arg_LINKS})
  endif()

  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE mydr24_${name} GTest::gtest_main GTest::gmock)
    mydr24_precompile_test(${name}_test)
    add_test(NAME ${layer}/${name} COMMAND ${name}_test --gtest_brief=1 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${layer}/${name} PROPERTIES TIMEOUT 300)
  endif()

  if(MYDR24_FUZZ)
    foreach(fuzzer IN LISTS fuzzers)
      get_filename_component(target ${fuzzer} NAME_WE)
      add_executable(${target} ${fuzzer})
      target_link_libraries(${target} PRIVATE mydr24_${name} -fsanitize=fuzzer)
    endforeach()
  endif()

  set_property(GLOBAL APPEND PROPERTY MYDR24_MODULES ${name})
  set_property(GLOBAL APPEND PROPERTY MYDR24_MODULE_TABLE "${layer}/${name}: ${arg_USES}")
endfunction()

# mydr24_program(NAME MODULE): src/LAYER/main.cc of the layer that is open becomes the executable NAME at the top of the build folder.
function(mydr24_program name module)
  get_property(layer GLOBAL PROPERTY MYDR24_LAYER)
  add_executable(${name} ${CMAKE_SOURCE_DIR}/src/${layer}/main.cc)
  target_link_libraries(${name} PRIVATE mydr24_${module})
  mydr24_precompile(${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endfunction()

# The standard headers that nearly every file needs, compiled once; those of tests with what every test needs, too.
set(MYDR24_PRECOMPILED
  <algorithm> <array> <atomic> <bit> <charconv> <chrono> <concepts> <condition_variable> <cstdint> <cstring>
  <deque> <expected> <filesystem> <functional> <map> <memory> <mutex> <optional> <set> <span> <string>
  <string_view> <thread> <tuple> <unordered_map> <utility> <variant> <vector> <fmt/format.h>
  <boost/asio/awaitable.hpp> <boost/asio/io_context.hpp> <boost/asio/co_spawn.hpp>)

function(mydr24_precompile target)
  if(NOT TARGET mydr24_pch)
    file(WRITE ${CMAKE_BINARY_DIR}/pch.cc "")
    add_library(mydr24_pch OBJECT ${CMAKE_BINARY_DIR}/pch.cc)
    target_link_libraries(mydr24_pch PRIVATE mydr24_flags)
    target_precompile_headers(mydr24_pch PRIVATE ${MYDR24_PRECOMPILED})
  endif()
  target_precompile_headers(${target} REUSE_FROM mydr24_pch)
endfunction()

# What only tests is not optimised: that is half of the time it takes to compile, and what it tests is.
function(mydr24_precompile_test target)
  if(NOT TARGET mydr24_test_pch)
    add_library(mydr24_test_pch OBJECT ${CMAKE_BINARY_DIR}/pch.cc)
    target_link_libraries(mydr24_test_pch PRIVATE mydr24_flags GTest::gmock)
    target_compile_options(mydr24_test_pch PRIVATE $<$<CONFIG:Release>:-O0>)
    target_precompile_headers(mydr24_test_pch PRIVATE ${MYDR24_PRECOMPILED} <gtest/gtest.h> <gmock/gmock.h>)
  endif()
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O0>)
  target_precompile_headers(${target} REUSE_FROM mydr24_test_pch)
endfunction()
