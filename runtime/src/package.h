//===- package.h - A validated package ------------------------------------===//

#ifndef FA3_RUNTIME_SRC_PACKAGE_H
#define FA3_RUNTIME_SRC_PACKAGE_H

#include "manifest.h"

#include <memory>
#include <string>

struct fa3_package {
  /// Shared with the modules made from the package.
  std::shared_ptr<const fa3::Manifest> manifest;
  std::string manifestText;
  std::string cubin;
  std::string ptx;
};

#endif // FA3_RUNTIME_SRC_PACKAGE_H
