//===- c_header_test.cpp - The interface from C ---------------------------===//

#include "fa3/runtime/runtime.h"

#include "gtest/gtest.h"

#include <cstring>

extern "C" int fa3_c_header_compiles(void);

TEST(CHeaderTest, Works) { EXPECT_TRUE(fa3_c_header_compiles()); }

TEST(CHeaderTest, Names) {
  for (int status = 0; status <= 8; ++status)
    EXPECT_STRNE(fa3_status_name(static_cast<fa3_status>(status)),
                 "unknown status");
  EXPECT_STREQ(fa3_status_name(static_cast<fa3_status>(99)), "unknown status");
  EXPECT_STREQ(fa3_dtype_name(FA3_DTYPE_E5M2), "e5m2");
  EXPECT_EQ(fa3_dtype_name(static_cast<fa3_dtype>(0)), nullptr);
  EXPECT_EQ(fa3_dtype_size(FA3_DTYPE_F32), 4u);
  EXPECT_EQ(fa3_dtype_size(static_cast<fa3_dtype>(0)), 0u);
  EXPECT_STREQ(fa3_runtime_version(), FA3_VERSION);
  EXPECT_EQ(fa3_crc32(0, "123456789", std::strlen("123456789")), 0xcbf43926u);
}
