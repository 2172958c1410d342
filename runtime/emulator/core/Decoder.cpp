//===- Decoder.cpp - From parsed to executable instructions ---------------===//

#include "Decoder.h"

#include <algorithm>
#include <bit>
#include <cstring>

using namespace fa3::emulator;

Type fa3::emulator::typeNamed(std::string_view name) {
  static const std::unordered_map<std::string_view, Type> kTypes = {
      {"pred", Type::Pred},     {"b8", Type::B8},
      {"b16", Type::B16},       {"b32", Type::B32},
      {"b64", Type::B64},       {"b128", Type::B128},
      {"u8", Type::U8},         {"u16", Type::U16},
      {"u32", Type::U32},       {"u64", Type::U64},
      {"s8", Type::S8},         {"s16", Type::S16},
      {"s32", Type::S32},       {"s64", Type::S64},
      {"f16", Type::F16},       {"bf16", Type::BF16},
      {"f32", Type::F32},       {"f64", Type::F64},
      {"f16x2", Type::F16x2},   {"bf16x2", Type::BF16x2},
      {"tf32", Type::TF32},     {"e4m3", Type::E4M3},
      {"e5m2", Type::E5M2},     {"e4m3x2", Type::E4M3x2},
      {"e5m2x2", Type::E5M2x2},
  };
  auto it = kTypes.find(name);
  return it == kTypes.end() ? Type::None : it->second;
}

uint32_t fa3::emulator::typeBytes(Type type) {
  switch (type) {
  case Type::None:
    return 0;
  case Type::Pred:
  case Type::B8:
  case Type::U8:
  case Type::S8:
  case Type::E4M3:
  case Type::E5M2:
    return 1;
  case Type::B16:
  case Type::U16:
  case Type::S16:
  case Type::F16:
  case Type::BF16:
  case Type::E4M3x2:
  case Type::E5M2x2:
    return 2;
  case Type::B32:
  case Type::U32:
  case Type::S32:
  case Type::F32:
  case Type::F16x2:
  case Type::BF16x2:
  case Type::TF32:
    return 4;
  case Type::B64:
  case Type::U64:
  case Type::S64:
  case Type::F64:
    return 8;
  case Type::B128:
    return 16;
  }
  return 0;
}

bool fa3::emulator::isSigned(Type type) {
  return type == Type::S8 || type == Type::S16 || type == Type::S32 ||
         type == Type::S64;
}

bool fa3::emulator::isFloat(Type type) { return type >= Type::F16; }

Type fa3::emulator::asUnsigned(Type type) {
  switch (typeBytes(type)) {
  case 1:
    return Type::U8;
  case 2:
    return Type::U16;
  case 4:
    return Type::U32;
  default:
    return Type::U64;
  }
}

static const OpcodeTable &opcodeTable() {
  static const OpcodeTable kTable = [] {
    OpcodeTable table;
    addIntegerOpcodes(table);
    addFloatOpcodes(table);
    addMoveOpcodes(table);
    addCompareOpcodes(table);
    addConvertOpcodes(table);
    addControlOpcodes(table);
    addWarpOpcodes(table);
    addMemoryOpcodes(table);
    addAtomicOpcodes(table);
    addMatrixOpcodes(table);
    addMmaOpcodes(table);
    addBarrierOpcodes(table);
    addMbarrierOpcodes(table);
    addCopyOpcodes(table);
    addWgmmaOpcodes(table);
    return table;
  }();
  return kTable;
}

Decoder::Decoder(const ParsedKernel &parsed,
                 const std::vector<uint64_t> &addresses, Kernel &kernel)
    : kernel(kernel), parsed(parsed), addresses(addresses) {
  // Registers of 32 bits and less share a cell size; wider ones follow, so that
  // every cell is aligned to its lane size.
  uint32_t words = 0, preds = 0;
  slots.resize(parsed.registers.size());
  for (uint32_t wide : {0u, 8u, 16u})
    for (size_t i = 0; i != slots.size(); ++i) {
      uint32_t bytes = parsed.registers[i].bytes;
      if (bytes == 1) {
        if (!wide)
          slots[i] = preds++;
      } else if ((bytes <= 4 && !wide) || bytes == wide) {
        slots[i] = words;
        words += kLanes * std::max(bytes, 4u) / 4;
      }
    }
  kernel.laneWords = words;
  kernel.registerCount = uint32_t(slots.size());
  kernel.predicateCount = preds;
}

