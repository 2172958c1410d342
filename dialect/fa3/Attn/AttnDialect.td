//===- AttnDialect.td - The attn dialect -------------------*- tablegen -*-===//

#ifndef FA3_ATTN_ATTNDIALECT_TD
#define FA3_ATTN_ATTNDIALECT_TD

include "mlir/IR/OpBase.td"

def AttnDialect : Dialect {
  let name = "attn";
  let cppNamespace = "::fa3::attn";
  let summary = "What attention to compute";
  let description = [{
    Attention on whole tensors, as a user states it: no tile, no thread and no
    GPU in sight. A *spec* is an ordinary `func.func` whose arguments are the
    tensors, whose body is one operation of this dialect and whose name becomes
    the kernel's.

    ```mlir
    func.func @attention(%q: tensor<?x?x?x128xbf16>, %k: tensor<?x?x?x128xbf16>,
                         %v: tensor<?x?x?x128xbf16>)
        -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
      %o, %lse = attn.forward %q, %k, %v causal
        : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
          -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
      return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
    }
    ```
  }];
  let dependentDialects = ["::fa3::tile::TileDialect"];
}

#endif // FA3_ATTN_ATTNDIALECT_TD
