//===- gradient_scales.h - What gradients of scores are multiplied with ---===//

#ifndef FA3_TOOLS_FA3_RUN_GRADIENT_SCALES_H
#define FA3_TOOLS_FA3_RUN_GRADIENT_SCALES_H

#include "tensor.h"

#include <nlohmann/json_fwd.hpp>

#include <vector>

namespace fa3::run {

/// Gives the input ds_scale of a backward pass, if there is one, values with
/// which the gradients of scores fill the range of e4m3, from those of some
/// queries of each head. The inputs o and lse must have their values.
void makeGradientScales(const nlohmann::json &operation,
                        std::vector<Tensor> &tensors);

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_GRADIENT_SCALES_H
