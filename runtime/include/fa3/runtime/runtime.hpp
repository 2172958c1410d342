//===- runtime.hpp - C++17 layer over the C interface ---------------------===//
//
// Owning handles over runtime.h and device.h; errors become exceptions of type
// fa3::Error. Header-only, so that the library's binary interface stays C.
//
//   fa3::Driver driver;
//   fa3::Package package = fa3::Package::fromFile("forward.fa3");
//   fa3::Module module(driver, package);
//   std::vector<fa3_tensor> tensors = {
//       fa3::tensor("q", q, FA3_DTYPE_BF16, {batch, seqlen, heads, 128}), ...};
//   module.launch(stream, tensors);
//
//===----------------------------------------------------------------------===//

#ifndef FA3_RUNTIME_RUNTIME_HPP
#define FA3_RUNTIME_RUNTIME_HPP

#include "fa3/runtime/device.h"
#include "fa3/runtime/runtime.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fa3 {

/// A failed call. what() is the message of the C interface.
class Error : public std::runtime_error {
public:
  explicit Error(const fa3_error &error)
      : std::runtime_error(error.message), code(error.status),
        result(error.driver_result) {}

  fa3_status status() const noexcept { return code; }
  /// The CUresult behind the error, or 0.
  int driverResult() const noexcept { return result; }

private:
  fa3_status code;
  int result;
};

namespace detail {

/// Calls a C function with `arguments` and an error; throws if it fails.
template <typename Function, typename... Arguments>
void call(Function &&function, Arguments &&...arguments) {
  fa3_error error;
  if (function(std::forward<Arguments>(arguments)..., &error) != FA3_SUCCESS)
    throw Error(error);
}

template <auto destroy> struct Deleter {
  template <typename Handle> void operator()(Handle *handle) const noexcept {
    destroy(handle);
  }
};

template <typename Handle, auto destroy>
using Owner = std::unique_ptr<Handle, Deleter<destroy>>;

} // namespace detail

/// A CUDA driver, or the emulator. Outlives everything made from it.
class Driver {
public:
  /// Opens `path`: "emulator" is the emulator that comes with FA3; null means
  /// FA3_DRIVER if that is set, else the system's CUDA driver.
  explicit Driver(const char *path = nullptr) {
    fa3_driver *opened = nullptr;
    detail::call(fa3_driver_open, path, &opened);
    handle.reset(opened);
  }
  explicit Driver(const std::string &path) : Driver(path.c_str()) {}

  const fa3_driver *get() const noexcept { return handle.get(); }
  int version() const noexcept { return fa3_driver_version(get()); }
  std::string path() const { return fa3_driver_path(get()); }

  int deviceCount() const {
    int count = 0;
    detail::call(fa3_device_count, get(), &count);
    return count;
  }
  fa3_device_info device(int ordinal) const {
    fa3_device_info info;
    detail::call(fa3_device_describe, get(), ordinal, &info);
    return info;
  }

private:
  detail::Owner<fa3_driver, fa3_driver_close> handle;
};

/// A tensor with explicit strides, in elements.
inline fa3_tensor tensor(const char *name, void *data, fa3_dtype dtype,
                         const std::vector<int64_t> &sizes,
                         const std::vector<int64_t> &strides) {
  if (sizes.size() > FA3_MAX_RANK || strides.size() != sizes.size())
    throw std::invalid_argument(std::string("tensor '") + name + "' has " +
                                std::to_string(sizes.size()) + " sizes and " +
                                std::to_string(strides.size()) +
                                " strides, expected as many of each "
                                "and at most " +
                                std::to_string(FA3_MAX_RANK));
  fa3_tensor result{};
  result.name = name;
  result.data = data;
  result.dtype = dtype;
  result.rank = static_cast<int32_t>(sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    result.sizes[i] = sizes[i];
    result.strides[i] = strides[i];
  }
  return result;
}

/// A tensor that is contiguous in row-major order.
inline fa3_tensor tensor(const char *name, void *data, fa3_dtype dtype,
                         const std::vector<int64_t> &sizes) {
  std::vector<int64_t> strides(sizes.size());
  int64_t stride = 1;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= sizes[i];
  }
  return tensor(name, data, dtype, sizes, strides);
}

