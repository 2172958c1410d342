//===- HopperTypes.td - Types of the hopper dialect --------*- tablegen -*-===//

#ifndef FA3_HOPPER_HOPPERTYPES_TD
#define FA3_HOPPER_HOPPERTYPES_TD

include "fa3/Hopper/HopperDialect.td"
include "mlir/IR/AttrTypeBase.td"

class HopperType<string typeName, string typeMnemonic> : TypeDef<HopperDialect, typeName> {
  let mnemonic = typeMnemonic;
}

def HopperRing : HopperType<"Ring", "ring"> {
  let summary = "A ring of tile buffers in shared memory with full and empty mbarriers";
  let description = [{
    `stages` buffers of one tile each. A buffer is stored in panels of 128 bytes
    of columns with TMA's 128-byte swizzle: panel p holds columns
    [p*128/sizeof(element), (p+1)*128/sizeof(element)) of all rows, 128 bytes a
    row. The last panel is as wide as the others: what it has beyond the tile's
    columns is loaded and not used. Tiles of f32 are for threads, not for
    products, and are stored without panels: one row or column as consecutive
    elements, other tiles packed as `tile.store` without `dims` packs them.
    Example: `!hopper.ring<2, vector<128x128xbf16>>`.
  }];
  let parameters = (ins "int64_t":$stages, "::mlir::VectorType":$tile);
  let genVerifyDecl = 1;
  let assemblyFormat = "`<` $stages `,` $tile `>`";
  let extraClassDeclaration = [{
    /// Bytes of one buffer: whole panels, or a tile of f32.
    int64_t getStageBytes();
    /// Columns of one 128-byte panel.
    int64_t getPanelColumns();
    /// Whether buffers are stored in panels, for products.
    bool hasPanels();
  }];
}

def HopperBuffer : HopperType<"Buffer", "buffer"> {
  let summary = "A tile in shared memory";
  let description = [{
    A view of rows of a ring's buffer; `panel_rows` is the number of rows of the
    whole buffer, which fixes the distance between panels.
    Example: `!hopper.buffer<vector<64x128xbf16>, 128>`.
  }];
  let parameters = (ins "::mlir::VectorType":$tile, "int64_t":$panel_rows);
  let genVerifyDecl = 1;
  let assemblyFormat = "`<` $tile `,` $panel_rows `>`";
}

def HopperPending : HopperType<"Pending", "pending"> {
  let summary = "The result of an asynchronous product that nobody has waited for";
  let parameters = (ins "::mlir::VectorType":$tile);
  let assemblyFormat = "`<` $tile `>`";
}

def HopperTensorMap : HopperType<"TensorMap", "tensor_map"> {
  let summary = "A TMA descriptor, passed by value as a kernel argument";
  let description = [{
    Describes argument `tensor` (an index into the kernel's arguments) cut into
    boxes of `box` elements, one size for each dimension of the tensor, with the
    128-byte swizzle, or none. Examples: `!hopper.tensor_map<1, [1, 128, 1, 64]>`,
    `!hopper.tensor_map<3, [1, 1, 64], linear>`.
  }];
  let parameters = (ins "int64_t":$tensor, ArrayRefParameter<"int64_t">:$box,
                        DefaultValuedParameter<"bool", "true">:$swizzled);
  let genVerifyDecl = 1;
  let builders = [TypeBuilder<(ins "int64_t":$tensor, "::llvm::ArrayRef<int64_t>":$box), [{
    return $_get($_ctxt, tensor, box, /*swizzled=*/true);
  }]>];
  let hasCustomAssemblyFormat = 1;
}

#endif // FA3_HOPPER_HOPPERTYPES_TD
