//===- EmulatorTest.h - Helpers to run PTX in tests -------------*- C++ -*-===//

#ifndef FA3_TEST_EMULATOR_EMULATORTEST_H
#define FA3_TEST_EMULATOR_EMULATORTEST_H

#include "emulator/core/Machine.h"
#include "emulator/core/TensorMap.h"

#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

namespace fa3::emulator::test {

/// Device memory of a test: a zeroed allocation with guard distance around it.
class Buffer {
public:
  explicit Buffer(size_t bytes);
  template <class T> T *as() { return reinterpret_cast<T *>(data()); }
  unsigned char *data();
  uint64_t address() { return reinterpret_cast<uint64_t>(data()); }
  size_t size() const { return bytes; }

private:
  size_t bytes;
  std::vector<unsigned char> storage;
};

/// Parameters laid out one after another, each aligned to its size.
class Params {
public:
  Params &add(Buffer &buffer) { return value(buffer.address()); }
  template <class T> Params &value(T v) {
    return raw(&v, sizeof(T), sizeof(T));
  }
  Params &map(const TensorMap &m) { return raw(&m, sizeof(m), 64); }
  Params &raw(const void *p, size_t size, size_t align);
  const unsigned char *data() const { return bytes.data(); }
  size_t size() const { return bytes.size(); }

private:
  std::vector<unsigned char> bytes;
};

struct Launcher {
  Dim3 grid, block{32, 1, 1}, cluster;
  uint32_t dynamicShared = 0;
  LaunchOptions options;
  RangeAddressSpace memory;

  Launcher() { options.threads = 1; }
  Launcher &allow(Buffer &buffer) {
    memory.add(buffer.address(), buffer.size());
    return *this;
  }
  /// Parses \p ptx, which has to be well-formed, and launches its only kernel.
  LaunchResult run(const std::string &ptx, const Params &params);
};

/// A module with one kernel: \p params is the text between the parentheses.
std::string kernel(const std::string &params, const std::string &body,
                   const std::string &directives = "",
                   const std::string &globals = "");

/// Registers that most tests use: %p0-9, %h0-9, %r0-63, %d0-31, %f0-255.
extern const char *const kRegisters;

/// All diagnostics as text; empty for a clean run.
std::string text(const LaunchResult &result);
bool has(const LaunchResult &result, DiagnosticKind kind);

#define EXPECT_CLEAN(result) EXPECT_EQ(fa3::emulator::test::text(result), "")
#define EXPECT_DIAGNOSED(result, kind)                                         \
  EXPECT_TRUE(                                                                 \
      fa3::emulator::test::has(result, fa3::emulator::DiagnosticKind::kind))   \
      << fa3::emulator::test::text(result)

/// One instruction with its operands and the result expected. Sources are
/// %h1-3, %r1-3, %d1-3 (the low bits of a, b, c) and %p1-3 (a, b, c non-zero);
/// the result is %h0, %r0, %d0 or %p0, whichever the instruction names first.
struct Row {
  const char *instruction;
  uint64_t a, b, c;
  uint64_t expected;
  /// For approximations: largest distance in units of the last place.
  uint32_t ulps = 0;
};

/// Runs all rows in one launch and compares.
void checkRows(const std::vector<Row> &rows);

uint32_t bits(float x);
uint64_t bits(double x);

} // namespace fa3::emulator::test

#endif // FA3_TEST_EMULATOR_EMULATORTEST_H
