#include "app/cli/import_ready.h"

#include <fmt/format.h>

#include <array>

#include "base/core/id.h"
#include "base/json/edits.h"
#include "base/json/writer.h"
#include "clinical/records/rewrite.h"
#include "fhir/model/outcome.h"

namespace mydr24::cli {

namespace {

constexpr std::string_view uuid_prefix = "urn:uuid:";

void reject(ReadySlice& ready, std::int64_t line, const Error& error) {
  ready.rejections.push_back({line, model::operation_outcome(error)});
}

void reject_long_line(ReadySlice& ready, std::int64_t line) {
  reject(ready, line, fail(Code::too_large, fmt::format("the line is longer than {} MiB", line_bytes_max >> 20U)));
}

void prepare(const records::Records& records, std::string text, std::int64_t line, ReadySlice& ready) {
  auto prepared = records.prepare(std::move(text), {});
  if (prepared) {
    ready.resources.push_back({line, std::move(*prepared)});
  } else {
    ready.rejections.push_back({line, model::operation_outcome(prepared.error().issues)});
  }
}

// The id that an entry of a transaction asks for: its resource's, else that of its fullUrl.
std::string_view entry_id(json::Value entry) {
  const std::string_view own = entry["resource"]["id"].text();
  if (is_fhir_id(own)) return own;
  std::string_view full_url = entry["fullUrl"].text();
  if (!full_url.starts_with(uuid_prefix)) return {};
  full_url.remove_prefix(uuid_prefix.size());
  return is_fhir_id(full_url) ? full_url : std::string_view();
}

Result<records::Interaction> interaction_of(json::Value entry, std::size_t index) {
  records::Interaction interaction;
  interaction.where = fmt::format("Bundle.entry[{}]", index);
  interaction.full_url = entry["fullUrl"].text();
  interaction.resource = entry["resource"];
  const std::string_view method = entry["request"]["method"].text();
  const std::string_view url = entry["request"]["url"].text();
  interaction.type = url.substr(0, url.find_first_of("/?"));
  if (method == "POST") {
    const std::string_view if_none_exist = entry["request"]["ifNoneExist"].text();
    interaction.verb = records::Verb::create;
    if (!if_none_exist.empty()) {
      MYDR24_ASSIGN(interaction.condition,
                    records::parse_criteria(fmt::format("{}?{}", interaction.type, if_none_exist)));
    } else if (const std::string_view id = entry_id(entry); !id.empty()) {
      interaction.verb = records::Verb::update;
      interaction.id = id;
    }
    return interaction;
  }
  if (method != "PUT" && method != "DELETE") {
    return fail(Code::unsupported, fmt::format("an import cannot carry out '{}'", method),
                interaction.where + ".request.method");
  }
  interaction.verb = method == "PUT" ? records::Verb::update : records::Verb::remove;
  if (url.find('?') != url.npos) {
    MYDR24_ASSIGN(interaction.condition, records::parse_criteria(url));
  } else {
    interaction.id = url.substr(std::min(interaction.type.size() + 1, url.size()));
  }
  return interaction;
}

// Resources that an entry creates without an id of their own get the one of its fullUrl: an update must carry its id.
Result<> put_ids(std::unique_ptr<json::Document>& document, const json::Limits& limits) {
  json::Edits edits(*document);
  for (const json::Value entry : document->root()["entry"]) {
    const json::Value resource = entry["resource"];
    const std::string_view id = entry_id(entry);
    if (!resource.is_object() || resource.size() == 0 || resource["id"] || id.empty()) continue;
    if (entry["request"]["method"].text() != "POST" || entry["request"]["ifNoneExist"]) continue;
    edits.replace(resource, fmt::format("{{\"id\":\"{}\",{}", id, resource.raw().substr(1)));
  }
  if (edits.empty()) return {};
  MYDR24_ASSIGN(auto edited, json::Document::parse(edits.apply(), limits));
  document = std::make_unique<json::Document>(std::move(edited));
  return {};
}

void prepare_transaction(std::unique_ptr<json::Document> document, const json::Limits& limits, ReadySlice& ready) {
  if (const auto put = put_ids(document, limits); !put) return reject(ready, 1, put.error());
  std::size_t index = 0;
  for (const json::Value entry : document->root()["entry"]) {
    auto interaction = interaction_of(entry, index++);
    if (!interaction) {
      ready.interactions.clear();
      return reject(ready, 1, interaction.error());
    }
    ready.interactions.push_back(std::move(*interaction));
  }
  ready.document = std::move(document);
}

void prepare_document(const records::Records& records, std::string text, ReadySlice& ready) {
  json::Limits limits;
  limits.bytes_max = document_bytes_max;
  auto parsed = json::Document::parse(std::move(text), limits);
  if (!parsed) return reject(ready, 1, parsed.error());
  auto document = std::make_unique<json::Document>(std::move(*parsed));
  const json::Value root = document->root();
  const std::string_view kind = root["resourceType"].text() == "Bundle" ? root["type"].text() : std::string_view();
  if (kind == "transaction") return prepare_transaction(std::move(document), limits, ready);
  if (kind != "batch" && kind != "collection" && kind != "searchset" && kind != "history") {
    return prepare(records, std::string(document->source()), 1, ready);
  }
  std::size_t index = 0;
  for (const json::Value entry : root["entry"]) {
    const std::string where = fmt::format("Bundle.entry[{}]", index++);
    const std::string_view method = entry["request"]["method"].text();
    if (entry["resource"].is_object() && method != "PATCH") {
      prepare(records, std::string(entry["resource"].raw()), 1, ready);
    } else {
      reject(ready, 1, fail(Code::unsupported, "an import stores resources; this entry has none to store", where));
    }
  }
}

// One entry of a batch, or an Error when the text is no resource at all.
Result<> add_entry(std::string& bundle, std::string_view text) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
  const json::Value root = document.root();
  const std::string_view type = root["resourceType"].text();
  const std::string_view id = root["id"].text();
  if (type.empty()) return fail(Code::invalid, "is no resource: it has no resourceType");
  if (!bundle.ends_with('[')) bundle += ',';
  json::Writer writer(bundle);
  writer.begin_object().key("resource").raw(text).key("request").begin_object();
  writer.field("method", id.empty() ? "POST" : "PUT");
  writer.field("url", id.empty() ? std::string(type) : fmt::format("{}/{}", type, id));
  writer.end_object().end_object();
  return {};
}

}  // namespace

