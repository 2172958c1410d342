//===- host_fp8.h - Attention in 8 bits that the fake driver computes -----===//

#ifndef FA3_TEST_UNIT_RUNTIME_HOST_FP8_H
#define FA3_TEST_UNIT_RUNTIME_HOST_FP8_H

#include "host_kernels.h"

namespace fa3::fake {

/// The parameters of the fp8 kernels, all of which take the same: e4m3 q, k and
/// v, f16 o, fp32 lse and descales.
struct Fp8Parameter {
  enum Index {
    Q,
    K,
    V,           ///< as the caller gives it
    VTransposed, ///< the same, or in the workspace
    O,
    Lse,
    QDescale, ///< these may be null
    KDescale,
    VDescale,
    Batch,
    SeqlenQ,
    HeadsQ,
    SeqlenK,
    HeadsKv,
    HeadDim,
    Causal,
    Scale,
    QStrides, ///< three each, from the outermost dimension
    KStrides = QStrides + 3,
    VStrides = KStrides + 3,
    VTransposedStrides = VStrides + 3,
    OStrides = VTransposedStrides + 3,
    RowFactors = OStrides + 3, ///< whether q_descale and k_descale are of rows
    QDescaleStrides,           ///< two each; without rows they are 0
    KDescaleStrides = QDescaleStrides + 2,
    Count = KDescaleStrides + 2,
  };
};

/// fp8_transpose: writes v transposed and interleaved. fp8_attention: right,
/// block by block from the last keys to the first, each row relative to its
/// maximum so far. fp8_attention_lazy: with references that lag behind.
/// fp8_attention_one_descale: takes the first head's descales for all.
/// fp8_attention_one_row: takes the first row's factors of queries and keys for
/// all. fp8_attention_in_order: takes the transposed keys not to be
/// interleaved. fp8_attention_short: leaves a block of keys out.
/// fp8_attention_coarse: rounds probabilities to e5m2. Null for any other name.
const HostKernel *findHostFp8(const char *name);

} // namespace fa3::fake

#endif // FA3_TEST_UNIT_RUNTIME_HOST_FP8_H
