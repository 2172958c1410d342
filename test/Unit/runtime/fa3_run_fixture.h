//===- fa3_run_fixture.h - Runs fa3-run -----------------------------------===//

#ifndef FA3_TEST_UNIT_RUNTIME_FA3_RUN_FIXTURE_H
#define FA3_TEST_UNIT_RUNTIME_FA3_RUN_FIXTURE_H

#include "fixture.h"

#include <filesystem>
#include <string>

namespace fa3::test {

/// Tests that run fa3-run in a folder of their own.
class Fa3RunFixture : public testing::Test {
protected:
  Fa3RunFixture();
  ~Fa3RunFixture() override;

  /// Writes a file and returns its path.
  std::string write(const std::string &name, const std::string &contents);

  /// Runs fa3-run and returns its exit status; `report` has the JSON.
  int run(const std::string &arguments, const std::string &program = FA3_RUN);

  /// What the last run printed, and its diagnostics.
  std::string log() const;
  std::string diagnostics() const { return report["diagnostics"].dump(); }

  const std::string driver = " --driver=" + fakeDriverPath();
  const std::filesystem::path directory;
  nlohmann::json report;
};

} // namespace fa3::test

#endif // FA3_TEST_UNIT_RUNTIME_FA3_RUN_FIXTURE_H
