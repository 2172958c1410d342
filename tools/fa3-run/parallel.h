//===- parallel.h - Loops over all cores ----------------------------------===//

#ifndef FA3_TOOLS_FA3_RUN_PARALLEL_H
#define FA3_TOOLS_FA3_RUN_PARALLEL_H

#include <cstdint>
#include <functional>

namespace fa3::run {

/// Calls body(begin, end) for disjoint ranges that cover [0, count), at most
/// `grain` long, from as many threads as there are cores.
void parallelFor(int64_t count, int64_t grain,
                 const std::function<void(int64_t, int64_t)> &body);

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_PARALLEL_H
