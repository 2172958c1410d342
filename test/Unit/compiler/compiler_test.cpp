//===- compiler_test.cpp - The compiler as a library ----------------------===//

#include "fa3/Compiler/Compiler.h"
#include "fa3/Compiler/Registration.h"

#include "fa3/runtime/runtime.hpp"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <thread>

using namespace fa3;
using testing::HasSubstr;
using testing::IsEmpty;

static std::string readSpec(const std::string &name) {
  std::ifstream file(FA3_SPECS "/" + name + ".mlir");
  return {std::istreambuf_iterator<char>(file), {}};
}

static CompileOptions withoutPtxas(Stage stage) {
  CompileOptions options;
  options.stage = stage;
  options.ptxas = "none";
  return options;
}

TEST(CompilerTest, RuntimeReadsItsPackages) {
  CompileResult result = compile(readSpec("forward_bf16_d128_causal"),
                                 "spec.mlir", withoutPtxas(Stage::Package));
  ASSERT_TRUE(result.succeeded);
  Package package =
      Package::fromMemory(result.artifact.data(), result.artifact.size());
  EXPECT_EQ(package.name(), "forward_bf16_d128_causal");
  EXPECT_THAT(package.symbols(),
              testing::ElementsAre("batch", "seqlen_q", "heads_q", "seqlen_k",
                                   "heads_kv"));
  EXPECT_EQ(package.tensors().size(), 5u);
}

TEST(CompilerTest, DerivesGradients) {
  CompileOptions options = withoutPtxas(Stage::Tile);
  options.backward = true;
  CompileResult result =
      compile(readSpec("forward_bf16_d64"), "spec.mlir", options);
  ASSERT_TRUE(result.succeeded);
  EXPECT_THAT(result.artifact, HasSubstr("module @backward_bf16_d64 {"));
  EXPECT_THAT(result.artifact, HasSubstr("@backward_bf16_d64_main("));
}

TEST(CompilerTest, SaysThatThereIsNoAssembler) {
  CompileResult result = compile(readSpec("forward_bf16_d64"), "spec.mlir",
                                 withoutPtxas(Stage::Package));
  ASSERT_TRUE(result.succeeded);
  ASSERT_EQ(result.diagnostics.size(), 1u);
  EXPECT_EQ(result.diagnostics[0].severity, mlir::DiagnosticSeverity::Remark);
  EXPECT_THAT(result.diagnostics[0].text, HasSubstr("carries PTX only"));
}

TEST(CompilerTest, ErrorsHavePlaces) {
  CompileResult result =
      compile("func.func @f() {\n  nonsense\n}\n", "spec.mlir", {});
  EXPECT_FALSE(result.succeeded);
  EXPECT_THAT(result.artifact, IsEmpty());
  ASSERT_FALSE(result.diagnostics.empty());
  EXPECT_EQ(result.diagnostics[0].severity, mlir::DiagnosticSeverity::Error);
  EXPECT_THAT(result.diagnostics[0].text, HasSubstr("spec.mlir:2:3: error:"));
}

TEST(CompilerTest, RemarksOnRequest) {
  CompileOptions options = withoutPtxas(Stage::Hopper);
  EXPECT_THAT(
      compile(readSpec("forward_bf16_d64"), "spec.mlir", options).diagnostics,
      IsEmpty());
  options.remarks = true;
  CompileResult result =
      compile(readSpec("forward_bf16_d64"), "spec.mlir", options);
  ASSERT_FALSE(result.diagnostics.empty());
  for (const CompileDiagnostic &diagnostic : result.diagnostics) {
    EXPECT_EQ(diagnostic.severity, mlir::DiagnosticSeverity::Remark);
    EXPECT_THAT(diagnostic.text, HasSubstr("remark: "));
  }
}

TEST(CompilerTest, ScheduleIsOverridden) {
  CompileOptions options = withoutPtxas(Stage::Attn);
  options.schedule = "block_kv=64";
  CompileResult result =
      compile(readSpec("forward_bf16_d64"), "spec.mlir", options);
  ASSERT_TRUE(result.succeeded);
  EXPECT_THAT(result.artifact, HasSubstr("block_kv = 64"));
}

TEST(CompilerTest, TakesAModule) {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      readSpec("forward_bf16_d64"), &context);
  ASSERT_TRUE(module);
  CompileResult result = compile(*module, withoutPtxas(Stage::PTX));
  ASSERT_TRUE(result.succeeded);
  EXPECT_THAT(result.artifact, HasSubstr(".entry forward_bf16_d64("));
}

TEST(CompilerTest, SameResultOnEveryThread) {
  std::string spec = readSpec("forward_f16_d64_causal");
  std::vector<std::string> artifacts(3);
  std::vector<std::thread> threads;
  for (std::string &artifact : artifacts)
    threads.emplace_back([&] {
      artifact = compile(spec, "spec.mlir", withoutPtxas(Stage::PTX)).artifact;
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_THAT(artifacts[0], HasSubstr(".entry"));
  EXPECT_EQ(artifacts[0], artifacts[1]);
  EXPECT_EQ(artifacts[0], artifacts[2]);
}

TEST(CompilerTest, StagesHaveNames) {
  EXPECT_EQ(parseStage("attn"), Stage::Attn);
  EXPECT_EQ(parseStage("header"), Stage::Header);
  EXPECT_EQ(parseStage("elf"), std::nullopt);
  EXPECT_THAT(getStageNames(), HasSubstr("attn, tile, hopper"));
}
