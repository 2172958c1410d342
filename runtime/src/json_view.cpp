//===- json_view.cpp - JSON values that know where they are ---------------===//

#include "json_view.h"

#include "invalid_package.h"

#include <nlohmann/json.hpp>

#include <limits>

namespace fa3 {

void JsonView::fail(const std::string &reason) const {
  throw InvalidPackage("manifest: " + (path.empty() ? "" : path + ": ") +
                       reason);
}

std::optional<JsonView> JsonView::find(const char *key) const {
  if (!value->is_object())
    fail(std::string("expected an object, found ") + value->type_name());
  auto member = value->find(key);
  if (member == value->end())
    return std::nullopt;
  return JsonView(*member, path.empty() ? key : path + "." + key);
}

JsonView JsonView::at(const char *key) const {
  std::optional<JsonView> member = find(key);
  if (!member)
    fail(std::string("'") + key + "' is missing");
  return *std::move(member);
}

std::vector<JsonView> JsonView::elements(size_t least, size_t most) const {
  if (!value->is_array())
    fail(std::string("expected an array, found ") + value->type_name());
  if (value->size() < least || value->size() > most)
    fail("expected " + std::to_string(least) +
         (least == most ? "" : " to " + std::to_string(most)) +
         " elements, found " + std::to_string(value->size()));
  std::vector<JsonView> result;
  result.reserve(value->size());
  for (size_t i = 0; i < value->size(); ++i)
    result.emplace_back((*value)[i], path + "[" + std::to_string(i) + "]");
  return result;
}

bool JsonView::isString() const { return value->is_string(); }
bool JsonView::isObject() const { return value->is_object(); }

std::string JsonView::string() const {
  if (!value->is_string())
    fail(std::string("expected a string, found ") + value->type_name());
  const auto &text = value->get_ref<const std::string &>();
  if (text.empty() || text.find('\0') != std::string::npos)
    fail("expected a string that is not empty and has no NUL");
  return text;
}

int64_t JsonView::integer(int64_t least, int64_t most) const {
  if (!value->is_number_integer())
    fail(std::string("expected an integer, found ") + value->type_name());
  // What exceeds int64_t is stored as unsigned and would wrap around.
  const bool huge =
      value->is_number_unsigned() &&
      value->get<uint64_t>() >
          static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  const int64_t number = huge ? 0 : value->get<int64_t>();
  if (huge || number < least || number > most)
    fail("expected an integer from " + std::to_string(least) + " to " +
         std::to_string(most) + ", found " + value->dump());
  return number;
}

std::string JsonView::text() const {
  return value->is_string() ? value->get<std::string>() : value->dump();
}

double JsonView::number() const {
  if (!value->is_number())
    fail(std::string("expected a number, found ") + value->type_name());
  return value->get<double>();
}

} // namespace fa3
