//===- InlineAsm.cpp - Inline PTX -----------------------------------------===//

#include "fa3/Conversion/HopperToNVVM/InlineAsm.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fa3;

/// The constraint of a register of the given type.
static StringRef getRegisterConstraint(Type type) {
  if (type.isF32())
    return "f";
  if (type.isInteger(1))
    return "b";
  if (type.isInteger(32))
    return "r";
  // i64, and pointers to global and to generic memory.
  return "l";
}

/// "{$first, ..., $(first + count - 1)}"
static std::string placeholders(size_t first, size_t count) {
  std::string text = "{";
  for (size_t i = first; i < first + count; ++i)
    text += (i == first ? "$" : ", $") + std::to_string(i);
  return text + "}";
}

void InlineAsm::addConstraint(StringRef constraint) {
  if (!constraints.empty())
    constraints += ',';
  constraints += constraint;
}

InlineAsm &InlineAsm::results(TypeRange types) {
  for (Type type : types) {
    resultTypes.push_back(type);
    addConstraint(("=" + getRegisterConstraint(type)).str());
  }
  return *this;
}

std::string InlineAsm::input(Value value) {
  addConstraint(getRegisterConstraint(value.getType()));
  operands.push_back(value);
  return "$" + std::to_string(resultTypes.size() + operands.size() - 1);
}

std::string InlineAsm::inputList(ValueRange values) {
  std::string list =
      placeholders(resultTypes.size() + operands.size(), values.size());
  for (Value value : values)
    input(value);
  return list;
}

std::string InlineAsm::vectorInput(ValueRange values) {
  return values.size() == 1 ? input(values.front()) : inputList(values);
}

InlineAsm &InlineAsm::tied(ValueRange values) {
  for (auto [index, value] : llvm::enumerate(values)) {
    addConstraint(std::to_string(index));
    operands.push_back(value);
  }
  return *this;
}

InlineAsm &InlineAsm::clobbersMemory() {
  memory = true;
  return *this;
}

InlineAsm &InlineAsm::pure() {
  sideEffects = false;
  return *this;
}

std::string InlineAsm::resultList() const {
  return placeholders(0, resultTypes.size());
}

std::string InlineAsm::vectorResult() const {
  return resultTypes.size() == 1 ? "$0" : resultList();
}

std::string InlineAsm::vectorSuffix(size_t count) {
  return count == 1 ? "" : ".v" + std::to_string(count);
}

SmallVector<Value> InlineAsm::emit(const Twine &text, Value predicate) {
  std::string statement;
  if (predicate && !matchPattern(predicate, m_One()))
    statement = "@" + input(predicate) + " ";
  statement += text.str();
  if (memory)
    addConstraint("~{memory}");

  Type type;
  if (resultTypes.size() == 1)
    type = resultTypes.front();
  else if (!resultTypes.empty())
    type = LLVM::LLVMStructType::getLiteral(builder.getContext(), resultTypes);
  auto call = LLVM::InlineAsmOp::create(
      builder, loc, type ? TypeRange(type) : TypeRange(), operands, statement,
      constraints, sideEffects, /*is_align_stack=*/false,
      LLVM::TailCallKind::None, /*asm_dialect=*/nullptr,
      /*operand_attrs=*/nullptr);
  if (resultTypes.empty())
    return {};
  if (resultTypes.size() == 1)
    return {call.getRes()};
  SmallVector<Value> values;
  for (size_t i = 0, e = resultTypes.size(); i < e; ++i)
    values.push_back(
        LLVM::ExtractValueOp::create(builder, loc, call.getRes(), i));
  return values;
}
