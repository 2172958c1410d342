//===- sampling_test.cpp - Which results are checked ----------------------===//

#include "sampling.h"

#include "gtest/gtest.h"

#include <set>
#include <tuple>

using namespace fa3::run;

using Row = std::tuple<int64_t, int64_t, int64_t>;

static std::set<Row> rowsOf(const std::vector<SampledGroup> &groups,
                            const AttentionShape &shape) {
  std::set<Row> rows;
  for (const SampledGroup &group : groups)
    for (const SampledGroup::Row &row : group.rows) {
      EXPECT_EQ(row.queryHead / (shape.queryHeads / shape.keyHeads),
                group.keyHead);
      EXPECT_LT(row.query, shape.queries);
      EXPECT_TRUE(rows.emplace(group.batch, row.queryHead, row.query).second);
    }
  return rows;
}

TEST(SamplingTest, SmallProblemsAreCheckedWhole) {
  const AttentionShape shape = {2, 4, 2, 113, 203, 128, 128};
  EXPECT_EQ(rowsOf(sampleRows(shape, 0), shape).size(), 2u * 4 * 113);
  EXPECT_TRUE(sampleRows({0, 4, 2, 113, 203, 128, 128}, 0).empty());
  EXPECT_TRUE(sampleRows({2, 0, 0, 113, 203, 128, 128}, 0).empty());
  EXPECT_TRUE(rowsOf(sampleRows({2, 4, 2, 0, 203, 128, 128}, 0),
                     {2, 4, 2, 0, 203, 128, 128})
                  .empty());
}

TEST(SamplingTest, LargeProblemsAreSampled) {
  for (int64_t length : {16384, 131072, 1048576}) {
    const AttentionShape shape = {1, 16, 4, length, length, 128, 128};
    const std::set<Row> rows = rowsOf(sampleRows(shape, 0), shape);
    EXPECT_GE(rows.size(), 32u);
    EXPECT_LE(rows.size(), 2000u);
    std::set<int64_t> queries;
    std::set<int64_t> heads;
    for (const auto &[batch, head, query] : rows) {
      queries.insert(query);
      heads.insert(head);
    }
    for (int64_t edge : {int64_t{0}, int64_t{63}, int64_t{64}, length - 1})
      EXPECT_TRUE(queries.contains(edge)) << edge;
    // Most rows are not edges, and come from everywhere.
    EXPECT_GE(queries.size(), rows.size() / 3);
    EXPECT_LT(*queries.lower_bound(length / 2), length * 3 / 4);
    EXPECT_GE(heads.size(), 6u);
    EXPECT_EQ(rowsOf(sampleRows(shape, 0), shape), rows);
    EXPECT_NE(rowsOf(sampleRows(shape, 1), shape), rows);
  }
}

TEST(SamplingTest, ManySmallHeads) {
  const AttentionShape shape = {70000, 2, 2, 8, 64, 128, 128};
  EXPECT_LE(sampleRows(shape, 0).size(), 70000u * 2);
  EXPECT_FALSE(sampleRows(shape, 0).empty());
}
