//===- options.cpp - Command line of fa3-run ------------------------------===//

#include "options.h"

#include "key_order.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace fa3::run {

const char *const usage =
    R"(Usage: fa3-run PACKAGE --batch B --heads H --seqlen-q SQ [options]

Launches a kernel package on generated data.

Problem
  --batch B             sequences
  --heads H             query heads
  --kv-heads HK         key and value heads (default: H)
  --seqlen-q SQ         queries in a sequence
  --seqlen-k SK         keys in a sequence (default: SQ)
                        Of a quantization, H are the heads, HK the groups and SK
                        the rows.
  --size NAME=N         any other symbol of the package (keys_padded, of
                        transposed values: by default SK up to a multiple of 16)
  --layout=L            bshd (default), bhsd, packed or sliced strides
  --stride-zero NAME    let all rows of this input be the same one in memory
  --distribution=D      normal (default), equal, outlier, huge or sink values
  --descale-range A,B   q_descale, k_descale, v_descale and do_descale from A to
                        B, random for each sequence and key head, or for each
                        row where they are of rows (default: 1)
  --seed N              of the generated data (default: 0)
  --forward PKG         backward: a package of the forward pass that makes the
                        inputs o and lse; without, they come from the reference,
                        which takes too long for more than some thousand tokens

Run
  --driver=D            cuda, emulator or the path of a driver library
                        (default: cuda if it sees a GPU, else emulator)
  --device N            ordinal of the device (default: 0)
  --check               compare the results with an fp64 reference
  --pad                 surround tensors with NaN, and verify that neither it
                        nor any input was written
  --repeat N            run N times and require the same bits each time
  --beside              keep the device busy with launches of the same package
                        on another stream and into other memory
  --graph               launch through a captured graph
  --iters N             time N launches
  --ptx FILE            run this PTX in place of the package's own code
  --trace FILE          emulator: write what every role does
  --emulator-seed N     emulator: choose another order of asynchronous events
  --json FILE           write the results as JSON
  --dump DIR            write the outputs to DIR/NAME.bin: their elements alone,
                        in the order of their indices

Exit status
  0  ran and, with --check, the results are right
  1  wrong results, or the driver reported an error
  2  bad usage, package or machine
  3  the package does not compute this problem
)";

/// Bounds every count of the command line; far above anything that runs.
static constexpr int64_t largestCount = int64_t{1} << 40;

template <typename Integer>
static Integer parseInteger(std::string_view name, std::string_view text,
                            Integer least, Integer most) {
  Integer value{};
  const auto [end, failure] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() ||
      value < least || value > most)
    throw UsageError(std::string(name) + ": expected an integer from " +
                     std::to_string(least) + " to " + std::to_string(most) +
                     ", found '" + std::string(text) + "'");
  return value;
}

template <typename Value, size_t count>
static Value
parseWord(std::string_view name, std::string_view text,
          const std::pair<std::string_view, Value> (&words)[count]) {
  std::string expected;
  for (const auto &[word, value] : words) {
    if (text == word)
      return value;
    expected += (expected.empty() ? "" : ", ") + std::string(word);
  }
  throw UsageError(std::string(name) + ": expected one of " + expected +
                   ", found '" + std::string(text) + "'");
}

/// A number that a float can be; NaN if the text is none.
static double parseNumber(std::string_view text) {
  double value = 0;
  const auto [end, failure] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size() &&
                 value <= std::numeric_limits<float>::max()
             ? value
             : std::numeric_limits<double>::quiet_NaN();
}

/// Two positive numbers, "A,B", the first at most the second.
static std::pair<double, double> parseRange(std::string_view name,
                                            std::string_view text) {
  const size_t comma = std::min(text.find(','), text.size());
  const double least = parseNumber(text.substr(0, comma));
  const double most =
      parseNumber(text.substr(std::min(comma + 1, text.size())));
  if (!(least > 0 && least <= most))
    throw UsageError(std::string(name) +
                     ": expected two positive numbers, the first at most the "
                     "second, as in 0.01,2, found '" +
                     std::string(text) + "'");
  return {least, most};
}

namespace {

/// The options, each with what it does with its value.
class Parser {
public:
  Options parse(int count, char **arguments);

private:
  using Text = std::string_view;
  struct Flag {
    Text name;
    bool Options::*member;
  };
  struct Setting {
    Text name;
    std::function<void(Text name, Text value)> apply;
  };

  std::function<void(Text, Text)> size(const std::string &symbol) {
    return [this, symbol](Text name, Text value) {
      options.symbols[symbol] =
          parseInteger<int64_t>(name, value, 0, largestCount);
    };
  }
  std::function<void(Text, Text)>
  text(std::optional<std::string> Options::*member) {
    return [this, member](Text, Text value) {
      options.*member = std::string(value);
    };
  }
  void setSize(Text name, Text value);

  Options options;
};

} // namespace

