//===- package.cpp - Loads packages ---------------------------------------===//

#include "package.h"

#include "container.h"
#include "error.h"
#include "invalid_package.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

using namespace fa3;

static fa3_status load(const void *data, size_t size, const char *origin,
                       fa3_package **package, fa3_error *error) {
  try {
    Container container = parseContainer(data, size);
    auto loaded = std::make_unique<fa3_package>();
    loaded->manifest =
        std::make_shared<const Manifest>(parseManifest(container.manifest));
    loaded->manifestText = std::move(container.manifest);
    loaded->cubin = std::move(container.cubin);
    loaded->ptx = std::move(container.ptx);
    *package = loaded.release();
    return setSuccess(error);
  } catch (const InvalidPackage &problem) {
    return setError(error, FA3_ERROR_INVALID_PACKAGE, "%s: %s", origin,
                    problem.what());
  }
}

/// The whole file, or null with errno set.
static std::unique_ptr<std::vector<char>> readFile(const char *path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(std::fopen(path, "rbe"),
                                                        std::fclose);
  if (!file)
    return nullptr;
  auto contents = std::make_unique<std::vector<char>>();
  char chunk[65536];
  while (const size_t count = std::fread(chunk, 1, sizeof(chunk), file.get()))
    contents->insert(contents->end(), chunk, chunk + count);
  if (std::ferror(file.get()))
    return nullptr;
  return contents;
}

fa3_status fa3_package_load_file(const char *path, fa3_package **package,
                                 fa3_error *error) {
  if (!path || !package)
    return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                    "fa3_package_load_file: path and package may not be null");
  return guarded(error, [&] {
    const auto contents = readFile(path);
    if (!contents)
      return setError(error, FA3_ERROR_IO, "cannot read '%s': %s", path,
                      std::strerror(errno));
    return load(contents->data(), contents->size(), path, package, error);
  });
}

fa3_status fa3_package_load_memory(const void *data, size_t size,
                                   fa3_package **package, fa3_error *error) {
  if ((!data && size != 0) || !package)
    return setError(
        error, FA3_ERROR_INVALID_ARGUMENT,
        "fa3_package_load_memory: data and package may not be null");
  return guarded(error,
                 [&] { return load(data, size, "package", package, error); });
}

void fa3_package_destroy(fa3_package *package) { delete package; }

fa3_status fa3_package_replace_ptx(fa3_package *package, const char *ptx,
                                   size_t size, fa3_error *error) {
  if (!package || !ptx || size == 0)
    return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                    "fa3_package_replace_ptx: package and ptx may not be null, "
                    "and ptx may not be empty");
  if (std::memchr(ptx, '\0', size))
    return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                    "fa3_package_replace_ptx: the PTX contains a NUL");
  return guarded(error, [&] {
    package->ptx.assign(ptx, size);
    package->cubin.clear();
    return setSuccess(error);
  });
}

const char *fa3_package_name(const fa3_package *package) {
  return package ? package->manifest->name.c_str() : nullptr;
}

const char *fa3_package_manifest(const fa3_package *package) {
  return package ? package->manifestText.c_str() : nullptr;
}

int32_t fa3_package_tensor_count(const fa3_package *package) {
  return package ? static_cast<int32_t>(package->manifest->tensors.size()) : 0;
}

fa3_status fa3_package_tensor(const fa3_package *package, int32_t index,
                              fa3_tensor_info *info, fa3_error *error) {
  if (!package || !info || index < 0 ||
      index >= fa3_package_tensor_count(package))
    return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                    "fa3_package_tensor: tensor %d of %d, package %p, info %p",
                    index, fa3_package_tensor_count(package),
                    static_cast<const void *>(package),
                    static_cast<void *>(info));
  const TensorSpec &tensor = package->manifest->tensors[index];
  *info = {tensor.name.c_str(), tensor.role, tensor.dtype,
           static_cast<int32_t>(tensor.dims.size())};
  return setSuccess(error);
}

int32_t fa3_package_symbol_count(const fa3_package *package) {
  return package ? static_cast<int32_t>(package->manifest->symbols.size()) : 0;
}

const char *fa3_package_symbol(const fa3_package *package, int32_t index) {
  if (index < 0 || index >= fa3_package_symbol_count(package))
    return nullptr;
  return package->manifest->symbols[index].c_str();
}

fa3_status fa3_package_tensor_sizes(const fa3_package *package, int32_t index,
                                    const int64_t *symbols,
                                    int32_t symbol_count,
                                    int64_t sizes[FA3_MAX_RANK],
                                    fa3_error *error) {
  if (!package || !sizes || index < 0 ||
      index >= fa3_package_tensor_count(package))
    return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                    "fa3_package_tensor_sizes: tensor %d of %d, package %p, "
                    "sizes %p",
                    index, fa3_package_tensor_count(package),
                    static_cast<const void *>(package),
                    static_cast<void *>(sizes));
  if (symbol_count != fa3_package_symbol_count(package) ||
      (!symbols && symbol_count != 0))
    return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                    "fa3_package_tensor_sizes: values for %d symbols, the "
                    "package has %d",
                    symbol_count, fa3_package_symbol_count(package));
  const TensorSpec &tensor = package->manifest->tensors[index];
  int64_t values[FA3_MAX_RANK];
  for (size_t i = 0; i < tensor.dims.size(); ++i)
    if (const char *problem = tensor.dims[i].evaluate(symbols, values[i]))
      return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                      "size of dimension %zu of '%s': %s", i,
                      tensor.name.c_str(), problem);
  std::memcpy(sizes, values, tensor.dims.size() * sizeof(int64_t));
  return setSuccess(error);
}
