//===- host_fp8_backward.h - 8-bit gradients that the fake driver computes ===//

#ifndef FA3_TEST_UNIT_RUNTIME_HOST_FP8_BACKWARD_H
#define FA3_TEST_UNIT_RUNTIME_HOST_FP8_BACKWARD_H

#include "host_kernels.h"

namespace fa3::fake {

/// The parameters of the kernels: e4m3 q, k and v, e4m3 or e5m2 do, bf16 o and
/// gradients, all else fp32.
struct Fp8BackwardParameter {
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
    DLse, ///< these may be null
    QDescale,
    KDescale,
    VDescale,
    DODescale,
    DSScale,
    DSAmax,
    IsE5m2,        ///< of do
    HasRowFactors, ///< of gradients of scores, without DSScale
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

/// fp8_backward: right; gradients of scores are rounded to e4m3 with ds_scale
/// or factors of rows, and to bf16 without. fp8_backward_one_descale: takes the
/// first head's descales for all. fp8_backward_coarse: rounds gradients of
/// scores to e5m2. fp8_backward_first: has factors for each row's first
/// gradient, and does not follow larger ones.
/// fp8_backward_amax: gives the largest gradient times ds_scale.
/// fp8_backward_unshifted: rounds probabilities without a factor. Null for any
/// other name.
const HostKernel *findHostFp8Backward(const char *name);

} // namespace fa3::fake

#endif // FA3_TEST_UNIT_RUNTIME_HOST_FP8_BACKWARD_H
