//===- Parser.cpp - PTX grammar and scopes --------------------------------===//
//
// A recursive-descent parser for what PTX producers write: module directives,
// variables, entries, and in a body nested scopes of registers, labels and
// instructions. Opcodes are kept as words; the decoder gives them meaning.
//
//===----------------------------------------------------------------------===//

#include "Ast.h"
#include "Lexer.h"
#include "SpecialRegisters.h"

#include <bit>
#include <cstring>
#include <optional>
#include <unordered_map>

using namespace fa3::emulator;

namespace {

/// Bounds that keep a malformed module from exhausting memory.
constexpr uint64_t kMaxRegisters = 1u << 18;
constexpr uint64_t kMaxVariableBytes = 1u << 28;
constexpr uint32_t kMaxNesting = 64;

struct TypeInfo {
  uint32_t bytes; ///< 1 for .pred, too; see isPred.
  bool isPred = false;
  bool isFloat = false;
};

std::optional<TypeInfo> typeOf(std::string_view name) {
  static const std::unordered_map<std::string_view, TypeInfo> kTypes = {
      {"pred", {1, true}},
      {"b8", {1}},
      {"u8", {1}},
      {"s8", {1}},
      {"b16", {2}},
      {"u16", {2}},
      {"s16", {2}},
      {"f16", {2, false, true}},
      {"bf16", {2, false, true}},
      {"b32", {4}},
      {"u32", {4}},
      {"s32", {4}},
      {"f32", {4, false, true}},
      {"f16x2", {4}},
      {"bf16x2", {4}},
      {"b64", {8}},
      {"u64", {8}},
      {"s64", {8}},
      {"f64", {8, false, true}},
      {"b128", {16}},
  };
  auto it = kTypes.find(name);
  if (it == kTypes.end())
    return std::nullopt;
  return it->second;
}

class Parser {
public:
  explicit Parser(std::string_view text) : tokens(lex(text)) {}

  ParsedModule run() {
    scopes.emplace_back();
    while (token().kind != Token::End)
      moduleItem();
    if (module.version.empty())
      fail("not a PTX module: it has no .version directive");
    return std::move(module);
  }

private:
  //===--------------------------------------------------------------------===//
  // Tokens
  //===--------------------------------------------------------------------===//

  const Token &token(size_t ahead = 0) const {
    return tokens[std::min(position + ahead, tokens.size() - 1)];
  }
  [[noreturn]] void fail(const std::string &message) const {
    throw ParseError{token().line, message};
  }
  const Token &take() {
    const Token &t = token();
    if (position < tokens.size())
      ++position;
    return t;
  }
  bool accept(char c) {
    if (!token().is(c))
      return false;
    take();
    return true;
  }
  static std::string shown(const Token &t) {
    return t.kind == Token::End ? "end of file"
                                : "'" + std::string(t.text) + "'";
  }
  void expect(char c) {
    if (!accept(c))
      fail(std::string("expected '") + c + "' before " + shown(token()));
  }
  std::string_view identifier(const char *what) {
    if (token().kind != Token::Identifier)
      fail(std::string("expected ") + what + " before " + shown(token()));
    return take().text;
  }
  uint64_t integer(const char *what) {
    if (token().kind != Token::Integer)
      fail(std::string("expected ") + what + " before " + shown(token()));
    return take().value;
  }
  int64_t signedInteger(const char *what) {
    if (accept('-'))
      return -int64_t(integer(what));
    accept('+');
    return int64_t(integer(what));
  }
  void skipLine() {
    uint32_t line = token().line;
    while (token().kind != Token::End && token().line == line)
      take();
  }
  void skipBraces() {
    expect('{');
    for (int depth = 1; depth;) {
      if (token().kind == Token::End)
        fail("'{' is not closed");
      if (token().is('{'))
        ++depth;
      else if (token().is('}'))
        --depth;
      take();
    }
  }

  //===--------------------------------------------------------------------===//
  // Scopes
  //===--------------------------------------------------------------------===//

