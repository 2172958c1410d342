//===- options.cpp - Command line of fa3-bench ----------------------------===//

#include "bench_options.h"

#include <charconv>
#include <string_view>

using namespace fa3::bench;

const char *const fa3::bench::usage =
    R"(usage: fa3-bench PACKAGE... [options]

Times kernel packages on a GPU. Packages that compute the same problem take
turns, so that all of them see the same clock.

  --seqlens A,B,...  sequence lengths (512,1024,2048,4096,8192,16384)
  --tokens N         batch = N / seqlen (16384)
  --hidden N         heads = N / head dim (2048)
  --batch N          instead of --tokens
  --heads N          instead of --hidden
  --kv-heads N       heads of keys and values (as many as --heads)
  --rounds N         rounds of measurements (5)
  --ms N             length of one measurement (60)
  --driver D         cuda, emulator or a path (cuda)
  --json FILE        writes every round's time
  --csv FILE         writes the table
)";

namespace {

int64_t parseInteger(std::string_view option, std::string_view text) {
  int64_t value = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1)
    throw UsageError(std::string(option) + " takes a positive integer, not '" +
                     std::string(text) + "'");
  return value;
}

std::vector<int64_t> parseIntegers(std::string_view option,
                                   std::string_view text) {
  std::vector<int64_t> values;
  for (;;) {
    const size_t comma = text.find(',');
    values.push_back(parseInteger(option, text.substr(0, comma)));
    if (comma == std::string_view::npos)
      return values;
    text.remove_prefix(comma + 1);
  }
}

} // namespace

Options fa3::bench::parseOptions(int count, char **arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    std::string_view option = arguments[i];
    if (option == "--help" || option == "-h") {
      options.help = true;
      return options;
    }
    if (option.substr(0, 2) != "--") {
      options.packages.emplace_back(option);
      continue;
    }
    // Both --name VALUE and --name=VALUE.
    std::string_view value;
    const size_t equals = option.find('=');
    if (equals != std::string_view::npos) {
      value = option.substr(equals + 1);
      option = option.substr(0, equals);
    } else if (++i < count) {
      value = arguments[i];
    } else {
      throw UsageError(std::string(option) + " takes a value");
    }
    if (option == "--seqlens")
      options.seqlens = parseIntegers(option, value);
    else if (option == "--tokens")
      options.tokens = parseInteger(option, value);
    else if (option == "--hidden")
      options.hidden = parseInteger(option, value);
    else if (option == "--batch")
      options.batch = parseInteger(option, value);
    else if (option == "--heads")
      options.heads = parseInteger(option, value);
    else if (option == "--kv-heads")
      options.kvHeads = parseInteger(option, value);
    else if (option == "--rounds")
      options.rounds = parseInteger(option, value);
    else if (option == "--ms")
      options.milliseconds = static_cast<double>(parseInteger(option, value));
    else if (option == "--driver")
      options.driver = value == "cuda" ? "libcuda.so.1" : std::string(value);
    else if (option == "--json")
      options.json = value;
    else if (option == "--csv")
      options.csv = value;
    else
      throw UsageError("unknown option '" + std::string(option) + "'");
  }
  if (options.packages.empty())
    throw UsageError("no package given");
  return options;
}
