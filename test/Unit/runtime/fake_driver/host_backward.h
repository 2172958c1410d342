//===- host_backward.h - Gradients that the fake driver computes ----------===//

#ifndef FA3_TEST_UNIT_RUNTIME_HOST_BACKWARD_H
#define FA3_TEST_UNIT_RUNTIME_HOST_BACKWARD_H

#include "host_kernels.h"

namespace fa3::fake {

/// The parameters of the backward kernels, all of which take the same. Tensors
/// are bf16, but for lse, dlse and the workspace's.
struct BackwardParameter {
  enum Index {
    Q,
    K,
    V,
    O,
    DO,
    DQ,
    DK,
    DV,
    Lse,
    DLse, ///< may be null
    NegLse,
    NegSum,
    DQAcc,
    Batch,
    SeqlenQ,
    HeadsQ,
    SeqlenK,
    HeadsKv,
    HeadDim,
    Causal,
    Scale,
    Strides, ///< of Q to DV, three each: batch, sequence, head
    Count = Strides + 3 * 8,
  };
};

/// backward_preprocess, backward_main, backward_postprocess: right.
/// backward_preprocess_lazy: leaves the sums in the workspace as they were.
/// backward_main_wrong: one element of dk is off. Null for any other name.
const HostKernel *findHostBackward(const char *name);

} // namespace fa3::fake

#endif // FA3_TEST_UNIT_RUNTIME_HOST_BACKWARD_H