/// A validated kernel package.
class Package {
public:
  static Package fromFile(const std::string &path) {
    fa3_package *loaded = nullptr;
    detail::call(fa3_package_load_file, path.c_str(), &loaded);
    return Package(loaded);
  }
  /// Copies the bytes.
  static Package fromMemory(const void *data, std::size_t size) {
    fa3_package *loaded = nullptr;
    detail::call(fa3_package_load_memory, data, size, &loaded);
    return Package(loaded);
  }

  const fa3_package *get() const noexcept { return handle.get(); }
  std::string name() const { return fa3_package_name(get()); }
  /// The manifest as JSON.
  std::string manifest() const { return fa3_package_manifest(get()); }

  std::vector<fa3_tensor_info> tensors() const {
    std::vector<fa3_tensor_info> result(fa3_package_tensor_count(get()));
    for (std::size_t i = 0; i < result.size(); ++i)
      detail::call(fa3_package_tensor, get(), static_cast<int32_t>(i),
                   &result[i]);
    return result;
  }
  std::vector<std::string> symbols() const {
    std::vector<std::string> result;
    for (int32_t i = 0; i < fa3_package_symbol_count(get()); ++i)
      result.emplace_back(fa3_package_symbol(get(), i));
    return result;
  }
  /// Sizes of tensor `index`, given the symbols' values in their order.
  std::vector<int64_t> tensorSizes(int32_t index,
                                   const std::vector<int64_t> &values) const {
    fa3_tensor_info info;
    detail::call(fa3_package_tensor, get(), index, &info);
    int64_t sizes[FA3_MAX_RANK];
    detail::call(fa3_package_tensor_sizes, get(), index, values.data(),
                 static_cast<int32_t>(values.size()), sizes);
    return std::vector<int64_t>(sizes, sizes + info.rank);
  }

  void replacePtx(const std::string &ptx) {
    detail::call(fa3_package_replace_ptx, handle.get(), ptx.data(), ptx.size());
  }

  /// Why the package does not compute a problem, or nothing if it does.
  std::optional<std::string>
  whyUnsupported(const std::vector<fa3_tensor> &problem) const {
    fa3_error error;
    if (fa3_check_support(get(), problem.data(),
                          static_cast<int32_t>(problem.size()),
                          &error) == FA3_SUCCESS)
      return std::nullopt;
    return std::string(error.message);
  }

  std::size_t workspaceSize(const std::vector<fa3_tensor> &problem) const {
    std::size_t bytes = 0;
    detail::call(fa3_workspace_size, get(), problem.data(),
                 static_cast<int32_t>(problem.size()), &bytes);
    return bytes;
  }

private:
  explicit Package(fa3_package *package) : handle(package) {}

  detail::Owner<fa3_package, fa3_package_destroy> handle;
};

/// A package's code, loaded into a driver.
class Module {
public:
  Module(const Driver &driver, const Package &package) {
    fa3_module *created = nullptr;
    detail::call(fa3_module_create, driver.get(), package.get(), &created);
    handle.reset(created);
  }

  fa3_module *get() const noexcept { return handle.get(); }
  /// "cubin" or "ptx".
  std::string code() const { return fa3_module_code(get()); }
  /// Loads the kernels into the current context ahead of the first launch.
  void prepare() { detail::call(fa3_module_prepare, get()); }

  void launch(void *stream, const std::vector<fa3_tensor> &problem,
              void *workspace = nullptr, std::size_t workspaceSize = 0) {
    detail::call(fa3_launch, get(), stream, problem.data(),
                 static_cast<int32_t>(problem.size()), workspace,
                 workspaceSize);
  }

private:
  detail::Owner<fa3_module, fa3_module_destroy> handle;
};

/// A reference to a device's primary context, current on the creating thread.
class Context {
public:
  explicit Context(const Driver &driver, int ordinal = 0) {
    fa3_context *created = nullptr;
    detail::call(fa3_context_create, driver.get(), ordinal, &created);
    handle.reset(created);
  }

  void makeCurrent() { detail::call(fa3_context_make_current, handle.get()); }
  void synchronize() { detail::call(fa3_context_synchronize, handle.get()); }

private:
  detail::Owner<fa3_context, fa3_context_destroy> handle;
};

