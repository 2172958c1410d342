//===- tensor.cpp - A tensor of the problem, on device and host -----------===//

#include "tensor.h"

#include "key_order.h"
#include "numeric.h"
#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string_view>

namespace fa3::run {

/// Poison around a tensor: more than a tile's rows would reach past its end.
static constexpr size_t guardBytes = size_t{256} << 10;

/// Data is made and copied in parts of about this size.
static constexpr size_t partBytes = size_t{64} << 20;

/// What strides that TMA uses are multiples of.
static constexpr size_t tmaAlignment = 16;

/// Bytes between the heads of a sliced tensor, beyond the head itself.
static constexpr int64_t slicePadding = 32;

static bool isDescaleName(std::string_view name) {
  return name.ends_with("_descale");
}

static int64_t rowNumber(const std::vector<int64_t> &sizes,
                         const std::vector<int64_t> &indices) {
  int64_t row = 0;
  for (size_t i = 0; i + 1 < sizes.size(); ++i)
    row = row * sizes[i] + indices[i];
  return row;
}

/// Strides when the dimensions, outermost first, lie in this order.
static std::vector<int64_t> packInOrder(const std::vector<int64_t> &sizes,
                                        const std::vector<size_t> &order) {
  std::vector<int64_t> strides(sizes.size());
  int64_t stride = 1;
  for (size_t i = order.size(); i-- > 0;) {
    strides[order[i]] = stride;
    stride *= std::max<int64_t>(sizes[order[i]], 1);
  }
  return strides;
}

/// Strides of factors for each row, (batch, heads, rows). TMA reads those of
/// keys, so that these begin at multiples of 16 bytes; others need not.
static std::vector<int64_t>
chooseFactorStrides(const fa3_tensor_info &info,
                    const std::vector<int64_t> &sizes, const Options &options) {
  int64_t stride = std::max<int64_t>(sizes[2], 1);
  if (options.layout == Layout::Sliced)
    stride += slicePadding;
  if (std::string_view(info.name) == "k_descale") {
    const auto unit =
        static_cast<int64_t>(tmaAlignment / fa3_dtype_size(info.dtype));
    stride = (stride + unit - 1) / unit * unit;
  }
  std::vector<int64_t> strides = {stride * std::max<int64_t>(sizes[1], 1),
                                  stride, 1};
  if (options.layout == Layout::Bhsd) {
    // The other way around: all batches of a head together.
    strides[0] = stride;
    strides[1] = stride * std::max<int64_t>(sizes[0], 1);
  }
  return strides;
}

static std::vector<int64_t> chooseStrides(const fa3_tensor_info &info,
                                          const std::vector<int64_t> &sizes,
                                          const Options &options) {
  if (options.strideZero == info.name) {
    std::vector<int64_t> strides(sizes.size(), 0);
    strides.back() = 1;
    return strides;
  }
  std::vector<size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (sizes.size() == 3 && isDescaleName(info.name))
    return chooseFactorStrides(info, sizes, options);
  // Other tensors, such as the LSE, have but one layout.
  if (sizes.size() != 4)
    return packInOrder(sizes, order);
  switch (options.layout) {
  case Layout::Bshd:
    break;
  case Layout::Bhsd:
    std::swap(order[1], order[2]);
    break;
  case Layout::Packed:
    if (info.role == FA3_ROLE_INPUT) {
      std::vector<int64_t> strides = packInOrder(sizes, order);
      strides[1] *= 3;
      strides[0] *= 3;
      return strides;
    }
    break;
  case Layout::Sliced: {
    std::vector<int64_t> strides(4, 1);
    strides[2] = sizes[3] + slicePadding;
    strides[1] = strides[2] * std::max<int64_t>(sizes[2], 1);
    strides[0] = strides[1] * std::max<int64_t>(sizes[1], 1);
    // A stride that is never used need not be a legal one.
    for (size_t i = 0; i < 3; ++i)
      if (sizes[i] == 1)
        strides[i] = 1;
    return strides;
  }
  }
  return packInOrder(sizes, order);
}

/// The random stream of a tensor depends on its name alone.
static uint64_t streamOf(const char *name) {
  return fa3_crc32(0, name, std::strlen(name));
}

Tensor::Tensor(const fa3_tensor_info &info, std::vector<int64_t> sizes,
               const Options &options)
    : tensorName(info.name), tensorRole(info.role), type(info.dtype),
      extents(std::move(sizes)), strides(chooseStrides(info, extents, options)),
      guard(options.pad ? guardBytes : 0),
      isScored(tensorName == "q" || tensorName == "k"),
      isDescale(isDescaleName(tensorName)),
      random(options.seed, streamOf(info.name)),
      distribution(options.distribution), descales(options.descales) {
  memoryOrder.resize(extents.size() - 1);
  std::iota(memoryOrder.begin(), memoryOrder.end(), size_t{0});
  std::ranges::sort(memoryOrder, [this](size_t a, size_t b) {
    return strides[a] != strides[b] ? strides[a] > strides[b] : a < b;
  });
  int64_t last = 0;
  bool empty = false;
  for (size_t i = 0; i < extents.size(); ++i) {
    last += std::max<int64_t>(extents[i] - 1, 0) * strides[i];
    empty = empty || extents[i] == 0;
    if (i + 1 < extents.size())
      rowCount *= extents[i];
  }
  spanBytes = empty ? 0 : (last + 1) * fa3_dtype_size(type);
  if (empty)
    rowCount = 0;
  storedRows = options.strideZero == tensorName ? std::min<int64_t>(rowCount, 1)
                                                : rowCount;
}

char *Tensor::addressIn(char *allocation) const {
  return spanBytes != 0 && allocation ? allocation + guard : nullptr;
}

fa3_tensor Tensor::descriptor() const {
  return tensor(tensorName.c_str(),
                addressIn(static_cast<char *>(memory.data())), type, extents,
                strides);
}

int64_t Tensor::rowAt(const std::vector<int64_t> &indices) const {
  return rowNumber(extents, indices);
}

size_t Tensor::byteOffset(const std::vector<int64_t> &indices) const {
  int64_t offset = 0;
  for (size_t i = 0; i + 1 < extents.size(); ++i)
    offset += indices[i] * strides[i];
  return offset * fa3_dtype_size(type);
}

size_t Tensor::rowOffset(int64_t order, int64_t *row) const {
  std::vector<int64_t> indices(extents.size(), 0);
  for (size_t i = memoryOrder.size(); i-- > 0;) {
    const size_t dim = memoryOrder[i];
    indices[dim] = order % extents[dim];
    order /= extents[dim];
  }
  *row = rowAt(indices);
  return byteOffset(indices);
}

/// Positions from the far half of the counter, which no element has.
static constexpr uint64_t farHalf = uint64_t{1} << 63;

float Tensor::valueAt(uint64_t position) const {
  if (isDescale)
    return static_cast<float>(
        descales.first *
        std::pow(descales.second / descales.first, random.uniform(position)));
  float value = random.normal(position);
  if (distribution == Distribution::Huge && isScored)
    value *= 100.0f;
  if (distribution == Distribution::Outlier &&
      random.bits(farHalf + position) % 1024 == 0)
    value += 10.0f * random.normal(farHalf + position);
  return value;
}

void Tensor::transposeKeys(int64_t count) {
  if (extents.size() != 4)
    throw UsageError("'" + tensorName +
                     "' is transposed, so that it needs 4 dimensions");
  keys = count;
}

void Tensor::generateTransposed(int64_t row, int64_t firstColumn, int64_t count,
                                float *values) const {
  const int64_t rowsOfBatch = extents[1] * extents[2];
  const int64_t batch = row / rowsOfBatch;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t key = keyAt(firstColumn + i);
    values[i] =
        key < *keys
            ? valueAt((batch * *keys + key) * rowsOfBatch + row % rowsOfBatch)
            : 0.0F;
  }
}

