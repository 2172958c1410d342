//===- Ast.h - PTX as parsed, names resolved --------------------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_AST_H
#define FA3_EMULATOR_CORE_AST_H

#include "Machine.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fa3::emulator {

enum class Space : uint8_t { Generic, Global, Shared, Const, Local, Param };

/// What a name in an operand stands for.
enum class RefKind : uint8_t {
  None,
  Register,
  Variable,
  Param,
  Special,
  Label
};

struct ParsedOperand {
  enum Kind : uint8_t {
    Name,    ///< ref/index (and component for %tid.x).
    Integer, ///< value
    Float,   ///< value = bits of a double
    Float32, ///< value = bits of a float
    Vector,  ///< elements
    Address, ///< elements[0] = base (Name or Integer), offset, then the rest
    Pair,    ///< elements[0] | elements[1]
    Sink,    ///< _
  };
  Kind kind = Sink;
  RefKind ref = RefKind::None;
  bool negated = false; ///< A leading '!'.
  uint32_t index = 0;   ///< Register, variable, parameter or label scope.
  uint64_t value = 0;
  int64_t offset = 0;
  std::string_view name; ///< As written.
  std::vector<ParsedOperand> elements;
};

struct ParsedInst {
  uint32_t line = 0;
  /// Opcode and its modifiers: "mbarrier", "try_wait", ..., "shared::cta".
  std::vector<std::string_view> parts;
  std::vector<ParsedOperand> operands;
  int32_t guard = -1; ///< Register of the guard predicate.
  bool guardNegated = false;
};

struct ParsedRegister {
  uint8_t bytes; ///< 1 = predicate, else 2, 4, 8 or 16.
};

struct ParsedVariable {
  std::string name;
  Space space = Space::Global;
  uint32_t align = 1;
  uint64_t size = 0; ///< 0 for an extern array without a bound.
  uint32_t elementSize = 1;
  bool external = false;
  std::vector<unsigned char> init;
  /// Initialisers that are addresses: (offset, variable name, addend).
  struct Relocation {
    uint64_t offset;
    std::string target;
    int64_t addend;
    uint32_t line;
  };
  std::vector<Relocation> relocations;
  uint32_t line = 0;
};

struct ParsedKernel {
  KernelInfo info;
  std::vector<ParsedRegister> registers;
  std::vector<ParsedInst> code;
  /// Branch targets by (scope, name), resolved to instruction indices after
  /// the body was read; ParsedOperand::index of a Label is an index into this.
  std::vector<uint32_t> labelTargets;
  /// Lists of .branchtargets, as indices into labelTargets, and for a Label
  /// that names such a list its index (else -1).
  std::vector<std::vector<uint32_t>> branchTables;
  std::vector<int32_t> labelTables;
  uint32_t minCtasPerSm = 0;
};

struct ParsedModule {
  std::string version, target;
  std::vector<ParsedVariable> variables; ///< Of all scopes.
  std::vector<ParsedKernel> kernels;
};

/// Throws ParseError.
ParsedModule parsePtx(std::string_view text);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_AST_H