void Decoder::run() {
  const OpcodeTable &table = opcodeTable();
  for (const ParsedInst &p : parsed.code) {
    source = &p;
    inst = Inst();
    consumed = 1;
    inst.line = p.line;
    inst.guard = p.guard < 0 ? -1 : int32_t(slots[p.guard]);
    inst.guardReg = p.guard < 0 ? 0 : uint32_t(p.guard);
    inst.guardNegated = p.guardNegated;
    inst.first = uint32_t(kernel.operands.size());
    auto entry = table.find(p.parts[0]);
    if (p.parts.size() > 63)
      fail("too many modifiers");
    if (entry == table.end())
      fail("unknown instruction");
    inst.name = entry->first.data();
    entry->second(*this);
    for (size_t i = 1; i != p.parts.size(); ++i)
      if (!(consumed >> i & 1))
        fail("unsupported modifier '." + std::string(p.parts[i]) + "'");
    inst.count = uint16_t(kernel.operands.size() - inst.first);
    kernel.code.push_back(inst);
  }
  // Falling off the end returns.
  Inst end;
  end.line = parsed.code.empty() ? parsed.info.line : parsed.code.back().line;
  end.first = uint32_t(kernel.operands.size());
  end.name = "ret";
  inst = end;
  static const ParsedInst kRet{0, {"ret"}, {}, -1, false};
  source = &kRet;
  consumed = 1;
  table.at("ret")(*this);
  kernel.code.push_back(inst);
  for (Inst &i : kernel.code)
    i.ops = kernel.operands.data() + i.first;
}

void Decoder::fail(const std::string &message) const {
  std::string name;
  for (std::string_view part : source->parts)
    name += (name.empty() ? "" : ".") + std::string(part);
  throw ParseError{source->line, message + " in '" + name + "'"};
}

void Decoder::unsupported(const std::string &what) const {
  fail("unsupported " + what);
}

bool Decoder::has(std::string_view name) {
  for (size_t i = 1; i < source->parts.size(); ++i)
    if (!(consumed >> i & 1) && source->parts[i] == name) {
      consumed |= uint64_t(1) << i;
      return true;
    }
  return false;
}

int Decoder::oneOf(std::initializer_list<std::string_view> names) {
  int index = 0;
  for (std::string_view name : names) {
    if (has(name))
      return index;
    ++index;
  }
  return -1;
}

Type Decoder::typeOr(Type otherwise) {
  for (size_t i = 1; i < source->parts.size(); ++i) {
    if (consumed >> i & 1)
      continue;
    Type type = typeNamed(source->parts[i]);
    if (type == Type::None)
      continue;
    consumed |= uint64_t(1) << i;
    return type;
  }
  return otherwise;
}

Type Decoder::type() {
  Type type = typeOr(Type::None);
  if (type == Type::None)
    fail("missing type");
  return type;
}

std::string_view Decoder::nextModifier() {
  for (size_t i = 1; i < source->parts.size(); ++i)
    if (!(consumed >> i & 1)) {
      consumed |= uint64_t(1) << i;
      return source->parts[i];
    }
  return {};
}

const ParsedOperand &Decoder::operand(size_t index) const {
  if (index >= source->operands.size())
    fail("missing operand");
  return source->operands[index];
}

void Decoder::expectOperands(size_t least, size_t most) {
  if (source->operands.size() < least || source->operands.size() > most)
    fail("wrong number of operands");
}

void Decoder::append(Operand op, bool isDef) {
  if (kernel.operands.size() - inst.first >= 1000)
    fail("too many operands");
  if (isDef && inst.defCount != kernel.operands.size() - inst.first)
    fail("internal error: written operand after a read one");
  kernel.operands.push_back(op);
  inst.defCount += isDef;
}

