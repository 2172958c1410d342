//===- TensorMapTest.cpp - What cuTensorMapEncodeTiled accepts ------------===//

#include "DriverTest.h"

namespace fa3::emulator::test {

namespace {

/// The arguments of a valid encoding; each test changes some.
struct Arguments {
  CUtensorMapDataType type = CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
  uint32_t rank = 4;
  uint64_t address = 0x10000;
  uint64_t dims[5] = {128, 16, 1000, 2, 1};
  uint64_t strides[4] = {256, 4096, 4096000, 8192000};
  uint32_t box[5] = {64, 1, 128, 1, 1};
  uint32_t elementStrides[5] = {1, 1, 1, 1, 1};
  CUtensorMapInterleave interleave = CU_TENSOR_MAP_INTERLEAVE_NONE;
  CUtensorMapSwizzle swizzle = CU_TENSOR_MAP_SWIZZLE_128B;
  CUtensorMapL2promotion promotion = CU_TENSOR_MAP_L2_PROMOTION_L2_256B;
  CUtensorMapFloatOOBfill fill = CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE;

  CUresult encode() const {
    CUtensorMap map;
    return cuTensorMapEncodeTiled(
        &map, type, rank, reinterpret_cast<void *>(address), dims, strides, box,
        elementStrides, interleave, swizzle, promotion, fill);
  }
};

/// The result of encoding valid arguments with one change.
template <typename Change> CUresult encodeWith(Change change) {
  Arguments arguments;
  change(arguments);
  return arguments.encode();
}

} // namespace

#define ACCEPTED(...)                                                          \
  EXPECT_EQ(encodeWith([](Arguments &a) { __VA_ARGS__; }), CUDA_SUCCESS)
#define REFUSED(...)                                                           \
  EXPECT_EQ(encodeWith([](Arguments &a) { __VA_ARGS__; }),                     \
            CUDA_ERROR_INVALID_VALUE)

TEST_F(DriverTest, TensorMapShape) {
  ACCEPTED();
  ACCEPTED(a.rank = 1);
  ACCEPTED(a.rank = 5);
  REFUSED(a.rank = 0);
  REFUSED(a.rank = 6);
  ACCEPTED(a.address = 0x10010);
  REFUSED(a.address = 0x10008);
  ACCEPTED(a.address = 0);
  ACCEPTED(a.dims[2] = uint64_t(1) << 32);
  REFUSED(a.dims[2] = (uint64_t(1) << 32) + 1);
  REFUSED(a.dims[0] = 0);
  ACCEPTED(a.strides[2] = (uint64_t(1) << 40) - 16);
  REFUSED(a.strides[2] = uint64_t(1) << 40);
  REFUSED(a.strides[1] = 4104);
  ACCEPTED(a.rank = 3; a.strides[2] = 1);
}

TEST_F(DriverTest, TensorMapBox) {
  ACCEPTED(a.box[2] = 256);
  REFUSED(a.box[2] = 257);
  REFUSED(a.box[1] = 0);
  ACCEPTED(a.box[1] = 7; a.box[2] = 256);
  REFUSED(a.box[1] = 8; a.box[2] = 256);
  ACCEPTED(a.elementStrides[2] = 8);
  REFUSED(a.elementStrides[2] = 9);
  REFUSED(a.elementStrides[2] = 0);
  // Inner bytes: a multiple of 16 and no more than the swizzle's span.
  REFUSED(a.box[0] = 4);
  ACCEPTED(a.box[0] = 8);
  REFUSED(a.box[0] = 65);
  REFUSED(a.box[0] = 72);
  ACCEPTED(a.box[0] = 256; a.swizzle = CU_TENSOR_MAP_SWIZZLE_NONE);
  ACCEPTED(a.box[0] = 32; a.swizzle = CU_TENSOR_MAP_SWIZZLE_64B);
  REFUSED(a.box[0] = 40; a.swizzle = CU_TENSOR_MAP_SWIZZLE_64B);
  ACCEPTED(a.box[0] = 16; a.swizzle = CU_TENSOR_MAP_SWIZZLE_32B);
  REFUSED(a.box[0] = 24; a.swizzle = CU_TENSOR_MAP_SWIZZLE_32B);
}

TEST_F(DriverTest, TensorMapInterleave) {
  constexpr int wide = CU_TENSOR_MAP_INTERLEAVE_32B;
  constexpr int narrow = CU_TENSOR_MAP_INTERLEAVE_16B;
  ACCEPTED(a.interleave = wide; a.swizzle = CU_TENSOR_MAP_SWIZZLE_32B);
  ACCEPTED(a.interleave = wide);
  REFUSED(a.interleave = wide; a.swizzle = CU_TENSOR_MAP_SWIZZLE_32B;
          a.address = 0x10010);
  REFUSED(a.interleave = wide; a.swizzle = CU_TENSOR_MAP_SWIZZLE_32B;
          a.strides[0] = 272);
  ACCEPTED(a.interleave = narrow);
  ACCEPTED(a.interleave = narrow; a.rank = 3);
  REFUSED(a.interleave = narrow; a.rank = 2);
}

TEST_F(DriverTest, TensorMapEnumerations) {
  for (CUtensorMapDataType type = 0; type <= 12; ++type)
    EXPECT_EQ(encodeWith([&](Arguments &a) {
                a.type = type;
                a.box[0] = 16;
              }),
              CUDA_SUCCESS)
        << type;
  REFUSED(a.type = 13);
  REFUSED(a.type = -1);
  REFUSED(a.interleave = 3);
  REFUSED(a.swizzle = 4);
  REFUSED(a.swizzle = -1);
  REFUSED(a.promotion = 4);
  REFUSED(a.fill = 2);
  ACCEPTED(a.fill = CU_TENSOR_MAP_FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA);
  REFUSED(a.type = CU_TENSOR_MAP_DATA_TYPE_UINT16;
          a.fill = CU_TENSOR_MAP_FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA);
}

TEST_F(DriverTest, TensorMapPointers) {
  const Arguments a;
  alignas(64) char memory[192];
  auto encode = [&](void *map, const uint64_t *dims, const uint64_t *strides,
                    const uint32_t *box, const uint32_t *elementStrides) {
    return cuTensorMapEncodeTiled(static_cast<CUtensorMap *>(map), a.type, 1,
                                  reinterpret_cast<void *>(a.address), dims,
                                  strides, box, elementStrides, a.interleave,
                                  a.swizzle, a.promotion, a.fill);
  };
  const uint32_t *ones = a.elementStrides;
  EXPECT_EQ(encode(memory, a.dims, nullptr, a.box, ones), CUDA_SUCCESS)
      << "a vector has no strides";
  EXPECT_EQ(encode(memory + 32, a.dims, nullptr, a.box, ones),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(encode(nullptr, a.dims, nullptr, a.box, ones),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(encode(memory, nullptr, nullptr, a.box, ones),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(encode(memory, a.dims, nullptr, nullptr, ones),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(encode(memory, a.dims, nullptr, a.box, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_NE(takeDiagnostics().find("not aligned to 64"), std::string::npos);
}

} // namespace fa3::emulator::test
