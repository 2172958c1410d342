//===- SelectSchedule.cpp - Chooses how a kernel is executed --------------===//
//
// Takes the schedule of a spec from a table of measured ones, applies the
// user's overrides, and checks the result against the machine's limits.
//
//===----------------------------------------------------------------------===//

#include "fa3/Analysis/ScheduleFields.h"
#include "fa3/Analysis/ScheduleModel.h"
#include "fa3/Analysis/Spec.h"
#include "fa3/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"

#include <variant>

#define DEBUG_TYPE "fa3-select-schedule"

namespace fa3 {
#define GEN_PASS_DEF_SELECTSCHEDULEPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

using FieldPointer =
    std::variant<int64_t ScheduleFields::*, bool ScheduleFields::*>;

struct NamedField {
  StringLiteral name;
  FieldPointer field;
};

constexpr NamedField kFields[] = {
    {"block_q", &ScheduleFields::blockQ},
    {"block_kv", &ScheduleFields::blockKv},
    {"warpgroups", &ScheduleFields::warpgroups},
    {"stages", &ScheduleFields::stages},
    {"early_stages", &ScheduleFields::earlyStages},
    {"overlap", &ScheduleFields::overlap},
    {"specialize", &ScheduleFields::specialize},
    {"pingpong", &ScheduleFields::pingpong},
    {"split_loops", &ScheduleFields::splitLoops},
    {"late_waits", &ScheduleFields::lateWaits},
    {"lazy_rescale", &ScheduleFields::lazyRescale},
    {"chains", &ScheduleFields::chains},
    {"product_sums", &ScheduleFields::productSums},
    {"transpose_v", &ScheduleFields::transposeV},
    {"longest_first", &ScheduleFields::longestFirst},
    {"group_tiles", &ScheduleFields::groupTiles},
    {"persistent", &ScheduleFields::persistent},
    {"transpose_s", &ScheduleFields::transposeS},
    {"transpose_dkv", &ScheduleFields::transposeDkv},
    {"transpose_dq", &ScheduleFields::transposeDq},
    {"share_operands", &ScheduleFields::shareOperands},
    {"separate_dq", &ScheduleFields::separateDq},
    {"bulk_reduce", &ScheduleFields::bulkReduce},
    {"store_first", &ScheduleFields::storeFirst},
    {"producer_registers", &ScheduleFields::producerRegisters},
    {"consumer_registers", &ScheduleFields::consumerRegisters},
};

/// A schedule of forward attention with 16-bit elements. Those for the head
/// dims 64 and 128 are measured.
struct ForwardRow {
  /// The largest head dim that the row is for.
  int64_t headDim;
  bool causal;
  int64_t blockQ;
  int64_t blockKv;
  int64_t warpgroups;
  int64_t stages;
  bool pingpong;
  int64_t chains;
  bool overlap = true;
  int64_t transposeV = 0;
  int64_t persistent = 0;
  bool lateWaits = false;
};

/// Blocks of a sequence up to which CTAs compute one piece after another: more
/// of them cannot be divided evenly beforehand, and gain little.
constexpr int64_t kPersistentBlocks = 32;

constexpr ForwardRow kForwardRows[] = {
    {64, false, 192, 128, 3, 2, true, 8},
    {64, true, 192, 128, 3, 3, true, 8},
    {96, false, 192, 112, 3, 2, false, 4, true, 0, kPersistentBlocks, true},
    {96, true, 192, 112, 3, 2, false, 4, true, 0, kPersistentBlocks, true},
    {128, false, 192, 80, 3, 2, false, 2, true, 0, kPersistentBlocks, true},
    {128, true, 192, 80, 3, 3, false, 4, true, 0, 0, true},
    {192, false, 128, 112, 2, 2, false, 4},
    {192, true, 128, 112, 2, 2, false, 4},
    {256, false, 128, 80, 2, 2, false, 4},
    {256, true, 128, 80, 2, 2, false, 4},
};

/// Keys up to which 8-bit values are transposed where they are needed. Beyond
/// that, and at wide heads, the work for the shared memory's port costs more
/// than a kernel in front.
constexpr int64_t kTransposedKeys = 2048;
constexpr int64_t kTransposedCausalKeys = 4096;

/// The same with 8-bit elements.
constexpr ForwardRow kNarrowForwardRows[] = {
    {64, false, 192, 128, 3, 2, true, 8, true, kTransposedKeys,
     kPersistentBlocks},
    {64, true, 192, 96, 3, 2, true, 8, true, kTransposedCausalKeys,
     kPersistentBlocks},
    {128, false, 192, 96, 3, 2, true, 8, true, kTransposedKeys,
     kPersistentBlocks},
    {128, true, 192, 96, 3, 2, true, 8, true, kTransposedCausalKeys},
    {192, false, 128, 128, 2, 2, false, 8, true, 0, kPersistentBlocks},
    {192, true, 128, 128, 2, 2, true, 8, true, 0, kPersistentBlocks, true},
    {256, false, 128, 128, 2, 2, false, 8, true, 0, kPersistentBlocks},
    {256, true, 128, 128, 2, 2, true, 8, true, 0, kPersistentBlocks, true},
};

/// And where blocks of keys are added outside of the tensor cores.
constexpr ForwardRow kTwoLevelForwardRows[] = {
    {64, false, 192, 96, 3, 3, false, 8},
    {64, true, 192, 96, 3, 3, false, 8},
    {128, false, 128, 128, 2, 2, false, 8},
    {128, true, 128, 128, 2, 2, false, 8},
    {192, false, 128, 96, 2, 2, false, 8, false},
    {192, true, 128, 96, 2, 2, false, 8, false},
    {256, false, 64, 32, 1, 2, false, 8, false},
    {256, true, 64, 32, 1, 2, false, 8, false},
};

/// And where each key has a factor: those of a block take registers.
constexpr ForwardRow kKeyFactorForwardRows[] = {
    {64, false, 128, 128, 2, 3, false, 8},
    {64, true, 128, 128, 2, 3, false, 8},
    {128, false, 128, 160, 2, 2, false, 8},
    {128, true, 128, 160, 2, 2, false, 8},
    {192, false, 128, 96, 2, 2, false, 8},
    {192, true, 128, 96, 2, 2, false, 8},
    {256, false, 128, 64, 2, 2, false, 8},
    {256, true, 128, 64, 2, 2, false, 8},
};

/// Keys of a block at most where both is the case.
constexpr int64_t kTwoLevelKeyFactorKeys = 64;

/// Growth of the row maximum, in powers of two, that is not rescaled: the
/// probabilities stay far from the largest number of either 16-bit type.
constexpr int64_t kLazyRescale = 8;
/// In 8 bits it takes away from the range of the probabilities; less where
/// factors of keys are to make scores more precise.
constexpr int64_t kNarrowLazyRescale = 4;
constexpr int64_t kKeyFactorLazyRescale = 2;
/// Rows of dS that grow by that many powers keep their factor; it takes away
/// from their range, too. References for fa3-run's checks allow for that many.
constexpr int64_t kRunningLazyRescale = 2;
/// wgmma's largest n.
constexpr int64_t kMaxColumns = 256;
/// Elements that an 8-bit product contracts at once.
constexpr int64_t kNarrowStep = 32;

/// A schedule of the gradients of keys and values.
struct BackwardRow {
  /// The largest head dim that the row is for.
  int64_t headDim;
  bool causal;
  int64_t blockQ;
  int64_t blockKv;
  int64_t warpgroups;
  int64_t stages;
  int64_t earlyStages;
  bool transposeS;
  bool transposeDkv;
  bool transposeDq;
  bool bulkReduce;
  bool splitLoops;
  bool separateDq = false;
  int64_t persistent = 0;
  int64_t storeFirst = 16;
  /// Of causal kernels. Sums of dq share L2 with what is read: fewer tiles than
  /// in the forward pass are best.
  int64_t groupTiles = 256;
};

constexpr BackwardRow kBackwardRows[] = {
    {64, false, 128, 128, 2, 2, 0, true, false, false, true, true, false, 0,
     /*storeFirst=*/8},
    {64, true, 128, 128, 2, 2, 0, true, false, false, true, true},
    {128, false, 64, 128, 2, 2, 0, true, false, true, true, true, false, 0,
     /*storeFirst=*/64},
    {128, true, 64, 128, 2, 2, 0, true, false, true, true, true},
    {192, false, 64, 96, 3, 2, 1, false, true, true, false, true},
    {192, true, 64, 96, 3, 2, 1, false, true, true, false, false},
    {256, false, 64, 80, 2, 2, 1, false, true, true, false, true},
    // What computes the indices of groups takes the last registers.
    {256, true, 64, 80, 2, 2, 1, false, true, true, false, true, false, 0,
     /*storeFirst=*/0, /*groupTiles=*/0},
};

/// The same with 8-bit elements.
constexpr BackwardRow kNarrowBackwardRows[] = {
    {64, false, 128, 128, 2, 2, 0, true, false, false, true, true, false,
     kPersistentBlocks, /*storeFirst=*/32},
    {64, true, 128, 128, 2, 2, 0, true, false, false, true, true, false,
     kPersistentBlocks},
    {128, false, 64, 128, 2, 2, 0, true, false, true, true, true, false,
     kPersistentBlocks},
    {128, true, 64, 128, 2, 2, 0, true, false, true, true, true},
    {256, false, 128, 64, 2, 1, 0, false, false, false, true, true, true},
    {256, true, 128, 64, 2, 1, 0, false, false, false, true, true, true},
};

} // namespace

