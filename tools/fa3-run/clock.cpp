//===- clock.cpp - The GPU's clock ----------------------------------------===//

#include "clock.h"

#include <cstdio>
#include <memory>
#include <string>

namespace fa3::run {

std::optional<int> readClock(int device) {
  const std::string command =
      "nvidia-smi --query-gpu=clocks.sm --format=csv,noheader,nounits -i " +
      std::to_string(device) + " 2>/dev/null";
  const std::unique_ptr<std::FILE, int (*)(std::FILE *)> output(
      popen(command.c_str(), "re"), pclose);
  int clock = 0;
  if (!output || std::fscanf(output.get(), "%d", &clock) != 1)
    return std::nullopt;
  return clock;
}

} // namespace fa3::run
