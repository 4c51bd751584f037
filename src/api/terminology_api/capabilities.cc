#include <span>
#include <string>
#include <string_view>

#include "api/terminology_api/operations.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::terminology_api {
namespace {

// `systems` are canonicals, sorted: versions of one url stand together.
void write_code_systems(json::Writer& writer, std::span<const std::string> systems) {
  writer.key("codeSystem").begin_array();
  for (std::size_t i = 0; i < systems.size();) {
    const auto url = systems[i].substr(0, systems[i].find('|'));
    writer.begin_object().field("uri", url).key("version").begin_array();
    for (; i < systems.size() && systems[i].substr(0, systems[i].find('|')) == url; ++i) {
      writer.begin_object();
      if (systems[i].size() > url.size()) writer.field("code", systems[i].substr(url.size() + 1));
      writer.field("compositional", false).end_object();
    }
    writer.end_array().end_object();
  }
  writer.end_array();
}

}  // namespace

std::string capabilities(const terminology::Terminology& terminology, std::string_view software_version,
                         std::string_view base, Instant now) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("resourceType", "TerminologyCapabilities");
  writer.field("status", "active").field("date", format_instant(now)).field("kind", "instance");
  writer.key("software").begin_object().field("name", "MyDR24").field("version", software_version).end_object();
  writer.key("implementation").begin_object();
  writer.field("description", "The terminology service of this server").field("url", base).end_object();
  write_code_systems(writer, terminology.code_systems());
  writer.key("expansion").begin_object();
  writer.field("hierarchical", false).field("paging", true).field("incomplete", true).key("parameter").begin_array();
  for (const std::string_view name : {"url", "valueSet", "valueSetVersion", "filter", "offset", "count", "activeOnly",
                                      "includeDesignations", "excludeNotForUI", "displayLanguage"}) {
    writer.begin_object().field("name", name).end_object();
  }
  writer.end_array().end_object();
  writer.field("codeSearch", "explicit");
  writer.key("validateCode").begin_object().field("translations", true).end_object();
  writer.key("translation").begin_object().field("needsMap", true).end_object();
  writer.end_object();
  return out;
}

}  // namespace mydr24::terminology_api
