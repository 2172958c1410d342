//===- device.cpp - Memory, streams and events ----------------------------===//

#include "fa3/runtime/device.h"

#include "driver.h"
#include "error.h"

#include <memory>

using namespace fa3;

struct fa3_context {
  cu::Functions functions;
  cu::CUdevice device = 0;
  cu::CUcontext context = nullptr;
};

static cu::CUdeviceptr address(void *pointer) {
  return reinterpret_cast<cu::CUdeviceptr>(pointer);
}

static cu::CUstream asStream(void *stream) {
  return static_cast<cu::CUstream>(stream);
}

static cu::CUevent asEvent(void *event) {
  return static_cast<cu::CUevent>(event);
}

static fa3_status nullArgument(fa3_error *error, const char *function) {
  return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                  "%s: the driver and the result may not be null", function);
}

/// The status of a driver call that was made to do `what`.
static fa3_status report(fa3_error *error, const cu::Functions &functions,
                         cu::CUresult result, const char *what) {
  return result == cu::CUDA_SUCCESS
             ? setSuccess(error)
             : setDriverError(error, functions, result, "%s", what);
}

/// The device handle of an ordinal that may be out of range.
static fa3_status getDevice(const fa3_driver &driver, int ordinal,
                            cu::CUdevice &device, fa3_error *error) {
  int count = 0;
  if (fa3_status status = fa3_device_count(&driver, &count, error))
    return status;
  if (ordinal < 0 || ordinal >= count)
    return setError(error, FA3_ERROR_NO_DEVICE,
                    "there is no device %d, the driver sees %d", ordinal,
                    count);
  return report(error, driver.functions,
                driver.functions.cuDeviceGet(&device, ordinal),
                "opening the device");
}

fa3_status fa3_device_count(const fa3_driver *driver, int *count,
                            fa3_error *error) {
  if (!driver || !count)
    return nullArgument(error, "fa3_device_count");
  return report(error, driver->functions,
                driver->functions.cuDeviceGetCount(count), "counting devices");
}

fa3_status fa3_device_describe(const fa3_driver *driver, int ordinal,
                               fa3_device_info *info, fa3_error *error) {
  if (!driver || !info)
    return nullArgument(error, "fa3_device_describe");
  cu::CUdevice device = 0;
  if (fa3_status status = getDevice(*driver, ordinal, device, error))
    return status;
  const cu::Functions &functions = driver->functions;
  fa3_device_info described{};
  if (cu::CUresult result = functions.cuDeviceGetName(
          described.name, sizeof(described.name), device);
      result != cu::CUDA_SUCCESS)
    return setDriverError(error, functions, result,
                          "asking device %d for its name", ordinal);
  int major = 0;
  int minor = 0;
  for (auto [attribute, value] :
       {std::pair{cu::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, &major},
        std::pair{cu::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, &minor},
        std::pair{cu::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT,
                  &described.multiprocessor_count},
        std::pair{cu::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN,
                  &described.shared_memory_per_block}})
    if (cu::CUresult result =
            functions.cuDeviceGetAttribute(value, attribute, device);
        result != cu::CUDA_SUCCESS)
      return setDriverError(error, functions, result,
                            "asking device %d for attribute %d", ordinal,
                            static_cast<int>(attribute));
  described.compute_capability = 10 * major + minor;
  *info = described;
  return setSuccess(error);
}

fa3_status fa3_context_create(const fa3_driver *driver, int ordinal,
                              fa3_context **context, fa3_error *error) {
  if (!driver || !context)
    return nullArgument(error, "fa3_context_create");
  return guarded(error, [&]() -> fa3_status {
    auto created = std::make_unique<fa3_context>();
    created->functions = driver->functions;
    if (fa3_status status = getDevice(*driver, ordinal, created->device, error))
      return status;
    if (fa3_status status = report(error, driver->functions,
                                   driver->functions.cuDevicePrimaryCtxRetain(
                                       &created->context, created->device),
                                   "retaining the device's primary context"))
      return status;
    if (fa3_status status = fa3_context_make_current(created.get(), error)) {
      (void)driver->functions.cuDevicePrimaryCtxRelease_v2(created->device);
      return status;
    }
    *context = created.release();
    return FA3_SUCCESS;
  });
}

