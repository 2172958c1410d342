//===- Package.h - The .fa3 container ---------------------------*- C++ -*-===//

#ifndef FA3_TARGET_PACKAGE_H
#define FA3_TARGET_PACKAGE_H

#include "llvm/ADT/StringRef.h"

#include <string>

namespace fa3 {

/// The bytes of a package (layout: fa3/runtime/abi.h). `cubin` may be empty.
std::string writePackage(llvm::StringRef manifest, llvm::StringRef cubin,
                         llvm::StringRef ptx);

/// A C header that defines the package as an array NAME and its size as
/// NAME_size, for programs that carry their kernels in themselves.
std::string writePackageHeader(llvm::StringRef name, llvm::StringRef package);

} // namespace fa3

#endif // FA3_TARGET_PACKAGE_H
