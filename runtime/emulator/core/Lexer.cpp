//===- Lexer.cpp - PTX tokens ---------------------------------------------===//

#include "Lexer.h"

#include <bit>
#include <cerrno>
#include <cstdlib>

using namespace fa3::emulator;

static bool isDigit(char c) { return c >= '0' && c <= '9'; }
static bool isHex(char c) {
  return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
static bool isWordStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '$' || c == '%';
}
static bool isWord(char c) { return isWordStart(c) || isDigit(c); }

namespace {
class Lexer {
public:
  explicit Lexer(std::string_view text) : text(text) {}

  std::vector<Token> run() {
    while (skipBlank()) {
      Token token;
      token.line = line;
      token.glued = position == lastEnd;
      size_t begin = position;
      char c = text[position];
      if (isWordStart(c))
        word(token);
      else if (isDigit(c))
        number(token);
      else if (c == '"')
        string(token);
      else
        punct(token);
      token.text = text.substr(begin, position - begin);
      lastEnd = position;
      tokens.push_back(token);
    }
    Token end;
    end.line = line;
    tokens.push_back(end);
    return std::move(tokens);
  }

private:
  char peek(size_t ahead = 0) const {
    return position + ahead < text.size() ? text[position + ahead] : '\0';
  }

  /// Moves to the next token; false at the end of the text.
  bool skipBlank() {
    while (position < text.size()) {
      char c = text[position];
      if (c == '\n') {
        ++line;
        ++position;
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
        ++position;
      } else if (c == '/' && peek(1) == '/') {
        while (position < text.size() && text[position] != '\n')
          ++position;
      } else if (c == '/' && peek(1) == '*') {
        uint32_t start = line;
        position += 2;
        while (position < text.size() && !(peek() == '*' && peek(1) == '/'))
          line += text[position++] == '\n';
        if (position >= text.size())
          throw ParseError{start, "comment is not closed"};
        position += 2;
      } else if (c == '\0' && position + 1 == text.size()) {
        return false; // A terminating NUL that was counted in the size.
      } else {
        return true;
      }
    }
    return false;
  }

  void word(Token &token) {
    token.kind = Token::Identifier;
    while (isWord(peek()))
      ++position;
  }

  void number(Token &token) {
    size_t begin = position;
    if (peek() == '0' && (peek(1) == 'f' || peek(1) == 'F'))
      return hexFloat(token, Token::Float32, 8);
    if (peek() == '0' && (peek(1) == 'd' || peek(1) == 'D'))
      return hexFloat(token, Token::Float, 16);
    token.kind = Token::Integer;
    int base = 10;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X'))
      base = 16, begin += 2;
    else if (peek() == '0' && (peek(1) == 'b' || peek(1) == 'B'))
      base = 2, begin += 2;
    else if (peek() == '0' && isDigit(peek(1)))
      base = 8;
    position = begin;
    while (base == 16 ? isHex(peek()) : isDigit(peek()))
      ++position;
    bool isFloat = base != 16 && base != 2 &&
                   ((peek() == '.' && isDigit(peek(1))) ||
                    ((peek() == 'e' || peek() == 'E') &&
                     (isDigit(peek(1)) || peek(1) == '-' || peek(1) == '+')));
    if (isFloat)
      return decimalFloat(token, begin);
    std::string digits(text.substr(begin, position - begin));
    errno = 0;
    char *stop = nullptr;
    token.value = std::strtoull(digits.c_str(), &stop, base);
    if (digits.empty() || *stop || errno)
      throw ParseError{line, "malformed integer '" + digits + "'"};
    // Letters that follow belong to a modifier such as "4d", which the parser
    // puts together; elsewhere they are an error there.
    if (peek() == 'U')
      ++position;
  }

  void decimalFloat(Token &token, size_t begin) {
    token.kind = Token::Float;
    if (peek() == '.')
      ++position;
    while (isDigit(peek()))
      ++position;
    if (peek() == 'e' || peek() == 'E') {
      ++position;
      if (peek() == '+' || peek() == '-')
        ++position;
      while (isDigit(peek()))
        ++position;
    }
    std::string digits(text.substr(begin, position - begin));
    token.value = std::bit_cast<uint64_t>(std::strtod(digits.c_str(), nullptr));
  }

  void hexFloat(Token &token, Token::Kind kind, size_t count) {
    token.kind = kind;
    position += 2;
    for (size_t i = 0; i != count; ++i) {
      if (!isHex(peek()))
        throw ParseError{line, "floating-point literal needs " +
                                   std::to_string(count) + " hex digits"};
      char c = text[position++];
      token.value =
          token.value * 16 + (isDigit(c) ? c - '0' : (c | 32) - 'a' + 10);
    }
    if (isWord(peek()))
      throw ParseError{line, "malformed floating-point literal"};
  }

  void string(Token &token) {
    token.kind = Token::String;
    ++position;
    while (position < text.size() && peek() != '"' && peek() != '\n')
      ++position;
    if (peek() != '"')
      throw ParseError{line, "string is not closed"};
    ++position;
  }

  void punct(Token &token) {
    static constexpr std::string_view kPuncts = ".,;:{}[]()<>+-!|@=*~&^?/";
    if (kPuncts.find(text[position]) == std::string_view::npos)
      throw ParseError{
          line, "unexpected character (code " +
                    std::to_string(int((unsigned char)text[position])) + ")"};
    token.kind = Token::Punct;
    ++position;
  }

  std::string_view text;
  size_t position = 0;
  size_t lastEnd = size_t(-1);
  uint32_t line = 1;
  std::vector<Token> tokens;
};
} // namespace

std::vector<Token> fa3::emulator::lex(std::string_view text) {
  return Lexer(text).run();
}