static LogicalResult parseValue(attn::AttentionOpInterface attention,
                                StringRef name, StringRef text,
                                int64_t &value) {
  if (!text.getAsInteger(10, value))
    return success();
  return attention->emitError() << "schedule override: " << name
                                << " takes an integer, not '" << text << "'";
}

static LogicalResult parseValue(attn::AttentionOpInterface attention,
                                StringRef name, StringRef text, bool &value) {
  if (text == "true" || text == "false") {
    value = text == "true";
    return success();
  }
  return attention->emitError() << "schedule override: " << name
                                << " takes true or false, not '" << text << "'";
}

/// Whether there are sums of dq, and a role that drains them.
static bool canStoreFirst(attn::AttentionOpInterface attention,
                          const ScheduleFields &fields) {
  auto backward = dyn_cast<attn::BackwardOp>(attention.getOperation());
  return backward && !backward.getDeterministic() && !fields.separateDq &&
         fields.specialize && fields.bulkReduce;
}

/// Applies "field=value,field=value" to fields that are given in the spec, or
/// from the table.
static LogicalResult applyOverrides(attn::AttentionOpInterface attention,
                                    StringRef text, bool given,
                                    ScheduleFields &fields) {
  llvm::SmallDenseSet<StringRef> own;
  SmallVector<StringRef> assignments;
  text.split(assignments, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef assignment : assignments) {
    auto [left, right] = assignment.split('=');
    StringRef name = left.trim(), value = right.trim();
    const auto *known = llvm::find_if(
        kFields, [&](const NamedField &field) { return field.name == name; });
    if (known == std::end(kFields)) {
      InFlightDiagnostic error = attention->emitError()
                                 << "schedule override: no field '" << name
                                 << "'; there are ";
      llvm::interleaveComma(kFields, error, [&](const NamedField &field) {
        error << field.name;
      });
      return error;
    }
    if (failed(std::visit(
            [&](auto field) {
              return parseValue(attention, name, value, fields.*field);
            },
            known->field)))
      return failure();
    own.insert(name);
  }
  auto hasOwn = [&](auto... names) { return (own.contains(names) || ...); };
  // The split of registers follows the warpgroups unless it is given, too.
  if (hasOwn("warpgroups") &&
      !hasOwn("producer_registers", "consumer_registers"))
    fields.splitRegisters();
  // Registers and shared memory for piece after piece are there with the
  // table's tiles.
  if (!given && !hasOwn("persistent") &&
      hasOwn("block_q", "block_kv", "warpgroups", "overlap", "specialize"))
    fields.persistent = 0;
  // Without roles nobody transposes.
  if (!fields.specialize && !hasOwn("transpose_v"))
    fields.transposeV = 0;
  if (!canStoreFirst(attention, fields) && !hasOwn("store_first"))
    fields.storeFirst = 0;
  return success();
}

