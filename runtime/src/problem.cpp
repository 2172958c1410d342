//===- problem.cpp - A package's tensors bound to a caller's --------------===//

#include "problem.h"

#include "error.h"
#include "package.h"

#include <cinttypes>
#include <cstring>
#include <limits>

namespace fa3 {

/// Kernels hold sizes in 32 bits.
static constexpr int64_t maxSize = std::numeric_limits<int32_t>::max();

/// The strides of a tensor map have 40 bits.
static constexpr int64_t maxStrideBytes = int64_t{1} << 40;

bool hasElements(const int64_t *sizes, int rank) {
  for (int i = 0; i < rank; ++i)
    if (sizes[i] == 0)
      return false;
  return true;
}

fa3_status Problem::match(const fa3_tensor *tensors, int32_t count,
                          fa3_error *error) {
  if (count < 0 || (!tensors && count != 0))
    return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                    "expected an array of tensors, found %d at address %p",
                    count, static_cast<const void *>(tensors));
  for (int32_t i = 0; i < count; ++i) {
    if (!tensors[i].name)
      return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                      "the name of tensor %d is null", i);
    size_t index = 0;
    while (index < manifest.tensors.size() &&
           manifest.tensors[index].name != tensors[i].name)
      ++index;
    if (index == manifest.tensors.size())
      return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                      "'%s' takes no tensor '%s'", manifest.name.c_str(),
                      tensors[i].name);
    if (bound[index])
      return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                      "tensor '%s' is given twice", tensors[i].name);
    bound[index] = &tensors[i];
  }
  for (size_t i = 0; i < manifest.tensors.size(); ++i)
    if (!bound[i])
      return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                      "tensor '%s' is missing; '%s' takes %zu tensors",
                      manifest.tensors[i].name.c_str(), manifest.name.c_str(),
                      manifest.tensors.size());
  return FA3_SUCCESS;
}

fa3_status Problem::checkShape(const TensorSpec &spec, const fa3_tensor &tensor,
                               fa3_error *error) const {
  const char *name = spec.name.c_str();
  if (tensor.dtype != spec.dtype) {
    const char *found = fa3_dtype_name(tensor.dtype);
    return setError(error, FA3_ERROR_UNSUPPORTED,
                    "'%s' has element type %s (%d), expected %s", name,
                    found ? found : "unknown", static_cast<int>(tensor.dtype),
                    fa3_dtype_name(spec.dtype));
  }
  if (tensor.rank != static_cast<int32_t>(spec.dims.size()))
    return setError(error, FA3_ERROR_UNSUPPORTED,
                    "'%s' has %d dimensions, expected %zu", name, tensor.rank,
                    spec.dims.size());
  for (int i = 0; i < tensor.rank; ++i)
    if (tensor.sizes[i] < 0 || tensor.sizes[i] > maxSize)
      return setError(error, FA3_ERROR_UNSUPPORTED,
                      "dimension %d of '%s' has size %" PRId64
                      ", expected 0 to %" PRId64,
                      i, name, tensor.sizes[i], maxSize);
  return FA3_SUCCESS;
}

fa3_status Problem::bindSymbols(fa3_error *error) {
  const char *boundBy[FA3_MAX_SYMBOLS] = {};
  for (size_t t = 0; t < manifest.tensors.size(); ++t) {
    const TensorSpec &spec = manifest.tensors[t];
    for (size_t i = 0; i < spec.dims.size(); ++i) {
      const int symbol = spec.dims[i].asSymbol();
      if (symbol < 0)
        continue;
      const int64_t size = bound[t]->sizes[i];
      if (!boundBy[symbol]) {
        boundBy[symbol] = spec.name.c_str();
        symbols[symbol] = size;
      } else if (symbols[symbol] != size) {
        return setError(error, FA3_ERROR_UNSUPPORTED,
                        "%s is %" PRId64 " in '%s' but %" PRId64 " in '%s'",
                        manifest.symbols[symbol].c_str(), symbols[symbol],
                        boundBy[symbol], size, spec.name.c_str());
      }
    }
  }
  return FA3_SUCCESS;
}

