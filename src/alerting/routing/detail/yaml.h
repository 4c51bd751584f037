#pragma once

// A YAML element that knows where it stands, so that an error can say it. Private to alerting/routing.

#include <yaml-cpp/yaml.h>

#include <string>
#include <string_view>
#include <vector>

#include "alerting/routing/time_interval.h"
#include "base/core/result.h"

namespace mydr24::routing::detail {

class Element {
 public:
  Element(YAML::Node node, std::string path, int line) : node_(std::move(node)), path_(std::move(path)), line_(line) {}
  static Element root(const YAML::Node& node) { return {node, "", 0}; }

  bool exists() const { return node_.IsDefined() && !node_.IsNull(); }
  const std::string& path() const { return path_; }
  const YAML::Node& node() const { return node_; }

  // "line 12: route.receiver"
  std::string where() const;
  Error bad(std::string_view text) const { return fail(Code::invalid, std::string(text), where()); }

  // A mapping without names beyond these.
  Result<> only(std::initializer_list<std::string_view> names) const;
  // The member; does not exist() when it is not there.
  Element operator[](std::string_view name) const;
  // Items of a list; nothing when it does not exist. An error when it is no list.
  Result<std::vector<Element>> items() const;
  Result<std::vector<std::pair<std::string, Element>>> members() const;

  Result<std::string> text() const;
  // What is not there leaves the value as it is.
  Result<> read(std::string& value) const;
  Result<> read(bool& value) const;
  Result<> read(std::size_t& value) const;
  Result<> read(std::chrono::milliseconds& value) const;
  Result<> read(std::vector<std::string>& value) const;

 private:
  YAML::Node node_;
  std::string path_;
  int line_;  // of the nearest element above that has one
};

// Block style, keys in order; scalars quoted where YAML could take them for something else.
std::string to_text(const YAML::Node& node);

}  // namespace mydr24::routing::detail
