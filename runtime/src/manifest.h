//===- manifest.h - What a package says about its kernels -----------------===//

#ifndef FA3_RUNTIME_SRC_MANIFEST_H
#define FA3_RUNTIME_SRC_MANIFEST_H

#include "driver_api.h"
#include "expression.h"

#include "fa3/runtime/runtime.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace fa3 {

/// The index of FA3_MULTIPROCESSORS_SYMBOL in expressions, after the manifest's
/// own symbols.
constexpr int multiprocessorsIndex = FA3_MAX_SYMBOLS;

/// A tensor that the caller passes.
struct TensorSpec {
  std::string name;
  fa3_role role;
  fa3_dtype dtype;
  std::vector<Expression> dims;
  /// Of the address and, where the size exceeds 1, of all strides but the
  /// last; in bytes.
  int64_t alignment;
};

/// A tensor inside the workspace, contiguous in row-major order.
struct WorkspaceTensorSpec {
  std::string name;
  fa3_dtype dtype;
  std::vector<Expression> dims;
  Expression offset; ///< in bytes
  /// Of the offset and, where the size exceeds 1, of all strides but the last;
  /// in bytes.
  int64_t alignment;
};

/// Names either one of the tensors or one of the workspace tensors.
struct TensorReference {
  bool inWorkspace = false;
  int index = 0;
};

struct TensorMapSpec {
  std::array<uint32_t, FA3_MAX_TENSOR_MAP_RANK>
      box{}; ///< in the tensor's order
  cu::CUtensorMapSwizzle swizzle = cu::CU_TENSOR_MAP_SWIZZLE_NONE;
};

/// A parameter of a kernel and where it lies among the parameters' bytes.
struct ParameterSpec {
  enum class Kind : uint8_t { TensorMap, Pointer, Size, Stride, I32, I64, F32 };
  Kind kind;
  int offset;
  TensorReference tensor; ///< TensorMap, Pointer, Size, Stride
  int dim = 0;            ///< Size, Stride
  TensorMapSpec map;      ///< TensorMap
  Expression value;       ///< I32, I64
  float number = 0;       ///< F32
};

struct KernelSpec {
  std::string name;
  std::array<Expression, 3> grid;
  std::array<unsigned, 3> block;
  std::array<unsigned, 3> cluster;
  int sharedMemory; ///< dynamic, in bytes
  bool conditional = false;
  Expression launchIf; ///< 0 skips the kernel; present if conditional
  std::vector<ParameterSpec> parameters;
};

struct ConstraintSpec {
  enum class Kind : uint8_t { Divides, AtMost };
  Kind kind;
  std::array<Expression, 2> operands;
  std::string text; ///< for messages
};

struct Manifest {
  std::string name;
  int minDriver;
  int computeCapability; ///< 10 * major + minor
  /// Code for an architecture such as sm_90a runs on that one only.
  bool architectureSpecific;
  std::vector<std::string> symbols;
  std::vector<TensorSpec> tensors;
  std::vector<WorkspaceTensorSpec> workspaceTensors;
  std::vector<ConstraintSpec> constraints;
  Expression workspace; ///< in bytes
  std::vector<KernelSpec> kernels;
};

/// Reads a manifest, and throws InvalidPackage with the place and the reason
/// when it breaks a rule of docs/abi.md.
Manifest parseManifest(std::string_view json);

} // namespace fa3

#endif // FA3_RUNTIME_SRC_MANIFEST_H
