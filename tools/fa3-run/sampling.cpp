//===- sampling.cpp - Which results to compare with the reference ---------===//

#include "sampling.h"

#include "random.h"

#include <algorithm>
#include <set>

namespace fa3::run {

/// Multiply-adds that the reference may spend on rows, and elements of keys and
/// values that it may make for them: some seconds on two cores.
static constexpr double rowBudget = 2e9;
static constexpr double keyBudget = 4e8;

static constexpr int64_t leastGroups = 2;
static constexpr int64_t mostGroups = 8;
static constexpr int64_t leastRows = 24;

static std::vector<SampledGroup> allRows(const AttentionShape &shape) {
  std::vector<SampledGroup> groups;
  const int64_t ratio = shape.queryHeads / shape.keyHeads;
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t h = 0; h < shape.keyHeads; ++h) {
      SampledGroup group{b, h, {}};
      for (int64_t q = h * ratio; q < (h + 1) * ratio; ++q)
        for (int64_t i = 0; i < shape.queries; ++i)
          group.rows.push_back({q, i});
      groups.push_back(std::move(group));
    }
  return groups;
}

/// Rows where kernels go wrong first: the ends of the problem, the first row
/// that a causal mask leaves a key, and the edges of tiles.
static std::vector<int64_t> edgeRows(const AttentionShape &shape) {
  std::vector<int64_t> rows;
  const int64_t n = shape.queries;
  for (int64_t row : {int64_t{0}, n - 1, n - shape.keys, n - shape.keys - 1,
                      int64_t{1}, n - 2})
    rows.push_back(row);
  for (int64_t tile : {64, 80, 96, 128, 176, 192, 256})
    for (int64_t row :
         {tile, tile - 1, (n - 1) / tile * tile, (n - 1) / tile * tile - 1})
      rows.push_back(row);
  std::vector<int64_t> valid;
  for (int64_t row : rows)
    if (row >= 0 && row < n && !std::ranges::count(valid, row))
      valid.push_back(row);
  return valid;
}

std::vector<SampledGroup> sampleRows(const AttentionShape &shape,
                                     uint64_t seed) {
  if (shape.batch == 0 || shape.keyHeads == 0)
    return {};
  const double groupElements =
      static_cast<double>(std::max<int64_t>(shape.keys, 1)) *
      static_cast<double>(shape.headDim + shape.valueDim);
  // The row is multiplied with the keys once and with the values twice.
  const double rowCost =
      groupElements + static_cast<double>(shape.keys * shape.valueDim);
  const int64_t groupCount = shape.batch * shape.keyHeads;
  const int64_t ratio = shape.queryHeads / shape.keyHeads;
  const double rowCount = static_cast<double>(shape.batch) *
                          static_cast<double>(shape.queryHeads) *
                          static_cast<double>(shape.queries);
  if (rowCount * std::max(rowCost, 1.0) <= rowBudget &&
      static_cast<double>(groupCount) * groupElements <= keyBudget)
    return allRows(shape);

  const CounterRandom random(seed, 0x726f7773);
  const int64_t wanted = std::min(
      groupCount, std::clamp(static_cast<int64_t>(keyBudget / groupElements),
                             leastGroups, mostGroups));
  std::set<int64_t> chosen = {0, groupCount - 1};
  for (uint64_t i = 0; static_cast<int64_t>(chosen.size()) < wanted; ++i)
    chosen.insert(static_cast<int64_t>(random.bits(i) % groupCount));

  const int64_t rowsInGroup = shape.queries * ratio;
  const int64_t rowsWanted = std::min(
      rowsInGroup,
      std::max(leastRows,
               static_cast<int64_t>(rowBudget / rowCost /
                                    static_cast<double>(chosen.size()))));
  const std::vector<int64_t> edges = edgeRows(shape);
  std::vector<SampledGroup> groups;
  size_t nextEdge = 0;
  for (int64_t index : chosen) {
    SampledGroup group{index / shape.keyHeads, index % shape.keyHeads, {}};
    std::set<int64_t> rows;
    const CounterRandom groupRandom(seed, static_cast<uint64_t>(index));
    for (uint64_t i = 0; static_cast<int64_t>(rows.size()) < rowsWanted; ++i) {
      // Every other row is an edge: the first two in each group, the others by
      // turns; the heads are random.
      int64_t query =
          static_cast<int64_t>(groupRandom.bits(2 * i) % shape.queries);
      if (i < 2)
        query = edges[i % edges.size()];
      else if (i % 2 == 0)
        query = edges[nextEdge++ % edges.size()];
      const auto head =
          static_cast<int64_t>(groupRandom.bits(2 * i + 1) % ratio);
      rows.insert(head * shape.queries + query);
    }
    for (int64_t row : rows)
      group.rows.push_back(
          {group.keyHead * ratio + row / shape.queries, row % shape.queries});
    groups.push_back(std::move(group));
  }
  return groups;
}

} // namespace fa3::run
