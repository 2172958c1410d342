//===- TraceTest.cpp - Timelines as Chrome traces -------------------------===//

#include "emulator/trace/TraceFile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace fa3::emulator {

namespace {

using testing::HasSubstr;
using testing::Not;

TraceEvent makeEvent(TraceCategory category, const char *name, int warp,
                     uint64_t begin, uint64_t end, uint32_t cta = 0) {
  return {category, name, {cta, 0, 0}, warp, 10, begin, end, 4096, 0x400};
}

std::string readFile(const std::string &path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

} // namespace

TEST(TraceTest, RolesAndLanes) {
  LaunchTrace trace("attention", {4, 1, 1}, 1);
  trace.event(makeEvent(TraceCategory::Tma, "copy", 0, 0, 700));
  trace.event(makeEvent(TraceCategory::Tma, "copy", 0, 100, 800));
  trace.event(makeEvent(TraceCategory::Tma, "copy", 0, 900, 1500));
  trace.event(makeEvent(TraceCategory::Wgmma, "wgmma", 4, 800, 1100));
  trace.event(makeEvent(TraceCategory::Wait, "mbarrier.try_wait", 5, 0, 800));
  trace.event(makeEvent(TraceCategory::Issue, "issue", 2, 0, 50));
  trace.event(makeEvent(TraceCategory::Issue, "issue", 2, 0, 50, /*cta=*/1));
  unsigned process = 3;
  const std::string json = trace.json(process, 2000);
  EXPECT_EQ(process, 4u) << "one CTA is within the limit";
  EXPECT_EQ(trace.end(), 1500u);
  EXPECT_THAT(json, HasSubstr("\"attention CTA (0,0,0)\""));
  EXPECT_THAT(json, HasSubstr("\"warp 0 (producer)\""));
  EXPECT_THAT(json, HasSubstr("\"warp 5 (consumer, warpgroup 1)\""));
  EXPECT_THAT(json, HasSubstr("\"warp 2\""));
  // Copies that overlap have lanes of their own; the third fits the first.
  EXPECT_THAT(json, HasSubstr("\"tid\":1000,\"ts\":2.000,\"dur\":0.700"));
  EXPECT_THAT(json, HasSubstr("\"tid\":1001,\"ts\":2.100,\"dur\":0.700"));
  EXPECT_THAT(json, HasSubstr("\"tid\":1000,\"ts\":2.900,\"dur\":0.600"));
  EXPECT_THAT(json, Not(HasSubstr("\"tid\":1002")));
  EXPECT_THAT(json, HasSubstr("\"name\":\"mbarrier.try_wait\""));
}

TEST(TraceTest, FileIsCompleteAfterEachLaunch) {
  const std::string path =
      testing::TempDir() + "trace." + std::to_string(getpid()) + ".json";
  size_t size = 0;
  for (int i = 0; i < 3; ++i) {
    LaunchTrace trace("kernel", {1, 1, 1}, 8);
    trace.event(makeEvent(TraceCategory::Issue, "issue", 0, 0, 10));
    ASSERT_TRUE(appendTrace(path, trace));
    const std::string text = readFile(path);
    EXPECT_GT(text.size(), size);
    size = text.size();
    EXPECT_EQ(text.substr(0, 1), "{");
    EXPECT_EQ(text.substr(text.size() - 5), "{}]}\n");
  }
  EXPECT_THAT(readFile(path), HasSubstr("\"pid\":3"));
  std::remove(path.c_str());
  LaunchTrace trace("kernel", {1, 1, 1}, 8);
  EXPECT_FALSE(appendTrace("/nonexistent/trace.json", trace));
}

} // namespace fa3::emulator
