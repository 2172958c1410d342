//===- host_kernels.h - Kernels that the fake driver executes -------------===//

#ifndef FA3_TEST_UNIT_RUNTIME_HOST_KERNELS_H
#define FA3_TEST_UNIT_RUNTIME_HOST_KERNELS_H

namespace fa3::fake {

/// A kernel and how many parameters, as cuLaunchKernelEx takes them, it has.
struct HostKernel {
  const char *name;
  void (*run)(void **parameters);
  int parameterCount;
};

/// The parameters of the attention kernels: bf16 q, k, v and o, fp32 lse.
struct AttentionParameter {
  enum Index {
    Q,
    K,
    V,
    O,
    Lse,
    Batch,
    SeqlenQ,
    HeadsQ,
    SeqlenK,
    HeadsKv,
    HeadDim,
    Causal,
    Scale,
    QStrides, ///< three each: batch, sequence, head
    KStrides = QStrides + 3,
    VStrides = KStrides + 3,
    OStrides = VStrides + 3,
    Count = OStrides + 3,
  };
};

/// attention: right. attention_wrong: one element is off. attention_unwritten:
/// leaves one row. attention_stray: writes before the output.
/// attention_unsteady: differs from run to run. Others are in host_backward.h,
/// host_fp8.h and host_fp8_backward.h; null for any other name.
const HostKernel *findHostKernel(const char *name);

} // namespace fa3::fake

#endif // FA3_TEST_UNIT_RUNTIME_HOST_KERNELS_H
