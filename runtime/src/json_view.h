//===- json_view.h - JSON values that know where they are -----------------===//

#ifndef FA3_RUNTIME_SRC_JSON_VIEW_H
#define FA3_RUNTIME_SRC_JSON_VIEW_H

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fa3 {

/// A value of a manifest together with its path in it. Every accessor throws
/// InvalidPackage, naming the path, when the value is not what it should be.
class JsonView {
public:
  JsonView(const nlohmann::json &value, std::string path)
      : value(&value), path(std::move(path)) {}

  /// The member `key` of an object.
  JsonView at(const char *key) const;
  std::optional<JsonView> find(const char *key) const;

  /// The elements of an array of `least` to `most` elements.
  std::vector<JsonView> elements(size_t least, size_t most) const;

  bool isString() const;
  bool isObject() const;

  /// A string that is not empty and has no NUL.
  std::string string() const;
  int64_t integer(int64_t least, int64_t most) const;
  double number() const;

  /// The value as JSON; a string without its quotes.
  std::string text() const;

  [[noreturn]] void fail(const std::string &reason) const;

private:
  const nlohmann::json *value;
  std::string path;
};

} // namespace fa3

#endif // FA3_RUNTIME_SRC_JSON_VIEW_H