void Parser::setSize(Text name, Text value) {
  const size_t equals = value.find('=');
  if (equals == 0 || equals == Text::npos)
    throw UsageError(std::string(name) + ": expected NAME=N, found '" +
                     std::string(value) + "'");
  size(std::string(value.substr(0, equals)))(name, value.substr(equals + 1));
}

Options Parser::parse(int count, char **arguments) {
  static constexpr std::pair<Text, Layout> layouts[] = {
      {"bshd", Layout::Bshd},
      {"bhsd", Layout::Bhsd},
      {"packed", Layout::Packed},
      {"sliced", Layout::Sliced},
  };
  static constexpr std::pair<Text, Distribution> distributions[] = {
      {"normal", Distribution::Normal},   {"equal", Distribution::Equal},
      {"outlier", Distribution::Outlier}, {"huge", Distribution::Huge},
      {"sink", Distribution::Sink},
  };
  static constexpr Flag flags[] = {
      {"--check", &Options::check}, {"--pad", &Options::pad},
      {"--graph", &Options::graph}, {"--beside", &Options::beside},
      {"--help", &Options::help},   {"-h", &Options::help},
  };
  const std::vector<Setting> settings = {
      {"--batch", size("batch")},
      {"--heads", size("heads_q")},
      {"--kv-heads", size("heads_kv")},
      {"--seqlen-q", size("seqlen_q")},
      {"--seqlen-k", size("seqlen_k")},
      {"--size", [this](Text name, Text value) { setSize(name, value); }},
      {"--layout",
       [this](Text name, Text value) {
         options.layout = parseWord(name, value, layouts);
       }},
      {"--distribution",
       [this](Text name, Text value) {
         options.distribution = parseWord(name, value, distributions);
       }},
      {"--descale-range",
       [this](Text name, Text value) {
         options.descales = parseRange(name, value);
       }},
      {"--stride-zero", text(&Options::strideZero)},
      {"--forward", text(&Options::forward)},
      {"--seed",
       [this](Text name, Text value) {
         options.seed = parseInteger<uint64_t>(
             name, value, 0, std::numeric_limits<uint64_t>::max());
       }},
      {"--driver", text(&Options::driver)},
      {"--device",
       [this](Text name, Text value) {
         options.device = parseInteger(name, value, 0, 1023);
       }},
      {"--iters",
       [this](Text name, Text value) {
         options.iterations = parseInteger<int64_t>(name, value, 0, 1000000);
       }},
      {"--repeat",
       [this](Text name, Text value) {
         options.repeat = parseInteger<int64_t>(name, value, 1, 1000000);
       }},
      {"--ptx", text(&Options::ptx)},
      {"--trace", text(&Options::trace)},
      {"--emulator-seed",
       [this](Text name, Text value) {
         parseInteger<uint64_t>(name, value, 0,
                                std::numeric_limits<uint64_t>::max());
         options.emulatorSeed = std::string(value);
       }},
      {"--json", text(&Options::json)},
      {"--dump", text(&Options::dump)},
  };

  for (int i = 1; i < count; ++i) {
    const Text argument = arguments[i];
    if (!argument.starts_with('-')) {
      if (!options.package.empty())
        throw UsageError("a second package: '" + std::string(argument) + "'");
      options.package = argument;
      continue;
    }
    const size_t equals = argument.find('=');
    const Text name = argument.substr(0, equals);
    bool known = false;
    for (const Flag &flag : flags)
      if (name == flag.name) {
        if (equals != Text::npos)
          throw UsageError(std::string(name) + " takes no value");
        options.*flag.member = known = true;
      }
    for (const Setting &setting : settings)
      if (name == setting.name) {
        if (equals == Text::npos && i + 1 == count)
          throw UsageError(std::string(name) + ": the value is missing");
        setting.apply(name, equals == Text::npos ? Text(arguments[++i])
                                                 : argument.substr(equals + 1));
        known = true;
      }
    if (!known)
      throw UsageError("unknown option '" + std::string(name) + "'");
  }
  if (options.package.empty() && !options.help)
    throw UsageError("the package is missing");
  const auto inherit = [this](const char *symbol, const char *from) {
    if (auto found = options.symbols.find(from); found != options.symbols.end())
      options.symbols.try_emplace(symbol, found->second);
  };
  inherit("heads_kv", "heads_q");
  inherit("seqlen_k", "seqlen_q");
  // Of a quantization.
  inherit("heads", "heads_q");
  inherit("groups", "heads_kv");
  inherit("seqlen", "seqlen_k");
  if (auto keys = options.symbols.find("seqlen_k");
      keys != options.symbols.end())
    options.symbols.try_emplace("keys_padded", paddedKeys(keys->second));
  return std::move(options);
}

Options parseOptions(int count, char **arguments) {
  return Parser().parse(count, arguments);
}

} // namespace fa3::run
