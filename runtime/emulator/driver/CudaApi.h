//===- CudaApi.h - The exported part of the CUDA driver API ---------------===//
//
// Own declarations of the driver API functions that the emulator exports. The
// layouts and numbers are the ABI of libcuda.so.1; CUDA's headers are neither
// needed nor included, so that a machine without CUDA can build this.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_EMULATOR_DRIVER_CUDAAPI_H
#define FA3_EMULATOR_DRIVER_CUDAAPI_H

#include <stddef.h>
#include <stdint.h>

#define FA3_CU_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

typedef int CUdevice;
typedef unsigned long long CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUlib_st *CUlibrary;
typedef struct CUkern_st *CUkernel;
typedef struct CUstream_st *CUstream;
typedef struct CUevent_st *CUevent;
typedef struct CUgraph_st *CUgraph;
typedef struct CUgraphExec_st *CUgraphExec;
typedef struct CUgraphNode_st *CUgraphNode;

typedef enum CUresult {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_INVALID_VALUE = 1,
  CUDA_ERROR_OUT_OF_MEMORY = 2,
  CUDA_ERROR_NOT_INITIALIZED = 3,
  CUDA_ERROR_DEINITIALIZED = 4,
  CUDA_ERROR_NO_DEVICE = 100,
  CUDA_ERROR_INVALID_DEVICE = 101,
  CUDA_ERROR_INVALID_IMAGE = 200,
  CUDA_ERROR_INVALID_CONTEXT = 201,
  CUDA_ERROR_NO_BINARY_FOR_GPU = 209,
  CUDA_ERROR_INVALID_PTX = 218,
  CUDA_ERROR_UNSUPPORTED_PTX_VERSION = 222,
  CUDA_ERROR_INVALID_SOURCE = 300,
  CUDA_ERROR_INVALID_HANDLE = 400,
  CUDA_ERROR_ILLEGAL_STATE = 401,
  CUDA_ERROR_NOT_FOUND = 500,
  CUDA_ERROR_NOT_READY = 600,
  CUDA_ERROR_ILLEGAL_ADDRESS = 700,
  CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES = 701,
  CUDA_ERROR_LAUNCH_TIMEOUT = 702,
  CUDA_ERROR_CONTEXT_IS_DESTROYED = 709,
  CUDA_ERROR_ILLEGAL_INSTRUCTION = 715,
  CUDA_ERROR_MISALIGNED_ADDRESS = 716,
  CUDA_ERROR_LAUNCH_FAILED = 719,
  CUDA_ERROR_NOT_PERMITTED = 800,
  CUDA_ERROR_NOT_SUPPORTED = 801,
  CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED = 900,
  CUDA_ERROR_STREAM_CAPTURE_INVALIDATED = 901,
  CUDA_ERROR_STREAM_CAPTURE_MERGE = 902,
  CUDA_ERROR_STREAM_CAPTURE_UNMATCHED = 903,
  CUDA_ERROR_STREAM_CAPTURE_UNJOINED = 904,
  CUDA_ERROR_STREAM_CAPTURE_ISOLATION = 905,
  CUDA_ERROR_STREAM_CAPTURE_IMPLICIT = 906,
  CUDA_ERROR_CAPTURED_EVENT = 907,
  CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD = 908,
  CUDA_ERROR_INVALID_CLUSTER_SIZE = 912,
  CUDA_ERROR_UNKNOWN = 999
} CUresult;

typedef int CUdevice_attribute;
enum {
  CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK = 1,
  CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X = 2,
  CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y = 3,
  CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z = 4,
  CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X = 5,
  CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y = 6,
  CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z = 7,
  CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK = 8,
  CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY = 9,
  CU_DEVICE_ATTRIBUTE_WARP_SIZE = 10,
  CU_DEVICE_ATTRIBUTE_MAX_PITCH = 11,
  CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK = 12,
  CU_DEVICE_ATTRIBUTE_CLOCK_RATE = 13,
  CU_DEVICE_ATTRIBUTE_GPU_OVERLAP = 15,
  CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT = 16,
  CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS = 31,
  CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE = 36,
  CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH = 37,
  CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE = 38,
  CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR = 39,
  CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT = 40,
  CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING = 41,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76,
  CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR = 81,
  CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR = 82,
  CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH = 95,
  CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN = 97,
  CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR = 106,
  CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK = 111,
  CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH = 120,
  CU_DEVICE_ATTRIBUTE_TENSOR_MAP_ACCESS_SUPPORTED = 127,
  CU_DEVICE_ATTRIBUTE_MAX = 148
};