  struct Symbol {
    RefKind kind;
    uint32_t index;
  };
  struct RegisterRange {
    uint32_t first, count;
  };
  struct Scope {
    int32_t parent = -1;
    std::unordered_map<std::string_view, Symbol> symbols;
    std::unordered_map<std::string_view, RegisterRange> ranges;
    std::unordered_map<std::string_view, uint32_t> labels;
    std::unordered_map<std::string_view, int32_t> tables;
  };
  struct PendingLabel {
    std::string_view name;
    uint32_t scope;
    uint32_t line;
  };

  void declare(std::string_view name, Symbol symbol) {
    if (!scopes[scope].symbols.emplace(name, symbol).second)
      fail("'" + std::string(name) + "' is declared twice");
  }

  std::optional<Symbol> lookup(std::string_view name) const {
    // %r12 of a range %r<20>: split off the digits.
    size_t digits = name.size();
    while (digits && name[digits - 1] >= '0' && name[digits - 1] <= '9')
      --digits;
    std::string_view prefix = name.substr(0, digits);
    std::optional<uint32_t> number;
    size_t length = name.size() - digits;
    if (length && length < 8 && (length == 1 || name[digits] != '0'))
      number = uint32_t(std::stoul(std::string(name.substr(digits))));
    for (int32_t s = int32_t(scope); s >= 0; s = scopes[s].parent) {
      auto symbol = scopes[s].symbols.find(name);
      if (symbol != scopes[s].symbols.end())
        return symbol->second;
      if (!number)
        continue;
      auto range = scopes[s].ranges.find(prefix);
      if (range != scopes[s].ranges.end() && *number < range->second.count)
        return Symbol{RefKind::Register, range->second.first + *number};
    }
    return std::nullopt;
  }

  void push() {
    if (++nesting > kMaxNesting)
      fail("scopes are nested too deeply");
    Scope inner;
    inner.parent = int32_t(scope);
    scopes.push_back(std::move(inner));
    scope = uint32_t(scopes.size() - 1);
  }
  void pop() {
    --nesting;
    scope = uint32_t(scopes[scope].parent);
  }

  //===--------------------------------------------------------------------===//
  // Module scope
  //===--------------------------------------------------------------------===//

  void moduleItem() {
    if (!accept('.'))
      fail("expected a directive before " + shown(token()));
    bool external = false;
    std::string_view name = identifier("a directive");
    while (name == "visible" || name == "extern" || name == "weak" ||
           name == "common") {
      external |= name == "extern";
      expect('.');
      name = identifier("a directive");
    }
    if (name == "version")
      return version();
    if (name == "target")
      return target();
    if (name == "address_size") {
      if (integer("the address size") != 64)
        fail("only 64-bit addresses are supported");
    } else if (name == "entry") {
      entry(external);
    } else if (name == "func") {
      function(external);
    } else if (name == "global" || name == "const" || name == "shared") {
      variable(spaceOf(name), external);
    } else if (name == "file") {
      skipLine();
    } else if (name == "pragma") {
      while (!accept(';')) {
        if (token().kind == Token::End)
          fail("expected ';'");
        take();
      }
    } else if (name == "section") {
      while (!token().is('{') && token().kind != Token::End)
        take();
      skipBraces();
    } else {
      fail("unknown directive '." + std::string(name) + "'");
    }
  }

  static Space spaceOf(std::string_view name) {
    return name == "const"    ? Space::Const
           : name == "shared" ? Space::Shared
           : name == "local"  ? Space::Local
                              : Space::Global;
  }

  void version() {
    if (token().kind != Token::Float && token().kind != Token::Integer)
      fail("expected a version number");
    module.version = take().text;
  }

  void target() {
    module.target = identifier("a target");
    while (accept(','))
      identifier("a target option");
  }

  /// A .func is skipped: kernels have to be inlined, and a call of it is
  /// reported where it is made.
  void function(bool external) {
    while (!token().is('{') && !token().is(';')) {
      if (token().kind == Token::End)
        fail("expected a function body");
      take();
    }
    if (!accept(';'))
      skipBraces();
  }

  //===--------------------------------------------------------------------===//
  // Variables
  //===--------------------------------------------------------------------===//

