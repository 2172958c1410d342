//===- SinkWaits.cpp - Waits behind what runs under a product -------------===//
//
// ptxas moves wgmma.wait_group up, above arithmetic that it does not order. It
// cannot move it above a branch: where a branch depends on that arithmetic and
// its arms need the product's values, the wait goes there.
//
//===----------------------------------------------------------------------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Remarks.h"

#define DEBUG_TYPE "fa3-sink-waits"

namespace fa3 {
#define GEN_PASS_DEF_SINKWAITSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

constexpr auto kRemark = remark::RemarkOpts::name(DEBUG_TYPE).category("fa3");

/// A wait and the conditional that it goes into.
class Sinking {
public:
  explicit Sinking(hopper::WgmmaWaitOp wait) : wait(wait) {}

  /// Finds the next conditional. It must need the products' values, and what
  /// decides it must be computed while they run.
  bool match() {
    SetVector<Value> known(wait->result_begin(), wait->result_end());
    for (Operation *op = wait->getNextNode(); op; op = op->getNextNode()) {
      if ((branch = dyn_cast<scf::IfOp>(op)))
        break;
      bool depends = llvm::any_of(op->getOperands(), [&](Value operand) {
        return known.contains(operand);
      });
      if (op->getNumRegions() != 0 || op->hasTrait<OpTrait::IsTerminator>())
        return false;
      if (isPure(op)) {
        if (depends) {
          behind.push_back(op);
          known.insert(op->result_begin(), op->result_end());
        }
        continue;
      }
      if (depends || !op->use_empty())
        return false;
      moved.push_back(op);
    }
    return branch && branch.elseBlock() && isDecidedUnderProducts() &&
           needsProducts() && !usesAny(behind);
  }

  /// Moves the wait, and what else has effects in front of the conditional,
  /// into both of its arms. What is computed from the values comes behind it.
  void apply() {
    SmallVector<Value> values;
    for (Value result : wait->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) {
            return !branch->isProperAncestor(user);
          }))
        values.push_back(result);
    scf::IfOp extended = extend(values);
    Block *const arms[] = {extended.thenBlock(), extended.elseBlock()};
    for (auto [index, arm] : llvm::enumerate(arms))
      fill(*arm, index);
    for (auto [value, result] : llvm::zip_equal(
             values, extended.getResults().take_back(values.size())))
      value.replaceAllUsesWith(result);
    Operation *last = extended;
    for (Operation *op : behind) {
      op->moveAfter(last);
      last = op;
    }
    for (Operation *op : moved)
      op->erase();
    remark::passed(wait.getLoc(), kRemark)
        << "the wait for a product is behind the branch that is decided under "
           "it";
    wait->erase();
  }

private:
  /// Whether the condition is computed between the youngest product and the
  /// wait.
  bool isDecidedUnderProducts() {
    Operation *decision = branch.getCondition().getDefiningOp();
    for (Operation *op = wait->getPrevNode();
         op && !isa<hopper::WgmmaCommitOp>(op); op = op->getPrevNode())
      if (op == decision)
        return true;
    return false;
  }

  bool needsProducts() {
    return llvm::any_of(wait->getUsers(), [&](Operation *user) {
      return branch->isProperAncestor(user);
    });
  }

  /// Whether the conditional uses a value of `ops`.
  bool usesAny(ArrayRef<Operation *> ops) {
    return llvm::any_of(ops, [&](Operation *op) {
      return llvm::any_of(op->getUsers(), [&](Operation *user) {
        return branch->isAncestor(user);
      });
    });
  }

  /// Gives the conditional `values` as results, too.
  scf::IfOp extend(ArrayRef<Value> values) {
    OpBuilder builder(branch);
    SmallVector<Type> types(branch.getResultTypes());
    for (Value value : values)
      types.push_back(value.getType());
    auto extended = scf::IfOp::create(builder, branch.getLoc(), types,
                                      branch.getCondition());
    for (auto [from, to] :
         llvm::zip_equal(branch->getRegions(), extended->getRegions())) {
      to.takeBody(from);
      Operation *yield = to.front().getTerminator();
      yield->insertOperands(yield->getNumOperands(), values);
    }
    branch->replaceAllUsesWith(
        extended.getResults().take_front(branch.getNumResults()));
    branch->erase();
    return extended;
  }

  /// Puts copies of the wait and of what moves with it at the start of an arm.
  void fill(Block &arm, int64_t index) {
    OpBuilder builder = OpBuilder::atBlockBegin(&arm);
    auto copy = cast<hopper::WgmmaWaitOp>(builder.clone(*wait));
    copy.setArm(index);
    for (Operation *op : moved)
      builder.clone(*op);
    for (auto [result, here] :
         llvm::zip_equal(wait->getResults(), copy->getResults()))
      result.replaceUsesWithIf(here, [&](OpOperand &use) {
        return arm.findAncestorOpInBlock(*use.getOwner());
      });
  }

  hopper::WgmmaWaitOp wait;
  scf::IfOp branch;
  /// What has effects between the two, and what is computed from the values.
  SmallVector<Operation *> moved, behind;
};

struct SinkWaitsPass : fa3::impl::SinkWaitsPassBase<SinkWaitsPass> {
  void runOnOperation() override {
    tile::ScheduleAttr schedule = getOperation().getScheduleAttr();
    if (!schedule || !schedule.getLateWaits())
      return;
    SmallVector<hopper::WgmmaWaitOp> waits;
    getOperation().walk(
        [&](hopper::WgmmaWaitOp wait) { waits.push_back(wait); });
    for (hopper::WgmmaWaitOp wait : waits)
      if (Sinking sinking(wait); sinking.match())
        sinking.apply();
  }
};

} // namespace
