//===- clock.h - The GPU's clock ------------------------------------------===//

#ifndef FA3_TOOLS_FA3_RUN_CLOCK_H
#define FA3_TOOLS_FA3_RUN_CLOCK_H

#include <optional>

namespace fa3::run {

/// The current clock of a GPU's multiprocessors in MHz, if nvidia-smi is there
/// to tell.
std::optional<int> readClock(int device);

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_CLOCK_H
