# How unit tests are built.

find_package(GTest REQUIRED)
include(GoogleTest)

# fa3_add_unit_test(NAME SOURCES... [LINK libraries...])
#
# A GoogleTest program in build/test/Unit; ctest sees each of its cases. Tests of
# the compiler call fa3_compiler_options(NAME) besides.
function(fa3_add_unit_test name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  fa3_set_warnings(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test/Unit)
  # Temporary files of their own: two builds may be tested at once.
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/test/Unit/tmp)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
    WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/test/Unit
    PROPERTIES ENVIRONMENT TEST_TMPDIR=${PROJECT_BINARY_DIR}/test/Unit/tmp)
endfunction()
