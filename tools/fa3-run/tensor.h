//===- tensor.h - A tensor of the problem, on device and host -------------===//

#ifndef FA3_TOOLS_FA3_RUN_TENSOR_H
#define FA3_TOOLS_FA3_RUN_TENSOR_H

#include "options.h"
#include "random.h"

#include "fa3/runtime/runtime.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fa3::run {

/// Bytes of value 0xff are NaN in every floating-point type.
constexpr uint8_t poison = 0xff;

/// Which values of an input.
enum class ValueKind {
  Stored,    ///< exactly as the device has them
  Unrounded, ///< before they were rounded to the element type
};

/// One tensor of the problem. Inputs are made from their position alone, so
/// that no host copy of them is kept; outputs are downloaded.
///
/// A row is all elements that share every index but the last. Rows are numbered
/// in the order of the indices, whatever the layout in memory.
class Tensor {
public:
  Tensor(const fa3_tensor_info &info, std::vector<int64_t> sizes,
         const Options &options);

  const std::string &name() const { return tensorName; }
  fa3_role role() const { return tensorRole; }
  fa3_dtype dtype() const { return type; }
  const std::vector<int64_t> &sizes() const { return extents; }
  bool isInput() const { return tensorRole != FA3_ROLE_OUTPUT; }
  bool isOutput() const { return tensorRole != FA3_ROLE_INPUT; }

  /// For the runtime. The address is null until the memory is there.
  fa3_tensor descriptor() const;

  /// The size of an allocation for the tensor, and the address of the tensor
  /// in one: null if it has no elements.
  size_t allocatedBytes() const { return spanBytes + 2 * guard; }
  char *addressIn(char *allocation) const;

  /// Elements in a row, and rows.
  int64_t columns() const { return extents.back(); }
  int64_t rows() const { return rowCount; }

  /// The number of the row at these indices.
  int64_t rowAt(const std::vector<int64_t> &indices) const;

  /// From here on an input with dimensions (batch, heads, columns, positions)
  /// has the values that it would have as (batch, keys, heads, columns), in the
  /// order of key_order.h, and NaN where there is no key.
  void transposeKeys(int64_t keys);
  /// How many keys such a tensor has.
  std::optional<int64_t> transposedKeys() const { return keys; }

  /// The values of an input's row.
  void generateRow(int64_t row, float *values,
                   ValueKind kind = ValueKind::Stored) const;
  float generateElement(int64_t row, int64_t column) const;

  /// From here on an input has the values that setRow gives its rows, rounded
  /// to its type.
  void replaceValues();
  /// Different rows may be set from different threads.
  void setRow(int64_t row, const float *values);

  /// The values of a downloaded output's row.
  void readRow(int64_t row, float *values) const;
  float readElement(int64_t row, int64_t column) const;
  /// The bytes of a downloaded output's row.
  std::span<const std::byte> rowBytes(int64_t row) const;
  /// Elements of a downloaded output that are NaN.
  int64_t countNans() const;

  void allocate(const Driver &driver);
  /// Fills an input with its values and everything around them with poison.
  void upload();
  /// Fills an output with poison.
  void poisonOutput(const Stream &stream);
  void download();

  /// The downloaded bytes, from the first to the last element.
  const std::vector<std::byte> &downloaded() const { return contents; }

  /// Downloads what must not have been written, and says what was: "" if
  /// nothing.
  std::string findStrayWrite() const;

private:
  /// What an image of the allocation shows where the elements are; elsewhere it
  /// is poison.
  enum class Image {
    Values,   ///< of an input
    Writable, ///< zero bytes
  };
  /// Calls body(offset, image, size) for consecutive parts of the allocation.
  void forEachPart(Image kind,
                   const std::function<void(size_t offset, std::byte *image,
                                            size_t size)> &body) const;
  /// Makes a part of an input's row.
  void generate(int64_t row, int64_t firstColumn, int64_t count, ValueKind kind,
                float *values) const;
  void generateUnrounded(int64_t row, int64_t firstColumn, int64_t count,
                         float *values) const;
  void generateTransposed(int64_t row, int64_t firstColumn, int64_t count,
                          float *values) const;
  /// The random value of an element, by its number.
  float valueAt(uint64_t position) const;
  /// Byte offset from the first element of the row that is `order`th in memory.
  size_t rowOffset(int64_t order, int64_t *row) const;
  size_t byteOffset(const std::vector<int64_t> &indices) const;
  /// The same from the first element, for a row's number.
  size_t byteOffset(int64_t row) const;

  std::string tensorName;
  fa3_role tensorRole;
  fa3_dtype type;
  std::vector<int64_t> extents;
  std::vector<int64_t> strides;
  std::vector<size_t> memoryOrder; ///< dims but the last, largest stride first
  int64_t rowCount = 1;
  int64_t storedRows; ///< 1 if all rows lie in the same place
  size_t guard;       ///< bytes of poison before and after
  size_t spanBytes;   ///< from the first to the last element
  bool isScored;      ///< scores are made of it
  bool isDescale;
  CounterRandom random;
  Distribution distribution;
  std::pair<double, double> descales; ///< the range of a descale's values
  std::optional<int64_t> keys;        ///< if values lie along them
  std::vector<std::byte> replaced; ///< values in place of random ones, by row
  DeviceMemory memory;
  std::vector<std::byte> contents; ///< downloaded, without the guards
};

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_TENSOR_H
