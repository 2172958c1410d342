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
def HopperLaneMask : HopperIntegerIn<"v >= 1 && v <= 31", "from 1 to 31">;

//===----------------------------------------------------------------------===//
// Warpgroup level: rings
//===----------------------------------------------------------------------===//

def Hopper_RingAllocOp : HopperOp<"ring_alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "A ring of buffers and its mbarriers";
  let description = [{
    `offset` is the byte offset of the first buffer in shared memory and
    `barriers` that of the mbarriers (full ones, then empty ones, 8 bytes each);
    `fa3-allocate-shared-memory` sets both. `consumers` is the number of
    warpgroups that release every buffer.
  }];
  let arguments = (ins DefaultValuedAttr<HopperPositive, "1">:$consumers, OptionalAttr<HopperNonNegative>:$offset, OptionalAttr<HopperNonNegative>:$barriers);
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

def Hopper_RowsOp : HopperOp<"rows", [Pure]> {
  let summary = "Rows [offset, offset + size) of a buffer";
  let description = [{
    `offset` must be a multiple of 8, the rows of a swizzle atom.

    ```mlir
    %mine = hopper.rows %q[%first] : !hopper.buffer<vector<128x64xbf16>, 128> -> !hopper.buffer<vector<64x64xbf16>, 128>
    ```
  }];
  let arguments = (ins HopperBuffer:$source, I32:$offset);
  let results = (outs HopperBuffer:$result);
  let assemblyFormat = "$source `[` $offset `]` attr-dict `:` type($source) `->` type($result)";
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
    `consumer_registers`.
  }];
  let arguments = (ins HopperPositive:$warpgroups, HopperRegisters:$producer_registers, HopperRegisters:$consumer_registers);
  let regions = (region SizedRegion<1>:$producer, SizedRegion<1>:$consumer);
  let assemblyFormat = "attr-dict `producer` $producer `consumer` $consumer";
}

def Hopper_WarpgroupOp : HopperOp<"warpgroup", [Pure]> {
  let summary = "Index of this consumer warpgroup, the same in all of a warp's lanes";
  let results = (outs I32:$index);
  let assemblyFormat = "attr-dict `:` type($index)";
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
  let arguments = (ins I32:$barrier, HopperPositive:$count);
  let assemblyFormat = "$barrier `,` $count attr-dict";
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

//===----------------------------------------------------------------------===//
// Thread level
//===----------------------------------------------------------------------===//

def Hopper_ThreadIdOp : HopperOp<"thread_id", [Pure]> {
  let summary = "%tid.x";
  let results = (outs I32:$index);
  let assemblyFormat = "attr-dict `:` type($index)";
}

def Hopper_BlockIdOp : HopperOp<"block_id", [Pure]> {
  let summary = "%ctaid.x";
  let results = (outs I32:$index);
  let assemblyFormat = "attr-dict `:` type($index)";
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
    to `acc`.
  }];
  let arguments = (ins Variadic<AnyTypeOf<[I32, I64]>>:$a, I64:$b, Variadic<F32>:$acc,
                       TypeAttr:$element, UnitAttr:$transpose_a, UnitAttr:$transpose_b);
  let results = (outs Variadic<F32>:$results);
  let assemblyFormat = [{
    `(` $a `)` `,` $b (`acc` `(` $acc^ `:` type($acc) `)`)? `of` $element attr-dict
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

def Hopper_ShuffleXorOp : HopperOp<"shuffle_xor", [Pure, AllTypesMatch<["value", "result"]>]> {
  let summary = "The value of the lane whose index differs in the bits of `mask`";
  let arguments = (ins F32:$value, HopperLaneMask:$mask);
  let results = (outs F32:$result);
  let assemblyFormat = "$value `,` $mask attr-dict `:` type($value)";
}

def Hopper_VoteAnyOp : HopperOp<"vote_any"> {
  let summary = "vote.sync.any over the whole warp";
  let arguments = (ins I1:$condition);
  let results = (outs I1:$result);
  let assemblyFormat = "$condition attr-dict";
}

def Hopper_PackOp : HopperOp<"pack", [Pure]> {
  let summary = "Converts two f32 to 16-bit floats in one register, round to nearest even";
  let arguments = (ins F32:$low, F32:$high, TypeAttr:$element);
  let results = (outs I32:$result);
  let assemblyFormat = "$low `,` $high `to` $element attr-dict `:` type($result)";
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

def Hopper_GlobalLoadOp : HopperOp<"global_load"> {
  let summary = "Loads an f32 from a tensor in global memory, 0 where the predicate does not hold";
  let arguments = (ins AnyMemRef:$source, Variadic<I32>:$indices, I1:$predicate);
  let results = (outs F32:$result);
  let assemblyFormat = "$source `[` $indices `]` `if` $predicate attr-dict `:` type($source)";
  let hasVerifier = 1;
}

#endif // FA3_HOPPER_HOPPEROPS_TD
