//===- package_test.cpp - Packages that load, and those that do not -------===//

#include "fixture.h"

#include <cstring>
#include <functional>
#include <random>

using namespace fa3;
using namespace fa3::test;

static std::string forwardPackage() {
  return writePackage(forwardManifest(), cubinOf("forward"), ptxOf("forward"));
}

static fa3_status load(const std::string &bytes, fa3_error *error = nullptr) {
  fa3_package *package = nullptr;
  const fa3_status status =
      fa3_package_load_memory(bytes.data(), bytes.size(), &package, error);
  EXPECT_EQ(package != nullptr, status == FA3_SUCCESS);
  fa3_package_destroy(package);
  return status;
}

/// Expects a refusal whose message contains a text.
static void expectInvalid(const std::string &bytes, const std::string &text) {
  fa3_error error;
  EXPECT_EQ(load(bytes, &error), FA3_ERROR_INVALID_PACKAGE);
  EXPECT_THAT(error.message, testing::HasSubstr(text));
}

TEST(PackageTest, DescribesItself) {
  const std::string bytes = forwardPackage();
  const Package package = Package::fromMemory(bytes.data(), bytes.size());
  EXPECT_EQ(package.name(), "forward_bf16_d128_causal");
  EXPECT_EQ(nlohmann::json::parse(package.manifest()), forwardManifest());
  EXPECT_THAT(package.symbols(),
              testing::ElementsAre("batch", "seqlen_q", "heads_q", "seqlen_k",
                                   "heads_kv"));
  const std::vector<fa3_tensor_info> tensors = package.tensors();
  ASSERT_EQ(tensors.size(), 5u);
  EXPECT_STREQ(tensors[4].name, "lse");
  EXPECT_EQ(tensors[4].role, FA3_ROLE_OUTPUT);
  EXPECT_EQ(tensors[4].dtype, FA3_DTYPE_F32);
  EXPECT_EQ(tensors[4].rank, 3);
  EXPECT_THAT(package.tensorSizes(1, {2, 3, 4, 5, 6}),
              testing::ElementsAre(2, 5, 6, 128));
}

