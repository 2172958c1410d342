//===- EventCounter.cpp - Counts operations through control flow ----------===//

#include "fa3/Transforms/EventCounter.h"

using namespace mlir;
using namespace fa3;

void EventCounter::add(ArrayRef<Operation *> events, OnEvent onEvent) {
  if (!events.empty())
    sequences.push_back({SmallVector<Operation *>(events), std::move(onEvent)});
}

bool EventCounter::advanceTogether(ArrayRef<Operation *> a,
                                   ArrayRef<Operation *> b) {
  if (a.size() != b.size())
    return false;
  SmallPtrSet<Block *, 4> blocks;
  for (auto [left, right] : llvm::zip_equal(a, b)) {
    Block *block = left->getBlock();
    if (block != right->getBlock() || !blocks.insert(block).second)
      return false;
    bool inOrder = left->isBeforeInBlock(right);
    Operation *first = inOrder ? left : right, *last = inOrder ? right : left;
    for (Operation *op = first; op != last; op = op->getNextNode())
      if (op->getNumRegions() != 0)
        return false;
  }
  return true;
}

void EventCounter::count() {
  SmallVector<SmallVector<Sequence *>> groups;
  for (Sequence &sequence : sequences) {
    auto group = llvm::find_if(groups, [&](ArrayRef<Sequence *> group) {
      return llvm::all_of(group, [&](Sequence *member) {
        return advanceTogether(member->events, sequence.events);
      });
    });
    if (group == groups.end())
      groups.emplace_back(1, &sequence);
    else
      group->push_back(&sequence);
  }
  for (ArrayRef<Sequence *> group : groups) {
    numbers.clear();
    for (Operation *event : group.front()->events)
      numbers.try_emplace(event);
    OpBuilder start = OpBuilder::atBlockBegin(&root);
    countBlock(root, arith::ConstantIntOp::create(
                         start, root.getParentOp()->getLoc(), 0, 32));
    SmallVector<Value> inOrder =
        llvm::map_to_vector(group.front()->events, [&](Operation *event) {
          return numbers.lookup(event);
        });
    for (Sequence *sequence : group)
      for (auto [event, number] : llvm::zip_equal(sequence->events, inOrder))
        sequence->onEvent(event, number);
  }
}

Value EventCounter::countBlock(Block &block, Value number) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (isEvent(&op)) {
      OpBuilder builder(&op);
      builder.setInsertionPointAfter(&op);
      Value one = arith::ConstantIntOp::create(builder, op.getLoc(), 1, 32);
      numbers[&op] = number;
      number = arith::AddIOp::create(builder, op.getLoc(), number, one);
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

bool EventCounter::containsEvent(Operation &op) const {
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
  Value last =
      countBlock(*counted.getBody(), counted.getRegionIterArgs().back());
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
  for (Region *region : {&counted.getThenRegion(), &counted.getElseRegion()}) {
    Value last = countBlock(region->front(), number);
    Operation *yield = region->front().getTerminator();
    yield->insertOperands(yield->getNumOperands(), last);
  }
  ifOp.replaceAllUsesWith(counted.getResults().drop_back());
  ifOp.erase();
  return counted.getResults().back();
}
