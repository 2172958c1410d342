//===- fa3-run.cpp - Launches a kernel package on generated data ----------===//

#include "clock.h"
#include "emulator.h"
#include "forward_results.h"
#include "options.h"
#include "problem.h"
#include "reference.h"
#include "session.h"
#include "tensor.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <vector>

using namespace fa3;
using namespace fa3::run;

namespace {

enum ExitStatus {
  Right = 0,
  Wrong = 1,
  BadUsage = 2,
  Refused = 3,
};

/// One invocation, and the report that it writes.
class Run {
public:
  explicit Run(const Options &options) : options(options) {}

  ExitStatus execute();

private:
  void describeProblem(const Package &package);
  ExitStatus launch(const Package &package);
  bool check(const Operation &operation);
  void time(Session &session, const Operation *operation);
  void dump() const;
  ExitStatus finish(ExitStatus status, const std::string &word);
  ExitStatus fail(ExitStatus status, const std::string &word,
                  const std::string &message);

  const Options &options;
  nlohmann::json report = {
      {"status", nullptr},    {"driver", nullptr},
      {"device", nullptr},    {"code", nullptr},
      {"problem", nullptr},   {"errors", nlohmann::json::object()},
      {"median_ms", nullptr}, {"diagnostics", nlohmann::json::array()},
      {"tflops", nullptr},    {"clock_mhz", nullptr},
      {"compiler", nullptr},  {"checksums", nlohmann::json::object()},
  };
  nlohmann::json operation;
  // The tensors' memory is freed through the driver, also after an error.
  std::optional<NamedDriver> named;
  std::vector<Tensor> tensors;
  EmulatorDiagnostics emulatorDiagnostics;
};

} // namespace

static std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file)
    throw UsageError("cannot read '" + path + "'");
  return text;
}

static void requireInput(const std::vector<Tensor> &tensors,
                         const std::string &option, const std::string &name) {
  const auto found = std::ranges::find(tensors, name, &Tensor::name);
  if (found == tensors.end() || found->role() != FA3_ROLE_INPUT)
    throw UsageError(option + ": the package has no input '" + name + "'");
}

void Run::describeProblem(const Package &package) {
  const nlohmann::json manifest = nlohmann::json::parse(package.manifest());
  report["compiler"] = manifest.value("compiler", nlohmann::json());
  operation = manifest.value("operation", nlohmann::json::object());
  const std::vector<int64_t> values = symbolValues(package, options);
  nlohmann::json problem = {{"package", package.name()},
                            {"operation", operation},
                            {"seed", options.seed}};
  const std::vector<std::string> symbols = package.symbols();
  for (size_t i = 0; i < symbols.size(); ++i)
    problem[symbols[i]] = values[i];
  report["problem"] = problem;
  tensors = makeTensors(package, options);
  if (options.strideZero)
    requireInput(tensors, "--stride-zero", *options.strideZero);
}

bool Run::check(const Operation &operationKind) {
  bool right = true;
  for (const TensorError &error :
       operationKind.check(operation, Tensors(tensors), options.seed)) {
    nlohmann::json &entry = report["errors"][error.tensor];
    entry = {
        {"max_abs", error.maxAbs},
        {"rms", error.rms},
        {"reference_max_abs", error.referenceMaxAbs},
        {"model_max_abs", error.modelMaxAbs},
        {"checked", error.checked},
        {"wrong", error.wrong},
    };
    if (error.hasOriginal) {
      entry["max_abs_original"] = error.maxAbsOriginal;
      entry["rms_original"] = error.rmsOriginal;
    }
    std::printf(
        "%-6s max error %.3g (in a kernel's precision: %.3g), rms %.3g, "
        "reference up to %.3g, %lld checked, %lld wrong\n",
        error.tensor.c_str(), error.maxAbs, error.modelMaxAbs, error.rms,
        error.referenceMaxAbs, static_cast<long long>(error.checked),
        static_cast<long long>(error.wrong));
    if (error.hasOriginal)
      std::printf(
          "       before rounding the inputs: max error %.3g, rms %.3g\n",
          error.maxAbsOriginal, error.rmsOriginal);
    if (error.wrong != 0) {
      right = false;
      report["diagnostics"].push_back(error.firstWrong);
    }
  }
  // Also where the reference did not look, poison means never written.
  for (const Tensor &tensor : tensors)
    if (tensor.isOutput())
      if (const int64_t count = tensor.countNans(); count != 0) {
        right = false;
        report["diagnostics"].push_back(tensor.name() + " has " +
                                        std::to_string(count) +
                                        " elements that are NaN");
      }
  return right;
}

void Run::dump() const {
  std::error_code failure;
  std::filesystem::create_directories(*options.dump, failure);
  for (const Tensor &tensor : tensors) {
    if (!tensor.isOutput())
      continue;
    const std::string path = *options.dump + "/" + tensor.name() + ".bin";
    std::ofstream file(path, std::ios::binary);
    for (int64_t row = 0; row < tensor.rows(); ++row) {
      const std::span<const std::byte> bytes = tensor.rowBytes(row);
      file.write(reinterpret_cast<const char *>(bytes.data()),
                 std::streamsize(bytes.size()));
    }
    if (!file.flush())
      throw UsageError("cannot write '" + path + "'");
  }
}

