//===- package_writer.h - Packages for tests ------------------------------===//

#ifndef FA3_TEST_UNIT_RUNTIME_PACKAGE_WRITER_H
#define FA3_TEST_UNIT_RUNTIME_PACKAGE_WRITER_H

#include "fa3/runtime/abi.h"

#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

namespace fa3::test {

using Sections = std::vector<std::pair<uint32_t, std::string>>;

/// A package of these sections with right checksums.
std::string writePackage(const Sections &sections);

/// A package with this manifest and, unless they are empty, this code. The PTX
/// is given without its NUL.
std::string writePackage(const nlohmann::json &manifest,
                         const std::string &cubin, const std::string &ptx);

/// Makes the header's checksum right again after a change.
void fixHeader(std::string &package);

/// A forward pass as the compiler describes it: tensor maps for q, k and v.
nlohmann::json forwardManifest();

/// A forward pass whose kernel `kernel` the fake driver executes.
nlohmann::json hostManifest(const std::string &kernel, bool causal,
                            int headDim = 128);

/// A forward pass in e4m3 whose kernel `kernel` the fake driver executes, and
/// before it one that writes v transposed to the workspace, unless v comes so.
struct HostFp8 {
  bool causal = false;
  bool columns = false; ///< value_layout
  bool descales = true;
  bool rowFactors = false; ///< q_descale and k_descale are of rows
  int headDim = 64;
  std::string kernel = "fp8_attention";
};
nlohmann::json hostFp8Manifest(const HostFp8 &options);

/// A backward pass of three kernels with a workspace, which the fake driver
/// executes; `suffixes` are added to the kernels' names.
struct HostBackward {
  bool causal = false;
  bool withLseGradient = true;
  std::vector<std::string> suffixes = {"", "", ""};
};
nlohmann::json hostBackwardManifest(const HostBackward &options);

/// A backward pass in e4m3, with outputs in bf16, whose kernel `kernel` the
/// fake driver executes.
struct HostFp8Backward {
  bool causal = false;
  bool descales = true;
  bool withLseGradient = true;
  bool withLargest = true; ///< ds_amax
  std::string gradientType = "e4m3";
  std::string scoreGradientType = "e4m3"; ///< ds_dtype
  bool rowFactors = false; ///< those of gradients of scores, without ds_scale
  std::string kernel = "fp8_backward";
};
nlohmann::json hostFp8BackwardManifest(const HostFp8Backward &options);

/// Code in which the fake driver finds a kernel of this name.
std::string cubinOf(const std::string &kernel);
std::string ptxOf(const std::string &kernel);
/// The same for all kernels of a manifest.
std::string ptxOfKernels(const nlohmann::json &manifest);

} // namespace fa3::test

#endif // FA3_TEST_UNIT_RUNTIME_PACKAGE_WRITER_H
