//===- SelectSchedule.cpp - Chooses how a kernel is executed --------------===//
//
// Takes the schedule of a spec from a table of measured ones, applies the
// user's overrides, and checks the result against the machine's limits.
//
//===----------------------------------------------------------------------===//

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

/// The fields of a #tile.schedule, to be changed one by one.
struct Fields {
  int64_t blockQ = 0;
  int64_t blockKv = 0;
  int64_t warpgroups = 2;
  int64_t stages = 2;
  bool overlap = true;
  bool specialize = true;
  bool pingpong = true;
  bool splitLoops = true;
  int64_t lazyRescale = 0;
  int64_t chains = 4;
  bool longestFirst = false;
  bool persistent = false;
  bool transposeS = false;
  bool transposeDkv = false;
  bool transposeDq = false;
  bool shareOperands = false;
  bool bulkReduce = true;
  int64_t producerRegisters = 0;
  int64_t consumerRegisters = 0;
};

using FieldPointer = std::variant<int64_t Fields::*, bool Fields::*>;

struct NamedField {
  StringLiteral name;
  FieldPointer field;
};

constexpr NamedField kFields[] = {
    {"block_q", &Fields::blockQ},
    {"block_kv", &Fields::blockKv},
    {"warpgroups", &Fields::warpgroups},
    {"stages", &Fields::stages},
    {"overlap", &Fields::overlap},
    {"specialize", &Fields::specialize},
    {"pingpong", &Fields::pingpong},
    {"split_loops", &Fields::splitLoops},
    {"lazy_rescale", &Fields::lazyRescale},
    {"chains", &Fields::chains},
    {"longest_first", &Fields::longestFirst},
    {"persistent", &Fields::persistent},
    {"transpose_s", &Fields::transposeS},
    {"transpose_dkv", &Fields::transposeDkv},
    {"transpose_dq", &Fields::transposeDq},
    {"share_operands", &Fields::shareOperands},
    {"bulk_reduce", &Fields::bulkReduce},
    {"producer_registers", &Fields::producerRegisters},
    {"consumer_registers", &Fields::consumerRegisters},
};

/// A measured schedule of forward attention with 16-bit elements.
struct Row {
  int64_t headDim;
  bool causal;
  int64_t blockQ;
  int64_t blockKv;
  int64_t warpgroups;
  int64_t stages;
  bool pingpong;
  int64_t chains;
};

constexpr Row kForwardRows[] = {
    {128, false, 192, 80, 3, 2, false, 2},
    {128, true, 192, 80, 3, 3, false, 4},
    {64, false, 192, 128, 3, 2, true, 8},
    {64, true, 192, 128, 3, 3, true, 8},
};

/// Growth of the row maximum, in powers of two, that is not rescaled: the
/// probabilities stay far from the largest number of either 16-bit type.
constexpr int64_t kLazyRescale = 8;

/// Registers of a producer and of a consumer thread for 1, 2 and 3 consumer
/// warpgroups: all that a CTA can have.
constexpr std::pair<int64_t, int64_t> kRegisterSplit[] = {
    {56, 256}, {24, 240}, {32, 160}};

} // namespace

static Fields fieldsOf(tile::ScheduleAttr schedule) {
  return {schedule.getBlockQ(),
          schedule.getBlockKv(),
          schedule.getWarpgroups(),
          schedule.getStages(),
          schedule.getOverlap(),
          schedule.getSpecialize(),
          schedule.getPingpong(),
          schedule.getSplitLoops(),
          schedule.getLazyRescale(),
          schedule.getChains(),
          schedule.getLongestFirst(),
          schedule.getPersistent(),
          schedule.getTransposeS(),
          schedule.getTransposeDkv(),
          schedule.getTransposeDq(),
          schedule.getShareOperands(),
          schedule.getBulkReduce(),
          schedule.getProducerRegisters(),
          schedule.getConsumerRegisters()};
}

static LogicalResult parseValue(attn::ForwardOp forward, StringRef name,
                                StringRef text, int64_t &value) {
  if (!text.getAsInteger(10, value))
    return success();
  return forward.emitError() << "schedule override: " << name
                             << " takes an integer, not '" << text << "'";
}

static LogicalResult parseValue(attn::ForwardOp forward, StringRef name,
                                StringRef text, bool &value) {
  if (text == "true" || text == "false") {
    value = text == "true";
    return success();
  }
  return forward.emitError() << "schedule override: " << name
                             << " takes true or false, not '" << text << "'";
}