void Tensor::generateUnrounded(int64_t row, int64_t firstColumn, int64_t count,
                               float *values) const {
  const bool isKey = tensorName == "k";
  if (storedRows < rowCount || (distribution == Distribution::Equal && isKey))
    row = 0;
  if (keys)
    return generateTransposed(row, firstColumn, count, values);
  const int64_t first = row * columns() + firstColumn;
  for (int64_t i = 0; i < count; ++i)
    values[i] = valueAt(first + i);
  if (distribution == Distribution::Sink && isScored && firstColumn == 0) {
    const bool isFirst = row / extents[2] % extents[1] == 0;
    values[0] = !isKey ? 8.0f : isFirst ? 12.0f : 0.0f;
  }
}

void Tensor::generate(int64_t row, int64_t firstColumn, int64_t count,
                      ValueKind kind, float *values) const {
  const size_t elementSize = fa3_dtype_size(type);
  if (!replaced.empty()) {
    decode(type,
           replaced.data() + (row * columns() + firstColumn) * elementSize,
           count, values);
    return;
  }
  generateUnrounded(row, firstColumn, count, values);
  if (kind == ValueKind::Unrounded)
    return;
  // Through the type and back: what the reference sees is what is uploaded.
  std::vector<std::byte> stored(count * elementSize);
  encode(type, values, count, stored.data());
  decode(type, stored.data(), count, values);
}

void Tensor::generateRow(int64_t row, float *values, ValueKind kind) const {
  generate(row, 0, columns(), kind, values);
}