static bool isNarrow(attn::AttentionOpInterface attention) {
  return attention.getElementType().getIntOrFloatBitWidth() == 8;
}

/// Whether the second product can have eight columns more. On two levels it is
/// one of several narrow ones.
static bool canSumInProduct(attn::ForwardOp forward) {
  return forward.getTwoLevel() || getTileColumns(forward) + 8 <= kMaxColumns;
}

static ArrayRef<ForwardRow> getForwardRows(attn::ForwardOp forward) {
  if (forward.getTwoLevel())
    return kTwoLevelForwardRows;
  if (forward.hasKeyFactors())
    return kKeyFactorForwardRows;
  if (isNarrow(forward))
    return kNarrowForwardRows;
  return kForwardRows;
}

/// Blocks of causal heads that are computed together. Many divide the work
/// evenly, but the keys and values of their heads should stay in L2, of which
/// those of wide heads need more.
static int64_t chooseGroupTiles(int64_t headDim) {
  return headDim <= 64 ? 256 : headDim <= 128 ? 512 : 128;
}

static ScheduleFields chooseForward(attn::ForwardOp forward) {
  int64_t headDim = attn::AttentionOpInterface(forward).getHeadDim();
  bool narrow = isNarrow(forward);
  const ForwardRow *row =
      llvm::find_if(getForwardRows(forward), [&](const ForwardRow &candidate) {
        return headDim <= candidate.headDim &&
               candidate.causal == forward.getCausal();
      });
  ScheduleFields fields;
  fields.blockQ = row->blockQ;
  fields.blockKv = row->blockKv;
  if (forward.getTwoLevel() && forward.hasKeyFactors())
    fields.blockKv = std::min(fields.blockKv, kTwoLevelKeyFactorKeys);
  fields.warpgroups = row->warpgroups;
  fields.stages = row->stages;
  fields.overlap = row->overlap;
  if (!forward.getValuesInterleaved())
    fields.transposeV = row->transposeV;
  fields.persistent = row->persistent;
  fields.lateWaits = row->lateWaits;
  fields.pingpong = row->pingpong;
  fields.chains = row->chains;
  fields.lazyRescale = forward.hasKeyFactors() ? kKeyFactorLazyRescale
                       : narrow                ? kNarrowLazyRescale
                                               : kLazyRescale;
  // Even where products are narrow, registers are short beyond that.
  fields.productSums = narrow && getTileColumns(forward) + 8 <= kMaxColumns;
  fields.longestFirst = row->causal;
  if (row->causal)
    fields.groupTiles = chooseGroupTiles(headDim);
  fields.splitRegisters();
  return fields;
}

