//===- HopperOps.td - Operations of the hopper dialect -----*- tablegen -*-===//

#ifndef FA3_HOPPER_HOPPEROPS_TD
#define FA3_HOPPER_HOPPEROPS_TD

include "fa3/Hopper/HopperDialect.td"
include "fa3/Hopper/HopperTypes.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class HopperOp<string mnemonic, list<Trait> traits = []> : Op<HopperDialect, mnemonic, traits>;

def HopperTile : VectorOfRankAndType<[2], [AnyType]>;

class HopperIntegerIn<string condition, string description>
    : ConfinedAttr<I64Attr, [AttrConstraint<
        CPred<"[](int64_t v) { return " # condition # "; }(::llvm::cast<::mlir::IntegerAttr>($_self).getInt())">,
        "is " # description>]>;

def HopperDim : HopperIntegerIn<"v == 0 || v == 1", "0 or 1">;
def HopperPositive : HopperIntegerIn<"v > 0", "positive">;
def HopperNonNegative : HopperIntegerIn<"v >= 0", "not negative">;
def HopperRegisters : HopperIntegerIn<"v >= 24 && v <= 256 && v % 8 == 0", "a multiple of 8 from 24 to 256">;
def HopperThreads : HopperIntegerIn<"v >= 32 && v <= 1024 && v % 32 == 0", "a multiple of 32 from 32 to 1024">;
def HopperGroups : HopperIntegerIn<"v >= 0 && v <= 7", "from 0 to 7">;
def HopperDescriptorBytes
    : HopperIntegerIn<"v >= 0 && v < (1 << 18) && v % 16 == 0", "a multiple of 16 below 2^18">;
def HopperAdvanceBytes : HopperIntegerIn<"v % 16 == 0", "a multiple of 16">;
def HopperSelector : HopperIntegerIn<"v >= 0 && (v & ~0x7777) == 0", "four digits from 0 to 7 in base 16">;
def HopperLaneMask : HopperIntegerIn<"v >= 1 && v <= 31", "from 1 to 31">;

//===----------------------------------------------------------------------===//
// Warpgroup level: rings
//===----------------------------------------------------------------------===//

def Hopper_RingAllocOp : HopperOp<"ring_alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "A ring of buffers and its mbarriers";
  let description = [{
    `offset` is the byte offset of the first buffer in shared memory and
    `barriers` that of the mbarriers (full ones, then empty ones, 8 bytes each);
    `fa3-allocate-shared-memory` sets both. A ring that no TMA copy fills, one of
    `hopper.share` or `hopper.out_put`, has no mbarriers. `consumers` is the
    number of warpgroups that release every buffer. With `ones`, TMA leaves out
    the last 8 rows of each buffer, which are those of a `tile.load` with `ones`
    and are written once.
  }];
  let arguments = (ins DefaultValuedAttr<HopperPositive, "1">:$consumers, OptionalAttr<HopperNonNegative>:$offset, OptionalAttr<HopperNonNegative>:$barriers, UnitAttr:$ones);
  let results = (outs HopperRing:$ring);
  let assemblyFormat = "attr-dict `:` type($ring)";
  let hasVerifier = 1;
}

def Hopper_RingPutOp : HopperOp<"ring_put"> {
  let summary = "Loads a tile by TMA into the ring's next buffer";
  let description = [{
    One thread waits until the buffer is empty, announces the bytes on its full
    mbarrier and issues the copies. `indices` and `dims` are those of
    `tile.load`: elements outside of the tensor become zero.
  }];
  let arguments = (ins HopperRing:$ring, AnyMemRef:$source, Variadic<Index>:$indices, DenseI64ArrayAttr:$dims);
  let assemblyFormat = "$ring `,` $source `[` $indices `]` `dims` $dims attr-dict `:` type($ring) `,` type($source)";
  let hasVerifier = 1;
}

def Hopper_RingGetOp : HopperOp<"ring_get"> {
  let summary = "Waits for the ring's next full buffer";
  let arguments = (ins HopperRing:$ring);
  let results = (outs HopperBuffer:$buffer);
  let assemblyFormat = "$ring attr-dict `:` type($ring) `->` type($buffer)";
  let hasVerifier = 1;
}

def Hopper_RingReleaseOp : HopperOp<"ring_release"> {
  let summary = "Gives a buffer back to the ring's producer";
  let description = [{
    `buffer` is the value that `hopper.ring_get` gave. Every read of it must be
    complete: a product that reads it must have been waited for.
  }];
  let arguments = (ins HopperRing:$ring, HopperBuffer:$buffer);
  let assemblyFormat = "$ring `,` $buffer attr-dict `:` type($ring) `,` type($buffer)";
  let hasVerifier = 1;
}

