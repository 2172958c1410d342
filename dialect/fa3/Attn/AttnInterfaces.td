//===- AttnInterfaces.td - What attention operations share -*- tablegen -*-===//

#ifndef FA3_ATTN_ATTNINTERFACES_TD
#define FA3_ATTN_ATTNINTERFACES_TD

include "mlir/IR/OpBase.td"

def SpecOpInterface : OpInterface<"SpecOpInterface"> {
  let cppNamespace = "::fa3::attn";
  let description = [{
    An operation that a package computes, on tensors with names. A spec contains
    one such operation.
  }];
  let methods = [
    InterfaceMethod<"All operands and results.", "::llvm::SmallVector<::fa3::attn::SpecTensor>", "getTensors">,
  ];
}

def AttentionOpInterface : OpInterface<"AttentionOpInterface", [SpecOpInterface]> {
  let cppNamespace = "::fa3::attn";
  let description = [{
    An operation on the queries, keys and values of attention: the problem's
    sizes, mask and scale, and the schedule of the kernels that compute it.
  }];
  let methods = [
    InterfaceMethod<"Queries.", "::mlir::TypedValue<::mlir::RankedTensorType>", "getQ">,
    InterfaceMethod<"Keys.", "::mlir::TypedValue<::mlir::RankedTensorType>", "getK">,
    InterfaceMethod<"Values.", "::mlir::TypedValue<::mlir::RankedTensorType>", "getV">,
    InterfaceMethod<"Whether a query sees no key behind it.", "bool", "getCausal">,
    InterfaceMethod<"The factor of the scores, if the operation gives one.", "::std::optional<::llvm::APFloat>", "getScale">,
    InterfaceMethod<"How the kernels run; null before that is chosen.", "::fa3::tile::ScheduleAttr", "getScheduleAttr">,
    InterfaceMethod<"Fixes how the kernels run.", "void", "setScheduleAttr", (ins "::fa3::tile::ScheduleAttr":$schedule)>,
  ];
  let extraClassDeclaration = [{
    /// Size of the contraction of queries and keys, which is static.
    int64_t getHeadDim();
    /// The scale, or its default 1/sqrt(head dim).
    double getScaleOrDefault();
    /// The type of queries, keys and values.
    ::mlir::Type getElementType();
    /// The 16-bit type of the output.
    ::mlir::Type getOutputElementType();
  }];
}

#endif // FA3_ATTN_ATTNINTERFACES_TD
