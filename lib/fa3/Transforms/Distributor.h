//===- Distributor.h - State of the distribution pass -----------*- C++ -*-===//

#ifndef FA3_TRANSFORMS_DISTRIBUTOR_H
#define FA3_TRANSFORMS_DISTRIBUTOR_H

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Tile/TileOps.h"
#include "fa3/Transforms/Fragment.h"
#include "fa3/Transforms/Passes.h"
#include "fa3/Transforms/Threads.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

namespace fa3 {

/// Byte permutations: the even and the odd bytes of two registers, those of the
/// first one in front. Of transposed matrices of pairs of 8-bit elements they
/// make the order of tile.interleave.
inline constexpr int64_t kInterleavedSelectors[] = {0x6420, 0x7531};
/// Matrices that ldmatrix and stmatrix take at once.
inline constexpr int64_t kMatrices = 4;

/// Rebuilds a kernel's body for one thread. A tile's registers are kept in a
/// map; scalars are cloned.
class Distributor {
public:
  explicit Distributor(tile::KernelOp kernel)
      : kernel(kernel), builder(kernel.getContext()), loc(kernel.getLoc()) {}

  mlir::LogicalResult run();

private:
  // Values.
  llvm::SmallVector<mlir::Type> registerTypes(mlir::Type type);
  /// Registers of a tile, or the one value of a scalar; valid until the next
  /// call for a scalar.
  mlir::ValueRange registers(mlir::Value value);
  void map(mlir::Value value, mlir::ValueRange registers);
  llvm::SmallVector<mlir::Value> flatten(mlir::ValueRange values);
  void mapFlat(mlir::ValueRange values, mlir::ValueRange registers);
  mlir::Value constant(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value multiply(mlir::Value a, int64_t factor);
  mlir::Value threadIndex();
  mlir::Value lane();
  /// Row and column of the thread's first register.
  mlir::Value threadRow();
  mlir::Value threadColumn();

  // Control flow and elementwise operations (Distribute.cpp).
  mlir::LogicalResult distribute(mlir::Operation *op);
  mlir::LogicalResult distributeBlock(mlir::Block &block);
  mlir::LogicalResult distributeFor(mlir::scf::ForOp loop);
  mlir::LogicalResult distributeIf(mlir::scf::IfOp ifOp);
  mlir::LogicalResult distributeUniformIf(tile::UniformIfOp op);
  mlir::LogicalResult distributeRoles(hopper::SpecializeOp roles);
  mlir::LogicalResult distributeConstant(mlir::arith::ConstantOp op);
  mlir::LogicalResult distributeBroadcast(mlir::vector::BroadcastOp op);
  mlir::LogicalResult distributeIota(tile::IotaOp op);
  mlir::LogicalResult distributeElementwise(mlir::Operation *op);

  // Types and columns (DistributeConversions.cpp).
  mlir::LogicalResult distributeTruncF(mlir::arith::TruncFOp op);
  mlir::LogicalResult distributeExtF(mlir::arith::ExtFOp op);
  mlir::Value packGroup(const Fragment &fragment,
                        llvm::ArrayRef<mlir::Value> from, int64_t row,
                        int64_t group, mlir::Type element);
  mlir::LogicalResult distributeInterleave(tile::InterleaveOp op);
  mlir::LogicalResult distributePairRows(tile::PairRowsOp op);
  mlir::LogicalResult distributeTileColumns(tile::ColumnsOp op);
  mlir::LogicalResult distributeAppend(tile::AppendOp op);

  // Products (DistributeProducts.cpp).
  mlir::LogicalResult distributeWgmma(hopper::WgmmaOp op);
  mlir::LogicalResult distributeWait(hopper::WaitOp op);

  // Shared memory (DistributeShared.cpp).
  mlir::LogicalResult distributeRows(hopper::RowsOp op);
  mlir::LogicalResult distributeColumns(hopper::ColumnsOp op);
  mlir::LogicalResult distributeBufferLoad(hopper::BufferLoadOp op);
  mlir::LogicalResult distributeBufferStore(hopper::BufferStoreOp op);
  mlir::LogicalResult storePackedBuffer(hopper::BufferStoreOp op);
  /// The 8x8 matrices of 16-bit elements that a store writes: registers, bytes
  /// of one of the target's panels, blocks of rows and groups of columns.
  struct Matrices {
    llvm::SmallVector<mlir::Value> values;
    int64_t panelBytes, blocks, groups;
  };
  Matrices matricesOf(hopper::BufferStoreOp op);
  mlir::Value panelOf(hopper::BufferStoreOp op);
  mlir::Value panelAddress(hopper::BufferStoreOp op, mlir::Value panel);
  mlir::LogicalResult storeMatrices(hopper::BufferStoreOp op);
  mlir::LogicalResult storeStraightMatrices(hopper::BufferStoreOp op);
  mlir::LogicalResult storePairs(hopper::BufferStoreOp op);
  mlir::Value threadBits(int64_t shift, int64_t mask);

  // Reductions and votes (DistributeReductions.cpp).
  mlir::Value combine(tile::ReduceKind kind, mlir::Value a, mlir::Value b);
  mlir::Value combineChains(tile::ReduceKind kind, mlir::ValueRange values,
                            int64_t chains);
  int64_t chains();
  mlir::LogicalResult distributeReduce(tile::ReduceOp op);
  mlir::LogicalResult distributePartialReduce(tile::PartialReduceOp op);
  mlir::LogicalResult distributeVote(tile::VoteOp op);

  // Memory (DistributeMemory.cpp).
  mlir::Value sizeOf(mlir::Value memory, int64_t dim);
  /// Whether an index is inside of a dimension; what is negative is not.
  mlir::Value isBelow(mlir::Value index, mlir::Value size);
  /// Indices of an access as the scalars that threads compute with.
  llvm::SmallVector<mlir::Value> castIndices(mlir::ValueRange indices);
  mlir::LogicalResult distributeStore(tile::StoreOp op);
  mlir::LogicalResult distributeTransposedStore(tile::StoreOp op);
  bool isLoadedInVectors(tile::LoadOp load);
  mlir::LogicalResult distributeLoad(tile::LoadOp op);
  mlir::LogicalResult distributeMaxStore(tile::MaxStoreOp op);

  // Transposed stores of 8-bit tiles (DistributeTranspose.cpp).
  mlir::LogicalResult distributeInterleavedStore(tile::StoreOp op);
  bool isTransposingCopy(tile::LoadOp load);
  mlir::LogicalResult distributeTransposingCopy(tile::LoadOp load,
                                                tile::StoreOp store);
  mlir::Value transposeMatrix(mlir::Value value);

  // Transposed buffers of 8-bit floats (DistributeBufferTranspose.cpp).
  mlir::LogicalResult distributeBufferTranspose(hopper::BufferTransposeOp op);

  void transposeQuad(llvm::MutableArrayRef<mlir::Value> values);

  // 8-bit tiles whose columns keep their order (DistributeBytes.cpp).
  /// Whether a lane is odd, and whether it is one of the inner two of its quad.
  struct QuadLanes {
    mlir::Value isOdd, isInner;
  };
  QuadLanes quadLanes();
  mlir::Value exchangeHalves(mlir::Value value, QuadLanes lanes);
  mlir::LogicalResult distributeTruncToBytes(mlir::arith::TruncFOp op);
  mlir::LogicalResult distributeExtFromBytes(mlir::arith::ExtFOp op);
  mlir::LogicalResult distributeByteStore(tile::StoreOp op);

  // Packed tiles (DistributePacked.cpp).
  mlir::Value packedElement();
  mlir::LogicalResult
  forEachRun(mlir::Operation *op, mlir::VectorType type,
             mlir::ValueRange tileIndices,
             llvm::function_ref<void(int64_t, mlir::ValueRange)> access);
  mlir::LogicalResult distributePackedStore(tile::StoreOp op);
  mlir::LogicalResult distributePackedLoad(tile::LoadOp op);
  mlir::LogicalResult distributeReduceStore(tile::ReduceStoreOp op);

  tile::KernelOp kernel;
  mlir::OpBuilder builder;
  mlir::Location loc;
  mlir::IRMapping scalars;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> tiles;
  llvm::SmallVector<mlir::Value> scratch;
};

} // namespace fa3

#endif // FA3_TRANSFORMS_DISTRIBUTOR_H