Operand Decoder::place(const ParsedOperand &operand) const {
  if (operand.kind != ParsedOperand::Name || operand.ref != RefKind::Register)
    fail("expected a register");
  Operand op;
  op.kind = Operand::Register;
  op.slot = slots[operand.index];
  op.reg = operand.index;
  op.bytes = parsed.registers[operand.index].bytes;
  if (op.bytes == 1)
    op.kind = Operand::Predicate;
  op.negated = operand.negated;
  return op;
}

void Decoder::defOrSink(const ParsedOperand &operand, uint32_t bytes,
                        bool wider) {
  if (operand.kind != ParsedOperand::Sink)
    return def(operand, bytes, wider);
  Operand sink;
  sink.kind = Operand::Sink;
  append(sink, true);
}

void Decoder::def(const ParsedOperand &operand, uint32_t bytes, bool wider) {
  Operand op = place(operand);
  if (op.kind != Operand::Register || op.negated)
    fail("expected a register, not a predicate");
  if (op.bytes != std::max(bytes, 2u) && !(wider && op.bytes > bytes))
    fail("destination has " + std::to_string(op.bytes * 8) + " bits, not " +
         std::to_string(bytes * 8));
  append(op, true);
}

void Decoder::defPred(const ParsedOperand &operand) {
  if (operand.kind == ParsedOperand::Sink) {
    Operand sink;
    sink.kind = Operand::Sink;
    return append(sink, true);
  }
  Operand op = place(operand);
  if (op.kind != Operand::Predicate)
    fail("expected a predicate");
  append(op, true);
}

uint32_t Decoder::poolSlot(uint64_t bits, uint32_t bytes) {
  if (bytes < 8)
    bits &= bytes == 4 ? 0xffffffffu : (uint64_t(1) << (8 * bytes)) - 1;
  bool wide = bytes >= 8;
  auto [it, isNew] = pools[wide].emplace(bits, uint32_t(kernel.pool.size()));
  if (isNew) {
    for (uint32_t lane = 0; lane != kLanes; ++lane) {
      kernel.pool.push_back(uint32_t(bits));
      if (wide)
        kernel.pool.push_back(uint32_t(bits >> 32));
    }
    if (kernel.pool.size() > (1u << 24))
      fail("too many constants");
  }
  return it->second;
}

void Decoder::useConstant(uint64_t bits, uint32_t bytes) {
  Operand op;
  op.kind = Operand::Constant;
  op.bytes = uint8_t(std::max(bytes, 2u));
  op.slot = poolSlot(bits, bytes);
  append(op, false);
}

void Decoder::use(const ParsedOperand &operand, Type type, bool wider) {
  uint32_t bytes = typeBytes(type);
  switch (operand.kind) {
  case ParsedOperand::Integer:
    if (isFloat(type) && type != Type::F16x2 && type != Type::BF16x2)
      fail("a floating-point operand cannot be an integer constant");
    return useConstant(operand.value, bytes);
  case ParsedOperand::Float: {
    double value = std::bit_cast<double>(operand.value);
    if (type == Type::F64 || bytes == 8)
      return useConstant(operand.value, 8);
    if (bytes == 4)
      return useConstant(std::bit_cast<uint32_t>(float(value)), 4);
    fail("constant does not fit the type");
  }
  case ParsedOperand::Float32:
    if (bytes == 8)
      return useConstant(std::bit_cast<uint64_t>(double(
                             std::bit_cast<float>(uint32_t(operand.value)))),
                         8);
    return useConstant(operand.value, bytes);
  case ParsedOperand::Name:
    break;
  default:
    fail("expected a register or constant");
  }
  if (operand.ref == RefKind::Variable || operand.ref == RefKind::Param)
    return useConstant(symbolValue(operand), bytes);
  Operand op = place(operand);
  if (op.kind != Operand::Register || op.negated)
    fail("expected a register, not a predicate");
  if (op.bytes != std::max(bytes, 2u) && !(wider && op.bytes > bytes))
    fail("operand '" + std::string(operand.name) + "' has " +
         std::to_string(op.bytes * 8) + " bits, not " +
         std::to_string(bytes * 8));
  append(op, false);
}

