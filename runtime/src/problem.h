//===- problem.h - A package's tensors bound to a caller's ----------------===//

#ifndef FA3_RUNTIME_SRC_PROBLEM_H
#define FA3_RUNTIME_SRC_PROBLEM_H

#include "manifest.h"

#include "fa3/runtime/runtime.h"

namespace fa3 {

/// A tensor of the problem with everything a parameter can ask for.
struct BoundTensor {
  void *data;
  fa3_dtype dtype;
  int rank;
  const int64_t *sizes;
  const int64_t *strides; ///< in elements
  const char *name;
};

/// A checked problem. Lives on the stack of a launch: nothing in it allocates,
/// and it refers to the manifest and the caller's tensors.
class Problem {
public:
  enum class Addresses { MayBeNull, Required };

  explicit Problem(const Manifest &manifest) : manifest(manifest) {}

  /// Matches the caller's tensors with the manifest's and checks that the
  /// package computes them.
  fa3_status bind(const fa3_tensor *tensors, int32_t count, Addresses addresses,
                  fa3_error *error);

  /// After bind: bytes of workspace.
  fa3_status workspaceSize(size_t &bytes, fa3_error *error) const;

  /// After bind: places the workspace's tensors.
  fa3_status bindWorkspace(void *workspace, size_t size, fa3_error *error);

  void bindMultiprocessors(int count) { symbols[multiprocessorsIndex] = count; }

  /// After bind: evaluates an expression of the manifest; `what` names it in
  /// the message. Those of kernels also need bindMultiprocessors.
  fa3_status evaluate(const Expression &expression, const char *what,
                      const char *name, int64_t &value, fa3_error *error) const;

  BoundTensor tensor(TensorReference reference) const;

  /// Some address that is legal in a tensor map: for tensors without elements,
  /// which may have no memory.
  void *anyAddress() const;

private:
  fa3_status match(const fa3_tensor *tensors, int32_t count, fa3_error *error);
  fa3_status checkShape(const TensorSpec &spec, const fa3_tensor &tensor,
                        fa3_error *error) const;
  fa3_status bindSymbols(fa3_error *error);
  fa3_status checkSizes(fa3_error *error) const;
  fa3_status checkStrides(const TensorSpec &spec, const fa3_tensor &tensor,
                          fa3_error *error) const;
  fa3_status checkAddress(const TensorSpec &spec, const fa3_tensor &tensor,
                          Addresses addresses, fa3_error *error) const;
  fa3_status checkConstraints(fa3_error *error) const;
  fa3_status placeWorkspaceTensor(size_t index, char *workspace, size_t size,
                                  fa3_error *error);

  const Manifest &manifest;
  const fa3_tensor *bound[FA3_MAX_TENSORS] = {};
  int64_t symbols[FA3_MAX_SYMBOLS + 1] = {};
  struct {
    void *data;
    int64_t sizes[FA3_MAX_RANK];
    int64_t strides[FA3_MAX_RANK];
  } scratch[FA3_MAX_WORKSPACE_TENSORS] = {};
};

/// Whether a tensor of these sizes has any elements.
bool hasElements(const int64_t *sizes, int rank);

} // namespace fa3

#endif // FA3_RUNTIME_SRC_PROBLEM_H
