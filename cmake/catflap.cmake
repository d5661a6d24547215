# One folder is one library; its *_test.cpp files are one test program beside it.

if(CATFLAP_STATIC)
  set(OPENSSL_USE_STATIC_LIBS ON)
  set(ZLIB_USE_STATIC_LIBS ON)
  set(Boost_USE_STATIC_LIBS ON)
endif()
find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)
find_package(yaml-cpp REQUIRED)
if(CATFLAP_STATIC) # Debian's CMake file knows the shared library only; the static one stands beside it.
  find_library(CATFLAP_YAML_CPP_STATIC libyaml-cpp.a REQUIRED)
  set_target_properties(yaml-cpp PROPERTIES IMPORTED_LOCATION_NONE ${CATFLAP_YAML_CPP_STATIC})
endif()
# Boost 1.81 is beside bookworm's default 1.74 and its CMake files are found first.
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
if(CATFLAP_TESTS)
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
  include(CTest)
  include(GoogleTest)
endif()

# Flags of every target of ours.
add_library(catflap_flags INTERFACE)
target_include_directories(catflap_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(catflap_flags INTERFACE
  BOOST_ASIO_NO_DEPRECATED=1 BOOST_ERROR_CODE_HEADER_ONLY=1 CATFLAP_VERSION="${PROJECT_VERSION}")
target_compile_options(catflap_flags INTERFACE
  # Designated initialisers that name only what differs are the house style; GCC 12 warns of each.
  -Wall -Wextra -Wconversion -Wshadow -Wno-missing-field-initializers -Werror=unused-result $<$<BOOL:${CATFLAP_WERROR}>:-Werror>)
if(CATFLAP_SANITIZE)
  target_compile_options(catflap_flags INTERFACE -fsanitize=${CATFLAP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  target_link_options(catflap_flags INTERFACE -fsanitize=${CATFLAP_SANITIZE})
endif()
if(CATFLAP_FUZZ)
  target_compile_options(catflap_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(CATFLAP_STATIC)
  target_compile_options(catflap_flags INTERFACE -fPIE -ffunction-sections -fdata-sections)
  target_link_options(catflap_flags INTERFACE -static-pie -Wl,--gc-sections)
endif()

add_library(catflap_fmt STATIC ${PROJECT_SOURCE_DIR}/cmake/fmt.cpp)
target_link_libraries(catflap_fmt PRIVATE catflap_flags)

# catflap_library(FOLDER [SMALL] DEPENDS folders… LINK libraries… TEST_SOURCES files…): src/FOLDER as target catflap_FOLDER
# (core/model: catflap_core_model). SMALL: in what users get, compiled for size; it runs once for a command, not once for a node.
function(catflap_library folder)
  cmake_parse_arguments(ARG "SMALL" "" "DEPENDS;LINK;TEST_SOURCES" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.cpp)
  if(folder STREQUAL "core") # core/model is a library of its own, below core
    list(FILTER sources EXCLUDE REGEX "/core/model/")
  endif()
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")

  if(NOT sources)
    add_library(catflap_${name} INTERFACE)
    target_include_directories(catflap_${name} INTERFACE ${PROJECT_SOURCE_DIR}/src)
    return()
  endif()
  add_library(catflap_${name} STATIC ${sources})
  list(TRANSFORM ARG_DEPENDS REPLACE "/" "_" OUTPUT_VARIABLE depends)
  list(TRANSFORM depends PREPEND catflap_)
  target_link_libraries(catflap_${name} PUBLIC ${depends} ${ARG_LINK} Boost::json catflap_fmt Threads::Threads PRIVATE catflap_flags)
  target_include_directories(catflap_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  set(small_with "") # a header precompiled for speed cannot be used for size: the first of these has its own
  if(ARG_SMALL AND CATFLAP_STATIC)
    target_compile_options(catflap_${name} PRIVATE -Os)
    get_property(small_with GLOBAL PROPERTY CATFLAP_SMALL)
  endif()
  if(small_with)
    target_precompile_headers(catflap_${name} REUSE_FROM ${small_with})
  elseif(ARG_SMALL AND CATFLAP_STATIC)
    target_precompile_headers(catflap_${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch.hpp)
    set_property(GLOBAL PROPERTY CATFLAP_SMALL catflap_${name})
  elseif(name STREQUAL "base")
    target_precompile_headers(catflap_${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch.hpp)
  else()
    target_precompile_headers(catflap_${name} REUSE_FROM catflap_base)
  endif()

  if(CATFLAP_TESTS AND tests)
    add_executable(${name}_test ${tests} ${ARG_TEST_SOURCES})
    target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(${name}_test PRIVATE catflap_${name} catflap_flags GTest::gmock GTest::gtest_main rapidcheck)
    if(TARGET catflap_fake AND ("kube" IN_LIST ARG_DEPENDS OR "act" IN_LIST ARG_DEPENDS))
      target_link_libraries(${name}_test PRIVATE catflap_fake)
    endif()
    target_compile_definitions(${name}_test PRIVATE CATFLAP_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    if(name STREQUAL "base")
      target_precompile_headers(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch_test.hpp)
    else()
      target_precompile_headers(${name}_test REUSE_FROM base_test)
    endif()
    gtest_discover_tests(${name}_test TEST_PREFIX ${name}. NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60)
  endif()
endfunction()

# tests/support: a fake of kube/api.hpp, linked to the tests of everything above kube.
function(catflap_fake_library)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/support/*.cpp)
  if(CATFLAP_TESTS AND sources)
    add_library(catflap_fake STATIC ${sources})
    target_link_libraries(catflap_fake PUBLIC catflap_kube catflap_sim PRIVATE catflap_flags)
    target_include_directories(catflap_fake PUBLIC ${PROJECT_SOURCE_DIR}/tests)
    target_precompile_headers(catflap_fake REUSE_FROM catflap_base)
  endif()
endfunction()

# catflap_embed(FUNCTION FOLDER): the YAML files of a folder into the binary, as src/sim/embedded.hpp declares it.
function(catflap_embed function folder)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.yaml)
  set(rows "")
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    file(READ ${file} text)
    string(APPEND rows "    {\"${name}\", R\"catflap(${text})catflap\"},\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  endforeach()
  list(LENGTH files count)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/embedded_${function}.cpp @ONLY CONTENT
"// Made by cmake/catflap.cmake from ${folder}.
#include \"sim/embedded.hpp\"

#include <array>

namespace catflap::sim {

EmbeddedFiles ${function}() {
  static const std::array<std::pair<std::string_view, std::string_view>, ${count}> kFiles{{
${rows}  }};
  return kFiles;
}

}  // namespace catflap::sim
")
  target_sources(catflap_sim PRIVATE ${PROJECT_BINARY_DIR}/embedded_${function}.cpp)
endfunction()
