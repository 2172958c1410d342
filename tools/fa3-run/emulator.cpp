//===- emulator.cpp - What the emulator diagnosed -------------------------===//

#include "emulator.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace fa3::run {

static constexpr const char *variable = "FA3_EMULATOR_DIAGNOSTICS";

EmulatorDiagnostics::EmulatorDiagnostics() {
  if (const char *chosen = std::getenv(variable); chosen && *chosen) {
    path = chosen;
    // What other runs have added is not this run's.
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    begin = error ? 0 : std::streamoff(size);
    return;
  }
  std::error_code error;
  const auto folder = std::filesystem::temp_directory_path(error);
  path = (error ? "/tmp" : folder.string()) + "/fa3-run-XXXXXX";
  const int file = mkstemp(path.data());
  if (file < 0) {
    path.clear();
    return;
  }
  close(file);
  temporary = true;
  setenv(variable, path.c_str(), 1);
}

EmulatorDiagnostics::~EmulatorDiagnostics() {
  if (temporary)
    std::remove(path.c_str());
}

std::vector<std::string> EmulatorDiagnostics::read() const {
  std::vector<std::string> list;
  std::ifstream file(path);
  file.seekg(begin);
  for (std::string line; std::getline(file, line);) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    if (!entry.is_object())
      continue;
    std::string text =
        entry.value("kind", "") + ": " + entry.value("message", "");
    if (const std::string kernel = entry.value("kernel", ""); !kernel.empty())
      text += " (" + kernel + ", PTX line " +
              std::to_string(entry.value("line", 0)) + ", thread " +
              std::to_string(entry.value("thread", -1)) + ")";
    list.push_back(std::move(text));
  }
  return list;
}

} // namespace fa3::run