  /// .align N, .attribute(...) and the type, after the state space.
  TypeInfo variableType(uint32_t &align, uint32_t &vector) {
    vector = 1;
    for (;;) {
      expect('.');
      std::string_view name = identifier("a type");
      if (name == "align") {
        uint64_t value = integer("an alignment");
        if (!std::has_single_bit(value) || value > 65536)
          fail("alignment must be a power of two");
        align = uint32_t(value);
      } else if (name == "v2" || name == "v4") {
        vector = name == "v2" ? 2 : 4;
      } else if (name == "attribute") {
        expect('(');
        while (!accept(')')) {
          if (token().kind == Token::End)
            fail("expected ')'");
          take();
        }
      } else if (auto type = typeOf(name)) {
        align = std::max(align, type->bytes * vector);
        return *type;
      } else {
        fail("unknown type '." + std::string(name) + "'");
      }
    }
  }

  void variable(Space space, bool external) {
    uint32_t align = 1, vector = 1;
    TypeInfo type = variableType(align, vector);
    if (type.isPred)
      fail("a variable cannot be a predicate");
    do {
      ParsedVariable v;
      v.line = token().line;
      std::string_view name = identifier("a variable name");
      v.name = name;
      v.space = space;
      v.align = align;
      v.elementSize = type.bytes * vector;
      v.external = external;
      v.size = v.elementSize;
      bool unbounded = false;
      while (accept('[')) {
        if (accept(']')) {
          unbounded = true;
          v.size = 0;
          continue;
        }
        uint64_t count = integer("an array bound");
        expect(']');
        if (count && v.size > kMaxVariableBytes / count)
          fail("variable '" + v.name + "' is too large");
        v.size *= count;
      }
      if (accept('=')) {
        initializer(v, type);
        if (unbounded)
          v.size = v.init.size();
        if (v.init.size() > v.size)
          fail("too many initialisers for '" + v.name + "'");
      } else if (unbounded && !(external && space == Space::Shared)) {
        fail("'" + v.name + "' needs an array bound");
      }
      declare(name, {RefKind::Variable, uint32_t(module.variables.size())});
      module.variables.push_back(std::move(v));
    } while (accept(','));
    expect(';');
  }

  void initializer(ParsedVariable &v, const TypeInfo &type) {
    if (accept('{')) {
      if (++nesting > kMaxNesting)
        fail("initialiser is nested too deeply");
      if (!token().is('}'))
        do
          initializer(v, type);
        while (accept(','));
      --nesting;
      expect('}');
      return;
    }
    if (v.init.size() >= kMaxVariableBytes)
      fail("initialiser is too large");
    uint64_t bits = 0;
    if (token().kind == Token::Identifier) {
      std::string_view name = take().text;
      if (name == "generic") {
        expect('(');
        name = identifier("a variable name");
        expect(')');
      }
      int64_t addend = 0;
      if (token().is('+') || token().is('-'))
        addend = signedInteger("an offset");
      v.relocations.push_back(
          {v.init.size(), std::string(name), addend, token().line});
    } else {
      bool negative = accept('-');
      const Token &t = take();
      if (t.kind == Token::Integer) {
        bits = negative ? -t.value : t.value;
      } else if (t.kind == Token::Float32) {
        bits = t.value ^ (negative ? 0x80000000u : 0);
      } else if (t.kind == Token::Float) {
        double d = std::bit_cast<double>(t.value);
        d = negative ? -d : d;
        bits = type.bytes == 4 ? std::bit_cast<uint32_t>(float(d))
                               : std::bit_cast<uint64_t>(d);
      } else {
        fail("expected an initialiser");
      }
    }
    for (uint32_t i = 0; i != type.bytes; ++i)
      v.init.push_back(i < 8 ? (unsigned char)(bits >> (8 * i)) : 0);
  }

  //===--------------------------------------------------------------------===//
  // Entries
  //===--------------------------------------------------------------------===//

  void entry(bool external) {
    module.kernels.emplace_back();
    kernel = &module.kernels.back();
    kernel->info.line = token().line;
    kernel->info.name = identifier("a kernel name");
    for (size_t i = 0; i + 1 < module.kernels.size(); ++i)
      if (module.kernels[i].info.name == kernel->info.name)
        fail("kernel '" + kernel->info.name + "' is defined twice");
    uint32_t outer = scope;
    push();
    pendingLabels.clear();
    if (accept('('))
      if (!accept(')')) {
        do
          parameter();
        while (accept(','));
        expect(')');
      }
    directives();
    if (external || token().is(';')) {
      expect(';');
      module.kernels.pop_back();
    } else {
      expect('{');
      body();
      resolveLabels();
    }
    nesting = 0;
    scope = outer;
    kernel = nullptr;
  }

