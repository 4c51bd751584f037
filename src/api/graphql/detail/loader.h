#pragma once

// The resources that one query reads and finds: each once, parsed, counted against the limits, kept until the answer is
// written. Private to api/graphql.

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/graphql/graphql.h"
#include "base/json/document.h"

namespace mydr24::graphql {

struct Hits {
  Page page;
  std::vector<json::Document> resources;  // one for each match
};

class Loader {
 public:
  Loader(Data& data, const Limits& limits) : data_(data), limits_(limits) {}

  // Missing when there is no such resource.
  Result<json::Value> read(std::string_view type, std::string_view id);
  Result<const Hits*> search(std::string_view type, std::span<const SearchParameter> parameters);

 private:
  Result<json::Document> take(std::string text);

  Data& data_;
  const Limits& limits_;
  std::size_t resources_ = 0, bytes_ = 0;
  std::map<std::string, std::unique_ptr<json::Document>> read_;  // by "Type/id"
  std::deque<Hits> found_;
};

}  // namespace mydr24::graphql
