# fa3_add_kernels(TARGET [SPECS a.mlir ...] [GRADIENTS_OF a.mlir ...]
#                 [PACKAGES b.fa3 ...] [OPTIONS ...])
#
# Embeds kernel packages in an executable or library. Each spec is compiled by
# fa3-opt when the target is built, with OPTIONS appended to its command line;
# packages are taken as they are. For a.mlir, code in the target writes
#
#   #include "fa3/kernels/a.h"
#   fa3::Package::fromMemory(fa3_kernel_a, fa3_kernel_a_size);
#
# where characters that a C identifier cannot have become underscores. The
# backward kernels of GRADIENTS_OF forward_a.mlir are called backward_a; those
# of attention.mlir attention_backward.
function(fa3_add_kernels target)
  cmake_parse_arguments(ARG "" "" "SPECS;GRADIENTS_OF;PACKAGES;OPTIONS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS OR NOT (ARG_SPECS OR ARG_GRADIENTS_OF OR ARG_PACKAGES))
    message(FATAL_ERROR "fa3_add_kernels(TARGET [SPECS ...] [GRADIENTS_OF ...] [PACKAGES ...] [OPTIONS ...]): got '${ARGN}'")
  endif()
  if((ARG_SPECS OR ARG_GRADIENTS_OF) AND NOT TARGET fa3::opt)
    message(FATAL_ERROR "fa3_add_kernels: compiling specs needs fa3-opt, which this installation of fa3 does not have; pass PACKAGES instead")
  endif()
  set(directory ${CMAKE_CURRENT_BINARY_DIR}/fa3_kernels/${target})
  target_include_directories(${target} PRIVATE ${directory}/include)

  foreach(spec IN LISTS ARG_SPECS)
    get_filename_component(name ${spec} NAME_WE)
    _fa3_compile_spec(${target} ${name} ${spec} ${directory} ${ARG_OPTIONS})
  endforeach()
  foreach(spec IN LISTS ARG_GRADIENTS_OF)
    get_filename_component(name ${spec} NAME_WE)
    string(REGEX REPLACE "^forward" "backward" backward ${name})
    if(backward STREQUAL name)
      string(APPEND backward "_backward")
    endif()
    _fa3_compile_spec(${target} ${backward} ${spec} ${directory} --backward ${ARG_OPTIONS})
  endforeach()
  foreach(package IN LISTS ARG_PACKAGES)
    get_filename_component(package ${package} ABSOLUTE)
    get_filename_component(name ${package} NAME_WE)
    _fa3_embed_package(${target} ${name} ${package} ${directory})
  endforeach()
endfunction()

# Compiles a spec with these options of fa3-opt and embeds the package as NAME.
function(_fa3_compile_spec target name spec directory)
  get_filename_component(spec ${spec} ABSOLUTE)
  set(package ${directory}/${name}.fa3)
  add_custom_command(
    OUTPUT ${package}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${directory}
    COMMAND fa3::opt ${spec} --emit=package -o ${package} ${ARGN}
    DEPENDS ${spec} fa3::opt
    COMMENT "Compiling kernel ${name}"
    VERBATIM)
  _fa3_embed_package(${target} ${name} ${package} ${directory})
endfunction()

# A header that declares the package's bytes, and a source whose assembler
# reads them: nothing is converted to text, so megabytes cost nothing.
function(_fa3_embed_package target name package directory)
  string(MAKE_C_IDENTIFIER ${name} identifier)
  set(symbol fa3_kernel_${identifier})
  file(CONFIGURE OUTPUT ${directory}/include/fa3/kernels/${name}.h @ONLY CONTENT [[
/* The kernel package @name@, embedded by fa3_add_kernels. */
#ifndef @symbol@_H
#define @symbol@_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const unsigned char @symbol@[];
extern const size_t @symbol@_size;

#ifdef __cplusplus
}
#endif

#endif
]])
  # Either language will do: whichever the user's project has.
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  set(source ${directory}/${name}.cpp)
  if("C" IN_LIST languages)
    set(source ${directory}/${name}.c)
  endif()
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[
/* Embeds @name@. */
#include "fa3/kernels/@name@.h"

__asm__(".section .rodata\n"
        ".balign 64\n"
        ".globl @symbol@\n"
        ".hidden @symbol@\n"
        "@symbol@:\n"
        ".incbin \"@package@\"\n"
        ".L@symbol@_end:\n"
        ".balign 8\n"
        ".globl @symbol@_size\n"
        ".hidden @symbol@_size\n"
        "@symbol@_size:\n"
        ".quad .L@symbol@_end - @symbol@\n"
        ".previous\n");
]])
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${package})
  target_sources(${target} PRIVATE ${source})
endfunction()