typedef int CUfunction_attribute;
enum {
  CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK = 0,
  CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES = 1,
  CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES = 2,
  CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES = 3,
  CU_FUNC_ATTRIBUTE_NUM_REGS = 4,
  CU_FUNC_ATTRIBUTE_PTX_VERSION = 5,
  CU_FUNC_ATTRIBUTE_BINARY_VERSION = 6,
  CU_FUNC_ATTRIBUTE_CACHE_MODE_CA = 7,
  CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8,
  CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT = 9,
  CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET = 10,
  CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH = 11,
  CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT = 12,
  CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH = 13,
  CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED = 14,
  CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE = 15,
  CU_FUNC_ATTRIBUTE_MAX = 16
};

typedef int CUjit_option;
enum {
  CU_JIT_INFO_LOG_BUFFER = 3,
  CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES = 4,
  CU_JIT_ERROR_LOG_BUFFER = 5,
  CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES = 6
};
typedef int CUlibraryOption;

typedef int CUtensorMapDataType;
enum {
  CU_TENSOR_MAP_DATA_TYPE_UINT8 = 0,
  CU_TENSOR_MAP_DATA_TYPE_UINT16,
  CU_TENSOR_MAP_DATA_TYPE_UINT32,
  CU_TENSOR_MAP_DATA_TYPE_INT32,
  CU_TENSOR_MAP_DATA_TYPE_UINT64,
  CU_TENSOR_MAP_DATA_TYPE_INT64,
  CU_TENSOR_MAP_DATA_TYPE_FLOAT16,
  CU_TENSOR_MAP_DATA_TYPE_FLOAT32,
  CU_TENSOR_MAP_DATA_TYPE_FLOAT64,
  CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
  CU_TENSOR_MAP_DATA_TYPE_FLOAT32_FTZ,
  CU_TENSOR_MAP_DATA_TYPE_TFLOAT32,
  CU_TENSOR_MAP_DATA_TYPE_TFLOAT32_FTZ
};
typedef int CUtensorMapInterleave;
enum {
  CU_TENSOR_MAP_INTERLEAVE_NONE = 0,
  CU_TENSOR_MAP_INTERLEAVE_16B,
  CU_TENSOR_MAP_INTERLEAVE_32B
};
typedef int CUtensorMapSwizzle;
enum {
  CU_TENSOR_MAP_SWIZZLE_NONE = 0,
  CU_TENSOR_MAP_SWIZZLE_32B,
  CU_TENSOR_MAP_SWIZZLE_64B,
  CU_TENSOR_MAP_SWIZZLE_128B
};
typedef int CUtensorMapL2promotion;
enum {
  CU_TENSOR_MAP_L2_PROMOTION_NONE = 0,
  CU_TENSOR_MAP_L2_PROMOTION_L2_64B,
  CU_TENSOR_MAP_L2_PROMOTION_L2_128B,
  CU_TENSOR_MAP_L2_PROMOTION_L2_256B
};
typedef int CUtensorMapFloatOOBfill;
enum {
  CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE = 0,
  CU_TENSOR_MAP_FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA
};

typedef struct CUtensorMap {
#ifdef __cplusplus
  alignas(64)
#else
  _Alignas(64)
#endif
      uint64_t opaque[16];
} CUtensorMap;

typedef int CUlaunchAttributeID;
enum {
  CU_LAUNCH_ATTRIBUTE_IGNORE = 0,
  CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW = 1,
  CU_LAUNCH_ATTRIBUTE_COOPERATIVE = 2,
  CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY = 3,
  CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION = 4,
  CU_LAUNCH_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE = 5,
  CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION = 6,
  CU_LAUNCH_ATTRIBUTE_PRIORITY = 8,
  CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP = 9,
  CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN = 10,
  CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT = 14
};
typedef union CUlaunchAttributeValue {
  char pad[64];
  int cooperative;
  int programmaticStreamSerializationAllowed;
  int priority;
  struct {
    unsigned x, y, z;
  } clusterDim;
} CUlaunchAttributeValue;
typedef struct CUlaunchAttribute {
  CUlaunchAttributeID id;
  char pad[4];
  CUlaunchAttributeValue value;
} CUlaunchAttribute;
typedef struct CUlaunchConfig {
  unsigned gridDimX, gridDimY, gridDimZ;
  unsigned blockDimX, blockDimY, blockDimZ;
  unsigned sharedMemBytes;
  CUstream hStream;
  CUlaunchAttribute *attrs;
  unsigned numAttrs;
} CUlaunchConfig;

