//===- Program.h - Decoded kernels ------------------------------*- C++ -*-===//
//
// The decoder turns each PTX instruction into an Inst: a handler specialised
// for types and modifiers, and operands resolved to places in a warp's register
// file. Constants live in a pool laid out like registers (one copy per lane),
// so that a handler does not distinguish them.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_EMULATOR_CORE_PROGRAM_H
#define FA3_EMULATOR_CORE_PROGRAM_H

#include "Ast.h"
#include "Machine.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fa3::emulator {

struct Warp;
struct Inst;

using Mask = uint32_t;
inline constexpr Mask kFullMask = ~Mask(0);
inline constexpr uint32_t kLanes = 32;

/// What a handler did with the current group of lanes.
enum class Step : uint8_t {
  Next,  ///< Go on with the next instruction.
  Jump,  ///< The handler changed the program counter or the set of lanes.
  Wait,  ///< Not executed; try again when the recorded condition holds.
  Yield, ///< Executed, but let others run before the next instruction.
  Fault, ///< Reported; the launch ends.
};

using Handler = Step (*)(Warp &, const Inst &, Mask);

struct Operand {
  enum Kind : uint8_t { None, Register, Constant, Predicate, Sink };
  /// 32-bit words from the base of the register file or the constant pool; for
  /// a predicate, its number.
  uint32_t slot = 0;
  /// Number of the register, for tracking who touched it; ~0 for others.
  uint32_t reg = ~0u;
  Kind kind = None;
  uint8_t bytes = 0; ///< Of the register cell: 2, 4, 8 or 16.
  bool negated = false;
};

struct Inst {
  Handler fn = nullptr;
  uint32_t line = 0;
  int32_t guard = -1;    ///< Predicate number.
  uint32_t guardReg = 0; ///< Its register, for tracking.
  bool guardNegated = false;
  /// wgmma checks its own register operands; others are checked by the core.
  bool tracksRegisters = true;
  uint8_t cost = 1;      ///< Logical clocks of the trace.
  uint16_t defCount = 0; ///< The first operands are written, the others read.
  uint16_t count = 0;
  uint32_t first = 0; ///< In Kernel::operands.
  const Operand *ops = nullptr;
  uint32_t target = 0; ///< Branches.
  /// Handler-specific values.
  uint32_t a = 0, b = 0, c = 0, d = 0;
  uint64_t imm = 0;
  const char *name = ""; ///< First word of the opcode, static.
};

struct Kernel {
  KernelInfo info;
  std::vector<Inst> code;
  std::vector<Operand> operands;
  std::vector<uint32_t> pool; ///< Constants, 32 lanes each.
  std::vector<std::vector<uint32_t>> branchTables; ///< Of brx.idx.
  uint32_t laneWords = 0; ///< Register file of a warp, in 32-bit words.
  uint32_t registerCount = 0;
  uint32_t predicateCount = 0;
  uint32_t staticShared = 0; ///< Bytes, dynamic memory begins at or after.
  uint32_t dynamicAlign = 16;
  uint32_t minCtasPerSm = 1;
};

struct Program {
  std::vector<Kernel> kernels;
  std::vector<KernelInfo> infos;
  std::vector<GlobalInfo> globals;
  std::vector<std::unique_ptr<unsigned char[]>> storage;
  std::string version, target;

  /// Whether [address, address + size) lies in one module variable.
  bool contains(uint64_t address, uint64_t size) const;
};

/// The address windows of generic addresses. Global memory uses host addresses,
/// which lie below all of them.
inline constexpr uint64_t kSharedWindow = uint64_t(1) << 56;
inline constexpr uint64_t kLocalWindow = uint64_t(2) << 56;
inline constexpr uint64_t kParamWindow = uint64_t(3) << 56;
inline constexpr uint64_t kWindowMask = uint64_t(0xff) << 56;

/// A shared::cluster address is (rank + 1) << kRankShift | offset; without a
/// rank it is the executing CTA's own.
inline constexpr uint32_t kRankShift = 24;
/// The first kilobyte of shared memory belongs to the system, as on the device.
inline constexpr uint32_t kSharedBase = 1024;

/// Decodes \p parsed; throws ParseError.
std::unique_ptr<Program> decode(const ParsedModule &parsed);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_PROGRAM_H