fa3_status Problem::checkSizes(fa3_error *error) const {
  for (size_t t = 0; t < manifest.tensors.size(); ++t) {
    const TensorSpec &spec = manifest.tensors[t];
    for (size_t i = 0; i < spec.dims.size(); ++i) {
      int64_t expected = 0;
      if (fa3_status status = evaluate(spec.dims[i], "a dimension",
                                       spec.name.c_str(), expected, error))
        return status;
      if (bound[t]->sizes[i] != expected)
        return setError(error, FA3_ERROR_UNSUPPORTED,
                        "dimension %zu of '%s' has size %" PRId64
                        ", expected %" PRId64,
                        i, spec.name.c_str(), bound[t]->sizes[i], expected);
    }
  }
  return FA3_SUCCESS;
}

fa3_status Problem::checkStrides(const TensorSpec &spec,
                                 const fa3_tensor &tensor,
                                 fa3_error *error) const {
  if (!hasElements(tensor.sizes, tensor.rank))
    return FA3_SUCCESS;
  const char *name = spec.name.c_str();
  const auto elementSize = static_cast<int64_t>(fa3_dtype_size(spec.dtype));
  const int last = tensor.rank - 1;
  int64_t extent = elementSize;
  for (int i = 0; i < tensor.rank; ++i) {
    const int64_t size = tensor.sizes[i];
    const int64_t stride = tensor.strides[i];
    if (size <= 1)
      continue;
    if (i == last && stride != 1)
      return setError(error, FA3_ERROR_UNSUPPORTED,
                      "the last dimension of '%s' has stride %" PRId64
                      ", expected 1",
                      name, stride);
    if (stride < 0)
      return setError(error, FA3_ERROR_UNSUPPORTED,
                      "dimension %d of '%s' has stride %" PRId64
                      ", expected at least 0",
                      i, name, stride);
    if (stride == 0 && spec.role != FA3_ROLE_INPUT)
      return setError(error, FA3_ERROR_UNSUPPORTED,
                      "dimension %d of '%s' has stride 0, which only an input "
                      "can have",
                      i, name);
    int64_t bytes = 0;
    int64_t span = 0;
    if (__builtin_mul_overflow(stride, elementSize, &bytes) ||
        bytes >= maxStrideBytes ||
        __builtin_mul_overflow(size - 1, bytes, &span) ||
        __builtin_add_overflow(extent, span, &extent))
      return setError(error, FA3_ERROR_UNSUPPORTED,
                      "dimension %d of '%s' has stride %" PRId64
                      ", which in bytes must be less than 2^40 and keep the "
                      "tensor within 2^63",
                      i, name, stride);
    if (i != last && bytes % spec.alignment != 0)
      return setError(error, FA3_ERROR_UNSUPPORTED,
                      "dimension %d of '%s' has a stride of %" PRId64
                      " elements, %" PRId64
                      " bytes, expected a multiple of %" PRId64 " bytes",
                      i, name, stride, bytes, spec.alignment);
  }
  return FA3_SUCCESS;
}

fa3_status Problem::checkAddress(const TensorSpec &spec,
                                 const fa3_tensor &tensor, Addresses addresses,
                                 fa3_error *error) const {
  if (!hasElements(tensor.sizes, tensor.rank))
    return FA3_SUCCESS;
  if (!tensor.data)
    return addresses == Addresses::MayBeNull
               ? FA3_SUCCESS
               : setError(error, FA3_ERROR_INVALID_ARGUMENT,
                          "the address of '%s' is null", spec.name.c_str());
  if (reinterpret_cast<uintptr_t>(tensor.data) % spec.alignment != 0)
    return setError(error, FA3_ERROR_UNSUPPORTED,
                    "the address of '%s' is %p, expected a multiple of %" PRId64
                    " bytes",
                    spec.name.c_str(), tensor.data, spec.alignment);
  return FA3_SUCCESS;
}

