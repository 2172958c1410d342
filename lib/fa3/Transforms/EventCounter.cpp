//===- EventCounter.cpp - Counts operations through control flow ----------===//

#include "fa3/Transforms/EventCounter.h"

using namespace mlir;
using namespace fa3;

Value EventCounter::count(Block &block, Value number) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (isEvent(&op)) {
      OpBuilder builder(&op);
      builder.setInsertionPointAfter(&op);
      Value one = arith::ConstantIntOp::create(builder, op.getLoc(), 1, 32);
      Value next = arith::AddIOp::create(builder, op.getLoc(), number, one);
      onEvent(&op, number);
      number = next;
      continue;
    }
    if (!containsEvent(op))
      continue;
    if (auto loop = dyn_cast<scf::ForOp>(op))
      number = countLoop(loop, number);
    else
      number = countIf(cast<scf::IfOp>(op), number);
  }
  return number;
}

bool EventCounter::containsEvent(Operation &op) {
  return op
      .walk([&](Operation *nested) {
        return isEvent(nested) ? WalkResult::interrupt()
                               : WalkResult::advance();
      })
      .wasInterrupted();
}

Value EventCounter::countLoop(scf::ForOp loop, Value number) {
  IRRewriter rewriter(loop);
  auto counted = cast<scf::ForOp>(*loop.replaceWithAdditionalYields(
      rewriter, number, /*replaceInitOperandUsesInLoop=*/false,
      [&](OpBuilder &, Location, ArrayRef<BlockArgument> added) {
        return SmallVector<Value>{added.front()};
      }));
  Value last = count(*counted.getBody(), counted.getRegionIterArgs().back());
  auto yield = counted.getBody()->getTerminator();
  yield->setOperand(yield->getNumOperands() - 1, last);
  return counted.getResults().back();
}

Value EventCounter::countIf(scf::IfOp ifOp, Value number) {
  OpBuilder builder(ifOp);
  SmallVector<Type> types(ifOp.getResultTypes());
  types.push_back(number.getType());
  auto counted =
      scf::IfOp::create(builder, ifOp.getLoc(), types, ifOp.getCondition(),
                        /*addThenBlock=*/false, /*addElseBlock=*/false);
  counted.getThenRegion().takeBody(ifOp.getThenRegion());
  if (ifOp.getElseRegion().empty()) {
    builder.setInsertionPointToEnd(&counted.getElseRegion().emplaceBlock());
    scf::YieldOp::create(builder, ifOp.getLoc());
  } else {
    counted.getElseRegion().takeBody(ifOp.getElseRegion());
  }
  for (Region *region :
       {&counted.getThenRegion(), &counted.getElseRegion()}) {
    Value last = count(region->front(), number);
    Operation *yield = region->front().getTerminator();
    yield->insertOperands(yield->getNumOperands(), last);
  }
  ifOp.replaceAllUsesWith(counted.getResults().drop_back());
  ifOp.erase();
  return counted.getResults().back();
}
