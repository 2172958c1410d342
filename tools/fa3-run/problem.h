//===- problem.h - The problem that the options describe ------------------===//

#ifndef FA3_TOOLS_FA3_RUN_PROBLEM_H
#define FA3_TOOLS_FA3_RUN_PROBLEM_H

#include "tensor.h"

#include <string_view>
#include <vector>

namespace fa3::run {

/// The values of the package's symbols, in its order. Throws UsageError when
/// the options lack one.
std::vector<int64_t> symbolValues(const Package &package,
                                  const Options &options);

/// The tensor of this name. Throws UsageError when there is none.
Tensor &findTensor(std::vector<Tensor> &tensors, std::string_view name);

/// The package's tensors, without memory.
std::vector<Tensor> makeTensors(const Package &package, const Options &options);

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_PROBLEM_H