typedef struct CUuuid {
  char bytes[16];
} CUuuid;

#define CU_STREAM_LEGACY ((CUstream)0x1)
#define CU_STREAM_PER_THREAD ((CUstream)0x2)
#define CU_LAUNCH_PARAM_END ((void *)0x00)
#define CU_LAUNCH_PARAM_BUFFER_POINTER ((void *)0x01)
#define CU_LAUNCH_PARAM_BUFFER_SIZE ((void *)0x02)
enum { CU_STREAM_DEFAULT = 0, CU_STREAM_NON_BLOCKING = 1 };
enum {
  CU_EVENT_DEFAULT = 0,
  CU_EVENT_BLOCKING_SYNC = 1,
  CU_EVENT_DISABLE_TIMING = 2,
  CU_EVENT_INTERPROCESS = 4
};
typedef int CUstreamCaptureMode;
enum {
  CU_STREAM_CAPTURE_MODE_GLOBAL = 0,
  CU_STREAM_CAPTURE_MODE_THREAD_LOCAL = 1,
  CU_STREAM_CAPTURE_MODE_RELAXED = 2
};
typedef int CUstreamCaptureStatus;
enum {
  CU_STREAM_CAPTURE_STATUS_NONE = 0,
  CU_STREAM_CAPTURE_STATUS_ACTIVE = 1,
  CU_STREAM_CAPTURE_STATUS_INVALIDATED = 2
};
typedef int CUdriverProcAddressQueryResult;
enum {
  CU_GET_PROC_ADDRESS_SUCCESS = 0,
  CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND = 1,
  CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT = 2
};

