# fa3_set_warnings(TARGET): the project's warning set, errors by default.
function(fa3_set_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wno-unused-parameter)
  if(FA3_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
