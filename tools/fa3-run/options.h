//===- options.h - Command line of fa3-run --------------------------------===//

#ifndef FA3_TOOLS_FA3_RUN_OPTIONS_H
#define FA3_TOOLS_FA3_RUN_OPTIONS_H

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace fa3::run {

/// A command line that cannot be followed.
class UsageError : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Where the elements of a (batch, seqlen, heads, head dim) tensor lie.
enum class Layout {
  Bshd,   ///< contiguous
  Bhsd,   ///< all rows of a head together
  Packed, ///< inputs: as if q, k and v shared each token's memory
  Sliced, ///< a slice of a wider tensor; odd strides where the size is 1
};

enum class Distribution {
  Normal,  ///< N(0, 1)
  Equal,   ///< all keys equal, so that all scores of a row are
  Outlier, ///< N(0, 1), and one element in 1024 plus N(0, 100)
  Huge,    ///< queries and keys times 100: scores of 1e4
  Sink,    ///< all queries attend to the first key most, by about 2^12
};

struct Options {
  std::string package;
  std::optional<std::string> driver; ///< none: a GPU if there is one
  int device = 0;
  std::map<std::string, int64_t> symbols; ///< sizes of the problem
  uint64_t seed = 0;
  bool check = false;
  bool pad = false;
  bool graph = false;
  bool beside = false;    ///< launch on another stream at the same time
  int64_t iterations = 0; ///< timed launches
  int64_t repeat = 1;     ///< checked launches
  Layout layout = Layout::Bshd;
  Distribution distribution = Distribution::Normal;
  std::pair<double, double> descales = {1, 1}; ///< the least and the largest
  std::optional<std::string> strideZero; ///< the tensor whose rows are one
  std::optional<std::string> forward;    ///< package that makes o and lse
  std::optional<std::string> json;
  std::optional<std::string> dump;
  std::optional<std::string> ptx;
  std::optional<std::string> trace;
  std::optional<std::string> emulatorSeed;
  bool help = false;
};

/// Throws UsageError.
Options parseOptions(int count, char **arguments);

extern const char *const usage;

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_OPTIONS_H