void Run::time(Session &session, const Operation *operationKind) {
  std::optional<int> clock;
  std::vector<float> times = session.time(options.iterations, [&] {
    if (report["driver"] == "cuda")
      clock = readClock(options.device);
  });
  std::ranges::sort(times);
  const size_t middle = times.size() / 2;
  const double median = times.size() % 2
                            ? times[middle]
                            : (times[middle - 1] + times[middle]) / 2.0;
  report["median_ms"] = median;
  if (clock)
    report["clock_mhz"] = *clock;
  std::printf("median %.4f ms over %zu launches", median, times.size());
  if (operationKind && operationKind->flops && median > 0) {
    const double tflops =
        operationKind->flops(operation, Tensors(tensors)) / median * 1e-9;
    report["tflops"] = tflops;
    std::printf(", %.1f TFLOP/s", tflops);
  }
  if (clock)
    std::printf(" at %d MHz", *clock);
  std::printf("\n");
}

ExitStatus Run::launch(const Package &package) {
  const Operation *operationKind =
      findOperation(operation.value("kind", std::string()));
  if (options.check && !operationKind)
    return fail(BadUsage, "error",
                "there is no reference for operation.kind '" +
                    operation.value("kind", std::string()) + "'");
  named = openDriver(options);
  const Driver &driver = named->driver;
  const fa3_device_info device = driver.device(options.device);
  report["driver"] = named->name;
  report["device"] = {{"name", device.name},
                      {"driver_path", driver.path()},
                      {"driver_version", driver.version()}};
  if (operationKind && operationKind->derivesInputs)
    makeForwardResults(driver, operation, tensors, options);
  else if (options.forward)
    return fail(BadUsage, "error",
                "--forward: the package takes no results of a forward pass");
  Session session(driver, package, tensors, options);
  report["code"] = session.code();
  std::printf("%s on %s (driver %s, %s)\n", package.name().c_str(), device.name,
              named->name.c_str(), session.code().c_str());

  bool right = true;
  std::vector<std::vector<std::byte>> first;
  for (int64_t i = 0; i < options.repeat; ++i) {
    session.run();
    if (options.repeat == 1)
      break;
    size_t output = 0;
    for (const Tensor &tensor : tensors) {
      if (!tensor.isOutput())
        continue;
      if (i == 0) {
        first.push_back(tensor.downloaded());
      } else if (tensor.downloaded() != first[output++]) {
        report["diagnostics"].push_back(tensor.name() + " of run " +
                                        std::to_string(i) +
                                        " differs from the first run's");
        right = false;
      }
    }
    if (!right)
      break;
  }
  for (const Tensor &tensor : tensors)
    if (tensor.isOutput())
      report["checksums"][tensor.name()] =
          fa3_crc32(0, tensor.downloaded().data(), tensor.downloaded().size());
  if (options.pad)
    for (const std::string &stray : session.findStrayWrites()) {
      report["diagnostics"].push_back(stray);
      right = false;
    }
  if (options.dump)
    dump();
  if (options.check)
    right = check(*operationKind) && right;
  if (options.iterations != 0)
    time(session, operationKind);
  return finish(right ? Right : Wrong, right ? "ok" : "wrong");
}

ExitStatus Run::finish(ExitStatus status, const std::string &word) {
  report["status"] = word;
  for (const nlohmann::json &diagnostic : report["diagnostics"])
    std::fprintf(stderr, "fa3-run: %s\n",
                 diagnostic.get_ref<const std::string &>().c_str());
  // The emulator has printed its own.
  for (std::string &text : emulatorDiagnostics.read())
    report["diagnostics"].push_back(std::move(text));
  std::printf("%s\n", word.c_str());
  if (options.json) {
    std::ofstream file(*options.json);
    // The message of a driver may be in any encoding.
    file << report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
         << "\n";
    if (!file.flush()) {
      std::fprintf(stderr, "fa3-run: cannot write '%s'\n",
                   options.json->c_str());
      return BadUsage;
    }
  }
  return status;
}

ExitStatus Run::fail(ExitStatus status, const std::string &word,
                     const std::string &message) {
  report["diagnostics"].push_back(message);
  return finish(status, word);
}

/// How a failed call of the runtime ends the run.
static std::pair<ExitStatus, const char *> classify(fa3_status status) {
  switch (status) {
  case FA3_ERROR_DRIVER:
    return {Wrong, "diagnosis"};
  case FA3_ERROR_UNSUPPORTED:
    return {Refused, "refused"};
  default:
    return {BadUsage, "error"};
  }
}

ExitStatus Run::execute() {
  try {
    Package package = Package::fromFile(options.package);
    if (options.ptx)
      package.replacePtx(readFile(*options.ptx));
    describeProblem(package);
    std::vector<fa3_tensor> problem;
    for (const Tensor &tensor : tensors)
      problem.push_back(tensor.descriptor());
    if (const auto reason = package.whyUnsupported(problem))
      return fail(Refused, "refused", *reason);
    return launch(package);
  } catch (const Error &error) {
    const auto [status, word] = classify(error.status());
    return fail(status, word, error.what());
  } catch (const std::exception &exception) {
    return fail(BadUsage, "error", exception.what());
  }
}

static ExitStatus invoke(int argc, char **argv) {
  Options options;
  try {
    options = parseOptions(argc, argv);
  } catch (const UsageError &error) {
    std::fprintf(stderr, "fa3-run: %s\nTry fa3-run --help.\n", error.what());
    return BadUsage;
  }
  if (options.help) {
    std::fputs(usage, stdout);
    return Right;
  }
  return Run(options).execute();
}

int main(int argc, char **argv) {
  try {
    return invoke(argc, argv);
  } catch (const std::exception &exception) {
    std::fprintf(stderr, "fa3-run: %s\n", exception.what());
    return BadUsage;
  }
}
