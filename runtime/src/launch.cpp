//===- launch.cpp - Enqueues a package's kernels --------------------------===//
//
// Everything here lives on the stack: a launch neither allocates nor waits, so
// that it can be captured into a graph and costs little.
//
//===----------------------------------------------------------------------===//

#include "dtype.h"
#include "error.h"
#include "module.h"
#include "problem.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>
#include <limits>

using namespace fa3;

namespace {

/// The bytes that a kernel's parameters point to.
struct ParameterBuffer {
  alignas(FA3_TENSOR_MAP_ALIGNMENT) char bytes[FA3_MAX_PARAMETER_BYTES];
  void *pointers[FA3_MAX_PARAMETERS];
};

class Launcher {
public:
  Launcher(const fa3_module &module, const Problem &problem, void *stream,
           fa3_error *error)
      : module(module), problem(problem),
        stream(static_cast<cu::CUstream>(stream)), error(error) {}

  fa3_status launch(const KernelSpec &kernel, cu::CUkernel handle) const;

private:
  fa3_status evaluateGrid(const KernelSpec &kernel, unsigned (&grid)[3]) const;
  fa3_status store(const KernelSpec &kernel, const ParameterSpec &parameter,
                   char *bytes) const;
  fa3_status encodeTensorMap(const KernelSpec &kernel,
                             const ParameterSpec &parameter, char *bytes) const;

  const fa3_module &module;
  const Problem &problem;
  cu::CUstream stream;
  fa3_error *error;
};

} // namespace

template <typename Value> static void write(char *bytes, Value value) {
  std::memcpy(bytes, &value, sizeof(value));
}

