//===- TileOps.td - Operations of the tile dialect ---------*- tablegen -*-===//

#ifndef FA3_TILE_TILEOPS_TD
#define FA3_TILE_TILEOPS_TD

include "fa3/Tile/TileAttrs.td"
include "fa3/Tile/TileDialect.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class TileOp<string mnemonic, list<Trait> traits = []> : Op<TileDialect, mnemonic, traits>;

// A tile: a builtin vector of rank two.
def AnyTile : VectorOfRankAndType<[2], [AnyType]>;
def TileOfI1 : VectorOfRankAndType<[2], [I1]>;
def TileOfI32 : VectorOfRankAndType<[2], [I32]>;
def TileOfFloat : VectorOfRankAndType<[2], [AnyFloat]>;

def Tile_KernelOp : TileOp<"kernel", [FunctionOpInterface, IsolatedFromAbove, AutomaticAllocationScope, SingleBlock]> {
  let summary = "The program of one CTA";
  let description = [{
    Arguments are strided memrefs (tensors in global memory) with a
    `tile.argument` argument attribute each. `schedule` holds every decision of
    how the kernel runs; `problem` is carried into the package's manifest;
    `constraints` lists what must hold of sizes, symbols or numbers: {divides =
    [a, b]}, a divides b, and {at_most = [a, b]}, a <= b. With `launch_if`, an
    expression of sizes as a dimension of a workspace tensor may be, the kernel
    runs where that is not 0: a package chooses among kernels by the problem.

    ```mlir
    tile.kernel @copy(%a: memref<?x64xf32, strided<[?, 1]>>, %b: memref<?x64xf32, strided<[?, 1]>>) {
      %t = tile.load %a[%c0, %c0] dims [0, 1] : memref<?x64xf32, strided<[?, 1]>>, vector<64x64xf32>
      tile.store %t, %b[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<?x64xf32, strided<[?, 1]>>
      tile.return
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<TileScheduleAttr>:$schedule,
                       OptionalAttr<DictionaryAttr>:$problem,
                       OptionalAttr<ArrayAttr>:$constraints,
                       OptionalAttr<AnyAttr>:$launch_if,
                       OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region AnyRegion:$body);
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name, "::mlir::FunctionType":$type)>];
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
  }];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Tile_ReturnOp : TileOp<"return", [Pure, Terminator, HasParent<"KernelOp">]> {
  let summary = "Ends a kernel";
  let assemblyFormat = "attr-dict";
}

def Tile_ProgramIdOp : TileOp<"program_id", [Pure]> {
  let summary = "Which piece of the grid this CTA computes";
  let description = [{
    Declares the grid and gives this CTA's coordinates in it. The operands are
    the extents, the fastest varying first; the grid has as many CTAs as their
    product. A kernel has exactly one.

    CTAs start in the order of their numbers. Where work becomes less along the
    first dimension, whoever starts last should have little of it: with
    `grouped`, a power of two, the second dimension is divided into groups that
    have at most that many CTAs, or are a single coordinate, and within a group it
    is the first dimension that varies slowest. A group's size is a power of two
    that divides the second dimension's.

    ```mlir
    %i, %h, %b = tile.program_id(%blocks, %heads, %batch)
    // 4 blocks of each of 6 heads: head 0, block 0; head 0, block 1; ...
    // grouped 8: block 0 of heads 0 and 1, block 1 of both, ...
    %i, %h, %b = tile.program_id(%blocks, %heads, %batch) grouped 8
    ```
  }];
  let arguments = (ins Variadic<Index>:$extents, OptionalAttr<I64Attr>:$grouped);
  let results = (outs Variadic<Index>:$ids);
  let assemblyFormat = "`(` $extents `)` (`grouped` $grouped^)? attr-dict `:` type($ids)";
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::TypeRange":$ids, "::mlir::ValueRange":$extents), [{
    build($_builder, $_state, ids, extents, /*grouped=*/nullptr);
  }]>];
  let extraClassDeclaration = [{
    /// The coordinates of the CTA of a number.
    ::llvm::SmallVector<::mlir::Value> getIdsOf(::mlir::OpBuilder &builder, ::mlir::Location loc, ::mlir::Value number);
  }];
}

def Tile_ResidentCtasOp : TileOp<"resident_ctas", [Pure]> {
  let summary = "How many CTAs the device runs at once";
  let description = [{
    One for each multiprocessor. Where the grid is smaller, the value is the
    grid's size.

    ```mlir
    %most = tile.resident_ctas : index
    %ctas = arith.minsi %pieces, %most : index
    %first = tile.program_id(%ctas) : index
    ```
  }];
  let results = (outs Index:$count);
  let assemblyFormat = "attr-dict `:` type($count)";
}

def Tile_LoadOp : TileOp<"load"> {
  let summary = "Reads a tile from strided memory";
  let description = [{
    Reads the tile whose first element is at `indices`. `dims` gives, for each
    of the tile's two dimensions, the memref dimension that it runs along, or -1
    for a dimension of size 1. Elements outside of the tensor read as zero.

    Without `dims` the tile is packed: its elements are consecutive in the
    memref's last dimension, inside of the tensor, in an order that depends on
    the number of columns only; each 64 rows of a tile are consecutive. What was
    stored packed is loaded packed, as a tile of the same columns.

    With `ones` the tile has 8 rows more than are read: the first of them is all
    ones, the others are zeros. A product with its transpose gets the sums of the
    other operand's rows as one more column.

    ```mlir
    %k = tile.load %K[%b, %row, %h, %c0] dims [1, 3] : memref<?x?x?x128xbf16, strided<[?, ?, ?, 1]>>, vector<128x128xbf16>
    %p = tile.load %P[%b, %i, %c0] dims [] : memref<?x?x8192xf32, strided<[?, ?, 1]>>, vector<128x64xf32>
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$source, Variadic<Index>:$indices, DenseI64ArrayAttr:$dims, UnitAttr:$ones);
  let results = (outs AnyTile:$result);
  let assemblyFormat = "$source `[` $indices `]` `dims` $dims (`ones` $ones^)? attr-dict `:` type($source) `,` type($result)";
  let extraClassDeclaration = [{
    /// Rows that `ones` adds to those that are read.
    static constexpr int64_t kOnesRows = 8;
    /// Rows that are read.
    int64_t getReadRows();
  }];
  let hasVerifier = 1;
}

def Tile_StoreOp : TileOp<"store"> {
  let summary = "Writes a tile to strided memory";
  let description = [{
    The inverse of `tile.load`. Elements outside of the tensor are not written.
    Without `dims` the tile is packed.

    With `interleaved`, a tile of 8-bit floats whose rows run along the tensor's
    last dimension, each 16 elements there are stored in the order of
    `tile.interleave`, with `paired` in that of `tile.pair_rows`. The index and
    the size of that dimension are multiples of 16.

    ```mlir
    tile.store %o, %O[%b, %row, %h, %c0] dims [1, 3] : vector<128x128xbf16>, memref<?x?x?x128xbf16, strided<[?, ?, ?, 1]>>
    ```
  }];
  let arguments = (ins AnyTile:$value, Arg<AnyMemRef, "", [MemWrite]>:$target, Variadic<Index>:$indices, DenseI64ArrayAttr:$dims, UnitAttr:$interleaved, UnitAttr:$paired);
  let assemblyFormat = "$value `,` $target `[` $indices `]` `dims` $dims (`interleaved` $interleaved^)? (`paired` $paired^)? attr-dict `:` type($value) `,` type($target)";
  let hasVerifier = 1;
}

def Tile_ReduceStoreOp : TileOp<"reduce_store", [AttrSizedOperandSegments]> {
  let summary = "Adds a packed tile to memory";
  let description = [{
    Adds every element to the one in memory, atomically: kernels' CTAs may add
    to the same place in any order, so that the sum's rounding varies. The tile
    is packed as `tile.store` without `dims` packs it.

    With `begun`, memory need not be cleared: the first tile that comes to a
    place is stored, the others are added. `begun` has an element for each place,
    at the indices but the last: 0 in front of the kernel, behind it 2 where
    there is a sum, and 0 where there is none.

    ```mlir
    tile.reduce_store %dq, %acc[%b, %h, %i, %c0] : vector<64x128xf32>, memref<?x?x?x8192xf32, strided<[?, ?, ?, 1]>>
    tile.reduce_store %dq, %acc[%b, %h, %i, %c0] begun %begun : vector<64x128xf32>, memref<?x?x?x8192xf32, strided<[?, ?, ?, 1]>>, memref<?x?x?xf32, strided<[?, ?, 1]>>
    ```
  }];
  let arguments = (ins TileOfFloat:$value, Arg<AnyMemRef, "", [MemRead, MemWrite]>:$target, Variadic<Index>:$indices, Arg<Optional<AnyMemRef>, "", [MemRead, MemWrite]>:$begun);
  let assemblyFormat = "$value `,` $target `[` $indices `]` (`begun` $begun^)? attr-dict `:` type($value) `,` type($target) (`,` type($begun)^)?";
  let builders = [OpBuilder<(ins "::mlir::Value":$value, "::mlir::Value":$target, "::mlir::ValueRange":$indices), [{
    build($_builder, $_state, value, target, indices, /*begun=*/{});
  }]>];
  let hasVerifier = 1;
}

def Tile_MaxStoreOp : TileOp<"max_store"> {
  let summary = "Raises an element in memory to the largest of a tile";
  let description = [{
    The element at `indices` becomes the largest of itself and the tile's,
    atomically. All of them are not negative: kernels' CTAs may do so in any
    order, with the same result.

    ```mlir
    tile.max_store %largest, %amax[%b, %h] : vector<128x1xf32>, memref<?x?xf32, strided<[?, 1]>>
    ```
  }];
  let arguments = (ins TileOfFloat:$value, Arg<AnyMemRef, "", [MemRead, MemWrite]>:$target, Variadic<Index>:$indices);
  let assemblyFormat = "$value `,` $target `[` $indices `]` attr-dict `:` type($value) `,` type($target)";
  let hasVerifier = 1;
}

def Tile_IotaOp : TileOp<"iota", [Pure]> {
  let summary = "Coordinates along a dimension";
  let description = [{
    The tile whose element at index i of dimension `dim` is i; the other
    dimension has size 1.

    ```mlir
    %cols = tile.iota 1 : vector<1x128xi32>
    ```
  }];
  let arguments = (ins I64Attr:$dim);
  let results = (outs TileOfI32:$result);
  let assemblyFormat = "$dim attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Tile_ReduceOp : TileOp<"reduce", [Pure]> {
  let summary = "Reduces along a dimension, which keeps size 1";
  let description = [{
    `add` sums in an unspecified order. `maxnum` ignores NaN as
    `arith.maxnumf` does.

    ```mlir
    %m = tile.reduce maxnum %s dim 1 : vector<128x176xf32> -> vector<128x1xf32>
    ```
  }];
  let arguments = (ins TileReduceKindAttr:$kind, TileOfFloat:$source, I64Attr:$dim);
  let results = (outs TileOfFloat:$result);
  let assemblyFormat = "$kind $source `dim` $dim attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_PartialReduceOp : TileOp<"partial_reduce", [Pure]> {
  let summary = "Sums of the columns that are congruent modulo 8";
  let description = [{
    Column c of the result is the sum of the source's columns c, c + 8,
    c + 16, ... A row sum that is carried through a loop stays in this form, in
    which no thread needs another one's values, and is reduced once afterwards.

    ```mlir
    %l8 = tile.partial_reduce %p : vector<128x176xf32> -> vector<128x8xf32>
    ```
  }];
  let arguments = (ins TileOfFloat:$source);
  let results = (outs TileOfFloat:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_InterleaveOp : TileOp<"interleave", [Pure]> {
  let summary = "Rounds to 8-bit floats and interleaves columns";
  let description = [{
    Column 16 g + 4 t + 2 h + j of the result (t < 4; h, j < 2) is column 16 g +
    8 h + 2 t + j of the source, rounded to nearest even; what is too large
    becomes the largest finite number. In this order a product's result is the
    first operand of another one as it lies in registers, with no exchange
    between threads; the other operand is stored in the same order.

    ```mlir
    %b = tile.interleave %p : vector<128x96xf32> -> vector<128x96xf8E4M3FN>
    ```
  }];
  let arguments = (ins TileOfFloat:$source);
  let results = (outs TileOfFloat:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_PairRowsOp : TileOp<"pair_rows", [Pure]> {
  let summary = "Rounds to 8-bit floats and pairs rows that are 8 apart";
  let description = [{
    Row 16 g + 2 r + h of the result (r < 8, h < 2) is row 16 g + 8 h + r of the
    source, rounded as by `tile.interleave`. In this order a product's result
    can be transposed by moving pairs of elements, both of which a thread has;
    the other operand of a product that contracts these rows is stored in the
    same order (`tile.store` with `paired`).

    ```mlir
    %b = tile.pair_rows %ds : vector<128x64xf32> -> vector<128x64xf8E4M3FN>
    ```
  }];
  let arguments = (ins TileOfFloat:$source);
  let results = (outs TileOfFloat:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_TransposeOp : TileOp<"transpose", [Pure]> {
  let summary = "The columns of a tile of 8-bit floats as rows, interleaved";
  let description = [{
    Row c of the result is column c of the source, whose rows, a multiple of 32,
    it has in the order of `tile.interleave`: a loaded tile becomes the operand
    of a product that contracts its rows. With `ones` the result has 8 rows more,
    as a `tile.load` with `ones` has.

    ```mlir
    %vt = tile.transpose %v : vector<96x128xf8E4M3FN> -> vector<128x96xf8E4M3FN>
    %o = tile.dot %p, %vt contract(1, 1) : vector<192x96xf8E4M3FN>, vector<128x96xf8E4M3FN> -> vector<192x128xf32>
    ```
  }];
  let arguments = (ins TileOfFloat:$source, UnitAttr:$ones);
  let results = (outs TileOfFloat:$result);
  let assemblyFormat = "$source (`ones` $ones^)? attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_ColumnsOp : TileOp<"columns", [Pure]> {
  let summary = "Columns [first, first + size) of a tile";
  let description = [{
    `first` is a multiple of 8.

    ```mlir
    %o = tile.columns %acc from 0 : vector<128x136xf32> -> vector<128x128xf32>
    ```
  }];
  let arguments = (ins TileOfFloat:$source, I64Attr:$first);
  let results = (outs TileOfFloat:$result);
  let assemblyFormat = "$source `from` $first attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_AppendOp : TileOp<"append", [Pure]> {
  let summary = "The columns of a tile, then those of another one";
  let description = [{
    The first tile has a multiple of 8 columns.

    ```mlir
    %wide = tile.append %acc, %sums : vector<128x128xf32>, vector<128x8xf32> -> vector<128x136xf32>
    ```
  }];
  let arguments = (ins TileOfFloat:$first, TileOfFloat:$second);
  let results = (outs TileOfFloat:$result);
  let assemblyFormat = "$first `,` $second attr-dict `:` type($first) `,` type($second) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_DotOp : TileOp<"dot", [Pure]> {
  let summary = "Matrix product of two tiles, added to a third";
  let description = [{
    Contracts dimension `contract_a` of `a` with dimension `contract_b` of `b`
    (0 or 1 each); the result has the other dimension of `a` as rows and the
    other one of `b` as columns. Without `acc` nothing is added.

    ```mlir
    %s = tile.dot %q, %k contract(1, 1) : vector<128x64xbf16>, vector<96x64xbf16> -> vector<128x96xf32>
    %o = tile.dot %p, %v, %acc contract(1, 0) : vector<128x96xbf16>, vector<96x64xbf16>, vector<128x64xf32> -> vector<128x64xf32>
    ```
  }];
  let arguments = (ins TileOfFloat:$a, TileOfFloat:$b, Optional<TileOfFloat>:$acc, I64Attr:$contract_a, I64Attr:$contract_b);
  let results = (outs TileOfFloat:$result);
  let assemblyFormat = [{
    $a `,` $b (`,` $acc^)? `contract` `(` $contract_a `,` $contract_b `)` attr-dict
    `:` type($a) `,` type($b) (`,` type($acc)^)? `->` type($result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Tile_VoteOp : TileOp<"vote_any", [Pure, SameOperandsAndResultType]> {
  let summary = "Whether the condition holds for any row of a row's group";
  let description = [{
    Rows are divided into groups of an unspecified size (a warp's rows on the
    machine); every row gets the disjunction over its group. Only programs whose
    meaning does not depend on the grouping may use it.

    ```mlir
    %grow = tile.vote_any %cond : vector<128x1xi1>
    ```
  }];
  let arguments = (ins TileOfI1:$condition);
  let results = (outs TileOfI1:$result);
  let assemblyFormat = "$condition attr-dict `:` type($condition)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_UniformIfOp : TileOp<"uniform_if", [SingleBlock, NoRegionArguments, RecursiveMemoryEffects, AllTypesMatch<["source", "result"]>]> {
  let summary = "Replaces rows whose group voted for it";
  let description = [{
    `condition` must come from `tile.vote_any`. Rows where it holds get the
    region's value, computed from `source`; the others keep `source`. Lowers to
    a branch that a warp takes as a whole.

    ```mlir
    %o1 = tile.uniform_if %grow, %o {
      %x = arith.mulf %o, %scale : vector<128x128xf32>
      tile.yield %x : vector<128x128xf32>
    } : vector<128x1xi1>, vector<128x128xf32>
    ```
  }];
  let arguments = (ins TileOfI1:$condition, AnyTile:$source);
  let results = (outs AnyTile:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$condition `,` $source $body attr-dict `:` type($condition) `,` type($source)";
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
  let hasRegionVerifier = 1;
}

def Tile_YieldOp : TileOp<"yield", [Pure, Terminator, ReturnLike, HasParent<"UniformIfOp">]> {
  let summary = "The value of a tile.uniform_if region";
  let arguments = (ins AnyTile:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

#endif // FA3_TILE_TILEOPS_TD
