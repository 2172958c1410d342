/*===- runtime.h - Loads and launches kernel packages ---------------------===
 *
 * The C interface of libfa3_runtime. In the order of use:
 *
 *   fa3_driver_open           open the CUDA driver (or the emulator)
 *   fa3_package_load_file     read and validate a package; needs no driver
 *   fa3_check_support         can this package compute this problem?
 *   fa3_workspace_size        scratch memory that the problem needs
 *   fa3_module_create         load the package's code into the driver
 *   fa3_launch                enqueue the kernels on a stream
 *
 * Conventions
 * - A function that can fail returns a status and takes a `fa3_error *` as its
 *   last parameter. It may be null; otherwise it is filled with the status and
 *   a message that says what was expected and what was found (on success:
 *   FA3_SUCCESS and an empty message). Results are written only on success.
 * - No function throws. Handles are created and destroyed by the caller;
 *   destroying null does nothing.
 * - Every function may be called from any thread at any time. An object may be
 *   used from many threads at once, except while it is being destroyed and
 *   where a function says otherwise.
 * - Sizes in bytes say so; tensor sizes and strides are in elements.
 * - `stream` is a CUstream (a cudaStream_t is the same); null is the default
 *   stream. Device pointers are passed as `void *`.
 *
 *===----------------------------------------------------------------------===*/

#ifndef FA3_RUNTIME_RUNTIME_H
#define FA3_RUNTIME_RUNTIME_H

#include "fa3/runtime/abi.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FA3_API __attribute__((visibility("default")))

typedef enum fa3_status {
  FA3_SUCCESS = 0,
  /* The call itself is wrong: a null pointer, a missing tensor, a workspace
     that is too small. */
  FA3_ERROR_INVALID_ARGUMENT = 1,
  /* A file could not be read. */
  FA3_ERROR_IO = 2,
  /* The package is truncated, corrupt, or of another version. */
  FA3_ERROR_INVALID_PACKAGE = 3,
  /* The package cannot compute this problem: a shape, type, stride or
     alignment that its kernels do not handle. */
  FA3_ERROR_UNSUPPORTED = 4,
  /* The driver is not installed, too old, or lacks a function. */
  FA3_ERROR_NO_DRIVER = 5,
  /* There is no device, or not one the kernels were compiled for. */
  FA3_ERROR_NO_DEVICE = 6,
  /* A driver call failed; fa3_error.driver_result has its CUresult. */
  FA3_ERROR_DRIVER = 7,
  /* Host or device memory is exhausted. */
  FA3_ERROR_OUT_OF_MEMORY = 8
} fa3_status;

typedef struct fa3_error {
  fa3_status status;
  int driver_result; /* the CUresult behind the error; 0 if there is none */
  char message[1016];
} fa3_error;

/* A short name of the status, such as "invalid package". Never null. */
FA3_API const char *fa3_status_name(fa3_status status);

/* Version of the library, "major.minor.patch". */
FA3_API const char *fa3_runtime_version(void);

/* Name of an element type as manifests spell it ("bf16"), or null. */
FA3_API const char *fa3_dtype_name(fa3_dtype dtype);

/* Size of an element in bytes; 0 for a value that is no fa3_dtype. */
FA3_API size_t fa3_dtype_size(fa3_dtype dtype);

/*===--- Driver -----------------------------------------------------------===*/

typedef struct fa3_driver fa3_driver;

/* Opens and initializes a driver. `path` is what dlopen takes, or "emulator"
   for libfa3_emulator.so beside this library, beside the executable, or in
   ../lib of either. Null means the environment variable FA3_DRIVER if it is
   set and not empty, else "libcuda.so.1".
   Errors: FA3_ERROR_NO_DRIVER if the library cannot be opened or lacks a
   function; FA3_ERROR_NO_DEVICE if it sees no device. The library stays loaded
   for the life of the process. */
FA3_API fa3_status fa3_driver_open(const char *path, fa3_driver **driver,
                                   fa3_error *error);

/* Modules and contexts made from the driver remain valid. */
FA3_API void fa3_driver_close(fa3_driver *driver);

/* CUDA version that the driver supports, as 1000 * major + 10 * minor. */
FA3_API int fa3_driver_version(const fa3_driver *driver);

/* What was opened: the argument of dlopen. */
FA3_API const char *fa3_driver_path(const fa3_driver *driver);

/*===--- Package ----------------------------------------------------------===*/

typedef struct fa3_package fa3_package;

typedef enum fa3_role {
  FA3_ROLE_INPUT = 0,
  FA3_ROLE_OUTPUT = 1,
  FA3_ROLE_INOUT = 2
} fa3_role;

/* What a package says about one of its tensors. */
typedef struct fa3_tensor_info {
  const char *name; /* lives as long as the package */
  fa3_role role;
  fa3_dtype dtype;
  int32_t rank;
} fa3_tensor_info;

/* Reads and validates a package. Any truncation or flipped bit is an error.
   Errors: FA3_ERROR_IO, FA3_ERROR_INVALID_PACKAGE. */
FA3_API fa3_status fa3_package_load_file(const char *path,
                                         fa3_package **package,
                                         fa3_error *error);