fa3_status Launcher::encodeTensorMap(const KernelSpec &kernel,
                                     const ParameterSpec &parameter,
                                     char *bytes) const {
  const BoundTensor tensor = problem.tensor(parameter.tensor);
  const uint64_t elementSize = fa3_dtype_size(tensor.dtype);
  const int rank = tensor.rank;
  const bool empty = !hasElements(tensor.sizes, rank);
  void *address = empty ? problem.anyAddress() : tensor.data;

  // The driver counts dimensions from the innermost and omits its stride.
  cu::cuuint64_t sizes[FA3_MAX_TENSOR_MAP_RANK];
  cu::cuuint64_t strides[FA3_MAX_TENSOR_MAP_RANK];
  cu::cuuint32_t box[FA3_MAX_TENSOR_MAP_RANK];
  cu::cuuint32_t elementStrides[FA3_MAX_TENSOR_MAP_RANK];
  for (int i = 0; i < rank; ++i) {
    const int dim = rank - 1 - i;
    sizes[i] = std::max<uint64_t>(tensor.sizes[dim], 1);
    box[i] = parameter.map.box[dim];
    elementStrides[i] = 1;
  }
  // Where only index 0 exists, any legal stride will do, and the caller's need
  // not be one.
  const uint64_t rowBytes = (sizes[0] * elementSize + 15) / 16 * 16;
  for (int i = 1; i < rank; ++i)
    strides[i - 1] = sizes[i] == 1 || empty
                         ? rowBytes
                         : tensor.strides[rank - 1 - i] * elementSize;

  auto *map = reinterpret_cast<cu::CUtensorMap *>(bytes);
  if (cu::CUresult result = module.functions.cuTensorMapEncodeTiled(
          map, tensorMapType(tensor.dtype), static_cast<cu::cuuint32_t>(rank),
          address, sizes, strides, box, elementStrides,
          cu::CU_TENSOR_MAP_INTERLEAVE_NONE, parameter.map.swizzle,
          cu::CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
          cu::CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
      result != cu::CUDA_SUCCESS)
    return setDriverError(error, module.functions, result,
                          "encoding the tensor map of '%s' at %p for kernel "
                          "'%s'",
                          tensor.name, address, kernel.name.c_str());
  return FA3_SUCCESS;
}

fa3_status Launcher::store(const KernelSpec &kernel,
                           const ParameterSpec &parameter, char *bytes) const {
  using Kind = ParameterSpec::Kind;
  switch (parameter.kind) {
  case Kind::TensorMap:
    return encodeTensorMap(kernel, parameter, bytes);
  case Kind::Pointer:
    write(bytes, problem.tensor(parameter.tensor).data);
    break;
  case Kind::Size:
    write(bytes, static_cast<int32_t>(
                     problem.tensor(parameter.tensor).sizes[parameter.dim]));
    break;
  case Kind::Stride:
    write(bytes, problem.tensor(parameter.tensor).strides[parameter.dim]);
    break;
  case Kind::I32:
  case Kind::I64: {
    int64_t value = 0;
    if (fa3_status status = problem.evaluate(parameter.value, "a parameter",
                                             kernel.name.c_str(), value, error))
      return status;
    if (parameter.kind == Kind::I64) {
      write(bytes, value);
      break;
    }
    if (value < std::numeric_limits<int32_t>::min() ||
        value > std::numeric_limits<int32_t>::max())
      return setError(error, FA3_ERROR_UNSUPPORTED,
                      "a parameter of kernel '%s' is %" PRId64
                      ", which exceeds 32 bits",
                      kernel.name.c_str(), value);
    write(bytes, static_cast<int32_t>(value));
    break;
  }
  case Kind::F32:
    write(bytes, parameter.number);
    break;
  }
  return FA3_SUCCESS;
}

fa3_status Launcher::evaluateGrid(const KernelSpec &kernel,
                                  unsigned (&grid)[3]) const {
  static constexpr int64_t limits[] = {std::numeric_limits<int32_t>::max(),
                                       65535, 65535};
  for (int i = 0; i < 3; ++i) {
    int64_t extent = 0;
    if (fa3_status status = problem.evaluate(
            kernel.grid[i], "the grid", kernel.name.c_str(), extent, error))
      return status;
    if (extent < 0 || extent > limits[i])
      return setError(error, FA3_ERROR_UNSUPPORTED,
                      "the grid of kernel '%s' has %" PRId64
                      " blocks in dimension %d, expected 0 to %" PRId64,
                      kernel.name.c_str(), extent, i, limits[i]);
    if (extent % kernel.cluster[i] != 0)
      return setError(error, FA3_ERROR_UNSUPPORTED,
                      "the grid of kernel '%s' has %" PRId64
                      " blocks in dimension %d, expected a multiple of the "
                      "cluster's %u",
                      kernel.name.c_str(), extent, i, kernel.cluster[i]);
    grid[i] = static_cast<unsigned>(extent);
  }
  return FA3_SUCCESS;
}

fa3_status Launcher::launch(const KernelSpec &kernel,
                            cu::CUkernel handle) const {
  if (kernel.conditional) {
    int64_t condition = 0;
    if (fa3_status status =
            problem.evaluate(kernel.launchIf, "launch_if", kernel.name.c_str(),
                             condition, error))
      return status;
    if (condition == 0)
      return FA3_SUCCESS;
  }
  unsigned grid[3];
  if (fa3_status status = evaluateGrid(kernel, grid))
    return status;
  if (grid[0] == 0 || grid[1] == 0 || grid[2] == 0)
    return FA3_SUCCESS;

  ParameterBuffer buffer;
  for (size_t i = 0; i < kernel.parameters.size(); ++i) {
    char *bytes = buffer.bytes + kernel.parameters[i].offset;
    buffer.pointers[i] = bytes;
    if (fa3_status status = store(kernel, kernel.parameters[i], bytes))
      return status;
  }

  cu::CUlaunchAttribute cluster{};
  cluster.id = cu::CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
  cluster.value.clusterDim = {kernel.cluster[0], kernel.cluster[1],
                              kernel.cluster[2]};
  const bool clustered = kernel.cluster != std::array<unsigned, 3>{1, 1, 1};
  const cu::CUlaunchConfig config = {grid[0],
                                     grid[1],
                                     grid[2],
                                     kernel.block[0],
                                     kernel.block[1],
                                     kernel.block[2],
                                     static_cast<unsigned>(kernel.sharedMemory),
                                     stream,
                                     clustered ? &cluster : nullptr,
                                     clustered ? 1u : 0u};
  // The driver takes a context-independent kernel in a function's place and
  // launches it in the stream's context.
  if (cu::CUresult result = module.functions.cuLaunchKernelEx(
          &config, reinterpret_cast<cu::CUfunction>(handle), buffer.pointers,
          nullptr);
      result != cu::CUDA_SUCCESS)
    return setDriverError(
        error, module.functions, result,
        "launching kernel '%s' with a grid of %u x %u x %u blocks of %u "
        "threads and %d bytes of shared memory",
        kernel.name.c_str(), grid[0], grid[1], grid[2],
        kernel.block[0] * kernel.block[1] * kernel.block[2],
        kernel.sharedMemory);
  return FA3_SUCCESS;
}

fa3_status fa3_launch(fa3_module *module, void *stream,
                      const fa3_tensor *tensors, int32_t count, void *workspace,
                      size_t workspace_size, fa3_error *error) {
  if (!module)
    return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                    "fa3_launch: module may not be null");
  return guarded(error, [&] {
    Problem problem(*module->manifest);
    if (fa3_status status =
            problem.bind(tensors, count, Problem::Addresses::Required, error))
      return status;
    if (fa3_status status =
            problem.bindWorkspace(workspace, workspace_size, error))
      return status;
    int multiprocessors = 0;
    if (fa3_status status = module->prepareDevice(multiprocessors, error))
      return status;
    problem.bindMultiprocessors(multiprocessors);
    const Launcher launcher(*module, problem, stream, error);
    for (size_t i = 0; i < module->kernels.size(); ++i)
      if (fa3_status status =
              launcher.launch(module->manifest->kernels[i], module->kernels[i]))
        return status;
    return setSuccess(error);
  });
}
