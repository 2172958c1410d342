//===- ParserTest.cpp - Malformed and unusual PTX -------------------------===//

#include "EmulatorTest.h"

#include <random>

using namespace fa3::emulator;
using namespace fa3::emulator::test;

namespace {
/// The diagnostic of a module that must not parse.
Diagnostic rejected(const std::string &ptx) {
  std::vector<Diagnostic> diagnostics;
  EXPECT_FALSE(Module::parse(ptx, diagnostics)) << ptx;
  EXPECT_EQ(diagnostics.size(), 1u);
  if (diagnostics.empty())
    return {};
  EXPECT_EQ(diagnostics[0].kind, DiagnosticKind::Parse);
  return diagnostics[0];
}
void expectError(const std::string &body, const std::string &message) {
  EXPECT_NE(rejected(kernel("", body)).message.find(message), std::string::npos)
      << body << ": " << rejected(kernel("", body)).message;
}
} // namespace

TEST(Parser, NamesInstructionAndLine) {
  Diagnostic d = rejected(
      ".version 8.3\n.target sm_90a\n.address_size 64\n"
      ".entry k()\n{\n  .reg .b32 %r<4>;\n  frobnicate.b32 %r1, %r2;\n}\n");
  EXPECT_EQ(d.where.line, 7u);
  EXPECT_NE(d.message.find("frobnicate.b32"), std::string::npos) << d.message;
}

TEST(Parser, Errors) {
  expectError("add.s32 %r1, %r2;", "wrong number of operands");
  expectError("add.s32 %r1, %r2, %d1;", "has 64 bits, not 32");
  expectError("add.s32 %r1, %r2, %nothing;", "unknown register");
  expectError("add.s32 %r1, %r2, nothing;", "unknown name");
  expectError("bra nowhere;", "unknown name 'nowhere'");
  expectError("add.s32.bogus %r1, %r2, %r3;", "unsupported modifier '.bogus'");
  expectError("add.f32 %r1, %r2, 1;", "cannot be an integer constant");
  expectError("@%r1 ret;", "not a predicate");
  expectError("mov.b32 %r1, 0f123;", "needs 8 hex digits");
  expectError("wgmma.mma_async.sync.aligned.m64n12k16.f32.bf16.bf16 {%r1}, "
              "%d1, %d2, 1, 1, 1, 0, 0;",
              "malformed shape");
  expectError("mov.b32 %r1, \"text\";", "expected an operand");
  expectError("L: L: ret;", "defined twice");
  expectError(".reg .b32 %r<5>;", "declared twice");
  expectError("cvt.f32.s32 %r1", "expected ';'");
  expectError("{", "not closed");
  expectError("add.s32 _, %r1, %r2;", "expected a register");
  expectError("L: brx.idx %r1, L;", "expected a list of branch targets");
  expectError("H: call H;", "inlined");
}

TEST(Parser, ModuleErrors) {
  rejected("");
  rejected("\x7f"
           "ELF");
  rejected("not ptx at all");
  rejected(".version 8.3\n.target sm_90a\n.address_size 32\n");
  rejected(".version 8.3\n/* never closed");
  rejected(".version 8.3\n.global .b32 x = y;\n.bogus\n");
  rejected(".version 8.3\n.global .align 3 .b32 x;\n");
  rejected(".version 8.3\n.global .b8 x[99999999999];\n");
  rejected(".version 8.3\n.entry k() { .reg .b32 %r<4000000000>; }");
  rejected(".version 8.3\n.entry k() {} .entry k() {}");
}

TEST(Parser, UnusualButValid) {
  std::vector<Diagnostic> diagnostics;
  auto module = Module::parse(R"(
    /* a comment
       of two lines */
    .version 8.3
    .target sm_90a, debug
    .address_size 64
    .file 1 "a.cu"
    .func helper() { ret; }
    .section .debug_str { $info: .b8 1, 2, { 3 } }
    .visible .entry
    k ( .param .u32 k_param_0 )
    .maxntid 32
    .reqntid 32, 1, 1
    {
      .reg .b32 a, b ;
      .loc 1 2 3
      .pragma "nounroll";
      ld.param.u32 a, [k_param_0 + 0];
      { add.u32 b, a, 0x10U; }
      ;
      add.u32 b, a, 0b101;
      add.u32 b, a, 017;
      ret.uni;
    }
    .entry second() { ret; }
  )",
                              diagnostics);
  ASSERT_TRUE(module) << diagnostics[0].str();
  EXPECT_EQ(module->kernels().size(), 2u);
}

TEST(Parser, DamagedModulesDoNotCrash) {
  const std::string good =
      kernel(".param .align 64 .b8 map[128], .param .b64 out", R"(
    .shared .align 1024 .b8 tile[4096];
    mbarrier.init.shared::cta.b64 [tile], 1;
    { .reg .pred P; W: mbarrier.try_wait.parity.shared::cta.b64 P, [tile], 0; @!P bra W; }
    cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%r1], [%d1, {%r2, %r3}], [%r4];
    wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%f1, %f2, %f3, %f4}, %d1, %d2, 1, 1, 1, 0, 0;
    mov.b64 {%r1, %r2}, %d1;
    ld.global.v4.f32 {%r1, %r2, %r3, %r4}, [%d1 + 16];
    @%p1 bra W2; W2: cvt.rn.bf16x2.f32 %r1, %r2, %r3;)");
  std::mt19937 random(1);
  for (int i = 0; i != 3000; ++i) {
    std::string bad = good;
    for (int edits = int(random() % 4) + 1; edits; --edits) {
      size_t at = random() % bad.size();
      switch (random() % 4) {
      case 0:
        bad[at] = char(random());
        break;
      case 1:
        bad.erase(at, random() % 20);
        break;
      case 2:
        bad.insert(at, good.substr(random() % good.size(), random() % 20));
        break;
      default:
        bad.resize(at + 1);
        break;
      }
    }
    std::vector<Diagnostic> diagnostics;
    auto module = Module::parse(bad, diagnostics);
    EXPECT_EQ(module == nullptr, !diagnostics.empty());
  }
}
