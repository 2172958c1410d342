//===- Report.cpp - Where diagnoses go ------------------------------------===//

#include "emulator/driver/Report.h"
#include "emulator/driver/State.h"

#include <cinttypes>
#include <cstdio>
#include <mutex>
#include <sstream>

namespace fa3::emulator::driver {

namespace {

void emit(const std::string &text, const std::string &json) {
  // One mutex for both outputs keeps the lines of two threads apart.
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    std::fprintf(stderr, "fa3-emulator: %s\n", line.c_str());
  const std::string &path = settings().diagnosticsFile;
  if (path.empty())
    return;
  if (std::FILE *file = std::fopen(path.c_str(), "a")) {
    std::fprintf(file, "%s\n", json.c_str());
    std::fclose(file);
  }
}

void writePlace(std::ostream &out, const Location &where) {
  out << "\"line\":" << where.line << ",\"cta\":[" << where.cta[0] << ","
      << where.cta[1] << "," << where.cta[2] << "],\"warp\":" << where.warp
      << ",\"thread\":" << where.thread;
}

} // namespace

std::string quoteJson(const std::string &text) {
  std::string out = "\"";
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += char(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c < 0x20 || c > 0x7e) {
      // PTX text may hold any byte; the file stays ASCII.
      char buffer[8];
      std::snprintf(buffer, sizeof(buffer), "\\u%04x", c);
      out += buffer;
    } else {
      out += char(c);
    }
  }
  return out + "\"";
}

std::string toJson(const Diagnostic &diagnostic) {
  std::ostringstream out;
  out << "{\"kind\":\"" << diagnosticKindName(diagnostic.kind)
      << "\",\"message\":" << quoteJson(diagnostic.message)
      << ",\"kernel\":" << quoteJson(diagnostic.kernel) << ",";
  writePlace(out, diagnostic.where);
  if (diagnostic.other.line) {
    out << ",\"other\":{";
    writePlace(out, diagnostic.other);
    out << "}";
  }
  if (diagnostic.address) {
    char buffer[32];
    std::snprintf(buffer, sizeof(buffer), "0x%" PRIx64, diagnostic.address);
    out << ",\"address\":\"" << buffer << "\"";
  }
  out << "}";
  return out.str();
}

void report(const Diagnostic &diagnostic) {
  emit(diagnostic.str(), toJson(diagnostic));
}

void reportMisuse(const char *function, const char *kind,
                  const std::string &message) {
  emit(std::string(function) + ": " + message,
       std::string("{\"kind\":\"") + kind + "\",\"message\":" +
           quoteJson(message) + ",\"function\":\"" + function + "\"}");
}

} // namespace fa3::emulator::driver
