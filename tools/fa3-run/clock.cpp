//===- clock.cpp - The GPU's clock ----------------------------------------===//

#include "clock.h"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>

namespace fa3::run {

std::optional<int> readClock(int device) {
  const std::string command =
      "nvidia-smi --query-gpu=clocks.sm --format=csv,noheader,nounits -i " +
      std::to_string(device) + " 2>/dev/null";
  // The command holds nothing but a number from outside.
  // NOLINTNEXTLINE(bugprone-command-processor)
  std::FILE *pipe = popen(command.c_str(), "re");
  const std::unique_ptr<std::FILE, int (*)(std::FILE *)> output(pipe, pclose);
  char line[64];
  if (!output || !std::fgets(line, sizeof(line), output.get()))
    return std::nullopt;
  int clock = 0;
  const auto [end, failure] =
      std::from_chars(line, line + std::strlen(line), clock);
  if (failure != std::errc())
    return std::nullopt;
  return clock;
}

} // namespace fa3::run