  void parameter() {
    expect('.');
    if (identifier(".param") != "param")
      fail("expected .param");
    ParamInfo p;
    TypeInfo type{0};
    uint32_t align = 0;
    for (;;) {
      expect('.');
      std::string_view name = identifier("a type");
      if (name == "align")
        align = uint32_t(integer("an alignment"));
      else if (name == "ptr" || name == "global" || name == "shared" ||
               name == "const" || name == "local" || name == "generic")
        continue;
      else if (auto t = typeOf(name))
        type = *t;
      else
        fail("unknown type '." + std::string(name) + "'");
      if (!token().is('.'))
        break;
    }
    if (!type.bytes || type.isPred)
      fail("a parameter needs a type");
    // The .align after .ptr is that of the pointee; it changes no layout.
    bool isArray = false;
    std::string_view name = identifier("a parameter name");
    p.name = name;
    uint64_t size = type.bytes;
    if (accept('[')) {
      isArray = true;
      size *= integer("an array bound");
      expect(']');
    }
    p.align = isArray ? std::max(align, type.bytes) : type.bytes;
    if (!std::has_single_bit(p.align) || p.align > 4096)
      fail("alignment must be a power of two");
    uint64_t offset = (uint64_t(kernel->info.paramBytes) + p.align - 1) &
                      ~uint64_t(p.align - 1);
    if (size > kMaxParamBytes || offset + size > kMaxParamBytes)
      fail("parameters are too large");
    p.offset = uint32_t(offset);
    p.size = uint32_t(size);
    kernel->info.paramBytes = uint32_t(offset + size);
    declare(name, {RefKind::Param, uint32_t(kernel->info.params.size())});
    kernel->info.params.push_back(std::move(p));
  }

  std::array<uint32_t, 3> triple() {
    std::array<uint32_t, 3> out{1, 1, 1};
    for (unsigned i = 0; i != 3; ++i) {
      uint64_t v = integer("a count");
      if (v > UINT32_MAX)
        fail("count is too large");
      out[i] = uint32_t(v);
      if (!accept(','))
        break;
    }
    return out;
  }

  void directives() {
    while (accept('.')) {
      std::string_view name = identifier("a directive");
      if (name == "maxntid")
        kernel->info.maxThreads = triple();
      else if (name == "reqntid")
        kernel->info.requiredThreads = triple();
      else if (name == "reqnctapercluster")
        kernel->info.requiredCluster = triple();
      else if (name == "minnctapersm")
        kernel->minCtasPerSm = uint32_t(integer("a count"));
      else if (name == "maxnreg")
        kernel->info.maxRegisters = uint32_t(integer("a count"));
      else if (name == "maxclusterrank" || name == "maxnctapersm")
        integer("a count");
      else if (name == "pragma") {
        while (!accept(';')) {
          if (token().kind == Token::End)
            fail("expected ';'");
          take();
        }
      } else if (name != "explicitcluster" && name != "noreturn")
        fail("unknown directive '." + std::string(name) + "'");
    }
  }

  //===--------------------------------------------------------------------===//
  // Bodies
  //===--------------------------------------------------------------------===//

  void body() {
    uint32_t depth = 1;
    while (depth) {
      if (token().kind == Token::End)
        fail("kernel body is not closed");
      if (accept('{')) {
        push();
        ++depth;
      } else if (accept('}')) {
        pop();
        --depth;
      } else if (token().is('.')) {
        bodyDirective();
      } else if (token().kind == Token::Identifier && token(1).is(':')) {
        label();
      } else if (!accept(';')) {
        instruction();
      }
    }
  }

  void label() {
    std::string_view name = identifier("a label");
    lastLabel = name;
    expect(':');
    if (!scopes[scope]
             .labels.emplace(name, uint32_t(kernel->code.size()))
             .second)
      fail("label '" + std::string(name) + "' is defined twice");
  }

