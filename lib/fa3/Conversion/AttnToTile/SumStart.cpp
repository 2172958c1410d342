//===- SumStart.cpp - What sums of dq start with --------------------------===//

#include "SumStart.h"

#include "fa3/Analysis/SizeExpressions.h"
#include "fa3/Analysis/Spec.h"

using namespace mlir;
using namespace fa3;

static constexpr llvm::StringLiteral kQueries = "seqlen_q";

/// Queries up to which first tiles are stored.
static int64_t getMostQueries(tile::ScheduleAttr schedule) {
  int64_t blocks = schedule.getStoreFirst();
  return blocks == tile::ScheduleAttr::kNoLimit ? blocks
                                                : blocks * schedule.getBlockQ();
}

SmallVector<SumStart> fa3::getSumStarts(attn::BackwardOp backward) {
  tile::ScheduleAttr schedule = backward.getScheduleAttr();
  if (!backward.sumsDq(schedule))
    return {SumStart::cleared};
  if (std::optional<bool> stores =
          isAtMost(cast<attn::SpecOpInterface>(backward.getOperation()),
                   kQueries, getMostQueries(schedule)))
    return {*stores ? SumStart::stored : SumStart::cleared};
  return {SumStart::cleared, SumStart::stored};
}

Attribute fa3::getLaunchCondition(attn::BackwardOp backward, SumStart start) {
  if (getSumStarts(backward).size() == 1)
    return {};
  MLIRContext *context = backward.getContext();
  int64_t most = getMostQueries(backward.getScheduleAttr());
  Attribute queries = StringAttr::get(context, kQueries);
  return start == SumStart::cleared ? moreThan(context, queries, most)
                                    : atMost(context, queries, most);
}
