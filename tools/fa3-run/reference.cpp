//===- reference.cpp - What the results should be -------------------------===//

#include "reference.h"

namespace fa3::run {

const Tensor *Tensors::find(std::string_view name) const {
  for (const Tensor &tensor : tensors)
    if (tensor.name() == name)
      return &tensor;
  return nullptr;
}

const Tensor &Tensors::at(std::string_view name) const {
  const Tensor *tensor = find(name);
  if (!tensor)
    throw UsageError("the reference needs a tensor '" + std::string(name) +
                     "', which the package does not have");
  return *tensor;
}

const Operation *findOperation(std::string_view kind) {
  for (const Operation *operation :
       {&forwardOperation, &backwardOperation, &quantizeOperation})
    if (operation->kind == kind)
      return operation;
  return nullptr;
}

} // namespace fa3::run