/// Takes into account what the table of 8-bit gradients does not: a dS that
/// keeps 16 bits takes shared memory, its maxima take registers.
static void makeRoom(attn::BackwardOp backward, ScheduleFields &fields) {
  int64_t columns = getTileColumns(backward);
  bool isWide = !backward.hasNarrowDs(), hasMaxima = !!backward.getDsAmax();
  if (columns <= 64 && (isWide || hasMaxima))
    fields.stages = 1;
  if (columns <= 128 && isWide && hasMaxima)
    fields.separateDq = true;
  if (backward.hasRunningDsScale()) {
    fields.separateDq = true;
    fields.lazyRescale = kRunningLazyRescale;
  }
}

static ScheduleFields chooseBackward(attn::BackwardOp backward) {
  int64_t headDim = attn::AttentionOpInterface(backward).getHeadDim();
  const BackwardRow *row =
      llvm::find_if(backward.isNarrow() ? ArrayRef(kNarrowBackwardRows)
                                        : ArrayRef(kBackwardRows),
                    [&](const BackwardRow &candidate) {
                      return headDim <= candidate.headDim &&
                             backward.getCausal() == candidate.causal;
                    });
  ScheduleFields fields;
  fields.blockQ = row->blockQ;
  fields.blockKv = row->blockKv;
  fields.warpgroups = row->warpgroups;
  fields.stages = row->stages;
  fields.earlyStages = row->earlyStages;
  fields.overlap = fields.pingpong = false;
  fields.longestFirst = backward.getCausal();
  if (backward.getCausal())
    fields.groupTiles = row->groupTiles;
  fields.transposeS = row->transposeS;
  fields.transposeDkv = row->transposeDkv;
  fields.transposeDq = row->transposeDq;
  fields.separateDq = row->separateDq;
  fields.persistent = row->persistent;
  if (backward.isNarrow())
    makeRoom(backward, fields);
  fields.bulkReduce = row->bulkReduce;
  if (canStoreFirst(backward, fields))
    fields.storeFirst = row->storeFirst;
  fields.splitLoops = row->splitLoops;
  fields.splitRegisters();
  return fields;
}

