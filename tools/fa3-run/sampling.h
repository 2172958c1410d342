//===- sampling.h - Which results to compare with the reference -----------===//

#ifndef FA3_TOOLS_FA3_RUN_SAMPLING_H
#define FA3_TOOLS_FA3_RUN_SAMPLING_H

#include <cstdint>
#include <vector>

namespace fa3::run {

/// The size of an attention problem.
struct AttentionShape {
  int64_t batch;
  int64_t queryHeads;
  int64_t keyHeads;
  int64_t queries;
  int64_t keys;
  int64_t headDim;
  int64_t valueDim;
};

/// Rows of results that attend to the same keys.
struct SampledGroup {
  int64_t batch;
  int64_t keyHead;
  struct Row {
    int64_t queryHead;
    int64_t query;
  };
  std::vector<Row> rows;
};

/// All rows where the reference takes about a second for them, else a
/// selection that depends on the seed only: rows from all over the problem,
/// among them the first and last, and those around multiples of tile sizes.
std::vector<SampledGroup> sampleRows(const AttentionShape &shape,
                                     uint64_t seed);

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_SAMPLING_H
