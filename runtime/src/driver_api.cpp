//===- driver_api.cpp - Resolves the CUDA driver functions ----------------===//

#include "driver_api.h"

#include <dlfcn.h>

namespace fa3::cu {

template <typename Function>
static bool resolve(void *library, const char *symbol, Function &function) {
  function = reinterpret_cast<Function>(dlsym(library, symbol));
  return function != nullptr;
}

const char *loadFunctions(void *library, Functions &functions) {
#define FA3_RESOLVE(symbol, parameters)                                        \
  if (!resolve(library, #symbol, functions.symbol))                            \
    return #symbol;
  FA3_DRIVER_FUNCTIONS(FA3_RESOLVE)
#undef FA3_RESOLVE
  if (resolve(library, "cuEventElapsedTime_v2", functions.cuEventElapsedTime) ||
      resolve(library, "cuEventElapsedTime", functions.cuEventElapsedTime))
    return nullptr;
  return "cuEventElapsedTime";
}

} // namespace fa3::cu