/// One line for each exported function: its name without a version suffix, the
/// exported symbol, the first CUDA version that has it, and its parameters.
/// The declarations below and the table behind cuGetProcAddress expand it.
#define FA3_CU_FUNCTIONS(F)                                                    \
  F(cuInit, cuInit, 2000, (unsigned))                                          \
  F(cuDriverGetVersion, cuDriverGetVersion, 2020, (int *))                     \
  F(cuGetErrorName, cuGetErrorName, 6000, (CUresult, const char **))           \
  F(cuGetErrorString, cuGetErrorString, 6000, (CUresult, const char **))       \
  F(cuGetProcAddress, cuGetProcAddress_v2, 12000,                              \
    (const char *, void **, int, uint64_t, CUdriverProcAddressQueryResult *))  \
  F(cuDeviceGetCount, cuDeviceGetCount, 2000, (int *))                         \
  F(cuDeviceGet, cuDeviceGet, 2000, (CUdevice *, int))                         \
  F(cuDeviceGetName, cuDeviceGetName, 2000, (char *, int, CUdevice))           \
  F(cuDeviceGetUuid, cuDeviceGetUuid_v2, 11040, (CUuuid *, CUdevice))          \
  F(cuDeviceTotalMem, cuDeviceTotalMem_v2, 3020, (size_t *, CUdevice))         \
  F(cuDeviceGetAttribute, cuDeviceGetAttribute, 2000,                          \
    (int *, CUdevice_attribute, CUdevice))                                     \
  F(cuDevicePrimaryCtxRetain, cuDevicePrimaryCtxRetain, 7000,                  \
    (CUcontext *, CUdevice))                                                   \
  F(cuDevicePrimaryCtxRelease, cuDevicePrimaryCtxRelease_v2, 11000,            \
    (CUdevice))                                                                \
  F(cuDevicePrimaryCtxReset, cuDevicePrimaryCtxReset_v2, 11000, (CUdevice))    \
  F(cuDevicePrimaryCtxGetState, cuDevicePrimaryCtxGetState, 7000,              \
    (CUdevice, unsigned *, int *))                                             \
  F(cuCtxCreate, cuCtxCreate_v2, 3020, (CUcontext *, unsigned, CUdevice))      \
  F(cuCtxDestroy, cuCtxDestroy_v2, 4000, (CUcontext))                          \
  F(cuCtxGetCurrent, cuCtxGetCurrent, 4000, (CUcontext *))                     \
  F(cuCtxSetCurrent, cuCtxSetCurrent, 4000, (CUcontext))                       \
  F(cuCtxPushCurrent, cuCtxPushCurrent_v2, 4000, (CUcontext))                  \
  F(cuCtxPopCurrent, cuCtxPopCurrent_v2, 4000, (CUcontext *))                  \
  F(cuCtxGetDevice, cuCtxGetDevice, 2000, (CUdevice *))                        \
  F(cuCtxGetApiVersion, cuCtxGetApiVersion, 3020, (CUcontext, unsigned *))     \
  F(cuCtxSynchronize, cuCtxSynchronize, 2000, (void))                          \
  F(cuMemGetInfo, cuMemGetInfo_v2, 3020, (size_t *, size_t *))                 \
  F(cuMemAlloc, cuMemAlloc_v2, 3020, (CUdeviceptr *, size_t))                  \
  F(cuMemFree, cuMemFree_v2, 3020, (CUdeviceptr))                              \
  F(cuMemGetAddressRange, cuMemGetAddressRange_v2, 3020,                       \
    (CUdeviceptr *, size_t *, CUdeviceptr))                                    \
  F(cuMemcpyHtoD, cuMemcpyHtoD_v2, 3020, (CUdeviceptr, const void *, size_t))  \
  F(cuMemcpyDtoH, cuMemcpyDtoH_v2, 3020, (void *, CUdeviceptr, size_t))        \
  F(cuMemcpyDtoD, cuMemcpyDtoD_v2, 3020, (CUdeviceptr, CUdeviceptr, size_t))   \
  F(cuMemcpyHtoDAsync, cuMemcpyHtoDAsync_v2, 3020,                             \
    (CUdeviceptr, const void *, size_t, CUstream))                             \
  F(cuMemcpyDtoHAsync, cuMemcpyDtoHAsync_v2, 3020,                             \
    (void *, CUdeviceptr, size_t, CUstream))                                   \
  F(cuMemcpyDtoDAsync, cuMemcpyDtoDAsync_v2, 3020,                             \
    (CUdeviceptr, CUdeviceptr, size_t, CUstream))                              \
  F(cuMemsetD8, cuMemsetD8_v2, 3020, (CUdeviceptr, unsigned char, size_t))     \
  F(cuMemsetD16, cuMemsetD16_v2, 3020, (CUdeviceptr, unsigned short, size_t))  \
  F(cuMemsetD32, cuMemsetD32_v2, 3020, (CUdeviceptr, unsigned, size_t))        \
  F(cuMemsetD8Async, cuMemsetD8Async, 3020,                                    \
    (CUdeviceptr, unsigned char, size_t, CUstream))                            \
  F(cuMemsetD16Async, cuMemsetD16Async, 3020,                                  \
    (CUdeviceptr, unsigned short, size_t, CUstream))                           \
  F(cuMemsetD32Async, cuMemsetD32Async, 3020,                                  \
    (CUdeviceptr, unsigned, size_t, CUstream))                                 \
  F(cuLibraryLoadData, cuLibraryLoadData, 12000,                               \
    (CUlibrary *, const void *, CUjit_option *, void **, unsigned,             \
     CUlibraryOption *, void **, unsigned))                                    \
  F(cuLibraryUnload, cuLibraryUnload, 12000, (CUlibrary))                      \
  F(cuLibraryGetKernel, cuLibraryGetKernel, 12000,                             \
    (CUkernel *, CUlibrary, const char *))                                     \
  F(cuLibraryGetKernelCount, cuLibraryGetKernelCount, 12040,                   \
    (unsigned *, CUlibrary))                                                   \
  F(cuKernelGetFunction, cuKernelGetFunction, 12000, (CUfunction *, CUkernel)) \
  F(cuKernelGetAttribute, cuKernelGetAttribute, 12000,                         \
    (int *, CUfunction_attribute, CUkernel, CUdevice))                         \
  F(cuKernelSetAttribute, cuKernelSetAttribute, 12000,                         \
    (CUfunction_attribute, int, CUkernel, CUdevice))                           \
  F(cuKernelGetName, cuKernelGetName, 12030, (const char **, CUkernel))        \
  F(cuKernelGetParamInfo, cuKernelGetParamInfo, 12040,                         \
    (CUkernel, size_t, size_t *, size_t *))                                    \
  F(cuFuncGetAttribute, cuFuncGetAttribute, 2020,                              \
    (int *, CUfunction_attribute, CUfunction))                                 \
  F(cuFuncSetAttribute, cuFuncSetAttribute, 9000,                              \
    (CUfunction, CUfunction_attribute, int))                                   \
  F(cuFuncGetName, cuFuncGetName, 12030, (const char **, CUfunction))          \
  F(cuFuncGetParamInfo, cuFuncGetParamInfo, 12040,                             \
    (CUfunction, size_t, size_t *, size_t *))                                  \
  F(cuModuleLoadData, cuModuleLoadData, 2000, (CUmodule *, const void *))      \
  F(cuModuleGetFunction, cuModuleGetFunction, 2000,                            \
    (CUfunction *, CUmodule, const char *))                                    \
  F(cuModuleUnload, cuModuleUnload, 2000, (CUmodule))                          \
  F(cuTensorMapEncodeTiled, cuTensorMapEncodeTiled, 12000,                     \
    (CUtensorMap *, CUtensorMapDataType, uint32_t, void *, const uint64_t *,   \
     const uint64_t *, const uint32_t *, const uint32_t *,                     \
     CUtensorMapInterleave, CUtensorMapSwizzle, CUtensorMapL2promotion,        \
     CUtensorMapFloatOOBfill))                                                 \
  F(cuLaunchKernel, cuLaunchKernel, 4000,                                      \
    (CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,   \
     unsigned, CUstream, void **, void **))                                    \
  F(cuLaunchKernelEx, cuLaunchKernelEx, 11060,                                 \
    (const CUlaunchConfig *, CUfunction, void **, void **))                    \
  F(cuStreamCreate, cuStreamCreate, 2000, (CUstream *, unsigned))              \
  F(cuStreamCreateWithPriority, cuStreamCreateWithPriority, 5050,              \
    (CUstream *, unsigned, int))                                               \
  F(cuStreamDestroy, cuStreamDestroy_v2, 4000, (CUstream))                     \
  F(cuStreamSynchronize, cuStreamSynchronize, 2000, (CUstream))                \
  F(cuStreamQuery, cuStreamQuery, 2000, (CUstream))                            \
  F(cuStreamGetCtx, cuStreamGetCtx, 9020, (CUstream, CUcontext *))             \
  F(cuStreamWaitEvent, cuStreamWaitEvent, 3020, (CUstream, CUevent, unsigned)) \
  F(cuStreamBeginCapture, cuStreamBeginCapture_v2, 10010,                      \
    (CUstream, CUstreamCaptureMode))                                           \
  F(cuStreamEndCapture, cuStreamEndCapture, 10000, (CUstream, CUgraph *))      \
  F(cuStreamIsCapturing, cuStreamIsCapturing, 10000,                           \
    (CUstream, CUstreamCaptureStatus *))                                       \
  F(cuThreadExchangeStreamCaptureMode, cuThreadExchangeStreamCaptureMode,      \
    10010, (CUstreamCaptureMode *))                                            \
  F(cuGraphInstantiateWithFlags, cuGraphInstantiateWithFlags, 11040,           \
    (CUgraphExec *, CUgraph, unsigned long long))                              \
  F(cuGraphGetNodes, cuGraphGetNodes, 10000,                                   \
    (CUgraph, CUgraphNode *, size_t *))                                        \
  F(cuGraphLaunch, cuGraphLaunch, 10000, (CUgraphExec, CUstream))              \
  F(cuGraphExecDestroy, cuGraphExecDestroy, 10000, (CUgraphExec))              \
  F(cuGraphDestroy, cuGraphDestroy, 10000, (CUgraph))                          \
  F(cuEventCreate, cuEventCreate, 2000, (CUevent *, unsigned))                 \
  F(cuEventDestroy, cuEventDestroy_v2, 4000, (CUevent))                        \
  F(cuEventRecord, cuEventRecord, 2000, (CUevent, CUstream))                   \
  F(cuEventQuery, cuEventQuery, 2000, (CUevent))                               \
  F(cuEventSynchronize, cuEventSynchronize, 2000, (CUevent))                   \
  F(cuEventElapsedTime, cuEventElapsedTime, 2000, (float *, CUevent, CUevent)) \
  F(cuEventElapsedTime, cuEventElapsedTime_v2, 12080,                          \
    (float *, CUevent, CUevent))

#define FA3_CU_DECLARE(NAME, SYMBOL, VERSION, PARAMETERS)                      \
  FA3_CU_EXPORT CUresult SYMBOL PARAMETERS;
FA3_CU_FUNCTIONS(FA3_CU_DECLARE)
#undef FA3_CU_DECLARE

#ifdef __cplusplus
}
#endif

#endif // FA3_EMULATOR_DRIVER_CUDAAPI_H