fa3_status fa3_context_make_current(fa3_context *context, fa3_error *error) {
  if (!context)
    return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                    "fa3_context_make_current: context may not be null");
  return report(error, context->functions,
                context->functions.cuCtxSetCurrent(context->context),
                "making the context current");
}

fa3_status fa3_context_synchronize(fa3_context *context, fa3_error *error) {
  if (fa3_status status = fa3_context_make_current(context, error))
    return status;
  return report(error, context->functions,
                context->functions.cuCtxSynchronize(),
                "waiting for the device");
}

void fa3_context_destroy(fa3_context *context) {
  if (!context)
    return;
  (void)context->functions.cuDevicePrimaryCtxRelease_v2(context->device);
  delete context;
}

fa3_status fa3_memory_info(const fa3_driver *driver, size_t *free_bytes,
                           size_t *total_bytes, fa3_error *error) {
  if (!driver || !free_bytes || !total_bytes)
    return nullArgument(error, "fa3_memory_info");
  return report(error, driver->functions,
                driver->functions.cuMemGetInfo_v2(free_bytes, total_bytes),
                "asking for the size of device memory");
}

fa3_status fa3_memory_allocate(const fa3_driver *driver, size_t bytes,
                               void **pointer, fa3_error *error) {
  if (!driver || !pointer)
    return nullArgument(error, "fa3_memory_allocate");
  cu::CUdeviceptr allocated = 0;
  if (cu::CUresult result = driver->functions.cuMemAlloc_v2(&allocated, bytes);
      result != cu::CUDA_SUCCESS)
    return setDriverError(error, driver->functions, result,
                          "allocating %zu bytes of device memory", bytes);
  *pointer = reinterpret_cast<void *>(allocated);
  return setSuccess(error);
}

void fa3_memory_free(const fa3_driver *driver, void *pointer) {
  if (driver && pointer)
    (void)driver->functions.cuMemFree_v2(address(pointer));
}

fa3_status fa3_memory_to_device(const fa3_driver *driver, void *to,
                                const void *from, size_t bytes,
                                fa3_error *error) {
  if (!driver)
    return nullArgument(error, "fa3_memory_to_device");
  return report(error, driver->functions,
                driver->functions.cuMemcpyHtoD_v2(address(to), from, bytes),
                "copying to the device");
}

fa3_status fa3_memory_to_host(const fa3_driver *driver, void *to,
                              const void *from, size_t bytes,
                              fa3_error *error) {
  if (!driver)
    return nullArgument(error, "fa3_memory_to_host");
  const auto source =
      reinterpret_cast<cu::CUdeviceptr>(const_cast<void *>(from));
  return report(error, driver->functions,
                driver->functions.cuMemcpyDtoH_v2(to, source, bytes),
                "copying from the device");
}

fa3_status fa3_memory_fill(const fa3_driver *driver, void *pointer,
                           uint8_t value, size_t bytes, void *stream,
                           fa3_error *error) {
  if (!driver)
    return nullArgument(error, "fa3_memory_fill");
  return report(error, driver->functions,
                driver->functions.cuMemsetD8Async(address(pointer), value,
                                                  bytes, asStream(stream)),
                "filling device memory");
}

fa3_status fa3_stream_create(const fa3_driver *driver, void **stream,
                             fa3_error *error) {
  if (!driver || !stream)
    return nullArgument(error, "fa3_stream_create");
  cu::CUstream created = nullptr;
  const fa3_status status = report(
      error, driver->functions,
      driver->functions.cuStreamCreate(&created, cu::CU_STREAM_NON_BLOCKING),
      "creating a stream");
  if (status == FA3_SUCCESS)
    *stream = created;
  return status;
}