void Decoder::usePred(const ParsedOperand &operand) {
  if (operand.kind == ParsedOperand::Integer) {
    // Constant predicates become the all-lanes pool value; handlers read a
    // predicate through predicateMask().
    Operand op;
    op.kind = Operand::Constant;
    op.slot = operand.value ? 1 : 0;
    return append(op, false);
  }
  Operand op = place(operand);
  if (op.kind != Operand::Predicate)
    fail("expected a predicate");
  append(op, false);
}

int64_t Decoder::useAddress(const ParsedOperand &operand) {
  const ParsedOperand *base = &operand;
  int64_t offset = operand.offset;
  if (operand.kind == ParsedOperand::Address)
    base = &operand.elements[0];
  if (base->kind == ParsedOperand::Integer) {
    useConstant(base->value, 8);
    return offset;
  }
  if (base->kind != ParsedOperand::Name)
    fail("expected an address");
  if (base->ref == RefKind::Variable || base->ref == RefKind::Param) {
    useConstant(symbolValue(*base), 8);
    return offset;
  }
  Operand op = place(*base);
  if (op.kind != Operand::Register || op.bytes < 4 || op.bytes > 8)
    fail("an address needs a 32- or 64-bit register");
  append(op, false);
  return offset;
}

bool Decoder::isConstant(const ParsedOperand &operand) const {
  return operand.kind == ParsedOperand::Integer;
}

uint64_t Decoder::constant(const ParsedOperand &operand) const {
  if (operand.kind != ParsedOperand::Integer)
    fail("expected a constant");
  return operand.value;
}

uint64_t Decoder::symbolValue(const ParsedOperand &operand) const {
  if (operand.ref == RefKind::Variable)
    return addresses[operand.index] + uint64_t(operand.offset);
  if (operand.ref == RefKind::Param)
    return parsed.info.params[operand.index].offset + uint64_t(operand.offset);
  fail("expected a variable");
}

uint32_t Decoder::registerBytes(const ParsedOperand &operand) const {
  if (operand.kind != ParsedOperand::Name || operand.ref != RefKind::Register)
    return 0;
  return parsed.registers[operand.index].bytes;
}

uint32_t Decoder::labelTarget(const ParsedOperand &operand) const {
  if (operand.kind != ParsedOperand::Name || operand.ref != RefKind::Label)
    fail("expected a label");
  return parsed.labelTargets[operand.index];
}

std::vector<uint32_t> Decoder::branchTable(const ParsedOperand &operand) const {
  labelTarget(operand);
  int32_t table = parsed.labelTables[operand.index];
  if (table < 0)
    fail("expected a list of branch targets");
  std::vector<uint32_t> targets;
  for (uint32_t label : parsed.branchTables[size_t(table)])
    targets.push_back(parsed.labelTargets[label]);
  return targets;
}

std::vector<const ParsedOperand *>
Decoder::elements(const ParsedOperand &operand) {
  std::vector<const ParsedOperand *> out;
  if (operand.kind == ParsedOperand::Vector)
    for (const ParsedOperand &e : operand.elements)
      out.push_back(&e);
  else
    out.push_back(&operand);
  return out;
}