namespace detail {

/// A handle that is destroyed through the driver that made it.
template <void (*destroy)(const fa3_driver *, void *)> class DriverHandle {
public:
  DriverHandle() = default;
  DriverHandle(const fa3_driver *driver, void *handle)
      : driver(driver), handle(handle) {}
  DriverHandle(DriverHandle &&other) noexcept
      : driver(other.driver), handle(std::exchange(other.handle, nullptr)) {}
  DriverHandle &operator=(DriverHandle &&other) noexcept {
    std::swap(driver, other.driver);
    std::swap(handle, other.handle);
    return *this;
  }
  ~DriverHandle() { destroy(driver, handle); }

  const fa3_driver *driver = nullptr;
  void *handle = nullptr;
};

} // namespace detail

/// Device memory of the current context.
class DeviceMemory {
public:
  DeviceMemory() = default;
  /// No bytes are no allocation, and a null address.
  DeviceMemory(const Driver &driver, std::size_t bytes) : bytes(bytes) {
    void *allocated = nullptr;
    if (bytes != 0)
      detail::call(fa3_memory_allocate, driver.get(), bytes, &allocated);
    memory = {driver.get(), allocated};
  }

  void *data() const noexcept { return memory.handle; }
  std::size_t size() const noexcept { return bytes; }

  void copyFromHost(const void *from, std::size_t count,
                    std::size_t offset = 0) {
    detail::call(fa3_memory_to_device, memory.driver, at(offset, count), from,
                 count);
  }
  void copyToHost(void *to, std::size_t count, std::size_t offset = 0) const {
    detail::call(fa3_memory_to_host, memory.driver, to, at(offset, count),
                 count);
  }
  void fill(std::uint8_t value, void *stream = nullptr) {
    if (bytes != 0)
      detail::call(fa3_memory_fill, memory.driver, data(), value, bytes,
                   stream);
  }

private:
  void *at(std::size_t offset, std::size_t count) const {
    if (offset > bytes || count > bytes - offset)
      throw std::out_of_range("copy past the end of device memory");
    return static_cast<char *>(data()) + offset;
  }

  detail::DriverHandle<fa3_memory_free> memory;
  std::size_t bytes = 0;
};

/// A stream of the current context.
class Stream {
public:
  explicit Stream(const Driver &driver) {
    void *created = nullptr;
    detail::call(fa3_stream_create, driver.get(), &created);
    stream = {driver.get(), created};
  }

  void *get() const noexcept { return stream.handle; }
  void synchronize() const {
    detail::call(fa3_stream_synchronize, stream.driver, get());
  }

private:
  detail::DriverHandle<fa3_stream_destroy> stream;
};

/// Work recorded from a stream.
class Graph {
public:
  /// Records what `body` enqueues on the stream.
  template <typename Body>
  Graph(const Driver &driver, const Stream &stream, Body &&body) {
    detail::call(fa3_graph_begin_capture, driver.get(), stream.get());
    try {
      body();
    } catch (...) {
      // Leaves the stream usable; the error that is reported is the body's.
      void *unused = nullptr;
      (void)fa3_graph_end_capture(driver.get(), stream.get(), &unused, nullptr);
      fa3_graph_destroy(driver.get(), unused);
      throw;
    }
    void *created = nullptr;
    detail::call(fa3_graph_end_capture, driver.get(), stream.get(), &created);
    graph = {driver.get(), created};
  }

  void launch(const Stream &stream) const {
    detail::call(fa3_graph_launch, graph.driver, graph.handle, stream.get());
  }

private:
  detail::DriverHandle<fa3_graph_destroy> graph;
};

/// A point in a stream that can be timed.
class Event {
public:
  explicit Event(const Driver &driver) {
    void *created = nullptr;
    detail::call(fa3_event_create, driver.get(), &created);
    event = {driver.get(), created};
  }

  void record(const Stream &stream) {
    detail::call(fa3_event_record, event.driver, event.handle, stream.get());
  }
  void synchronize() const {
    detail::call(fa3_event_synchronize, event.driver, event.handle);
  }
  /// Milliseconds since `start`; both have completed.
  float millisecondsSince(const Event &start) const {
    float milliseconds = 0;
    detail::call(fa3_event_elapsed, event.driver, start.event.handle,
                 event.handle, &milliseconds);
    return milliseconds;
  }

private:
  detail::DriverHandle<fa3_event_destroy> event;
};

} // namespace fa3

#endif // FA3_RUNTIME_RUNTIME_HPP