static ScheduleFields chooseFields(attn::AttentionOpInterface attention) {
  if (auto backward = dyn_cast<attn::BackwardOp>(attention.getOperation()))
    return chooseBackward(backward);
  return chooseForward(cast<attn::ForwardOp>(attention.getOperation()));
}

/// Keys are rows where one warpgroup has room for sums of 64 of them.
static constexpr int64_t kRunningColumns = 128;

/// Checks what products of 8 bits demand: they contract columns of operands in
/// registers, and rows of those that are shared.
static LogicalResult
checkNarrowBackward(attn::BackwardOp backward, tile::ScheduleAttr schedule,
                    function_ref<LogicalResult(const Twine &)> refuse) {
  for (auto [name, size] : {std::pair("block_q", schedule.getBlockQ()),
                            {"block_kv", schedule.getBlockKv()}})
    if (size % kNarrowStep != 0)
      return refuse(Twine("with 8-bit elements, ") + name +
                    " must be a multiple of " + Twine(kNarrowStep) + ", not " +
                    Twine(size));
  if (schedule.getShareOperands())
    return refuse("with 8-bit elements, share_operands has no effect");
  if (schedule.getTransposeS() && schedule.getTransposeDkv())
    return refuse("with 8-bit elements, transpose_s and transpose_dkv exclude "
                  "each other");
  if (!schedule.getTransposeS() && schedule.getTransposeDq() &&
      backward.hasNarrowDs() && backward.sumsDq(schedule))
    return refuse("with 8-bit elements, transpose_dq needs transpose_s");
  if (!backward.hasRunningDsScale())
    return success();
  if (attn::AttentionOpInterface(backward).getHeadDim() > kRunningColumns)
    return refuse("factors of dS that are found while running need a head dim "
                  "of " +
                  Twine(kRunningColumns) +
                  " at most: beyond, give ds_scale or ds_precision");
  if (!schedule.getTransposeS() || backward.sumsDq(schedule))
    return refuse("factors of dS that are found while running need transpose_s "
                  "and separate_dq: they are of rows, keys and queries");
  if (schedule.getLazyRescale() > kRunningLazyRescale)
    return refuse("factors of dS that are found while running need a "
                  "lazy_rescale of " +
                  Twine(kRunningLazyRescale) + " at most, not " +
                  Twine(schedule.getLazyRescale()));
  return success();
}

/// Checks what the attention operation's program demands of its schedule.
static LogicalResult checkProgram(attn::AttentionOpInterface attention,
                                  tile::ScheduleAttr schedule) {
  auto refuse = [&](const Twine &why) {
    return attention->emitError() << "impossible schedule: " << why;
  };
  if (auto forward = dyn_cast<attn::ForwardOp>(attention.getOperation())) {
    if (schedule.getSeparateDq())
      return refuse("separate_dq is for the backward pass");
    if (schedule.getTransposeS() || schedule.getTransposeDkv() ||
        schedule.getTransposeDq())
      return refuse("the forward pass transposes nothing");
    if (!isNarrow(attention) && schedule.getProductSums())
      return refuse("product_sums needs 8-bit elements");
    if (schedule.getProductSums() && !canSumInProduct(forward))
      return refuse("product_sums needs 8 more columns than the head dim has, "
                    "256 at most");
    if (schedule.getTransposeV() != 0 &&
        (!isNarrow(attention) || forward.getValuesInterleaved()))
      return refuse("transpose_v needs 8-bit values with keys as rows");
    if (schedule.getTransposeV() != 0 && !schedule.getSpecialize())
      return refuse("transpose_v needs specialize");
    if (isNarrow(attention) && schedule.getBlockKv() % kNarrowStep != 0)
      return refuse("with 8-bit elements, block_kv must be a multiple of " +
                    Twine(kNarrowStep) + ", not " +
                    Twine(schedule.getBlockKv()));
    if (isNarrow(attention) && schedule.getLazyRescale() > 8)
      return refuse(
          "with 8-bit elements, lazy_rescale must be 8 at most, not " +
          Twine(schedule.getLazyRescale()));
    return success();
  }
  if (schedule.getProductSums())
    return refuse("product_sums is for the forward pass");
  if (schedule.getTransposeV() != 0)
    return refuse("transpose_v is for the forward pass");
  // These are the rows of the gradients.
  if (!schedule.getTransposeDkv() && schedule.getBlockKv() % 64 != 0)
    return refuse("without transpose_dkv, block_kv must be a multiple of 64, "
                  "not " +
                  Twine(schedule.getBlockKv()));
  if (!schedule.getTransposeDq() && schedule.getBlockQ() % 64 != 0)
    return refuse("without transpose_dq, block_q must be a multiple of 64, "
                  "not " +
                  Twine(schedule.getBlockQ()));
  auto backward = cast<attn::BackwardOp>(attention.getOperation());
  return backward.isNarrow() ? checkNarrowBackward(backward, schedule, refuse)
                             : success();
}

