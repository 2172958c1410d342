//===- error.cpp - How the runtime reports errors -------------------------===//

#include "error.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace fa3 {

fa3_status setError(fa3_error *error, fa3_status status, const char *format,
                    ...) {
  if (!error)
    return status;
  error->status = status;
  error->driver_result = 0;
  va_list arguments;
  va_start(arguments, format);
  (void)std::vsnprintf(error->message, sizeof(error->message), format,
                       arguments);
  va_end(arguments);
  return status;
}

fa3_status setSuccess(fa3_error *error) {
  if (error) {
    error->status = FA3_SUCCESS;
    error->driver_result = 0;
    error->message[0] = '\0';
  }
  return FA3_SUCCESS;
}

fa3_status setDriverError(fa3_error *error, const cu::Functions &functions,
                          cu::CUresult result, const char *format, ...) {
  const fa3_status status = result == cu::CUDA_ERROR_OUT_OF_MEMORY
                                ? FA3_ERROR_OUT_OF_MEMORY
                                : FA3_ERROR_DRIVER;
  if (!error)
    return status;
  error->status = status;
  error->driver_result = result;
  va_list arguments;
  va_start(arguments, format);
  const int length =
      std::vsnprintf(error->message, sizeof(error->message), format, arguments);
  va_end(arguments);
  const char *name = nullptr;
  const char *text = nullptr;
  // A driver that does not know its own error leaves these null.
  (void)functions.cuGetErrorName(result, &name);
  (void)functions.cuGetErrorString(result, &text);
  const size_t used = std::min(static_cast<size_t>(std::max(length, 0)),
                               sizeof(error->message) - 1);
  (void)std::snprintf(
      error->message + used, sizeof(error->message) - used,
      " failed: %s (%d)%s%s", name ? name : "unknown driver error",
      static_cast<int>(result), text ? ": " : "", text ? text : "");
  return status;
}

} // namespace fa3

using namespace fa3;

const char *fa3_status_name(fa3_status status) {
  switch (status) {
  case FA3_SUCCESS:
    return "success";
  case FA3_ERROR_INVALID_ARGUMENT:
    return "invalid argument";
  case FA3_ERROR_IO:
    return "input/output error";
  case FA3_ERROR_INVALID_PACKAGE:
    return "invalid package";
  case FA3_ERROR_UNSUPPORTED:
    return "unsupported problem";
  case FA3_ERROR_NO_DRIVER:
    return "no usable driver";
  case FA3_ERROR_NO_DEVICE:
    return "no usable device";
  case FA3_ERROR_DRIVER:
    return "driver error";
  case FA3_ERROR_OUT_OF_MEMORY:
    return "out of memory";
  }
  return "unknown status";
}

const char *fa3_runtime_version() { return FA3_VERSION; }