def Hopper_RingTransposeOp : HopperOp<"ring_transpose"> {
  let summary = "Transposes the next buffer of a ring into the next one of another ring";
  let description = [{
    Waits for `from`'s next full buffer and for `to`'s next empty one, writes the
    one into the other as `tile.transpose` says, gives `from`'s back to its
    producer and hands `to`'s to those who get it. Of a ring with `ones`, the
    last 8 rows stay as they are.

    ```mlir
    hopper.ring_transpose %v, %vt : !hopper.ring<2, vector<96x128xf8E4M3FN>> to !hopper.ring<2, vector<128x96xf8E4M3FN>>
    ```
  }];
  let arguments = (ins HopperRing:$from, HopperRing:$to);
  let assemblyFormat = "$from `,` $to attr-dict `:` type($from) `to` type($to)";
  let hasVerifier = 1;
}

def Hopper_RowsOp : HopperOp<"rows", [Pure]> {
  let summary = "Rows [offset, offset + size) of a buffer";
  let description = [{
    `offset` must be a multiple of 8, the rows of a swizzle atom, and in a packed
    tile of f32 a multiple of 64.

    ```mlir
    %mine = hopper.rows %q[%first] : !hopper.buffer<vector<128x64xbf16>, 128> -> !hopper.buffer<vector<64x64xbf16>, 128>
    ```
  }];
  let arguments = (ins HopperBuffer:$source, I32:$offset);
  let results = (outs HopperBuffer:$result);
  let assemblyFormat = "$source `[` $offset `]` attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def Hopper_ColumnsOp : HopperOp<"columns", [Pure]> {
  let summary = "Columns [offset, offset + size) of a buffer";
  let description = [{
    `offset` must be a multiple of a panel's columns. A packed tile of f32 has no
    columns to take; a row of f32 has.

    ```mlir
    %mine = hopper.columns %k[%first] : !hopper.buffer<vector<128x128xbf16>, 128> -> !hopper.buffer<vector<128x64xbf16>, 128>
    ```
  }];
  let arguments = (ins HopperBuffer:$source, I32:$offset);
  let results = (outs HopperBuffer:$result);
  let assemblyFormat = "$source `[` $offset `]` attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def Hopper_BufferLoadOp : HopperOp<"buffer_load"> {
  let summary = "Reads a tile from a buffer to registers";
  let description = [{
    A row or a column of f32, which every thread reads its part of. Threads are
    done with the buffer when the value is there: nobody has to be waited for.

    ```mlir
    %l = hopper.buffer_load %b : !hopper.buffer<vector<1x64xf32>, 1> -> vector<1x64xf32>
    ```
  }];
  let arguments = (ins HopperBuffer:$source);
  let results = (outs HopperTile:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def Hopper_BufferStoreOp : HopperOp<"buffer_store"> {
  let summary = "Writes a tile from registers to a part of a buffer";
  let description = [{
    The tile's first element goes to row `row` and column `column` of the
    buffer, multiples of 8 both. A buffer with panels takes the tile transposed:
    the tile's columns become rows of 128 bytes, so that a thread's addresses
    differ by constants; 8-bit floats are results of `tile.pair_rows`. With
    `straight` it takes the tile as it is. A tile of
    f32 is stored packed, all columns of it. Neither orders anything nor makes
    the tile visible to products.

    ```mlir
    hopper.buffer_store %p, %b[%c0, %first] : vector<64x32xbf16>, !hopper.buffer<vector<32x128xbf16>, 32>
    ```
  }];
  let arguments = (ins HopperTile:$value, HopperBuffer:$target, I32:$row, I32:$column, UnitAttr:$straight);
  let assemblyFormat = "$value `,` $target `[` $row `,` $column `]` (`straight` $straight^)? attr-dict `:` type($value) `,` type($target)";
  let hasVerifier = 1;
}

def Hopper_BufferTransposeOp : HopperOp<"buffer_transpose"> {
  let summary = "Transposes a buffer of 8-bit floats into another one";
  let description = [{
    The warps of the role `transpose` of `hopper.specialize` write all columns
    of `source` to rows of `target`, in the order of `tile.transpose`. Orders
    nothing.

    ```mlir
    hopper.buffer_transpose %v, %vt : !hopper.buffer<vector<96x128xf8E4M3FN>, 96> to !hopper.buffer<vector<136x96xf8E4M3FN>, 136>
    ```
  }];
  let arguments = (ins HopperBuffer:$source, HopperBuffer:$target);
  let assemblyFormat = "$source `,` $target attr-dict `:` type($source) `to` type($target)";
  let hasVerifier = 1;
}

def Hopper_ShareOp : HopperOp<"share"> {
  let summary = "Puts a computed tile into shared memory, where products read it";
  let description = [{
    Every consumer warpgroup writes its part of the tile, transposed, into the
    ring's next buffer; when all of them have done so, products of all of them
    can read it. A warpgroup's part is what `value`'s type has of the transposed
    ring's tile, its rows or its columns. The buffer is overwritten by the share
    that comes `stages` later; every product that reads it must have been waited
    for before the next share.

    ```mlir
    %b = hopper.share %ds, %ring : vector<64x64xbf16>, !hopper.ring<2, vector<64x128xbf16>> -> !hopper.buffer<vector<64x128xbf16>, 64>
    ```
  }];
  let arguments = (ins HopperTile:$value, HopperRing:$ring);
  let results = (outs HopperBuffer:$buffer);
  let assemblyFormat = "$value `,` $ring attr-dict `:` type($value) `,` type($ring) `->` type($buffer)";
  let hasVerifier = 1;
}

def Hopper_OutPutOp : HopperOp<"out_put"> {
  let summary = "Puts a packed tile of f32 into a ring's buffer, on its way out";
  let description = [{
    Waits until the ring's buffer has been read, then writes this warpgroup's
    part of the tile, some of the rows of the ring's tile, to its part of the
    buffer. The ring has one buffer.

    ```mlir
    hopper.out_put %dq, %ring : vector<64x64xf32>, !hopper.ring<1, vector<128x64xf32>>
    ```
  }];
  let arguments = (ins HopperTile:$value, HopperRing:$ring);
  let assemblyFormat = "$value `,` $ring attr-dict `:` type($value) `,` type($ring)";
  let hasVerifier = 1;
}

def Hopper_OutReduceOp : HopperOp<"out_reduce", [AttrSizedOperandSegments]> {
  let summary = "Adds the tile in a ring's buffer to global memory by bulk copies";
  let description = [{
    Waits until all warpgroups have put their parts, and starts the bulk
    reductions (`cp.reduce.async.bulk`) of all of them. The buffer is free when
    these have read it. With `hopper.out_put`, this is `tile.reduce_store`
    through shared memory; `begun` is that operation's.

    ```mlir
    hopper.out_reduce %ring, %acc[%i, %e] : !hopper.ring<1, vector<128x64xf32>>, memref<?x8192xf32, strided<[?, 1]>>
    ```
  }];
  let arguments = (ins HopperRing:$ring, AnyMemRef:$target, Variadic<Index>:$indices, Optional<AnyMemRef>:$begun);
  let assemblyFormat = "$ring `,` $target `[` $indices `]` (`begun` $begun^)? attr-dict `:` type($ring) `,` type($target) (`,` type($begun)^)?";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Warpgroup level: products
//===----------------------------------------------------------------------===//

def Hopper_WgmmaOp : HopperOp<"wgmma"> {
  let summary = "Issues an asynchronous matrix product";
  let description = [{
    `tile.dot` on the tensor cores: one group of `wgmma.mma_async` for all of the
    contraction. `a` is a buffer or a tile in registers, `b` a buffer. The result
    can only be given to `hopper.wait`.

    ```mlir
    %s = hopper.wgmma %q, %k contract(1, 1) : !hopper.buffer<...>, !hopper.buffer<...> -> !hopper.pending<vector<64x128xf32>>
    ```
  }];
  let arguments = (ins AnyTypeOf<[HopperBuffer, HopperTile]>:$a, HopperBuffer:$b, Optional<HopperTile>:$acc, HopperDim:$contract_a, HopperDim:$contract_b);
  let results = (outs HopperPending:$result);
  let assemblyFormat = [{
    $a `,` $b (`,` $acc^)? `contract` `(` $contract_a `,` $contract_b `)` attr-dict
    `:` type($a) `,` type($b) (`,` type($acc)^)? `->` type($result)
  }];
  let hasVerifier = 1;
}

def Hopper_WaitOp : HopperOp<"wait"> {
  let summary = "Waits for a product";
  let description = [{
    Waits until at most `younger` product groups that were issued later are
    still running (`wgmma.wait_group`), and gives the product's value.
  }];
  let arguments = (ins HopperPending:$pending, HopperGroups:$younger);
  let results = (outs HopperTile:$result);
  let assemblyFormat = "$pending `younger` $younger attr-dict `:` type($pending) `->` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Roles
//===----------------------------------------------------------------------===//

def Hopper_SpecializeOp : HopperOp<"specialize", [NoRegionArguments, SingleBlock, NoTerminator, RecursiveMemoryEffects]> {
  let summary = "Divides the CTA's warps into a producer and consumers";
  let description = [{
    Warpgroup 0 executes `producer` on one thread with `producer_registers`
    registers per thread; warpgroups 1 to `warpgroups` execute `consumer` with
    `consumer_registers`. Another warp of warpgroup 0 executes `drain`, if
    there is one: it moves what the consumers computed to memory. The rest of
    its warps execute `transpose`, if there is one, which works on what the
    producer loads before the consumers get it. With `active`,
    only that many of the consumer warpgroups execute the region; the others
    have nothing to do.
  }];
  let arguments = (ins Optional<I32>:$active, HopperPositive:$warpgroups, HopperRegisters:$producer_registers, HopperRegisters:$consumer_registers);
  let regions = (region SizedRegion<1>:$producer, SizedRegion<1>:$consumer, MaxSizedRegion<1>:$drain, MaxSizedRegion<1>:$transpose);
  let assemblyFormat = "(`active` $active^)? attr-dict `producer` $producer `consumer` $consumer (`drain` $drain^)? (`transpose` $transpose^)?";
  let builders = [OpBuilder<(ins "int64_t":$warpgroups, "int64_t":$producerRegisters, "int64_t":$consumerRegisters)>];
  let extraClassDeclaration = [{
    /// Warps that execute `transpose`, the last ones of their warpgroup.
    int64_t getTransposeWarps() { return getDrain().empty() ? 3 : 2; }
  }];
}

def Hopper_WarpgroupOp : HopperOp<"warpgroup", [Pure]> {
  let summary = "Index of this consumer warpgroup, the same in all of a warp's lanes";
  let description = [{
    With `again` it is read at this place, as `hopper.thread_id` is.
  }];
  let arguments = (ins UnitAttr:$again);
  let results = (outs I32:$index);
  let builders = [OpBuilder<(ins "::mlir::Type":$type), [{
    build($_builder, $_state, type, /*again=*/false);
  }]>];
  let assemblyFormat = "(`again` $again^)? attr-dict `:` type($index)";
}

def Hopper_TurnWaitOp : HopperOp<"turn_wait"> {
  let summary = "Waits for this warpgroup's turn on the tensor cores";
  let description = [{
    Warpgroups take turns round robin: a warpgroup that has issued its products
    passes the turn to the next one with `hopper.turn_pass` (named barriers;
    FlashAttention-3 section 3.1). Warpgroup 0 has the first turn.
  }];
  let assemblyFormat = "attr-dict";
}

def Hopper_TurnPassOp : HopperOp<"turn_pass"> {
  let summary = "Passes the turn to the next warpgroup";
  let assemblyFormat = "attr-dict";
}

//===----------------------------------------------------------------------===//
// mbarriers and TMA, addressed in shared memory (i32 byte addresses)
//===----------------------------------------------------------------------===//

def Hopper_SharedAddressOp : HopperOp<"shared_address", [Pure]> {
  let summary = "Address in shared memory of a byte offset of the CTA's dynamic allocation";
  let arguments = (ins HopperNonNegative:$offset);
  let results = (outs I32:$address);
  let assemblyFormat = "$offset attr-dict `:` type($address)";
}

def Hopper_ViewOp : HopperOp<"view", [Pure]> {
  let summary = "The buffer at an address in shared memory";
  let arguments = (ins I32:$address);
  let results = (outs HopperBuffer:$buffer);
  let assemblyFormat = "$address attr-dict `:` type($buffer)";
}

def Hopper_MbarrierInitOp : HopperOp<"mbarrier_init"> {
  let summary = "mbarrier.init: a phase completes after `count` arrivals";
  let description = [{
    With `active`, as many arrivals as the operand says complete a phase, at
    most `count`.
  }];
  let arguments = (ins I32:$barrier, HopperPositive:$count, Optional<I32>:$active);
  let assemblyFormat = "$barrier `,` $count (`active` $active^)? attr-dict";
}

def Hopper_FenceMbarrierInitOp : HopperOp<"fence_mbarrier_init"> {
  let summary = "Makes initialised mbarriers visible to the async proxy";
  let assemblyFormat = "attr-dict";
}

def Hopper_MbarrierWaitOp : HopperOp<"mbarrier_wait"> {
  let summary = "Waits until the phase with this parity has completed";
  let arguments = (ins I32:$barrier, I32:$parity);
  let assemblyFormat = "$barrier `,` $parity attr-dict";
}

def Hopper_MbarrierArriveOp : HopperOp<"mbarrier_arrive"> {
  let summary = "Arrives once, on the threads where the predicate holds";
  let arguments = (ins I32:$barrier, Optional<I1>:$predicate);
  let assemblyFormat = "$barrier (`if` $predicate^)? attr-dict";
}

def Hopper_MbarrierExpectOp : HopperOp<"mbarrier_expect"> {
  let summary = "Arrives and announces bytes, on the threads where the predicate holds";
  let arguments = (ins I32:$barrier, HopperPositive:$bytes, Optional<I1>:$predicate);
  let assemblyFormat = "$barrier `,` $bytes (`if` $predicate^)? attr-dict";
}

def Hopper_TmaLoadOp : HopperOp<"tma_load", [AttrSizedOperandSegments]> {
  let summary = "One TMA tensor copy from global to shared memory";
  let description = [{
    `coordinates` are those of the box's first element, one for each dimension
    of the tensor in the tensor's order (the instruction takes them innermost
    first). Completes `bytes of the box` on `barrier`.
  }];
  let arguments = (ins HopperTensorMap:$map, I32:$address, I32:$barrier, Variadic<I32>:$coordinates, Optional<I1>:$predicate);
  let assemblyFormat = "$map `[` $coordinates `]` `,` $address `,` $barrier (`if` $predicate^)? attr-dict `:` type($map)";
  let hasVerifier = 1;
}

def Hopper_TmaStoreOp : HopperOp<"tma_store"> {
  let summary = "Starts one TMA tensor copy from shared to global memory, as a bulk group";
  let description = [{
    `coordinates` are those of the box's first element, as for
    `hopper.tma_load`. What of the box is outside of the tensor is not written.
    Threads where the predicate does not hold start nothing.
  }];
  let arguments = (ins HopperTensorMap:$map, I32:$address, Variadic<I32>:$coordinates, I1:$predicate);
  let assemblyFormat = "$map `[` $coordinates `]` `,` $address `if` $predicate attr-dict `:` type($map)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Thread level
//===----------------------------------------------------------------------===//

def Hopper_ThreadIdOp : HopperOp<"thread_id", [Pure]> {
  let summary = "%tid.x";
  let description = [{
    With `again` it is read at this place, and what is computed from it is
    computed there: behind a loop, so that it takes no registers in the loop.
  }];
  let arguments = (ins UnitAttr:$again);
  let results = (outs I32:$index);
  let builders = [OpBuilder<(ins "::mlir::Type":$type), [{
    build($_builder, $_state, type, /*again=*/false);
  }]>];
  let assemblyFormat = "(`again` $again^)? attr-dict `:` type($index)";
}

def Hopper_BlockIdOp : HopperOp<"block_id", [Pure]> {
  let summary = "%ctaid.x";
  let description = [{
    With `again` it is read at this place, as `hopper.thread_id` is.
  }];
  let arguments = (ins UnitAttr:$again);
  let results = (outs I32:$index);
  let assemblyFormat = "(`again` $again^)? attr-dict `:` type($index)";
}

def Hopper_UniformOp : HopperOp<"uniform", [Pure]> {
  let summary = "Lane 0's value, which tells ptxas that the value is the same in the whole warp";
  let arguments = (ins I32:$value);
  let results = (outs I32:$result);
  let assemblyFormat = "$value attr-dict `:` type($result)";
}

def Hopper_CtaSyncOp : HopperOp<"cta_sync"> {
  let summary = "bar.sync 0: all threads of the CTA";
  let assemblyFormat = "attr-dict";
}

def Hopper_NamedSyncOp : HopperOp<"named_sync"> {
  let summary = "bar.sync: waits until `threads` threads have arrived at the barrier";
  let arguments = (ins I32:$barrier, HopperThreads:$threads);
  let assemblyFormat = "$barrier `,` $threads attr-dict";
}

def Hopper_NamedArriveOp : HopperOp<"named_arrive"> {
  let summary = "bar.arrive: counts towards the barrier without waiting";
  let arguments = (ins I32:$barrier, HopperThreads:$threads);
  let assemblyFormat = "$barrier `,` $threads attr-dict";
}

def Hopper_WarpSyncOp : HopperOp<"warp_sync"> {
  let summary = "bar.warp.sync: all lanes of the warp, whose memory accesses it orders";
  let assemblyFormat = "attr-dict";
}

def Hopper_SharedLoadOp : HopperOp<"shared_load"> {
  let summary = "Loads 1, 2 or 4 neighbouring f32 from shared memory";
  let arguments = (ins I32:$address);
  let results = (outs Variadic<F32>:$results);
  let assemblyFormat = "$address attr-dict `:` type($results)";
  let hasVerifier = 1;
}

def Hopper_SharedStoreOp : HopperOp<"shared_store"> {
  let summary = "Stores 1, 2 or 4 neighbouring f32 to shared memory";
  let arguments = (ins I32:$address, Variadic<F32>:$values);
  let assemblyFormat = "$address `,` $values attr-dict `:` type($values)";
  let hasVerifier = 1;
}

def Hopper_StoreMatrixOp : HopperOp<"store_matrix"> {
  let summary = "stmatrix: 1, 2 or 4 matrices of 8x8 16-bit elements to shared memory, transposed unless `straight`";
  let description = [{
    Lane 8 i + r gives the address of row r of (transposed) matrix i, 16 bytes.
  }];
  let arguments = (ins I32:$address, Variadic<I32>:$values, UnitAttr:$straight);
  let assemblyFormat = "$address `,` $values (`straight` $straight^)? attr-dict `:` type($values)";
  let hasVerifier = 1;
}

def Hopper_LoadMatrixOp : HopperOp<"load_matrix"> {
  let summary = "ldmatrix: 1, 2 or 4 matrices of 8x8 16-bit elements from shared memory, transposed";
  let description = [{
    Lane 8 i + r gives the address of row r of matrix i, 16 bytes; lane 4 c + q
    gets rows 2 q and 2 q + 1 of column c of each.
  }];
  let arguments = (ins I32:$address);
  let results = (outs Variadic<I32>:$results);
  let assemblyFormat = "$address attr-dict `:` type($results)";
  let hasVerifier = 1;
}

def Hopper_TransposeMatrixOp : HopperOp<"transpose_matrix", [Pure]> {
  let summary = "movmatrix: transposes the 8x8 matrix of 16-bit elements that a warp holds in one register each";
  let arguments = (ins I32:$value);
  let results = (outs I32:$result);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

def Hopper_PermuteBytesOp : HopperOp<"permute_bytes", [Pure]> {
  let summary = "prmt: four of the eight bytes of two registers";
  let description = [{
    `selector` has four bits for each byte of the result, the lowest first: 0 to 3
    are the bytes of `a`, 4 to 7 those of `b`.
  }];
  let arguments = (ins I32:$a, I32:$b, HopperSelector:$selector);
  let results = (outs I32:$result);
  let assemblyFormat = "$a `,` $b `,` $selector attr-dict `:` type($result)";
}

def Hopper_BulkReduceOp : HopperOp<"bulk_reduce"> {
  let summary = "Starts adding f32 from shared to global memory (cp.reduce.async.bulk), as a bulk group";
  let arguments = (ins I32:$address, AnyMemRef:$target, Variadic<I32>:$indices, HopperPositive:$bytes, I1:$predicate);
  let assemblyFormat = "$address `,` $target `[` $indices `]` `,` $bytes `if` $predicate attr-dict `:` type($target)";
  let hasVerifier = 1;
}

def Hopper_BulkStoreOp : HopperOp<"bulk_store"> {
  let summary = "Starts copying f32 from shared to global memory (cp.async.bulk), as a bulk group";
  let arguments = (ins I32:$address, AnyMemRef:$target, Variadic<I32>:$indices, HopperPositive:$bytes, I1:$predicate);
  let assemblyFormat = "$address `,` $target `[` $indices `]` `,` $bytes `if` $predicate attr-dict `:` type($target)";
  let hasVerifier = 1;
}

def Hopper_ClaimOp : HopperOp<"claim"> {
  let summary = "Whether the thread is the first that claims a place in global memory";
  let description = [{
    The f32 at `indices` is 0 before anybody has claimed the place, 1 until the
    first one has published it, and 2 then. A thread that is not the first waits
    for 2; what was published is visible to its bulk copies then. Where the
    predicate does not hold there is nothing to claim: the result is false.
  }];
  let arguments = (ins AnyMemRef:$source, Variadic<I32>:$indices, I1:$predicate);
  let results = (outs I1:$first);
  let assemblyFormat = "$source `[` $indices `]` `if` $predicate attr-dict `:` type($source)";
  let hasVerifier = 1;
}

def Hopper_PublishOp : HopperOp<"publish"> {
  let summary = "Lets others go on that wait for a claimed place";
  let description = [{
    Where the predicate holds, waits until the thread's bulk groups are complete
    and sets the f32 at `indices` to 2: see `hopper.claim`.
  }];
  let arguments = (ins AnyMemRef:$target, Variadic<I32>:$indices, I1:$predicate);
  let assemblyFormat = "$target `[` $indices `]` `if` $predicate attr-dict `:` type($target)";
  let hasVerifier = 1;
}

def Hopper_BulkWaitOp : HopperOp<"bulk_wait"> {
  let summary = "Waits until all of this thread's bulk groups but `younger` ones have read their shared memory, or, if `written`, are complete";
  let arguments = (ins DefaultValuedAttr<HopperGroups, "0">:$younger, UnitAttr:$written);
  let assemblyFormat = "(`written` $written^)? attr-dict";
}

def Hopper_SetRegistersOp : HopperOp<"set_registers"> {
  let summary = "setmaxnreg: changes the registers of every thread of the warpgroup";
  let arguments = (ins HopperRegisters:$count, UnitAttr:$increase);
  let assemblyFormat = "$count (`increase` $increase^)? attr-dict";
}

def Hopper_FenceProxyAsyncOp : HopperOp<"fence_proxy_async"> {
  let summary = "Orders this thread's shared-memory accesses before later ones of the async proxy";
  let assemblyFormat = "attr-dict";
}

def Hopper_DescriptorOp : HopperOp<"descriptor", [Pure]> {
  let summary = "wgmma's matrix descriptor with the 128-byte swizzle";
  let description = [{
    `leading` and `stride` are the byte offsets of PTX's matrix descriptor
    (section "Matrix Descriptor Format").
  }];
  let arguments = (ins I32:$address, HopperDescriptorBytes:$leading, HopperDescriptorBytes:$stride);
  let results = (outs I64:$descriptor);
  let assemblyFormat = "$address `leading` $leading `stride` $stride attr-dict `:` type($descriptor)";
}

def Hopper_DescriptorAdvanceOp : HopperOp<"descriptor_advance", [Pure]> {
  let summary = "The descriptor of the matrix `bytes` further on";
  let arguments = (ins I64:$descriptor, HopperAdvanceBytes:$bytes);
  let results = (outs I64:$result);
  let assemblyFormat = "$descriptor `,` $bytes attr-dict `:` type($result)";
}

def Hopper_WgmmaFenceOp : HopperOp<"wgmma_fence"> {
  let summary = "wgmma.fence: orders register accesses before the following products";
  let assemblyFormat = "attr-dict";
}

def Hopper_MmaAsyncOp : HopperOp<"mma_async", [AttrSizedOperandSegments]> {
  let summary = "One wgmma.mma_async of shape m64 n(2*results) k(32 bytes)";
  let description = [{
    `a` is either one i64 descriptor or four i32 registers; `b` a descriptor.
    Without `acc` the instruction overwrites its accumulators. `transpose_a` and
    `transpose_b` are set for operands stored with the contraction as rows.
    Results are the accumulators in the order of the PTX fragment; they are tied
    to `acc`. `element` is the operands' type, or that of the first one if
    `element_b` is there: 8-bit operands may have different types.
  }];
  let arguments = (ins Variadic<AnyTypeOf<[I32, I64]>>:$a, I64:$b, Variadic<F32>:$acc,
                       TypeAttr:$element, OptionalAttr<TypeAttr>:$element_b, UnitAttr:$transpose_a, UnitAttr:$transpose_b);
  let results = (outs Variadic<F32>:$results);
  let assemblyFormat = [{
    `(` $a `)` `,` $b (`acc` `(` $acc^ `:` type($acc) `)`)? `of` $element (`and` $element_b^)? attr-dict
    `:` `(` type($a) `)` `->` `(` type($results) `)`
  }];
  let hasVerifier = 1;
}

def Hopper_WgmmaCommitOp : HopperOp<"wgmma_commit"> {
  let summary = "wgmma.commit_group";
  let assemblyFormat = "attr-dict";
}

def Hopper_WgmmaWaitOp : HopperOp<"wgmma_wait"> {
  let summary = "wgmma.wait_group; the values pass through so that no use can move above it";
  let arguments = (ins HopperGroups:$younger, Variadic<AnyTypeOf<[F32, I32]>>:$values);
  let results = (outs Variadic<AnyTypeOf<[F32, I32]>>:$results);
  let assemblyFormat = "$younger `(` $values `)` attr-dict `:` functional-type($values, $results)";
  let hasVerifier = 1;
}

def Hopper_HoldOp : HopperOp<"hold"> {
  let summary = "Later waits for products stay behind the computation of `values`";
  let description = [{
    ptxas moves `wgmma.wait_group` up, above arithmetic that does not use the
    product, but not above a volatile store. This is one of `values` to shared
    memory whose predicate never holds.

    ```mlir
    hopper.hold %sum0, %sum1 : f32, f32
    ```
  }];
  let arguments = (ins Variadic<F32>:$values);
  let assemblyFormat = "$values attr-dict `:` type($values)";
  let hasVerifier = 1;
}

def Hopper_ShuffleXorOp : HopperOp<"shuffle_xor", [Pure, AllTypesMatch<["value", "result"]>]> {
  let summary = "The value of the lane whose index differs in the bits of `mask`";
  let arguments = (ins AnyTypeOf<[F32, I32]>:$value, HopperLaneMask:$mask);
  let results = (outs AnyTypeOf<[F32, I32]>:$result);
  let assemblyFormat = "$value `,` $mask attr-dict `:` type($value)";
}

def Hopper_VoteAnyOp : HopperOp<"vote_any"> {
  let summary = "vote.sync.any over the whole warp";
  let arguments = (ins I1:$condition);
  let results = (outs I1:$result);
  let assemblyFormat = "$condition attr-dict";
}

def Hopper_PackOp : HopperOp<"pack", [Pure]> {
  let summary = "Converts two f32 to 16-bit floats or four to 8-bit ones, in one register";
  let description = [{
    The first value goes to the lowest bits. Rounds to nearest even; 8-bit floats
    saturate.
  }];
  let arguments = (ins Variadic<F32>:$values, TypeAttr:$element);
  let results = (outs I32:$result);
  let assemblyFormat = "$values `to` $element attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Hopper_UnpackOp : HopperOp<"unpack", [Pure]> {
  let summary = "The four 8-bit floats of a register as f32";
  let description = [{
    The inverse of `hopper.pack` for 8-bit floats; exact.
  }];
  let arguments = (ins I32:$value, TypeAttr:$element);
  let results = (outs F32:$first, F32:$second, F32:$third, F32:$fourth);
  let assemblyFormat = "$value `of` $element attr-dict";
  let hasVerifier = 1;
}

def Hopper_GlobalStoreOp : HopperOp<"global_store", [AttrSizedOperandSegments]> {
  let summary = "Stores a register (or several neighbours) to a tensor in global memory where the predicate holds";
  let description = [{
    The values go to consecutive bytes from the element at `indices`. Offsets
    are computed in 64 bits.
  }];
  let arguments = (ins Variadic<AnyTypeOf<[F32, I32]>>:$values, AnyMemRef:$target, Variadic<I32>:$indices, I1:$predicate);
  let assemblyFormat = "$target `[` $indices `]` `,` $values `if` $predicate attr-dict `:` type($target) `,` type($values)";
  let hasVerifier = 1;
}

def Hopper_GlobalReduceOp : HopperOp<"global_reduce", [AttrSizedOperandSegments]> {
  let summary = "red.global.add: adds 1, 2 or 4 neighbouring f32 to a tensor in global memory";
  let arguments = (ins Variadic<F32>:$values, AnyMemRef:$target, Variadic<I32>:$indices);
  let assemblyFormat = "$target `[` $indices `]` `,` $values attr-dict `:` type($target) `,` type($values)";
  let hasVerifier = 1;
}

def Hopper_GlobalMaxOp : HopperOp<"global_max"> {
  let summary = "red.global.max: raises an f32 in global memory to a value; both are not negative";
  let description = [{
    Compares bits, whose order is that of numbers that are not negative. A NaN,
    without a sign, is larger than all of them.
  }];
  let arguments = (ins F32:$value, AnyMemRef:$target, Variadic<I32>:$indices, I1:$predicate);
  let assemblyFormat = "$target `[` $indices `]` `,` $value `if` $predicate attr-dict `:` type($target)";
  let hasVerifier = 1;
}

def Hopper_GlobalLoadOp : HopperOp<"global_load"> {
  let summary = "Loads registers of neighbouring elements from a tensor in global memory, 0 where the predicate does not hold";
  let description = [{
    The registers come from consecutive bytes from the element at `indices` on:
    f32 values, or pairs of 16-bit elements or quadruples of 8-bit ones as i32.
  }];
  let arguments = (ins AnyMemRef:$source, Variadic<I32>:$indices, I1:$predicate);
  let results = (outs Variadic<AnyTypeOf<[F32, I32]>>:$results);
  let assemblyFormat = "$source `[` $indices `]` `if` $predicate attr-dict `:` type($source) `->` type($results)";
  let hasVerifier = 1;
}

#endif // FA3_HOPPER_HOPPEROPS_TD
