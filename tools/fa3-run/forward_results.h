//===- forward_results.h - Inputs that a forward pass makes ---------------===//

#ifndef FA3_TOOLS_FA3_RUN_FORWARD_RESULTS_H
#define FA3_TOOLS_FA3_RUN_FORWARD_RESULTS_H

#include "tensor.h"

#include <nlohmann/json_fwd.hpp>

#include <vector>

namespace fa3::run {

/// Gives the inputs o and lse of a backward pass the results of the forward
/// pass: those of the reference, rounded, or those of the package that the
/// options name. Throws UsageError when there is no package, and the reference
/// would take minutes.
void makeForwardResults(const Driver &driver, const nlohmann::json &operation,
                        std::vector<Tensor> &tensors, const Options &options);

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_FORWARD_RESULTS_H