fa3_status Problem::checkConstraints(fa3_error *error) const {
  for (const ConstraintSpec &constraint : manifest.constraints) {
    const char *text = constraint.text.c_str();
    int64_t a = 0;
    int64_t b = 0;
    if (fa3_status status =
            evaluate(constraint.operands[0], "constraint", text, a, error))
      return status;
    if (fa3_status status =
            evaluate(constraint.operands[1], "constraint", text, b, error))
      return status;
    const bool holds = constraint.kind == ConstraintSpec::Kind::AtMost ? a <= b
                       : a == 0                                        ? b == 0
                       : a == -1 ? true
                                 : b % a == 0;
    if (!holds)
      return setError(error, FA3_ERROR_UNSUPPORTED,
                      "%s; they are %" PRId64 " and %" PRId64, text, a, b);
  }
  return FA3_SUCCESS;
}

fa3_status Problem::bind(const fa3_tensor *tensors, int32_t count,
                         Addresses addresses, fa3_error *error) {
  if (fa3_status status = match(tensors, count, error))
    return status;
  for (size_t i = 0; i < manifest.tensors.size(); ++i)
    if (fa3_status status = checkShape(manifest.tensors[i], *bound[i], error))
      return status;
  if (fa3_status status = bindSymbols(error))
    return status;
  if (fa3_status status = checkSizes(error))
    return status;
  for (size_t i = 0; i < manifest.tensors.size(); ++i) {
    if (fa3_status status = checkStrides(manifest.tensors[i], *bound[i], error))
      return status;
    if (fa3_status status =
            checkAddress(manifest.tensors[i], *bound[i], addresses, error))
      return status;
  }
  return checkConstraints(error);
}

fa3_status Problem::evaluate(const Expression &expression, const char *what,
                             const char *name, int64_t &value,
                             fa3_error *error) const {
  if (const char *problem = expression.evaluate(symbols, value))
    return setError(error, FA3_ERROR_UNSUPPORTED, "%s of '%s': %s", what, name,
                    problem);
  return FA3_SUCCESS;
}

fa3_status Problem::workspaceSize(size_t &bytes, fa3_error *error) const {
  int64_t value = 0;
  if (fa3_status status = evaluate(manifest.workspace, "the workspace size",
                                   manifest.name.c_str(), value, error))
    return status;
  if (value < 0)
    return setError(error, FA3_ERROR_INVALID_PACKAGE,
                    "the workspace size of '%s' comes to %" PRId64
                    " bytes for this problem",
                    manifest.name.c_str(), value);
  bytes = static_cast<size_t>(value);
  return FA3_SUCCESS;
}

fa3_status Problem::bindWorkspace(void *workspace, size_t size,
                                  fa3_error *error) {
  size_t needed = 0;
  if (fa3_status status = workspaceSize(needed, error))
    return status;
  if (size < needed)
    return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                    "the workspace has %zu bytes, expected at least %zu", size,
                    needed);
  if (needed != 0 && !workspace)
    return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                    "the workspace is null, expected %zu bytes", needed);
  if (reinterpret_cast<uintptr_t>(workspace) % FA3_WORKSPACE_ALIGNMENT != 0)
    return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                    "the workspace is at %p, expected a multiple of %d bytes",
                    workspace, FA3_WORKSPACE_ALIGNMENT);
  for (size_t t = 0; t < manifest.workspaceTensors.size(); ++t)
    if (fa3_status status = placeWorkspaceTensor(
            t, static_cast<char *>(workspace), needed, error))
      return status;
  return FA3_SUCCESS;
}

