# Installs FA3, builds the examples against what was installed, and runs them.
#   cmake -DBUILD=... -DSOURCE=... -DWORK=... -DGENERATOR=... -DCXX=...
#         [-DPACKAGES=...] -DEXAMPLES="..." -DDRIVER=... -P check_install.cmake

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
# Copied, as a user's project would be.
file(COPY ${SOURCE}/examples/ DESTINATION ${WORK}/examples)
separate_arguments(EXAMPLES)
foreach(example IN LISTS EXAMPLES)
  run(${CMAKE_COMMAND} -S ${WORK}/examples/${example} -B ${WORK}/${example} -G ${GENERATOR}
      -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_PREFIX_PATH=${WORK}/prefix
      -DFA3_EXAMPLE_PACKAGES=${PACKAGES})
  run(${CMAKE_COMMAND} --build ${WORK}/${example})
  run(${WORK}/${example}/${example} ${DRIVER})
endforeach()
