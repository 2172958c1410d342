//===- Lexer.h - PTX tokens -------------------------------------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_LEXER_H
#define FA3_EMULATOR_CORE_LEXER_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fa3::emulator {

/// Thrown inside the parser and decoder; Module::parse turns it into a
/// diagnostic, so it never leaves the library.
struct ParseError {
  uint32_t line;
  std::string message;
};

struct Token {
  enum Kind : uint8_t {
    End,
    Identifier, ///< Also registers, labels and opcode words.
    Integer,
    Float,   ///< Value holds the bits of a double.
    Float32, ///< 0fXXXXXXXX: value holds the bits of a float.
    String,
    Punct, ///< One character, in text.
  };
  Kind kind = End;
  uint32_t line = 0;
  std::string_view text;
  uint64_t value = 0;
  /// No white space between this token and the one before: tells the '.' of an
  /// opcode modifier from that of a directive.
  bool glued = false;

  bool is(char c) const { return kind == Punct && text[0] == c; }
};

/// Splits \p text; throws ParseError on a character that no PTX token has.
/// Tokens refer to \p text. Comments are dropped; the last token is End.
std::vector<Token> lex(std::string_view text);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_LEXER_H
