//===- reference.h - What the results should be ---------------------------===//

#ifndef FA3_TOOLS_FA3_RUN_REFERENCE_H
#define FA3_TOOLS_FA3_RUN_REFERENCE_H

#include "tensor.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fa3::run {

/// How an output compares with the reference.
struct TensorError {
  std::string tensor;
  int64_t checked = 0; ///< elements compared with the reference
  int64_t wrong = 0;   ///< of those, beyond the tolerance or NaN
  double maxAbs = 0;   ///< largest error; infinite if an element is NaN
  double rms = 0;
  double referenceMaxAbs = 0; ///< largest finite magnitude of the reference
  double modelMaxAbs = 0;     ///< largest error in the precision of kernels
  /// Errors against the result of the inputs before they were rounded to 8
  /// bits.
  bool hasOriginal = false;
  double maxAbsOriginal = 0;
  double rmsOriginal = 0;
  std::string firstWrong; ///< where, found and expected
};

/// The tensors of a problem, by name.
class Tensors {
public:
  explicit Tensors(const std::vector<Tensor> &tensors) : tensors(tensors) {}
  const Tensor *find(std::string_view name) const;
  /// Throws UsageError when there is no such tensor.
  const Tensor &at(std::string_view name) const;

private:
  const std::vector<Tensor> &tensors;
};

/// A kind of operation that fa3-run can judge: `operation.kind` of manifests.
struct Operation {
  std::string_view kind;
  /// Floating-point operations that the problem takes by convention; null
  /// where there is none.
  double (*flops)(const nlohmann::json &operation, const Tensors &tensors);
  /// Compares the downloaded outputs with an fp64 reference. Throws UsageError
  /// when the operation has an attribute that the reference does not know.
  std::vector<TensorError> (*check)(const nlohmann::json &operation,
                                    const Tensors &tensors, uint64_t seed);
  /// Whether the inputs o and lse are the results of a forward pass.
  bool derivesInputs;
};

/// The operation of this kind, or null.
const Operation *findOperation(std::string_view kind);

extern const Operation forwardOperation;
extern const Operation backwardOperation;
extern const Operation quantizeOperation;

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_REFERENCE_H