fa3_status Problem::placeWorkspaceTensor(size_t index, char *workspace,
                                         size_t size, fa3_error *error) {
  const WorkspaceTensorSpec &spec = manifest.workspaceTensors[index];
  auto &placed = scratch[index];
  const char *name = spec.name.c_str();
  const auto elementSize = static_cast<int64_t>(fa3_dtype_size(spec.dtype));
  int64_t offset = 0;
  if (fa3_status status =
          evaluate(spec.offset, "the offset", name, offset, error))
    return status;
  auto elements = int64_t{1};
  bool fits = offset >= 0;
  for (size_t i = spec.dims.size(); i-- > 0;) {
    int64_t &extent = placed.sizes[i];
    if (fa3_status status =
            evaluate(spec.dims[i], "a dimension", name, extent, error))
      return status;
    placed.strides[i] = elements;
    fits = fits && extent >= 0 && extent <= maxSize &&
           !__builtin_mul_overflow(elements, extent, &elements);
  }
  int64_t end = 0;
  fits = fits && !__builtin_mul_overflow(elements, elementSize, &end) &&
         !__builtin_add_overflow(end, offset, &end) &&
         end <= static_cast<int64_t>(size);
  if (!fits)
    return setError(error, FA3_ERROR_INVALID_PACKAGE,
                    "'%s' at byte %" PRId64
                    " does not fit the workspace of %zu bytes",
                    name, offset, size);
  bool aligned = offset % spec.alignment == 0;
  for (size_t i = 0; i + 1 < spec.dims.size(); ++i)
    aligned =
        aligned && (placed.sizes[i] <= 1 ||
                    placed.strides[i] * elementSize % spec.alignment == 0);
  if (!aligned && elements != 0)
    return setError(error, FA3_ERROR_INVALID_PACKAGE,
                    "the offset or a stride of '%s' in the workspace is not a "
                    "multiple of %" PRId64 " bytes",
                    name, spec.alignment);
  placed.data = workspace + offset;
  return FA3_SUCCESS;
}

BoundTensor Problem::tensor(TensorReference reference) const {
  if (!reference.inWorkspace) {
    const fa3_tensor &tensor = *bound[reference.index];
    return {tensor.data,  tensor.dtype,   tensor.rank,
            tensor.sizes, tensor.strides, tensor.name};
  }
  const WorkspaceTensorSpec &spec = manifest.workspaceTensors[reference.index];
  return {scratch[reference.index].data,      spec.dtype,
          static_cast<int>(spec.dims.size()), scratch[reference.index].sizes,
          scratch[reference.index].strides,   spec.name.c_str()};
}

void *Problem::anyAddress() const {
  for (size_t i = 0; i < manifest.tensors.size(); ++i) {
    const auto address = reinterpret_cast<uintptr_t>(bound[i]->data);
    if (address != 0 && hasElements(bound[i]->sizes, bound[i]->rank))
      return reinterpret_cast<void *>(address / FA3_WORKSPACE_ALIGNMENT *
                                      FA3_WORKSPACE_ALIGNMENT);
  }
  return reinterpret_cast<void *>(FA3_WORKSPACE_ALIGNMENT);
}

} // namespace fa3

using namespace fa3;

fa3_status fa3_check_support(const fa3_package *package,
                             const fa3_tensor *tensors, int32_t count,
                             fa3_error *error) {
  size_t bytes = 0;
  return fa3_workspace_size(package, tensors, count, &bytes, error);
}

fa3_status fa3_workspace_size(const fa3_package *package,
                              const fa3_tensor *tensors, int32_t count,
                              size_t *bytes, fa3_error *error) {
  if (!package || !bytes)
    return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                    "fa3_workspace_size: package and bytes may not be null");
  Problem problem(*package->manifest);
  if (fa3_status status =
          problem.bind(tensors, count, Problem::Addresses::MayBeNull, error))
    return status;
  size_t needed = 0;
  if (fa3_status status = problem.workspaceSize(needed, error))
    return status;
  *bytes = needed;
  return setSuccess(error);
}
