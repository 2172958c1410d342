# Installs FA3, builds examples/embed against what was installed, and runs it.
#   cmake -DBUILD=... -DSOURCE=... -DWORK=... -DGENERATOR=... -DCXX=...
#         [-DPACKAGE=...] -DDRIVER=... -P check_install.cmake

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
# Copied, as a user's project would be.
file(COPY ${SOURCE}/examples/ DESTINATION ${WORK}/examples)
run(${CMAKE_COMMAND} -S ${WORK}/examples/embed -B ${WORK}/build -G ${GENERATOR}
    -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_PREFIX_PATH=${WORK}/prefix
    -DFA3_EXAMPLE_PACKAGE=${PACKAGE})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/embed ${DRIVER})
