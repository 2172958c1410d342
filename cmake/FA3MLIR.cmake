# Finds LLVM/MLIR and defines how the compiler's libraries are built.

find_package(MLIR 22.1 REQUIRED CONFIG)
list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)

add_library(fa3_mlir_headers INTERFACE)
target_include_directories(fa3_mlir_headers SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
target_include_directories(fa3_mlir_headers INTERFACE
  ${PROJECT_SOURCE_DIR}/dialect ${PROJECT_SOURCE_DIR}/lib ${PROJECT_SOURCE_DIR}/runtime/include
  ${PROJECT_BINARY_DIR}/dialect ${PROJECT_BINARY_DIR}/lib)
separate_arguments(FA3_LLVM_DEFINITIONS NATIVE_COMMAND "${LLVM_DEFINITIONS}")
target_compile_definitions(fa3_mlir_headers INTERFACE ${FA3_LLVM_DEFINITIONS} FA3_VERSION="${PROJECT_VERSION}")
if(NOT LLVM_ENABLE_RTTI)
  target_compile_options(fa3_mlir_headers INTERFACE -fno-rtti)
endif()

# One precompiled header for the whole compiler: parsing MLIR's headers is most of a build.
file(WRITE ${PROJECT_BINARY_DIR}/fa3_pch.cpp.in "// The translation unit that owns the precompiled header.\n")
configure_file(${PROJECT_BINARY_DIR}/fa3_pch.cpp.in ${PROJECT_BINARY_DIR}/fa3_pch.cpp COPYONLY)
add_library(fa3_pch OBJECT ${PROJECT_BINARY_DIR}/fa3_pch.cpp)
target_link_libraries(fa3_pch PUBLIC fa3_mlir_headers)
fa3_set_warnings(fa3_pch)
target_precompile_headers(fa3_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/fa3_pch.h)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Timestamps in the precompiled header would defeat ccache.
  target_compile_options(fa3_mlir_headers INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
endif()

# fa3_compiler_options(TARGET): flags, headers and libraries of everything that touches MLIR.
function(fa3_compiler_options target)
  target_link_libraries(${target} PUBLIC fa3_mlir_headers MLIR LLVM)
  target_precompile_headers(${target} REUSE_FROM fa3_pch)
  fa3_set_warnings(${target})
endfunction()

# fa3_add_library(NAME SOURCES... [DEPENDS tablegen targets...] [LINK libraries...])
function(fa3_add_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  fa3_compiler_options(${name})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
endfunction()

# fa3_add_tool(NAME SOURCES... [LINK libraries...])
function(fa3_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  # The precompiled header is built as for a library (-fPIC, not -fPIE).
  set_target_properties(${name} PROPERTIES
    POSITION_INDEPENDENT_CODE OFF
    INSTALL_RPATH_USE_LINK_PATH ON) # the packaged libMLIR.so may be in a folder of its own
  target_compile_options(${name} PRIVATE -fPIC)
  fa3_compiler_options(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
endfunction()
