/*===- device.h - Memory, streams and events without a CUDA toolkit -------===
 *
 * What a program needs around fa3_launch when it does not use CUDA otherwise:
 * thin wrappers over the driver that was opened with fa3_driver_open, so they
 * work with the emulator too. A program that has the CUDA runtime, PyTorch or
 * the like uses that instead. The conventions are those of runtime.h; a failed
 * driver call is FA3_ERROR_DRIVER, or FA3_ERROR_OUT_OF_MEMORY.
 *
 *===----------------------------------------------------------------------===*/

#ifndef FA3_RUNTIME_DEVICE_H
#define FA3_RUNTIME_DEVICE_H

#include "fa3/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fa3_device_info {
  char name[256];
  int compute_capability; /* 10 * major + minor; Hopper is 90 */
  int multiprocessor_count;
  int shared_memory_per_block; /* most that a kernel can have, in bytes */
} fa3_device_info;

/* Number of devices that the driver sees. */
FA3_API fa3_status fa3_device_count(const fa3_driver *driver, int *count,
                                    fa3_error *error);

/* Describes device `ordinal`, 0 <= ordinal < count. */
FA3_API fa3_status fa3_device_describe(const fa3_driver *driver, int ordinal,
                                       fa3_device_info *info, fa3_error *error);

/* A reference to a device's primary context, the one that the CUDA runtime
   uses. */
typedef struct fa3_context fa3_context;

/* Retains the primary context of a device and makes it current on the calling
   thread. */
FA3_API fa3_status fa3_context_create(const fa3_driver *driver, int ordinal,
                                      fa3_context **context, fa3_error *error);

/* Makes the context current on the calling thread. */
FA3_API fa3_status fa3_context_make_current(fa3_context *context,
                                            fa3_error *error);

/* Waits for everything enqueued in the context. Errors of kernels that ran
   before surface here. */
FA3_API fa3_status fa3_context_synchronize(fa3_context *context,
                                           fa3_error *error);

/* Releases the reference. */
FA3_API void fa3_context_destroy(fa3_context *context);

/* The functions below act on the calling thread's current context. */

/* Free and total device memory in bytes. */
FA3_API fa3_status fa3_memory_info(const fa3_driver *driver, size_t *free_bytes,
                                   size_t *total_bytes, fa3_error *error);

/* Allocates `bytes` > 0 of device memory, aligned to 256 bytes. */
FA3_API fa3_status fa3_memory_allocate(const fa3_driver *driver, size_t bytes,
                                       void **pointer, fa3_error *error);

/* Frees what fa3_memory_allocate returned; null does nothing. */
FA3_API void fa3_memory_free(const fa3_driver *driver, void *pointer);

/* Copies from the host to the device and returns when the host's memory may be
   reused. Not ordered with streams: synchronize before overwriting memory that
   kernels still read. */
FA3_API fa3_status fa3_memory_to_device(const fa3_driver *driver, void *to,
                                        const void *from, size_t bytes,
                                        fa3_error *error);

/* Copies from the device to the host and returns when the copy is done. */
FA3_API fa3_status fa3_memory_to_host(const fa3_driver *driver, void *to,
                                      const void *from, size_t bytes,
                                      fa3_error *error);

/* Enqueues setting `bytes` bytes to `value`. */
FA3_API fa3_status fa3_memory_fill(const fa3_driver *driver, void *pointer,
                                   uint8_t value, size_t bytes, void *stream,
                                   fa3_error *error);

/* Creates a stream that does not synchronize with the default stream. */
FA3_API fa3_status fa3_stream_create(const fa3_driver *driver, void **stream,
                                     fa3_error *error);
FA3_API fa3_status fa3_stream_synchronize(const fa3_driver *driver,
                                          void *stream, fa3_error *error);
FA3_API void fa3_stream_destroy(const fa3_driver *driver, void *stream);

/* Records what is enqueued on `stream` from here to fa3_graph_end_capture
   instead of running it. */
FA3_API fa3_status fa3_graph_begin_capture(const fa3_driver *driver,
                                           void *stream, fa3_error *error);

/* Ends the capture and makes the recorded work executable. */
FA3_API fa3_status fa3_graph_end_capture(const fa3_driver *driver, void *stream,
                                         void **graph, fa3_error *error);
FA3_API fa3_status fa3_graph_launch(const fa3_driver *driver, void *graph,
                                    void *stream, fa3_error *error);
FA3_API void fa3_graph_destroy(const fa3_driver *driver, void *graph);

FA3_API fa3_status fa3_event_create(const fa3_driver *driver, void **event,
                                    fa3_error *error);
FA3_API fa3_status fa3_event_record(const fa3_driver *driver, void *event,
                                    void *stream, fa3_error *error);
FA3_API fa3_status fa3_event_synchronize(const fa3_driver *driver, void *event,
                                         fa3_error *error);

/* Time between two events that have completed, in milliseconds. */
FA3_API fa3_status fa3_event_elapsed(const fa3_driver *driver, void *start,
                                     void *end, float *milliseconds,
                                     fa3_error *error);
FA3_API void fa3_event_destroy(const fa3_driver *driver, void *event);

#ifdef __cplusplus
}
#endif

#endif /* FA3_RUNTIME_DEVICE_H */
