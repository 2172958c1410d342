//===- invalid_package.h - What the loader throws -------------------------===//

#ifndef FA3_RUNTIME_SRC_INVALID_PACKAGE_H
#define FA3_RUNTIME_SRC_INVALID_PACKAGE_H

#include <stdexcept>
#include <string>

namespace fa3 {

/// Says why a package is refused. Caught where the C functions begin.
class InvalidPackage : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

} // namespace fa3

#endif // FA3_RUNTIME_SRC_INVALID_PACKAGE_H