  /// The list that the label before it names.
  void branchTargets() {
    std::vector<uint32_t> table;
    do {
      table.push_back(uint32_t(pendingLabels.size()));
      std::string_view target = identifier("a label");
      pendingLabels.push_back({target, scope, token().line});
    } while (accept(','));
    expect(';');
    scopes[scope].tables[lastLabel] = int32_t(kernel->branchTables.size());
    kernel->branchTables.push_back(std::move(table));
  }

  void bodyDirective() {
    expect('.');
    std::string_view name = identifier("a directive");
    if (name == "reg")
      registers();
    else if (name == "shared" || name == "local" || name == "global" ||
             name == "const")
      variable(spaceOf(name), false);
    else if (name == "loc")
      skipLine();
    else if (name == "branchtargets")
      branchTargets();
    else if (name == "pragma") {
      while (!accept(';')) {
        if (token().kind == Token::End)
          fail("expected ';'");
        take();
      }
    } else
      fail("unknown directive '." + std::string(name) + "' in a kernel");
  }

  void registers() {
    expect('.');
    std::string_view typeName = identifier("a type");
    auto type = typeOf(typeName);
    if (!type)
      fail("unknown type '." + std::string(typeName) + "'");
    // Predicates are marked by one byte; 8-bit registers live in wider cells.
    uint8_t bytes = type->isPred ? 1 : uint8_t(std::max(type->bytes, 2u));
    do {
      std::string_view name = identifier("a register name");
      uint64_t count = 1;
      uint32_t first = uint32_t(kernel->registers.size());
      if (accept('<')) {
        count = integer("a register count");
        expect('>');
        if (!scopes[scope]
                 .ranges.emplace(name, RegisterRange{first, uint32_t(count)})
                 .second)
          fail("registers '" + std::string(name) + "' are declared twice");
      } else {
        declare(name, {RefKind::Register, first});
      }
      if (count > kMaxRegisters || first + count > kMaxRegisters)
        fail("too many registers");
      kernel->registers.resize(first + count, {bytes});
    } while (accept(','));
    expect(';');
  }

  void instruction() {
    ParsedInst inst;
    inst.line = token().line;
    if (accept('@')) {
      inst.guardNegated = accept('!');
      std::string_view name = identifier("a predicate");
      auto symbol = lookup(name);
      if (!symbol || symbol->kind != RefKind::Register ||
          kernel->registers[symbol->index].bytes != 1)
        fail("'" + std::string(name) + "' is not a predicate register");
      inst.guard = int32_t(symbol->index);
      inst.line = token().line;
    }
    inst.parts.push_back(identifier("an instruction"));
    while (token().is('.') && token().glued) {
      take();
      inst.parts.push_back(modifier());
    }
    if (!token().is(';'))
      do
        inst.operands.push_back(operand());
      while (accept(','));
    expect(';');
    kernel->code.push_back(std::move(inst));
  }

  /// One modifier, such as "u32", "2d" or "shared::cta".
  std::string_view modifier() {
    const char *begin = token().text.data();
    const char *end = begin;
    for (;;) {
      if (token().kind == Token::Identifier || token().kind == Token::Integer) {
        end = take().text.end();
        // "2d" and "128x256b" lex as a number and a word.
        while ((token().kind == Token::Identifier ||
                token().kind == Token::Integer) &&
               token().glued)
          end = take().text.end();
      } else {
        fail("expected an instruction modifier before " + shown(token()));
      }
      if (token().is(':') && token(1).is(':')) {
        take();
        take();
        continue;
      }
      return std::string_view(begin, size_t(end - begin));
    }
  }

  ParsedOperand operand() {
    if (++nesting > kMaxNesting)
      fail("operands are nested too deeply");
    ParsedOperand out = primary();
    if (token().is('|')) {
      take();
      ParsedOperand pair;
      pair.kind = ParsedOperand::Pair;
      pair.elements.push_back(std::move(out));
      pair.elements.push_back(primary());
      out = std::move(pair);
    }
    --nesting;
    return out;
  }

