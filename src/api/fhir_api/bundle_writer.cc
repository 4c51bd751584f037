#include "api/fhir_api/bundle_writer.h"

#include <fmt/format.h>

#include "api/fhir_api/presentation.h"
#include "base/core/date_time.h"
#include "base/core/id.h"

namespace mydr24::fhir_api {

BundleWriter::BundleWriter(std::string_view type, Instant now, const std::string& fhir_base)
    : writer_(out_), fhir_base_(fhir_base) {
  writer_.begin_object().field("resourceType", "Bundle").field("id", make_uuid7(now));
  writer_.key("meta").begin_object().field("lastUpdated", format_instant(now)).end_object();
  writer_.field("type", type);
}

void BundleWriter::total(std::int64_t total) { writer_.field("total", total); }

void BundleWriter::link(std::string_view relation, std::string_view url) {
  if (!links_open_) writer_.key("link").begin_array();
  links_open_ = true;
  writer_.begin_object().field("relation", relation).field("url", url).end_object();
}

void BundleWriter::close_links() {
  if (links_open_) writer_.end_array();
  links_open_ = false;
  if (!entries_open_) writer_.key("entry").begin_array();
  entries_open_ = true;
}

void BundleWriter::begin_entry(const store::Version& version, const search::Query* query) {
  close_links();
  writer_.begin_object().field("fullUrl", fmt::format("{}/{}/{}", fhir_base_, version.type, version.id));
  if (version.action == store::Action::remove) return;
  std::string resource;
  records::append_rendered(resource, version);
  if (query != nullptr && is_part(*query)) resource = part_of(resource, *query);
  writer_.key("resource").raw(resource);
}

void BundleWriter::end_entry(std::string_view mode) {
  writer_.key("search").begin_object().field("mode", mode).end_object().end_object();
}

void BundleWriter::match(const store::Version& version) {
  begin_entry(version);
  end_entry("match");
}

void BundleWriter::match(const store::Version& version, const search::Query& query) {
  begin_entry(version, &query);
  end_entry("match");
}

void BundleWriter::included(const store::Version& version, const search::Query& query) {
  begin_entry(version, &query);
  end_entry("include");
}

void BundleWriter::contained(const store::Version& version) {
  close_links();
  writer_.begin_object().field("fullUrl", fmt::format("{}/{}/{}", fhir_base_, version.type, version.id));
  writer_.key("resource").raw(version.body);
  end_entry("match");
}

void BundleWriter::issues(std::string_view outcome) {
  close_links();
  writer_.begin_object().key("resource").raw(outcome);
  end_entry("outcome");
}

void BundleWriter::version(const store::Version& version) {
  begin_entry(version);
  const bool created = version.action == store::Action::create;
  const bool removed = version.action == store::Action::remove;
  writer_.key("request").begin_object();
  writer_.field("method", removed ? "DELETE" : created ? "POST" : "PUT");
  writer_.field("url", created ? version.type : fmt::format("{}/{}", version.type, version.id)).end_object();
  writer_.key("response").begin_object();
  writer_.field("status", removed ? "204" : created || version.version == 1 ? "201" : "200");
  writer_.field("etag", fmt::format("W/\"{}\"", version.version));
  writer_.field("lastModified", format_instant(version.at)).end_object().end_object();
}

std::string BundleWriter::finish() {
  if (links_open_) writer_.end_array();
  if (entries_open_) writer_.end_array();
  writer_.end_object();
  return std::move(out_);
}

}  // namespace mydr24::fhir_api
