//===- fa3_run_fixture.cpp - Runs fa3-run ---------------------------------===//

#include "fa3_run_fixture.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <sys/wait.h>

namespace fa3::test {

static std::filesystem::path directoryOfTest() {
  const testing::TestInfo *test =
      testing::UnitTest::GetInstance()->current_test_info();
  return std::filesystem::path(testing::TempDir()) /
         ("fa3_run_test_" + std::string(test->test_suite_name()) + "_" +
          test->name());
}

Fa3RunFixture::Fa3RunFixture() : directory(directoryOfTest()) {
  std::filesystem::create_directories(directory);
}

Fa3RunFixture::~Fa3RunFixture() { std::filesystem::remove_all(directory); }

std::string Fa3RunFixture::write(const std::string &name,
                                 const std::string &contents) {
  const std::filesystem::path path = directory / name;
  std::ofstream(path, std::ios::binary) << contents;
  return path;
}

int Fa3RunFixture::run(const std::string &arguments,
                       const std::string &program) {
  const std::filesystem::path output = directory / "report.json";
  std::filesystem::remove(output);
  const std::string command = program + " " + arguments + " --json " +
                              output.string() + " >" +
                              (directory / "log").string() + " 2>&1";
  // The test writes the command itself.
  // NOLINTNEXTLINE(bugprone-command-processor)
  const int status = std::system(command.c_str());
  report = nlohmann::json();
  if (std::ifstream file{output})
    report = nlohmann::json::parse(file);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string Fa3RunFixture::log() const {
  std::ifstream file(directory / "log");
  return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace fa3::test