/// Checks the machine's limits and reports what the schedule takes.
static LogicalResult checkSchedule(attn::AttentionOpInterface attention,
                                   tile::ScheduleAttr schedule,
                                   StringRef kernel, StringRef origin) {
  ScheduleCost cost = estimateCost(attention, schedule);
  if (cost.sharedMemory > kSharedMemoryLimit)
    return attention->emitError()
           << "schedule " << schedule << " needs " << cost.sharedMemory
           << " bytes of shared memory, but a CTA has " << kSharedMemoryLimit;
  if (cost.registers > schedule.getConsumerRegisters())
    return attention->emitError()
           << "schedule " << schedule << " needs about " << cost.registers
           << " registers in a consumer thread, which has "
           << schedule.getConsumerRegisters();
  std::string text;
  llvm::raw_string_ostream(text) << schedule;
  remark::passed(
      attention.getLoc(),
      remark::RemarkOpts::name(DEBUG_TYPE).category("fa3").function(kernel))
      << remark::add("{0} ({1}): {2} of {3} bytes of shared memory, about {4} "
                     "of {5} registers in a consumer thread",
                     text, origin, cost.sharedMemory, kSharedMemoryLimit,
                     cost.registers, schedule.getConsumerRegisters());
  return success();
}

namespace {

struct SelectSchedulePass
    : fa3::impl::SelectSchedulePassBase<SelectSchedulePass> {
  using SelectSchedulePassBase::SelectSchedulePassBase;

  void runOnOperation() override {
    FailureOr<attn::SpecOpInterface> spec = getSpec(getOperation());
    if (failed(spec))
      return signalPassFailure();
    if (*spec && failed(select(*spec)))
      signalPassFailure();
  }

  LogicalResult select(attn::SpecOpInterface spec) {
    if (auto attention =
            dyn_cast<attn::AttentionOpInterface>(spec.getOperation()))
      return select(attention);
    if (overrides.empty())
      return success();
    return spec->emitError("schedule override: the schedules of its kernels "
                           "are fixed");
  }

  LogicalResult select(attn::AttentionOpInterface attention) {
    ScheduleFields fields = chooseFields(attention);
    std::string origin = "from the table";
    tile::ScheduleAttr given = attention.getScheduleAttr();
    if (given) {
      fields = ScheduleFields::of(given);
      origin = "given in the spec";
    }
    if (!overrides.empty()) {
      if (failed(
              applyOverrides(attention, overrides, /*given=*/!!given, fields)))
        return failure();
      origin += ", with overrides " + overrides;
    }
    tile::ScheduleAttr schedule = fields.get(
        [&] { return attention->emitError("impossible schedule: "); },
        &getContext());
    if (!schedule || failed(checkProgram(attention, schedule)) ||
        failed(checkSchedule(attention, schedule, getOperation().getName(),
                             origin)))
      return failure();
    attention.setScheduleAttr(schedule);
    return success();
  }
};

} // namespace