fa3_status fa3_stream_synchronize(const fa3_driver *driver, void *stream,
                                  fa3_error *error) {
  if (!driver)
    return nullArgument(error, "fa3_stream_synchronize");
  return report(error, driver->functions,
                driver->functions.cuStreamSynchronize(asStream(stream)),
                "waiting for the stream");
}

void fa3_stream_destroy(const fa3_driver *driver, void *stream) {
  if (driver && stream)
    (void)driver->functions.cuStreamDestroy_v2(asStream(stream));
}

fa3_status fa3_graph_begin_capture(const fa3_driver *driver, void *stream,
                                   fa3_error *error) {
  if (!driver)
    return nullArgument(error, "fa3_graph_begin_capture");
  return report(error, driver->functions,
                driver->functions.cuStreamBeginCapture_v2(
                    asStream(stream), cu::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
                "beginning the capture of a graph");
}

fa3_status fa3_graph_end_capture(const fa3_driver *driver, void *stream,
                                 void **graph, fa3_error *error) {
  if (!driver || !graph)
    return nullArgument(error, "fa3_graph_end_capture");
  const cu::Functions &functions = driver->functions;
  cu::CUgraph captured = nullptr;
  if (fa3_status status =
          report(error, functions,
                 functions.cuStreamEndCapture(asStream(stream), &captured),
                 "ending the capture of a graph"))
    return status;
  cu::CUgraphExec executable = nullptr;
  const fa3_status status =
      report(error, functions,
             functions.cuGraphInstantiateWithFlags(&executable, captured, 0),
             "instantiating the graph");
  (void)functions.cuGraphDestroy(captured);
  if (status == FA3_SUCCESS)
    *graph = executable;
  return status;
}

fa3_status fa3_graph_launch(const fa3_driver *driver, void *graph, void *stream,
                            fa3_error *error) {
  if (!driver || !graph)
    return nullArgument(error, "fa3_graph_launch");
  return report(error, driver->functions,
                driver->functions.cuGraphLaunch(
                    static_cast<cu::CUgraphExec>(graph), asStream(stream)),
                "launching the graph");
}

void fa3_graph_destroy(const fa3_driver *driver, void *graph) {
  if (driver && graph)
    (void)driver->functions.cuGraphExecDestroy(
        static_cast<cu::CUgraphExec>(graph));
}

fa3_status fa3_event_create(const fa3_driver *driver, void **event,
                            fa3_error *error) {
  if (!driver || !event)
    return nullArgument(error, "fa3_event_create");
  cu::CUevent created = nullptr;
  const fa3_status status =
      report(error, driver->functions,
             driver->functions.cuEventCreate(&created, cu::CU_EVENT_DEFAULT),
             "creating an event");
  if (status == FA3_SUCCESS)
    *event = created;
  return status;
}

fa3_status fa3_event_record(const fa3_driver *driver, void *event, void *stream,
                            fa3_error *error) {
  if (!driver)
    return nullArgument(error, "fa3_event_record");
  return report(
      error, driver->functions,
      driver->functions.cuEventRecord(asEvent(event), asStream(stream)),
      "recording an event");
}

fa3_status fa3_event_synchronize(const fa3_driver *driver, void *event,
                                 fa3_error *error) {
  if (!driver)
    return nullArgument(error, "fa3_event_synchronize");
  return report(error, driver->functions,
                driver->functions.cuEventSynchronize(asEvent(event)),
                "waiting for an event");
}

fa3_status fa3_event_elapsed(const fa3_driver *driver, void *start, void *end,
                             float *milliseconds, fa3_error *error) {
  if (!driver || !milliseconds)
    return nullArgument(error, "fa3_event_elapsed");
  return report(error, driver->functions,
                driver->functions.cuEventElapsedTime(
                    milliseconds, asEvent(start), asEvent(end)),
                "reading the time between two events");
}

void fa3_event_destroy(const fa3_driver *driver, void *event) {
  if (driver && event)
    (void)driver->functions.cuEventDestroy_v2(asEvent(event));
}