void make_ready_for_store(const records::Records& records, ImportSlice&& slice, ReadySlice& ready) {
  ready.resources.reserve(slice.items.size());
  for (ImportItem& item : slice.items) {
    if (slice.document) {
      prepare_document(records, std::move(item.text), ready);
    } else if (item.text.empty()) {
      reject_long_line(ready, item.line);
    } else {
      prepare(records, std::move(item.text), item.line, ready);
    }
  }
}

void make_ready_for_server(ImportSlice&& slice, ReadySlice& ready) {
  if (slice.document && !slice.items.empty()) {
    const auto document = json::Document::parse_view(slice.items[0].text);
    if (!document) return reject(ready, 1, document.error());
    const std::string_view kind = document->root()["type"].text();
    if (document->root()["resourceType"].text() == "Bundle" && (kind == "transaction" || kind == "batch")) {
      ready.bundle = std::move(slice.items[0].text);
      ready.bundle_lines = {1};
      return;
    }
  }
  ready.bundle = R"({"resourceType":"Bundle","type":"batch","entry":[)";
  for (const ImportItem& item : slice.items) {
    if (item.text.empty()) {
      reject_long_line(ready, item.line);
    } else if (const auto added = add_entry(ready.bundle, item.text); !added) {
      reject(ready, item.line, added.error());
    } else {
      ready.bundle_lines.push_back(item.line);
    }
  }
  ready.bundle += "]}";
  if (ready.bundle_lines.empty()) ready.bundle.clear();
}

}  // namespace mydr24::cli