/// Applies "field=value,field=value".
static LogicalResult applyOverrides(attn::ForwardOp forward, StringRef text,
                                    Fields &fields) {
  bool ownRegisters = false, ownWarpgroups = false;
  SmallVector<StringRef> assignments;
  text.split(assignments, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef assignment : assignments) {
    auto [left, right] = assignment.split('=');
    StringRef name = left.trim(), value = right.trim();
    const auto *known = llvm::find_if(
        kFields, [&](const NamedField &field) { return field.name == name; });
    if (known == std::end(kFields)) {
      InFlightDiagnostic error = forward.emitError()
                                 << "schedule override: no field '" << name
                                 << "'; there are ";
      llvm::interleaveComma(kFields, error, [&](const NamedField &field) {
        error << field.name;
      });
      return error;
    }
    if (failed(std::visit(
            [&](auto field) {
              return parseValue(forward, name, value, fields.*field);
            },
            known->field)))
      return failure();
    ownWarpgroups |= name == "warpgroups";
    ownRegisters |=
        name == "producer_registers" || name == "consumer_registers";
  }
  // The split of registers follows the warpgroups unless it is given, too.
  if (ownWarpgroups && !ownRegisters && fields.warpgroups >= 1 &&
      fields.warpgroups <= static_cast<int64_t>(std::size(kRegisterSplit)))
    std::tie(fields.producerRegisters, fields.consumerRegisters) =
        kRegisterSplit[fields.warpgroups - 1];
  return success();
}

static FailureOr<Fields> chooseFields(attn::ForwardOp forward) {
  for (const Row &row : kForwardRows) {
    if (row.headDim != forward.getHeadDim() ||
        row.causal != forward.getCausal())
      continue;
    Fields fields;
    fields.blockQ = row.blockQ;
    fields.blockKv = row.blockKv;
    fields.warpgroups = row.warpgroups;
    fields.stages = row.stages;
    fields.pingpong = row.pingpong;
    fields.chains = row.chains;
    fields.lazyRescale = kLazyRescale;
    fields.longestFirst = row.causal;
    std::tie(fields.producerRegisters, fields.consumerRegisters) =
        kRegisterSplit[row.warpgroups - 1];
    return fields;
  }
  return forward.emitError() << "head dim " << forward.getHeadDim()
                             << " is not supported; it must be 64 or 128";
}

/// Checks the machine's limits and reports what the schedule takes.
static LogicalResult checkSchedule(attn::ForwardOp forward,
                                   tile::ScheduleAttr schedule,
                                   StringRef kernel, StringRef origin) {
  int64_t headDim = forward.getHeadDim();
  int64_t elementBytes = forward.getQ().getType().getElementTypeBitWidth() / 8;
  int64_t bytes = forwardSharedMemory(schedule, headDim, elementBytes);
  if (bytes > kSharedMemoryLimit)
    return forward.emitError()
           << "schedule " << schedule << " needs " << bytes
           << " bytes of shared memory, but a CTA has " << kSharedMemoryLimit;
  int64_t registers = forwardRegisters(schedule, headDim, elementBytes);
  if (registers > schedule.getConsumerRegisters())
    return forward.emitError()
           << "schedule " << schedule << " needs about " << registers
           << " registers in a consumer thread, which has "
           << schedule.getConsumerRegisters();
  std::string text;
  llvm::raw_string_ostream(text) << schedule;
  remark::passed(
      forward.getLoc(),
      remark::RemarkOpts::name(DEBUG_TYPE).category("fa3").function(kernel))
      << remark::add("{0} ({1}): {2} of {3} bytes of shared memory, about {4} "
                     "of {5} registers in a consumer thread",
                     text, origin, bytes, kSharedMemoryLimit, registers,
                     schedule.getConsumerRegisters());
  return success();
}

namespace {

struct SelectSchedulePass
    : fa3::impl::SelectSchedulePassBase<SelectSchedulePass> {
  using SelectSchedulePassBase::SelectSchedulePassBase;

  void runOnOperation() override {
    FailureOr<attn::ForwardOp> forward = getSpec(getOperation());
    if (failed(forward))
      return signalPassFailure();
    if (*forward && failed(select(*forward)))
      signalPassFailure();
  }

  LogicalResult select(attn::ForwardOp forward) {
    // A hand-written schedule does not make the pipeline support more.
    FailureOr<Fields> fields = chooseFields(forward);
    if (failed(fields))
      return failure();
    std::string origin = "from the table";
    if (tile::ScheduleAttr given = forward.getScheduleAttr()) {
      *fields = fieldsOf(given);
      origin = "given in the spec";
    }
    if (!overrides.empty()) {
      if (failed(applyOverrides(forward, overrides, *fields)))
        return failure();
      origin += ", with overrides " + overrides;
    }
    auto schedule = tile::ScheduleAttr::getChecked(
        [&] { return forward.emitError("impossible schedule: "); },
        &getContext(), fields->blockQ, fields->blockKv, fields->warpgroups,
        fields->stages, fields->overlap, fields->specialize, fields->pingpong,
        fields->splitLoops, fields->lazyRescale, fields->chains,
        fields->longestFirst, fields->persistent, fields->transposeS,
        fields->transposeDkv, fields->transposeDq, fields->shareOperands,
        fields->bulkReduce,
        fields->producerRegisters, fields->consumerRegisters);
    if (!schedule || failed(checkSchedule(forward, schedule,
                                          getOperation().getName(), origin)))
      return failure();
    forward.setScheduleAttr(schedule);
    return success();
  }
};

} // namespace