/* The same from memory. The bytes are copied. */
FA3_API fa3_status fa3_package_load_memory(const void *data, size_t size,
                                           fa3_package **package,
                                           fa3_error *error);

/* Modules made from the package remain valid. */
FA3_API void fa3_package_destroy(fa3_package *package);

/* Makes modules created from now on use this PTX in place of the package's own
   code. `ptx` is `size` bytes of text without NUL. Not while another thread
   uses the package. */
FA3_API fa3_status fa3_package_replace_ptx(fa3_package *package,
                                           const char *ptx, size_t size,
                                           fa3_error *error);

/* The name of the kernel as the specification spells it. */
FA3_API const char *fa3_package_name(const fa3_package *package);

/* The manifest, as NUL-terminated JSON text. */
FA3_API const char *fa3_package_manifest(const fa3_package *package);

/* Number of tensors that the package takes. */
FA3_API int32_t fa3_package_tensor_count(const fa3_package *package);

/* Describes tensor `index`, 0 <= index < count. */
FA3_API fa3_status fa3_package_tensor(const fa3_package *package, int32_t index,
                                      fa3_tensor_info *info, fa3_error *error);

/* Number of symbols ("batch", "seqlen_q", ...) that the shapes depend on. */
FA3_API int32_t fa3_package_symbol_count(const fa3_package *package);

/* Name of symbol `index`, or null when there is no such symbol. */
FA3_API const char *fa3_package_symbol(const fa3_package *package,
                                       int32_t index);

/* Sizes of tensor `index` when the symbols, in the package's order, have the
   given values. Writes as many sizes as the tensor has dimensions. */
FA3_API fa3_status fa3_package_tensor_sizes(
    const fa3_package *package, int32_t index, const int64_t *symbols,
    int32_t symbol_count, int64_t sizes[FA3_MAX_RANK], fa3_error *error);

/*===--- Problem ----------------------------------------------------------===*/

/* A tensor in device memory. A problem is an array of these, one for every
   tensor of the package, in any order. */
typedef struct fa3_tensor {
  const char *name; /* as in the package */
  void *data;       /* device address of the element at index 0 */
  fa3_dtype dtype;
  int32_t rank;
  int64_t sizes[FA3_MAX_RANK];
  int64_t strides[FA3_MAX_RANK]; /* in elements; that of the last dimension is
                                    1; 0 repeats an input along a dimension;
                                    irrelevant where the size is 0 or 1 */
} fa3_tensor;

/* Whether the package computes this problem: FA3_SUCCESS, or an error with the
   reason. Addresses are checked where they are not null. Needs no driver. */
FA3_API fa3_status fa3_check_support(const fa3_package *package,
                                     const fa3_tensor *tensors, int32_t count,
                                     fa3_error *error);

/* Bytes of device memory that fa3_launch needs as workspace for this problem;
   0 if none. Checks support on the way. Needs no driver. */
FA3_API fa3_status fa3_workspace_size(const fa3_package *package,
                                      const fa3_tensor *tensors, int32_t count,
                                      size_t *bytes, fa3_error *error);

/*===--- Module -----------------------------------------------------------===*/

/* A package's code in a driver. Independent of contexts: one module serves
   every device and context of the process. */
typedef struct fa3_module fa3_module;

/* Loads the cubin or, where there is none that the driver takes, the PTX.
   Errors: FA3_ERROR_NO_DRIVER if the driver is older than the package needs;
   FA3_ERROR_DRIVER if it refuses the code. */
FA3_API fa3_status fa3_module_create(const fa3_driver *driver,
                                     const fa3_package *package,
                                     fa3_module **module, fa3_error *error);

/* No launch of the module may be in flight on a device. */
FA3_API void fa3_module_destroy(fa3_module *module);

/* Which code was loaded: "cubin" or "ptx". */
FA3_API const char *fa3_module_code(const fa3_module *module);

/* Checks the current context's device and loads the kernels into that context.
   Optional: fa3_launch does it on first use, which makes that launch slower.
   Call it before capturing a graph in a fresh context.
   Errors: FA3_ERROR_NO_DEVICE if the device is not one that the package was
   compiled for; FA3_ERROR_INVALID_ARGUMENT without a current context. */
FA3_API fa3_status fa3_module_prepare(fa3_module *module, fa3_error *error);

/* Enqueues the package's kernels on `stream`, which belongs to the calling
   thread's current context. Checks all that fa3_check_support checks, and that
   no tensor with elements and no needed workspace is null. `workspace` is a
   multiple of FA3_WORKSPACE_ALIGNMENT; its contents before do not matter and
   after are unspecified. It may be null when the size is 0.
   Does not allocate, synchronize or wait for the device, so it can be captured
   into a graph. The arrays may be reused as soon as it returns; the tensors'
   memory when the stream has passed the kernels. When it fails midway, kernels
   enqueued before stay enqueued and the outputs are unspecified. */
FA3_API fa3_status fa3_launch(fa3_module *module, void *stream,
                              const fa3_tensor *tensors, int32_t count,
                              void *workspace, size_t workspace_size,
                              fa3_error *error);

#ifdef __cplusplus
}
#endif

#endif /* FA3_RUNTIME_RUNTIME_H */
