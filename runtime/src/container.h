//===- container.h - The file around a package's sections -----------------===//

#ifndef FA3_RUNTIME_SRC_CONTAINER_H
#define FA3_RUNTIME_SRC_CONTAINER_H

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fa3 {

/// The sections that the runtime reads; empty where the file has none.
struct Container {
  std::string manifest;
  std::string cubin;
  std::string ptx; ///< without the terminating NUL
};

/// Splits a package into its sections. Verifies the layout and all checksums,
/// and throws InvalidPackage at the first thing that is wrong.
Container parseContainer(const void *data, size_t size);

} // namespace fa3

#endif // FA3_RUNTIME_SRC_CONTAINER_H
