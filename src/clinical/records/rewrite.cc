#include "clinical/records/rewrite.h"

#include <fmt/format.h>

#include "base/json/writer.h"
#include "base/net/uri.h"
#include "fhir/model/definitions.h"

namespace mydr24::records {
namespace {

class Rewriter {
 public:
  Rewriter(const ReferenceTargets& targets, const FindReference& find) : targets_(targets), find_(find) {}

  Result<> append(std::string& out, json::Value value) {
    switch (value.kind()) {
      case json::Kind::object:
        return append_members(out, value);
      case json::Kind::array:
        return append_items(out, value);
      case json::Kind::string:
        return append_string(out, value);
      default:
        out += value.raw();
        return {};
    }
  }

 private:
  Result<> append_members(std::string& out, json::Value object) {
    out += '{';
    bool first = true;
    for (const auto member : object) {
      if (!first) out += ',';
      first = false;
      json::append_quoted(out, member.key());
      out += ':';
      MYDR24_TRY(append(out, member));
    }
    out += '}';
    return {};
  }

  Result<> append_items(std::string& out, json::Value array) {
    out += '[';
    bool first = true;
    for (const auto item : array) {
      if (!first) out += ',';
      first = false;
      MYDR24_TRY(append(out, item));
    }
    out += ']';
    return {};
  }

  Result<> append_string(std::string& out, json::Value value) {
    const auto text = value.text();
    if (value.key() == "reference" && text.find('?') != text.npos && text.find(':') > text.find('?')) {
      MYDR24_ASSIGN(const auto found, find_(text));
      json::append_quoted(out, found);
      return {};
    }
    if (targets_.empty()) {
      out += value.raw();
      return {};
    }
    if (value.key() == "div") {
      append_narrative(out, value);
      return {};
    }
    const auto fragment = text.find('#');
    const auto target = targets_.find(text.substr(0, fragment));
    if (target == targets_.end()) {
      out += value.raw();
      return {};
    }
    json::append_quoted(out, target->second + std::string(fragment == text.npos ? "" : text.substr(fragment)));
    return {};
  }

  // href and src of the narrative that are exactly a fullUrl.
  void append_narrative(std::string& out, json::Value div) {
    const auto text = div.text();
    std::string changed;
    std::size_t kept = 0;
    for (auto quote = text.find('"'); quote != text.npos;) {
      const auto end = text.find('"', quote + 1);
      if (end == text.npos) break;
      const auto target = targets_.find(text.substr(quote + 1, end - quote - 1));
      if (target != targets_.end()) {
        changed += text.substr(kept, quote + 1 - kept);
        changed += target->second;
        kept = end;
      }
      quote = text.find('"', end + 1);
    }
    if (kept == 0) {
      out += div.raw();
      return;
    }
    changed += text.substr(kept);
    json::append_quoted(out, changed);
  }

  const ReferenceTargets& targets_;
  const FindReference& find_;
};

}  // namespace

Result<std::string> rewrite_references(json::Value resource, const ReferenceTargets& targets,
                                       const FindReference& find) {
  std::string out;
  out.reserve(resource.raw().size());
  MYDR24_TRY(Rewriter(targets, find).append(out, resource));
  return out;
}

Result<search::Query> parse_criteria(std::string_view criteria, const search::CataloguePtr& catalogue) {
  const auto question = criteria.find('?');
  const auto type = criteria.substr(0, question);
  if (model::find_resource(type) == nullptr) {
    return fail(Code::invalid, fmt::format("\"{}\" does not begin with a resource type", criteria));
  }
  const auto parameters = net::parse_query(question == criteria.npos ? "" : criteria.substr(question + 1));
  if (!parameters || parameters->empty()) {
    return fail(Code::invalid, fmt::format("\"{}\" has no search parameters after the '?'", criteria));
  }
  search::ParseOptions options;
  options.catalogue = catalogue;
  auto query = search::parse_query(type, *parameters, options);
  if (!query)
    return fail(Code::invalid, query.error().issues.front().diagnostics, query.error().issues.front().expression);
  return std::move(*query);
}

}  // namespace mydr24::records
