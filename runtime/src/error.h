//===- error.h - How the runtime reports errors ---------------------------===//

#ifndef FA3_RUNTIME_SRC_ERROR_H
#define FA3_RUNTIME_SRC_ERROR_H

#include "driver_api.h"

#include "fa3/runtime/runtime.h"

#include <exception>
#include <new>

namespace fa3 {

/// Fills `error` if there is one, and returns `status`. Does not allocate: the
/// launch path reports through it too.
[[gnu::format(printf, 3, 4)]] fa3_status
setError(fa3_error *error, fa3_status status, const char *format, ...);

/// Clears `error` if there is one.
fa3_status setSuccess(fa3_error *error);

/// Reports a failed driver call. The formatted text says what was attempted;
/// the driver's name of the error and its explanation are appended.
[[gnu::format(printf, 4, 5)]] fa3_status
setDriverError(fa3_error *error, const cu::Functions &functions,
               cu::CUresult result, const char *format, ...);

/// Runs the body of a C function that may throw.
template <typename Body>
fa3_status guarded(fa3_error *error, Body &&body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return setError(error, FA3_ERROR_OUT_OF_MEMORY, "host memory is exhausted");
  } catch (const std::exception &exception) {
    return setError(error, FA3_ERROR_INVALID_ARGUMENT, "%s", exception.what());
  }
}

} // namespace fa3

#endif // FA3_RUNTIME_SRC_ERROR_H
