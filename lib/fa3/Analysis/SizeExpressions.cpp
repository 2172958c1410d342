//===- SizeExpressions.cpp - Sizes known when a kernel is launched --------===//

#include "fa3/Analysis/SizeExpressions.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace fa3;

Attribute fa3::combineSizes(MLIRContext *context, StringRef op, Attribute lhs,
                            Attribute rhs) {
  Builder builder(context);
  return builder.getDictionaryAttr(
      {builder.getNamedAttr("op", builder.getStringAttr(op)),
       builder.getNamedAttr("args", builder.getArrayAttr({lhs, rhs}))});
}

Attribute fa3::atMost(MLIRContext *context, Attribute size, int64_t limit) {
  Attribute next = Builder(context).getI64IntegerAttr(limit + 1);
  return combineSizes(context, "sub", next,
                      combineSizes(context, "min", size, next));
}

Attribute fa3::moreThan(MLIRContext *context, Attribute size, int64_t limit) {
  Attribute most = Builder(context).getI64IntegerAttr(limit);
  return combineSizes(context, "sub", combineSizes(context, "max", size, most),
                      most);
}

Attribute fa3::multiplySizes(MLIRContext *context,
                             ArrayRef<Attribute> factors) {
  if (factors.empty())
    return Builder(context).getI64IntegerAttr(1);
  Attribute product = factors.front();
  for (Attribute factor : factors.drop_front())
    product = combineSizes(context, "mul", product, factor);
  return product;
}

Attribute fa3::alignSize(MLIRContext *context, Attribute size,
                         int64_t alignment) {
  Attribute unit = Builder(context).getI64IntegerAttr(alignment);
  return combineSizes(context, "mul",
                      combineSizes(context, "ceildiv", size, unit), unit);
}
