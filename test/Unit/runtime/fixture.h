//===- fixture.h - What the runtime's tests share -------------------------===//

#ifndef FA3_TEST_UNIT_RUNTIME_FIXTURE_H
#define FA3_TEST_UNIT_RUNTIME_FIXTURE_H

#include "fake_driver/fake_driver.h"
#include "package_writer.h"

#include "fa3/runtime/runtime.hpp"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <string>
#include <vector>

namespace fa3::test {

/// Tests against the fake driver, which is reset before each.
class FakeDriverTest : public testing::Test {
protected:
  FakeDriverTest();
  ~FakeDriverTest() override;

  fake::Control &control;
  fake::State &state;
};

/// The fake driver's library, and the old one's.
std::string fakeDriverPath();
std::string oldDriverPath();

/// A package from a manifest, with code in which its kernels are found.
Package packageOf(const nlohmann::json &manifest);

/// The tensors of forwardManifest's problem, contiguous, at made-up addresses
/// that are multiples of 2^20. `sizes`: batch, seqlen_q, heads_q, seqlen_k,
/// heads_kv.
std::vector<fa3_tensor> forwardProblem(const std::vector<int64_t> &sizes);

/// The tensor of this name.
fa3_tensor &find(std::vector<fa3_tensor> &problem, const std::string &name);

/// The message of a call that must fail with this status.
template <typename Body> std::string failure(fa3_status status, Body &&body) {
  try {
    body();
  } catch (const Error &error) {
    EXPECT_EQ(error.status(), status) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error, expected status " << status;
  return "";
}

/// Expects a call to fail with this status and a message that contains a text.
#define EXPECT_FAILURE(expectedStatus, text, ...)                              \
  EXPECT_THAT(::fa3::test::failure(expectedStatus, [&] { __VA_ARGS__; }),      \
              ::testing::HasSubstr(text))

} // namespace fa3::test

#endif // FA3_TEST_UNIT_RUNTIME_FIXTURE_H