TEST(PackageTest, RefusesWrongArguments) {
  fa3_error error;
  fa3_package *package = nullptr;
  EXPECT_EQ(fa3_package_load_file(nullptr, &package, &error),
            FA3_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(fa3_package_load_file("/nonexistent", &package, &error),
            FA3_ERROR_IO);
  EXPECT_THAT(error.message, testing::HasSubstr("/nonexistent"));
  EXPECT_EQ(fa3_package_load_file("/", &package, &error), FA3_ERROR_IO);
  EXPECT_EQ(fa3_package_load_memory(nullptr, 1, &package, &error),
            FA3_ERROR_INVALID_ARGUMENT);
  const std::string bytes = forwardPackage();
  const Package loaded = Package::fromMemory(bytes.data(), bytes.size());
  fa3_tensor_info info;
  EXPECT_EQ(fa3_package_tensor(loaded.get(), 5, &info, &error),
            FA3_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(fa3_package_tensor(loaded.get(), -1, &info, &error),
            FA3_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(fa3_package_symbol(loaded.get(), 5), nullptr);
  EXPECT_FAILURE(FA3_ERROR_INVALID_ARGUMENT, "4 symbols, the package has 5",
                 loaded.tensorSizes(0, {1, 2, 3, 4}));
}

TEST(PackageTest, EveryTruncationIsAnError) {
  const std::string bytes = forwardPackage();
  ASSERT_EQ(load(bytes), FA3_SUCCESS);
  for (size_t size = 0; size < bytes.size(); ++size)
    ASSERT_EQ(load(bytes.substr(0, size)), FA3_ERROR_INVALID_PACKAGE) << size;
  EXPECT_EQ(load(bytes + '\0'), FA3_ERROR_INVALID_PACKAGE);
}

TEST(PackageTest, EveryFlippedBitIsAnError) {
  std::string bytes = forwardPackage();
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    ASSERT_EQ(load(bytes), FA3_ERROR_INVALID_PACKAGE) << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
  }
  EXPECT_EQ(load(bytes), FA3_SUCCESS);
}

TEST(PackageTest, SectionTableIsChecked) {
  const std::string manifest = forwardManifest().dump();
  const std::string ptx = ptxOf("forward") + '\0';
  expectInvalid("", "not a kernel package");
  expectInvalid("hello, world", "not a kernel package");
  expectInvalid(writePackage({{FA3_SECTION_PTX, ptx}}), "no manifest");
  expectInvalid(writePackage({{FA3_SECTION_MANIFEST, manifest}}),
                "neither a cubin nor a PTX");
  expectInvalid(writePackage({{FA3_SECTION_MANIFEST, manifest},
                              {FA3_SECTION_PTX, ptx},
                              {FA3_SECTION_PTX, ptx}}),
                "a second section of kind 3");
  expectInvalid(writePackage({{FA3_SECTION_MANIFEST, manifest},
                              {FA3_SECTION_PTX, ptxOf("forward")}}),
                "PTX must end in its only NUL");
  EXPECT_EQ(load(writePackage({{FA3_SECTION_MANIFEST, manifest},
                               {99, "from the future"},
                               {FA3_SECTION_PTX, ptx}})),
            FA3_SUCCESS);

  std::string other = forwardPackage();
  other[8] = 2;
  expectInvalid(other, "package version 2, but this runtime reads version 1");

  // Right checksums around wrong places.
  const auto withSection = [](auto &&change) {
    std::string bytes = forwardPackage();
    fa3_file_section section;
    std::memcpy(&section, &bytes[sizeof(fa3_file_header)], sizeof(section));
    change(section);
    std::memcpy(&bytes[sizeof(fa3_file_header)], &section, sizeof(section));
    fixHeader(bytes);
    return bytes;
  };
  expectInvalid(withSection([](auto &section) { section.offset = ~0ull; }),
                "begins at byte");
  expectInvalid(withSection([](auto &section) { section.size = ~0ull; }),
                "extends past the end");
  expectInvalid(withSection([](auto &section) { section.size = 1 << 20; }),
                "extends past the end");
}

TEST(PackageTest, ManifestErrorsNameThePlace) {
  struct Case {
    std::function<void(nlohmann::json &)> change;
    const char *message;
  };
  using Json = nlohmann::json;
  const Case cases[] = {
      {[](Json &m) { m["format"] = 2; }, "reads format 1"},
      {[](Json &m) { m.erase("name"); }, "'name' is missing"},
      {[](Json &m) { m["name"] = 7; }, "name: expected a string, found number"},
      {[](Json &m) { m["target"] = "gfx942"; }, "target: expected an arch"},
      {[](Json &m) { m["target"] = "a"; }, "target: expected an arch"},
      {[](Json &m) { m["min_driver"] = -1; },
       "min_driver: expected an integer"},
      {[](Json &m) { m["min_driver"] = 1e9; },
       "min_driver: expected an integer"},
      {[](Json &m) { m["symbols"][1] = "batch"; },
       "symbols[1]: 'batch' is already a symbol"},
      {[](Json &m) { m["symbols"].push_back("pages"); },
       "'pages' is not a dimension of any tensor"},
      {[](Json &m) { m["tensors"] = Json::array(); },
       "tensors: expected 1 to 32 elements, found 0"},
      {[](Json &m) { m["tensors"][1]["name"] = "q"; },
       "tensors[1]: 'q' is already a tensor"},
      {[](Json &m) { m["tensors"][0]["role"] = "scratch"; },
       "tensors[0].role: unknown value 'scratch', expected one of input"},
      {[](Json &m) { m["tensors"][0]["dtype"] = "f64"; },
       "tensors[0].dtype: unknown element type 'f64'"},
      {[](Json &m) { m["tensors"][0]["dims"] = Json::array(); },
       "tensors[0].dims: expected 1 to 8 elements"},
      {[](Json &m) { m["tensors"][0]["dims"][0] = "bath"; },
       "tensors[0].dims[0]: 'bath' is not among the symbols"},
      {[](Json &m) { m["symbols"][0] = "multiprocessors"; },
       "symbols[0]: the runtime gives 'multiprocessors' its value"},
      {[](Json &m) { m["tensors"][0]["dims"][0] = "multiprocessors"; },
       "tensors[0].dims[0]: only kernels may depend on 'multiprocessors'"},
      {[](Json &m) { m["workspace"] = "multiprocessors"; },
       "workspace: only kernels may depend on 'multiprocessors'"},
      {[](Json &m) { m["tensors"][0]["alignment"] = 3; },
       "tensors[0].alignment: expected a multiple"},
      {[](Json &m) { m["constraints"][0] = {{"equals", {1, 2}}}; },
       "constraints[0]: unknown constraint"},
      {[](Json &m) { m["workspace"] = true; },
       "workspace: expected an integer, found boolean"},
      {[](Json &m) { m["workspace"] = 18446744073709551615u; },
       "workspace: expected an integer"},
      {[](Json &m) { m["workspace"] = {{"op", "pow"}, {"args", {1, 2}}}; },
       "workspace.op: unknown value 'pow'"},
      {[](Json &m) { m["workspace"] = {{"op", "add"}, {"args", {1}}}; },
       "workspace.args: expected 2 elements, found 1"},
      {[](Json &m) { m["workspace_tensors"][0]["name"] = "q"; },
       "workspace_tensors[0]: 'q' is already a tensor"},
      {[](Json &m) { m["kernels"] = Json::array(); },
       "kernels: expected 1 to 16 elements"},
      {[](Json &m) { m["kernels"][0]["grid"] = {1, 1}; },
       "kernels[0].grid: expected 3 elements, found 2"},
      {[](Json &m) { m["kernels"][0]["block"] = {1024, 2, 1}; },
       "kernels[0].block: the product of the extents is 2048"},
      {[](Json &m) { m["kernels"][0]["cluster"] = {16, 1, 1}; },
       "kernels[0].cluster[0]: expected an integer from 1 to 8, found 16"},
      {[](Json &m) { m["kernels"][0]["params"][1]["tensor"] = "w"; },
       "kernels[0].params[1].tensor: there is no tensor 'w'"},
      {[](Json &m) { m["kernels"][0]["params"][1]["box"] = {128, 64}; },
       "kernels[0].params[1].box: expected 4 elements, found 2"},
      {[](Json &m) { m["kernels"][0]["params"][1]["box"][1] = 257; },
       "kernels[0].params[1].box[1]: expected an integer from 1 to 256"},
      {[](Json &m) { m["kernels"][0]["params"][1]["box"][3] = 128; },
       "the box's rows have 256 bytes, more than the swizzle's 128"},
      {[](Json &m) { m["kernels"][0]["params"][1]["box"][3] = 3; },
       "the box's rows have 6 bytes, expected a multiple of 16"},
      {[](Json &m) { m["kernels"][0]["params"][1]["swizzle"] = 96; },
       "kernels[0].params[1].swizzle: expected 0, 32, 64 or 128, found 96"},
      {[](Json &m) { m["kernels"][0]["params"][3]["dim"] = 4; },
       "kernels[0].params[3].dim: expected an integer from 0 to 3, found 4"},
      {[](Json &m) { m["kernels"][0]["params"][6]["value"] = 1e300; },
       "kernels[0].params[6].value: expected a number that fits 32-bit"},
      {[](Json &m) { m["kernels"][0]["params"][0]["kind"] = "u8"; },
       "kernels[0].params[0].kind: unknown value 'u8'"},
  };
  for (const Case &entry : cases) {
    Json manifest = forwardManifest();
    entry.change(manifest);
    SCOPED_TRACE(entry.message);
    expectInvalid(writePackage(manifest, "", ptxOf("forward")), entry.message);
  }
}

TEST(PackageTest, ManifestThatIsNoJson) {
  const std::string ptx = ptxOf("forward") + '\0';
  for (const char *text : {"", "{", "[]", "null", "{\"format\":}", "\xff\xfe"})
    EXPECT_EQ(load(writePackage(
                  {{FA3_SECTION_MANIFEST, text}, {FA3_SECTION_PTX, ptx}})),
              FA3_ERROR_INVALID_PACKAGE)
        << text;
  const std::string deep(1000000, '[');
  EXPECT_EQ(load(writePackage(
                {{FA3_SECTION_MANIFEST, deep}, {FA3_SECTION_PTX, ptx}})),
            FA3_ERROR_INVALID_PACKAGE);
}

TEST(PackageTest, ExpressionsNestToALimit) {
  const auto nested = [](int depth) {
    nlohmann::json expression = 1;
    for (int i = 0; i < depth; ++i)
      expression = {{"op", "add"}, {"args", {1, expression}}};
    nlohmann::json manifest = forwardManifest();
    manifest["workspace"] = expression;
    manifest.erase("workspace_tensors");
    manifest["kernels"][0]["params"].erase(8);
    return writePackage(manifest, "", ptxOf("forward"));
  };
  const std::string deepest = nested(FA3_MAX_EXPRESSION_DEPTH);
  const Package package = Package::fromMemory(deepest.data(), deepest.size());
  EXPECT_EQ(package.workspaceSize(forwardProblem({1, 1, 1, 1, 1})),
            FA3_MAX_EXPRESSION_DEPTH + 1u);
  expectInvalid(nested(FA3_MAX_EXPRESSION_DEPTH + 1), "nested 32 deep at most");
}

TEST(PackageTest, ParametersAreLimited) {
  nlohmann::json manifest = forwardManifest();
  nlohmann::json &parameters = manifest["kernels"][0]["params"];
  while (parameters.size() < 40)
    parameters.push_back(parameters[1]);
  expectInvalid(writePackage(manifest, "", ptxOf("forward")),
                "the parameters exceed 4096 bytes");
}

/// Mutates manifests at random below right checksums: whatever loads must also
/// answer questions, and nothing may crash.
TEST(PackageTest, MutatedManifestsNeverCrash) {
  const std::string original = forwardManifest().dump();
  const std::string ptx = ptxOf("forward") + '\0';
  const std::vector<std::string> words = {"-1",
                                          "0",
                                          "9223372036854775807",
                                          "1e999",
                                          "null",
                                          "[]",
                                          "{}",
                                          "\"\"",
                                          "\"batch\"",
                                          "true",
                                          "\"ceildiv\"",
                                          "128000",
                                          "{\"op\":\"div\",\"args\":[1,0]}",
                                          "-9223372036854775808"};
  // The same mutations every time. NOLINTNEXTLINE(bugprone-random-*)
  std::mt19937_64 random(42);
  int loaded = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = original;
    for (uint64_t edits = random() % 3 + 1; edits > 0; --edits) {
      const size_t position = random() % text.size();
      switch (random() % 4) {
      case 0:
        text[position] = static_cast<char>(random());
        break;
      case 1:
        text.erase(position, random() % 16);
        break;
      case 2:
        text.insert(position, words[random() % words.size()]);
        break;
      default: {
        // Replaces a whole value, which keeps the JSON well-formed.
        const size_t colon = text.find(':', position);
        const size_t end = colon == std::string::npos
                               ? colon
                               : text.find_first_of(",]}", colon);
        if (end != std::string::npos)
          text.replace(colon + 1, end - colon - 1,
                       words[random() % words.size()]);
      }
      }
    }
    const std::string bytes =
        writePackage({{FA3_SECTION_MANIFEST, text}, {FA3_SECTION_PTX, ptx}});
    fa3_package *package = nullptr;
    if (fa3_package_load_memory(bytes.data(), bytes.size(), &package,
                                nullptr) != FA3_SUCCESS)
      continue;
    ++loaded;
    const std::vector<fa3_tensor> problem = forwardProblem({2, 3, 4, 5, 2});
    size_t size = 0;
    fa3_error error;
    (void)fa3_workspace_size(package, problem.data(), 5, &size, &error);
    fa3_package_destroy(package);
  }
  EXPECT_GT(loaded, 100);
}

/// Mutates whole files at random, with the header's checksum made right again.
TEST(PackageTest, MutatedFilesNeverCrash) {
  const std::string original = forwardPackage();
  // The same mutations every time. NOLINTNEXTLINE(bugprone-random-*)
  std::mt19937_64 random(43);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = original;
    for (uint64_t edits = random() % 4 + 1; edits > 0; --edits)
      bytes[random() % 160] = static_cast<char>(random());
    fa3_file_header header;
    std::memcpy(&header, bytes.data(), sizeof(header));
    if (header.section_count <= FA3_MAX_SECTIONS && random() % 2)
      fixHeader(bytes);
    (void)load(bytes);
  }
}

TEST(PackageTest, ReplacingPtx) {
  const std::string bytes = forwardPackage();
  Package package = Package::fromMemory(bytes.data(), bytes.size());
  EXPECT_FAILURE(FA3_ERROR_INVALID_ARGUMENT, "contains a NUL",
                 package.replacePtx(std::string("a\0b", 3)));
  EXPECT_FAILURE(FA3_ERROR_INVALID_ARGUMENT, "may not be empty",
                 package.replacePtx(""));
  package.replacePtx(ptxOf("forward"));
}
