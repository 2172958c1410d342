//===- bench_options.h - Command line of fa3-bench ------------------------===//

#ifndef FA3_TOOLS_FA3_BENCH_BENCH_OPTIONS_H
#define FA3_TOOLS_FA3_BENCH_BENCH_OPTIONS_H

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace fa3::bench {

/// A command line that cannot be followed.
class UsageError : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

struct Options {
  std::vector<std::string> packages;
  std::vector<int64_t> seqlens = {512, 1024, 2048, 4096, 8192, 16384};
  int64_t tokens = 16384;         ///< batch = tokens / seqlen
  int64_t hidden = 2048;          ///< heads = hidden / head dim
  std::optional<int64_t> batch;   ///< instead of tokens
  std::optional<int64_t> heads;   ///< instead of hidden
  std::optional<int64_t> kvHeads; ///< default: heads
  int64_t rounds = 5;             ///< packages take turns
  double milliseconds = 60;       ///< of calls in a round
  std::optional<std::string> driver;
  std::optional<std::string> json;
  std::optional<std::string> csv;
  bool help = false;
};

/// Throws UsageError.
Options parseOptions(int count, char **arguments);

extern const char *const usage;

} // namespace fa3::bench

#endif // FA3_TOOLS_FA3_BENCH_BENCH_OPTIONS_H