  ParsedOperand primary() {
    ParsedOperand out;
    if (accept('{')) {
      out.kind = ParsedOperand::Vector;
      if (!token().is('}'))
        do
          out.elements.push_back(operand());
        while (accept(','));
      expect('}');
      return out;
    }
    if (accept('['))
      return address();
    if (accept('!')) {
      out = name();
      out.negated = true;
      return out;
    }
    if (token().kind == Token::Identifier) {
      if (token().text == "_") {
        take();
        return out;
      }
      out = name();
      // A variable plus an offset, as in mov.b64 %rd1, table+8.
      if ((out.ref == RefKind::Variable || out.ref == RefKind::Param) &&
          (token().is('+') || token().is('-')))
        out.offset = signedInteger("an offset");
      return out;
    }
    bool negative = accept('-');
    const Token &t = token();
    out.value = t.value;
    if (t.kind == Token::Integer) {
      out.kind = ParsedOperand::Integer;
      out.value = negative ? -t.value : t.value;
    } else if (t.kind == Token::Float) {
      out.kind = ParsedOperand::Float;
      out.value ^= negative ? uint64_t(1) << 63 : 0;
    } else if (t.kind == Token::Float32) {
      out.kind = ParsedOperand::Float32;
      out.value ^= negative ? uint64_t(1) << 31 : 0;
    } else {
      fail("expected an operand before " + shown(t));
    }
    out.name = t.text;
    take();
    return out;
  }

  ParsedOperand address() {
    ParsedOperand out;
    out.kind = ParsedOperand::Address;
    ParsedOperand base = primary();
    out.offset = base.offset;
    base.offset = 0;
    if (base.kind != ParsedOperand::Name && base.kind != ParsedOperand::Integer)
      fail("expected an address");
    if (token().is('+') || token().is('-'))
      out.offset += signedInteger("an offset");
    out.elements.push_back(std::move(base));
    while (accept(','))
      out.elements.push_back(operand());
    expect(']');
    return out;
  }

  ParsedOperand name() {
    ParsedOperand out;
    out.kind = ParsedOperand::Name;
    out.name = identifier("a name");
    if (auto symbol = lookup(out.name)) {
      out.ref = symbol->kind;
      out.index = symbol->index;
      return out;
    }
    // Special registers may have a component: %tid.x.
    std::string_view whole = out.name;
    if (whole[0] == '%') {
      if (token().is('.') && token().glued &&
          token(1).kind == Token::Identifier && token(1).text.size() == 1) {
        take();
        whole = std::string_view(out.name.data(),
                                 size_t(take().text.end() - out.name.data()));
      }
      auto special = specialRegister(whole);
      if (!special)
        fail("unknown register '" + std::string(whole) + "'");
      out.name = whole;
      out.ref = RefKind::Special;
      out.index = uint32_t(*special);
      return out;
    }
    // WARP_SZ is the one predefined constant.
    if (whole == "WARP_SZ") {
      out.kind = ParsedOperand::Integer;
      out.value = 32;
      return out;
    }
    out.ref = RefKind::Label;
    out.index = uint32_t(pendingLabels.size());
    pendingLabels.push_back({out.name, scope, token().line});
    return out;
  }

  void resolveLabels() {
    for (const PendingLabel &pending : pendingLabels) {
      std::optional<uint32_t> found;
      int32_t table = -1;
      for (int32_t s = int32_t(pending.scope); s >= 0 && !found;
           s = scopes[s].parent) {
        auto it = scopes[s].labels.find(pending.name);
        if (it == scopes[s].labels.end())
          continue;
        found = it->second;
        if (auto list = scopes[s].tables.find(pending.name);
            list != scopes[s].tables.end())
          table = list->second;
      }
      if (!found)
        throw ParseError{pending.line,
                         "unknown name '" + std::string(pending.name) + "'"};
      kernel->labelTargets.push_back(*found);
      kernel->labelTables.push_back(table);
    }
  }

  std::vector<Token> tokens;
  size_t position = 0;
  uint32_t nesting = 0;
  ParsedModule module;
  ParsedKernel *kernel = nullptr;
  std::vector<Scope> scopes;
  uint32_t scope = 0;
  std::vector<PendingLabel> pendingLabels;
  std::string_view lastLabel;
};

} // namespace

ParsedModule fa3::emulator::parsePtx(std::string_view text) {
  return Parser(text).run();
}
