//===- EmulatorTest.cpp - Helpers to run PTX in tests ---------------------===//

#include "EmulatorTest.h"

#include <bit>
#include <cstdlib>

using namespace fa3::emulator;
using namespace fa3::emulator::test;

Buffer::Buffer(size_t bytes) : bytes(bytes), storage(bytes + 512, 0) {}
unsigned char *Buffer::data() {
  uint64_t address = reinterpret_cast<uint64_t>(storage.data());
  return storage.data() + (256 - address % 256);
}

Params &Params::raw(const void *p, size_t size, size_t align) {
  bytes.resize((bytes.size() + align - 1) / align * align);
  const unsigned char *from = static_cast<const unsigned char *>(p);
  bytes.insert(bytes.end(), from, from + size);
  return *this;
}

LaunchResult Launcher::run(const std::string &ptx, const Params &params) {
  std::vector<Diagnostic> diagnostics;
  auto module = Module::parse(ptx, diagnostics);
  LaunchResult result;
  if (!module) {
    result.diagnostics = std::move(diagnostics);
    return result;
  }
  LaunchConfig config;
  config.grid = grid;
  config.block = block;
  config.cluster = cluster;
  config.dynamicSharedBytes = dynamicShared;
  config.params = params.data();
  config.paramBytes = params.size();
  return launch(*module, 0, config, memory, options);
}

const char *const fa3::emulator::test::kRegisters = R"(
  .reg .pred %p<10>;
  .reg .b16 %h<10>;
  .reg .b32 %r<64>;
  .reg .b64 %d<32>;
  .reg .b32 %f<256>;
)";

std::string fa3::emulator::test::kernel(const std::string &params,
                                        const std::string &body,
                                        const std::string &directives,
                                        const std::string &globals) {
  return ".version 8.3\n.target sm_90a\n.address_size 64\n" + globals +
         "\n.visible .entry test(" + params + ")\n" + directives + "\n{" +
         kRegisters + body + "\n  ret;\n}\n";
}

std::string fa3::emulator::test::text(const LaunchResult &result) {
  std::string all;
  for (const Diagnostic &d : result.diagnostics)
    all += d.str() + "\n";
  return all;
}

bool fa3::emulator::test::has(const LaunchResult &result, DiagnosticKind kind) {
  for (const Diagnostic &d : result.diagnostics)
    if (d.kind == kind)
      return true;
  return false;
}

uint32_t fa3::emulator::test::bits(float x) {
  return std::bit_cast<uint32_t>(x);
}
uint64_t fa3::emulator::test::bits(double x) {
  return std::bit_cast<uint64_t>(x);
}

/// The register that receives the result: 'h', 'r', 'd' or 'p'.
static char resultClass(const std::string &instruction) {
  size_t at = instruction.find("0");
  while (at != std::string::npos) {
    if (at >= 2 && instruction[at - 2] == '%')
      return instruction[at - 1];
    at = instruction.find("0", at + 1);
  }
  ADD_FAILURE() << "no result in " << instruction;
  return 'r';
}

static int64_t ordered(uint32_t b) {
  return b & 0x80000000u ? -int64_t(b & 0x7fffffff) : int64_t(b);
}

void fa3::emulator::test::checkRows(const std::vector<Row> &rows) {
  Buffer in(rows.size() * 24), out(rows.size() * 8);
  std::string body =
      "  ld.param.b64 %d30, [in];\n  ld.param.b64 %d31, [out];\n";
  for (size_t i = 0; i != rows.size(); ++i) {
    const uint64_t sources[3] = {rows[i].a, rows[i].b, rows[i].c};
    std::memcpy(in.data() + i * 24, sources, 24);
    body += "  {\n";
    for (int s = 0; s != 3; ++s) {
      std::string n = std::to_string(s + 1);
      std::string at =
          "[%d30+" + std::to_string(i * 24 + size_t(s) * 8) + "];\n";
      body += "  ld.global.b16 %h" + n + ", " + at + "  ld.global.b32 %r" + n +
              ", " + at + "  ld.global.b64 %d" + n + ", " + at +
              "  setp.ne.u64 %p" + n + ", %d" + n + ", 0;\n";
    }
    body += "  mov.b64 %d0, 0;\n  mov.b32 %r0, 0;\n  mov.b16 %h0, 0;\n";
    body += "  " + std::string(rows[i].instruction) + "\n";
    std::string to = "[%d31+" + std::to_string(i * 8) + "], ";
    switch (resultClass(rows[i].instruction)) {
    case 'h':
      body += "  cvt.u64.u16 %d0, %h0;\n";
      break;
    case 'r':
      body += "  cvt.u64.u32 %d0, %r0;\n";
      break;
    case 'p':
      body += "  selp.b64 %d0, 1, 0, %p0;\n";
      break;
    default:
      break;
    }
    body += "  st.global.b64 " + to + "%d0;\n  }\n";
  }
  Launcher launcher;
  launcher.allow(in).allow(out);
  Params params;
  params.add(in).add(out);
  LaunchResult result =
      launcher.run(kernel(".param .b64 in, .param .b64 out", body), params);
  ASSERT_EQ(text(result), "");
  for (size_t i = 0; i != rows.size(); ++i) {
    uint64_t got = out.as<uint64_t>()[i];
    if (rows[i].ulps) {
      EXPECT_LE(std::llabs(ordered(uint32_t(got)) -
                           ordered(uint32_t(rows[i].expected))),
                int64_t(rows[i].ulps))
          << rows[i].instruction << " gave " << std::hex << got << ", expected "
          << rows[i].expected;
      continue;
    }
    EXPECT_EQ(got, rows[i].expected)
        << rows[i].instruction << " of " << std::hex << rows[i].a << ", "
        << rows[i].b << ", " << rows[i].c << " gave " << got << ", expected "
        << rows[i].expected;
  }
}
