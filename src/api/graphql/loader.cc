#include "api/graphql/detail/loader.h"

#include <fmt/format.h>

#include <utility>

namespace mydr24::graphql {

Result<json::Document> Loader::take(std::string text) {
  bytes_ += text.size();
  if (++resources_ > limits_.resources_max || bytes_ > limits_.resource_bytes_max) {
    return fail(Code::too_large, fmt::format("the query reads more than {} resources or {} bytes: ask for less",
                                             limits_.resources_max, limits_.resource_bytes_max));
  }
  auto document = json::Document::parse(std::move(text));
  if (!document) return fail(Code::internal, "a resource cannot be parsed: " + document.error().text);
  return document;
}

Result<json::Value> Loader::read(std::string_view type, std::string_view id) {
  const auto [known, is_new] = read_.try_emplace(fmt::format("{}/{}", type, id));
  if (is_new) {
    // One that is not there counts as well: asking for it is work.
    MYDR24_ASSIGN(auto text, data_.read(type, id));
    MYDR24_ASSIGN(auto document, take(text ? std::move(*text) : "null"));
    if (document.root().is_object()) known->second = std::make_unique<json::Document>(std::move(document));
  }
  return known->second ? known->second->root() : json::Value();
}

Result<const Hits*> Loader::search(std::string_view type, std::span<const SearchParameter> parameters) {
  MYDR24_ASSIGN(Page page, data_.search(type, parameters));
  Hits& hits = found_.emplace_back(std::move(page));
  ++resources_;
  for (Match& match : hits.page.matches) {
    MYDR24_ASSIGN(auto document, take(std::move(match.resource)));
    hits.resources.push_back(std::move(document));
  }
  return &hits;
}

}  // namespace mydr24::graphql
