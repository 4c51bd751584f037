#include "clinical/records/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/writer.h"
#include "fhir/model/validate.h"

namespace mydr24::records {
namespace {

using model::Issue;
using model::Severity;

Rejection reject_one(std::string code, std::string diagnostics, std::string expression) {
  return {Code::invalid, {Issue{Severity::error, std::move(code), std::move(diagnostics), std::move(expression)}}};
}

// What forbids storing the resource.
std::vector<Issue> problems(json::Value resource, const Definitions& definitions, Instant now) {
  if (definitions.validator == nullptr) return model::validate(resource);
  validation::Request request;
  request.checks = definitions.checks;
  request.now = now;
  return definitions.validator->validate(resource, request);
}

// The id that the resource gets, or why it cannot have it.
Accepted<std::string> choose_id(json::Value resource, std::string_view type, const PrepareOptions& options,
                                Instant now) {
  const auto own = resource["id"];
  if (options.demand_own_id) {
    if (!own) {
      return std::unexpected(reject_one("required",
                                        fmt::format("an update needs the element id, here \"{}\"", options.id),
                                        fmt::format("{}.id", type)));
    }
    if (own.text() != options.id) {
      return std::unexpected(reject_one(
          "value",
          fmt::format("the id in the body is \"{}\", in the URL \"{}\": they must agree", own.text(), options.id),
          fmt::format("{}.id", type)));
    }
  }
  if (!options.id.empty()) return std::string(options.id);
  if (own && !options.ignore_own_id) return std::string(own.text());
  return make_uuid7(now);
}

// Writes the members of meta that the client decides; the server's two go in front of them when the record is read.
void append_meta(std::string& out, json::Value meta) {
  bool first = true;
  for (const auto member : meta) {
    if (member.key() == "versionId" || member.key() == "lastUpdated") continue;
    if (!first) out += ',';
    first = false;
    json::append_quoted(out, member.key());
    out += ':';
    json::append_compact(out, member);
  }
}

struct StoredText {
  std::string text;
  std::uint32_t meta_at = 0;
};

// The resource as it is kept: compact, with its id and a meta, keys in the order written. An id or meta that was not
// written comes right after resourceType.
StoredText stored_text(json::Value resource, std::string_view id) {
  StoredText stored;
  auto& out = stored.text;
  out.reserve(resource.raw().size() + id.size() + 32);
  const bool has_id = resource["id"].exists(), has_meta = resource["meta"].exists();
  const auto put_id = [&] {
    out += "\"id\":";
    json::append_quoted(out, id);
  };
  const auto put_meta = [&](json::Value meta) {
    out += "\"meta\":{";
    stored.meta_at = static_cast<std::uint32_t>(out.size());
    append_meta(out, meta);
    out += '}';
  };
  out += '{';
  for (const auto member : resource) {
    if (out.size() > 1) out += ',';
    if (member.key() == "id") {
      put_id();
    } else if (member.key() == "meta") {
      put_meta(member);
    } else {
      json::append_quoted(out, member.key());
      out += ':';
      json::append_compact(out, member);
    }
    if (member.key() != "resourceType") continue;
    if (!has_id) {
      out += ',';
      put_id();
    }
    if (!has_meta) {
      out += ',';
      put_meta({});
    }
  }
  out += '}';
  return stored;
}

Error stale(const Precondition& precondition, const std::optional<store::Version>& there, std::string_view type,
            std::string_view id) {
  if (precondition.must_not_exist) {
    return fail(Code::stale, fmt::format("{}/{} exists already", type, id));
  }
  return fail(Code::stale,
              there ? fmt::format("If-Match asks for version {} of {}/{}, but the current version is {}: read it "
                                  "again and repeat the change on it",
                                  *precondition.version, type, id, there->version)
                    : fmt::format("If-Match asks for version {} of {}/{}, which does not exist", *precondition.version,
                                  type, id));
}

Result<> check(const Precondition& precondition, const std::optional<store::Version>& there, std::string_view type,
               std::string_view id) {
  const bool alive = there && there->action != store::Action::remove;
  if (precondition.must_not_exist && alive) return stale(precondition, there, type, id);
  if (precondition.must_exist && !alive) {
    return fail(there ? Code::gone : Code::not_found, fmt::format("{}/{} does not exist", type, id));
  }
  if (precondition.version && (!there || there->version != *precondition.version)) {
    return stale(precondition, there, type, id);
  }
  return {};
}

// What a version that stands may be found by: of all the definitions its rows may be by.
std::vector<search::IndexEntry> entries_there(json::Value resource, const Definitions& definitions) {
  auto entries = search::extract(resource, definitions.catalogue.get());
  for (const auto& outdated : definitions.outdated) {
    const auto more = search::extract(resource, outdated.get());
    std::vector<search::IndexEntry> both;
    std::ranges::set_union(entries, more, std::back_inserter(both));
    entries = std::move(both);
  }
  return entries;
}

}  // namespace

Rejection reject(Error error) {
  const auto code = error.code;
  return {
      code,
      {Issue{Severity::error, std::string(model::issue_code(code)), std::move(error.text), std::move(error.where)}}};
}

Accepted<Prepared> Records::prepare(std::string text, const PrepareOptions& options) const {
  auto parsed = json::Document::parse(std::move(text));
  if (!parsed) {
    auto rejection = reject(std::move(parsed).error());
    if (rejection.code == Code::invalid) rejection.issues.front().code = "structure";
    return std::unexpected(std::move(rejection));
  }
  Prepared prepared;
  prepared.document = std::make_unique<json::Document>(std::move(*parsed));
  const auto resource = prepared.document->root();
  const auto type = resource["resourceType"];
  if (!resource.is_object() || !type.is_string()) {
    return std::unexpected(
        reject_one("structure", "a FHIR resource is a JSON object with the string element resourceType", ""));
  }
  if (!options.type.empty() && type.text() != options.type) {
    return std::unexpected(
        reject_one("value", fmt::format("resourceType is \"{}\", but the request is for {}", type.text(), options.type),
                   "resourceType"));
  }
  const auto definitions = this->definitions();
  if (auto issues = problems(resource, *definitions, clock_.now()); !issues.empty()) {
    return std::unexpected(Rejection{Code::invalid, std::move(issues)});
  }
  auto id = choose_id(resource, type.text(), options, clock_.now());
  if (!id) return std::unexpected(std::move(id).error());
  prepared.type = type.text();
  prepared.id = std::move(*id);
  if (!is_fhir_id(prepared.id)) {
    return std::unexpected(
        reject_one("value", fmt::format("\"{}\" is no FHIR id: 1 to 64 letters, digits, '-' or '.'", prepared.id),
                   fmt::format("{}.id", prepared.type)));
  }
  auto stored = stored_text(resource, prepared.id);
  prepared.meta_at = stored.meta_at;
  prepared.text = std::move(stored.text);
  prepared.body = store_.pack(prepared.text, prepared.meta_at);
  prepared.entries = search::extract(resource, definitions->catalogue.get());
  prepared.catalogue = definitions->catalogue;
  return prepared;
}

Result<Records::Outcome> Records::put(store::Transaction& transaction, const Prepared& prepared,
                                      const Precondition& precondition, access::Access& access) const {
  MYDR24_ASSIGN(const auto there, transaction.current(prepared.type, prepared.id));
  MYDR24_TRY(access.check_put(transaction, prepared.type, prepared.id, there, prepared.document->root(),
                              precondition.by_create));
  MYDR24_TRY(check(precondition, there, prepared.type, prepared.id));

  const auto definitions = this->definitions();
  // The definitions may have changed since it was made ready: the index is by those in force.
  std::optional<std::vector<search::IndexEntry>> newer;
  if (prepared.catalogue != definitions->catalogue)
    newer = search::extract(prepared.document->root(), definitions->catalogue.get());

  const bool replaces = there && there->action != store::Action::remove;
  json::Document before;
  std::vector<search::IndexEntry> entries_before;
  if (replaces) {
    if (there->body == prepared.text) {
      return Outcome{{there->version, there->sequence, there->at}, store::Action::update, true};
    }
    MYDR24_ASSIGN(before, json::Document::parse_view(there->body));
    entries_before = entries_there(before.root(), *definitions);
  }

  Outcome outcome;
  outcome.action = replaces ? store::Action::update : store::Action::create;
  MYDR24_ASSIGN(outcome.written,
                transaction.put({.type = prepared.type,
                                 .id = prepared.id,
                                 .action = precondition.by_create ? store::Action::create : store::Action::update,
                                 .body = &prepared.body,
                                 .entries = newer ? *newer : prepared.entries,
                                 .entries_before = entries_before}));
  const Change change{outcome.action, prepared.type,  prepared.id, prepared.document->root(),
                      before.root(),  outcome.written};
  MYDR24_TRY(react(transaction, change));
  access.wrote(transaction, replaces ? access::Permission::update : access::Permission::create, prepared.type,
               prepared.id, outcome.written.version, prepared.text);
  return outcome;
}

Result<std::optional<store::Written>> Records::remove(store::Transaction& transaction, std::string_view type,
                                                      std::string_view id, const Precondition& precondition,
                                                      access::Access& access) const {
  MYDR24_ASSIGN(auto there, transaction.current(type, id));
  if (there && there->action != store::Action::remove) {
    MYDR24_ASSIGN(const bool visible, access.check_remove(transaction, *there));
    if (!visible) there.reset();
  }
  MYDR24_TRY(check(precondition, there, type, id));
  if (!there || there->action == store::Action::remove) return std::nullopt;

  MYDR24_ASSIGN(const auto before, json::Document::parse_view(there->body));
  const auto entries_before = entries_there(before.root(), *definitions());
  MYDR24_ASSIGN(const auto written, transaction.put({.type = type,
                                                     .id = id,
                                                     .action = store::Action::remove,
                                                     .body = nullptr,
                                                     .entries = {},
                                                     .entries_before = entries_before}));
  MYDR24_TRY(react(transaction, Change{store::Action::remove, type, id, {}, before.root(), written}));
  access.wrote(transaction, access::Permission::remove, type, id, written.version, there->body);
  return std::optional(written);
}

Result<> Records::react(store::Transaction& transaction, const Change& change) const {
  const auto definitions = this->definitions();  // held while the reactions look into it
  Change seen = change;
  seen.catalogue = definitions->catalogue.get();
  for (auto* reaction : reactions_) {
    if (reaction->concerns(seen.type)) MYDR24_TRY(reaction->react(transaction, seen));
  }
  return {};
}

void append_rendered(std::string& out, const store::Version& version) {
  const std::string_view body = version.body;
  out.reserve(out.size() + body.size() + 80);
  out += body.substr(0, version.meta_at);
  out += fmt::format("\"versionId\":\"{}\",\"lastUpdated\":\"{}\"", version.version, format_instant(version.at));
  if (version.meta_at < body.size() && body[version.meta_at] != '}') out += ',';
  out += body.substr(version.meta_at);
}

std::string render(const store::Version& version) {
  std::string text;
  append_rendered(text, version);
  return text;
}

}  // namespace mydr24::records
