//===- RingAssignment.cpp - Which loads share a ring ----------------------===//

#include "RingAssignment.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace fa3;

tile::TransposeOp fa3::getTranspose(tile::LoadOp load) {
  return load->use_empty() ? tile::TransposeOp()
                           : dyn_cast<tile::TransposeOp>(*load->user_begin());
}

Operation *fa3::getProductOperand(tile::LoadOp load) {
  tile::TransposeOp transpose = getTranspose(load);
  return transpose ? transpose.getOperation() : load.getOperation();
}

Operation *fa3::lastUseIn(Block &block, Value operand) {
  Operation *last = nullptr;
  for (Operation *user : operand.getUsers())
    if (Operation *use = block.findAncestorOpInBlock(*user))
      if (!last || last->isBeforeInBlock(use))
        last = use;
  return last;
}

Operation *fa3::lastUse(tile::LoadOp load) {
  Operation *operand = getProductOperand(load);
  Operation *last = lastUseIn(*load->getBlock(), operand->getResult(0));
  return last ? last : operand;
}

namespace {

enum class Overlap { none, once, always };

/// How often `later` is executed while the tile of `load` is in use.
Overlap overlap(tile::LoadOp load, tile::LoadOp later) {
  Operation *ancestor = load->getBlock()->findAncestorOpInBlock(*later);
  if (!ancestor || !load->isBeforeInBlock(ancestor) ||
      lastUse(load)->isBeforeInBlock(ancestor))
    return Overlap::none;
  for (Operation *op = later; op != ancestor; op = op->getParentOp())
    if (isa<scf::ForOp>(op->getParentOp()))
      return Overlap::always;
  return Overlap::once;
}

/// Whether both are transposed to tiles of one type, or neither is.
bool haveSameTranspose(tile::LoadOp a, tile::LoadOp b) {
  tile::TransposeOp first = getTranspose(a), second = getTranspose(b);
  if (!first || !second)
    return !first && !second;
  return first.getOnes() == second.getOnes();
}

bool fits(const LoadGroup &group, tile::LoadOp load) {
  tile::LoadOp member = group.loads.front();
  return member.getSource() == load.getSource() &&
         member.getResult().getType() == load.getResult().getType() &&
         member.getOnes() == load.getOnes() &&
         haveSameTranspose(member, load) &&
         llvm::all_of(group.loads, [&](tile::LoadOp earlier) {
           return overlap(earlier, load) != Overlap::always;
         });
}

/// Buffers that the group's ring needs: a buffer comes round again after as
/// many loads as there are buffers, and must have been released by then.
int64_t countBuffers(const LoadGroup &group) {
  int64_t buffers = 1;
  for (tile::LoadOp load : group.loads)
    buffers = std::max(buffers,
                       1 + llvm::count_if(group.loads, [&](tile::LoadOp later) {
                         return overlap(load, later) != Overlap::none;
                       }));
  return buffers;
}

} // namespace

/// A tile that a nested loop uses throughout needs no second buffer: loading
/// the next one ahead would only save the start of that loop.
bool fa3::isStreamed(tile::LoadOp load) {
  return load->getParentOfType<scf::ForOp>() &&
         llvm::all_of(getProductOperand(load)->getUsers(),
                      [&](Operation *user) {
                        return user->getBlock() == load->getBlock();
                      });
}

SmallVector<LoadGroup> fa3::assignRings(ArrayRef<tile::LoadOp> loads) {
  SmallVector<LoadGroup> groups;
  for (tile::LoadOp load : loads) {
    auto group = llvm::find_if(
        groups, [&](const LoadGroup &group) { return fits(group, load); });
    if (group == groups.end())
      group = &groups.emplace_back();
    group->loads.push_back(load);
    group->streamed |= isStreamed(load);
  }
  for (LoadGroup &group : groups)
    group.buffers = countBuffers(group);
  return groups;
}
