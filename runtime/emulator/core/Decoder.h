//===- Decoder.h - From parsed to executable instructions -------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_DECODER_H
#define FA3_EMULATOR_CORE_DECODER_H

#include "Lexer.h"
#include "Program.h"

#include <initializer_list>
#include <unordered_map>

namespace fa3::emulator {

enum class Type : uint8_t {
  None,
  Pred,
  B8,
  B16,
  B32,
  B64,
  B128,
  U8,
  U16,
  U32,
  U64,
  S8,
  S16,
  S32,
  S64,
  F16,
  BF16,
  F32,
  F64,
  F16x2,
  BF16x2,
  TF32,
  E4M3,
  E5M2,
  E4M3x2,
  E5M2x2,
};

/// Bytes of a value; a predicate has one.
uint32_t typeBytes(Type type);
bool isSigned(Type type);
bool isFloat(Type type);
/// The unsigned or untyped reading of \p type: U32 for B32, and so on.
Type asUnsigned(Type type);

class Decoder;
using DecodeFn = void (*)(Decoder &);
using OpcodeTable = std::unordered_map<std::string_view, DecodeFn>;

/// Decodes one kernel. The functions of each instruction family pick modifiers
/// and operands with it; what they leave is an error.
class Decoder {
public:
  /// \p addresses: of the module's variables.
  Decoder(const ParsedKernel &source, const std::vector<uint64_t> &addresses,
          Kernel &kernel);

  void run();

  //===--------------------------------------------------------------------===//
  // For the families
  //===--------------------------------------------------------------------===//

  Inst inst;

  [[noreturn]] void fail(const std::string &message) const;
  [[noreturn]] void unsupported(const std::string &what) const;

  /// Consumes the modifier \p name if the opcode has it.
  bool has(std::string_view name);
  /// Consumes whichever of \p names comes first; -1 if none.
  int oneOf(std::initializer_list<std::string_view> names);
  /// Consumes the next type modifier.
  Type type();
  Type typeOr(Type otherwise);
  /// Consumes and returns the next modifier that nobody consumed; empty if
  /// none.
  std::string_view nextModifier();
  std::string_view opcode() const { return source->parts[0]; }

  size_t operandCount() const { return source->operands.size(); }
  const ParsedOperand &operand(size_t index) const;
  void expectOperands(size_t least, size_t most);

  /// Appends a written register of \p bytes; \p wider also takes larger cells
  /// (ld, cvt). Written operands come before read ones.
  void def(const ParsedOperand &operand, uint32_t bytes, bool wider = false);
  /// The same where "_" is allowed; the handler has to look for it.
  void defOrSink(const ParsedOperand &operand, uint32_t bytes,
                 bool wider = false);
  void defPred(const ParsedOperand &operand);
  /// Appends a read register or constant.
  void use(const ParsedOperand &operand, Type type, bool wider = false);
  void usePred(const ParsedOperand &operand);
  void useConstant(uint64_t bits, uint32_t bytes);
  /// Appends the base register of an address (widened to a constant if there
  /// is none) and returns the constant offset.
  int64_t useAddress(const ParsedOperand &operand);
  /// The value of an integer constant.
  bool isConstant(const ParsedOperand &operand) const;
  uint64_t constant(const ParsedOperand &operand) const;
  /// What mov takes a name for.
  uint64_t symbolValue(const ParsedOperand &operand) const;
  uint32_t registerBytes(const ParsedOperand &operand) const;
  uint32_t labelTarget(const ParsedOperand &operand) const;
  /// The .branchtargets list that the operand names.
  std::vector<uint32_t> branchTable(const ParsedOperand &operand) const;
  /// Elements of a vector operand, or the operand itself.
  static std::vector<const ParsedOperand *>
  elements(const ParsedOperand &operand);

  /// The three integer operands of e.g. add.s32: d, a, b, c of one type.
  void defUse(Type d, std::initializer_list<Type> sources);

  Kernel &kernel;

private:
  Operand place(const ParsedOperand &operand) const;
  uint32_t poolSlot(uint64_t bits, uint32_t bytes);
  void append(Operand op, bool isDef);

  const ParsedKernel &parsed;
  const std::vector<uint64_t> &addresses;
  const ParsedInst *source = nullptr;
  uint64_t consumed = 0;
  std::vector<uint32_t> slots; ///< Of each register.
  std::unordered_map<uint64_t, uint32_t> pools[2];
};

/// Type of a modifier, or None.
Type typeNamed(std::string_view name);

void addIntegerOpcodes(OpcodeTable &table);
void addFloatOpcodes(OpcodeTable &table);
void addMoveOpcodes(OpcodeTable &table);
void addCompareOpcodes(OpcodeTable &table);
void addConvertOpcodes(OpcodeTable &table);
void addControlOpcodes(OpcodeTable &table);
void addWarpOpcodes(OpcodeTable &table);
void addMemoryOpcodes(OpcodeTable &table);
void addAtomicOpcodes(OpcodeTable &table);
void addMatrixOpcodes(OpcodeTable &table);
void addMmaOpcodes(OpcodeTable &table);
void addBarrierOpcodes(OpcodeTable &table);
void addMbarrierOpcodes(OpcodeTable &table);
void addCopyOpcodes(OpcodeTable &table);
void addWgmmaOpcodes(OpcodeTable &table);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_DECODER_H