float Tensor::generateElement(int64_t row, int64_t column) const {
  float value = 0;
  generate(row, column, 1, ValueKind::Stored, &value);
  return value;
}

void Tensor::replaceValues() {
  if (storedRows < rowCount)
    throw UsageError("the rows of '" + tensorName +
                     "' differ, so that its strides cannot be 0");
  replaced.assign(rowCount * columns() * fa3_dtype_size(type), std::byte{0});
}

void Tensor::setRow(int64_t row, const float *values) {
  encode(type, values, columns(),
         replaced.data() + row * columns() * fa3_dtype_size(type));
}

size_t Tensor::byteOffset(int64_t row) const {
  std::vector<int64_t> indices(extents.size(), 0);
  for (size_t i = extents.size() - 1; i-- > 0;) {
    indices[i] = row % extents[i];
    row /= extents[i];
  }
  return byteOffset(indices);
}

void Tensor::readRow(int64_t row, float *values) const {
  decode(type, contents.data() + byteOffset(row), columns(), values);
}

std::span<const std::byte> Tensor::rowBytes(int64_t row) const {
  return std::span(contents).subspan(byteOffset(row),
                                     columns() * fa3_dtype_size(type));
}

float Tensor::readElement(int64_t row, int64_t column) const {
  float value = 0;
  decode(type,
         contents.data() + byteOffset(row) + column * fa3_dtype_size(type), 1,
         &value);
  return value;
}

int64_t Tensor::countNans() const {
  std::atomic<int64_t> count{0};
  parallelFor(rows(), 256, [&](int64_t begin, int64_t end) {
    std::vector<float> values(columns());
    int64_t found = 0;
    for (int64_t row = begin; row < end; ++row) {
      readRow(row, values.data());
      found += std::ranges::count_if(
          values, [](float value) { return std::isnan(value); });
    }
    count += found;
  });
  return count;
}

void Tensor::allocate(const Driver &driver) {
  memory = DeviceMemory(driver, allocatedBytes());
}

void Tensor::forEachPart(
    Image kind,
    const std::function<void(size_t, std::byte *, size_t)> &body) const {
  const size_t total = memory.size();
  const size_t rowBytes = columns() * fa3_dtype_size(type);
  // Rows lie in memory in the order of forEachPart's walk, so a part is the
  // memory from its first row up to the next part's first row.
  const int64_t rowsPerPart = std::max<int64_t>(
      1, static_cast<int64_t>(storedRows / (spanBytes / partBytes + 1)));
  std::vector<std::byte> image;
  size_t begin = 0;
  for (int64_t first = 0; begin < total; first += rowsPerPart) {
    const int64_t last = std::min(first + rowsPerPart, storedRows);
    int64_t unused = 0;
    const size_t end =
        last >= storedRows ? total : guard + rowOffset(last, &unused);
    image.assign(end - begin, std::byte{poison});
    parallelFor(last - first, 64, [&](int64_t from, int64_t to) {
      std::vector<float> values(columns());
      for (int64_t i = first + from; i < first + to; ++i) {
        int64_t row = 0;
        std::byte *place = image.data() + guard + rowOffset(i, &row) - begin;
        if (kind == Image::Writable) {
          std::memset(place, 0, rowBytes);
        } else {
          generateRow(row, values.data());
          encode(type, values.data(), columns(), place);
        }
      }
    });
    body(begin, image.data(), image.size());
    begin = end;
  }
}

void Tensor::upload() {
  forEachPart(Image::Values,
              [this](size_t offset, std::byte *image, size_t size) {
                memory.copyFromHost(image, size, offset);
              });
}

void Tensor::poisonOutput(const Stream &stream) {
  memory.fill(poison, stream.get());
}

void Tensor::download() {
  contents.resize(spanBytes);
  if (spanBytes != 0)
    memory.copyToHost(contents.data(), spanBytes, guard);
}

std::string Tensor::findStrayWrite() const {
  std::string found;
  std::vector<std::byte> actual;
  const Image kind = isOutput() ? Image::Writable : Image::Values;
  forEachPart(kind, [&](size_t offset, std::byte *image, size_t size) {
    if (!found.empty())
      return;
    actual.resize(size);
    memory.copyToHost(actual.data(), size, offset);
    for (size_t i = 0; i < size; ++i) {
      const bool mayWrite = kind == Image::Writable && image[i] == std::byte{0};
      if (mayWrite || actual[i] == image[i])
        continue;
      const auto position =
          static_cast<int64_t>(offset + i) - static_cast<int64_t>(guard);
      found =
          "'" + tensorName + "' was written " +
          (isOutput() ? "outside of its elements" : "though it is an input") +
          ", at byte " + std::to_string(position) + " from its start";
      return;
    }
  });
  return found;
}

} // namespace fa3::run