void Decoder::defUse(Type d, std::initializer_list<Type> sources) {
  expectOperands(1 + sources.size(), 1 + sources.size());
  def(operand(0), typeBytes(d));
  size_t i = 1;
  for (Type type : sources)
    use(operand(i++), type);
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

namespace {

uint64_t alignTo(uint64_t value, uint64_t align) {
  return (value + align - 1) / align * align;
}

/// Collects the variables that the operands of a kernel name.
void collect(const ParsedOperand &operand, std::vector<bool> &used) {
  if (operand.kind == ParsedOperand::Name && operand.ref == RefKind::Variable)
    used[operand.index] = true;
  for (const ParsedOperand &e : operand.elements)
    collect(e, used);
}

} // namespace

bool Program::contains(uint64_t address, uint64_t size) const {
  for (const GlobalInfo &g : globals)
    if (address >= g.address && size <= g.size &&
        address - g.address <= g.size - size)
      return true;
  return false;
}

std::unique_ptr<Program> fa3::emulator::decode(const ParsedModule &parsed) {
  auto program = std::make_unique<Program>();
  program->version = parsed.version;
  program->target = parsed.target;

  // Module variables get host memory; shared and local ones are placed for
  // each kernel below.
  std::vector<uint64_t> addresses(parsed.variables.size(), 0);
  std::unordered_map<std::string_view, uint64_t> byName;
  for (size_t i = 0; i != parsed.variables.size(); ++i) {
    const ParsedVariable &v = parsed.variables[i];
    if (v.space != Space::Global && v.space != Space::Const)
      continue;
    if (v.external)
      throw ParseError{v.line,
                       "external variable '" + v.name + "' has no definition"};
    auto memory = std::make_unique<unsigned char[]>(v.size + v.align);
    uint64_t address =
        alignTo(reinterpret_cast<uint64_t>(memory.get()), v.align);
    if (!v.init.empty())
      std::memcpy(reinterpret_cast<void *>(address), v.init.data(),
                  v.init.size());
    program->storage.push_back(std::move(memory));
    program->globals.push_back(
        {v.name, address, v.size, v.space == Space::Const});
    addresses[i] = address;
    byName[v.name] = address;
  }
  for (size_t i = 0; i != parsed.variables.size(); ++i)
    for (const ParsedVariable::Relocation &r :
         parsed.variables[i].relocations) {
      auto target = byName.find(r.target);
      if (target == byName.end() || !addresses[i] ||
          parsed.variables[i].elementSize != 8)
        throw ParseError{r.line,
                         "cannot take the address of '" + r.target + "'"};
      uint64_t value = target->second + uint64_t(r.addend);
      std::memcpy(reinterpret_cast<void *>(addresses[i] + r.offset), &value, 8);
    }

  for (const ParsedKernel &source : parsed.kernels) {
    Kernel kernel;
    kernel.info = source.info;
    kernel.minCtasPerSm = std::max(source.minCtasPerSm, 1u);
    std::vector<bool> used(parsed.variables.size());
    for (const ParsedInst &inst : source.code)
      for (const ParsedOperand &operand : inst.operands)
        collect(operand, used);
    uint64_t shared = kSharedBase, local = 0;
    for (size_t i = 0; i != used.size(); ++i) {
      const ParsedVariable &v = parsed.variables[i];
      if (!used[i])
        continue;
      if (v.space == Space::Shared && !(v.external && !v.size)) {
        shared = alignTo(shared, v.align);
        addresses[i] = shared;
        shared += v.size;
        if (shared > kSharedBase + kMaxSharedBytes)
          throw ParseError{v.line, "static shared memory is too large"};
      } else if (v.space == Space::Local) {
        local = alignTo(local, v.align);
        addresses[i] = local;
        local += v.size;
      } else if (v.space == Space::Shared) {
        kernel.dynamicAlign = std::max(kernel.dynamicAlign, v.align);
      }
    }
    if (local > (1u << 19))
      throw ParseError{source.info.line, "local memory is too large"};
    kernel.staticShared = uint32_t(shared - kSharedBase);
    uint64_t dynamic = alignTo(shared, kernel.dynamicAlign);
    for (size_t i = 0; i != used.size(); ++i) {
      const ParsedVariable &v = parsed.variables[i];
      if (used[i] && v.space == Space::Shared && v.external && !v.size)
        addresses[i] = dynamic;
    }
    kernel.info.staticSharedBytes = kernel.staticShared;
    kernel.info.localBytes = uint32_t(local);
    Decoder(source, addresses, kernel).run();
    program->infos.push_back(kernel.info);
    program->kernels.push_back(std::move(kernel));
    // The vectors inside moved as a whole, so Inst::ops stays valid.
  }
  return program;
}
