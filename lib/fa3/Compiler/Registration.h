//===- Registration.h - All dialects and passes -----------------*- C++ -*-===//

#ifndef FA3_COMPILER_REGISTRATION_H
#define FA3_COMPILER_REGISTRATION_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace fa3 {

/// Registers every dialect and extension that a spec or any stage of its
/// compilation may use.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Registers every pass of the project and the upstream passes it uses.
void registerAllPasses();

} // namespace fa3

#endif // FA3_COMPILER_REGISTRATION_H
