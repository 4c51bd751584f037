#include <fmt/format.h>

#include <optional>
#include <vector>

#include "api/terminology_api/input.h"
#include "api/terminology_api/interactions.h"
#include "api/terminology_api/output.h"
#include "base/core/date_time.h"

namespace mydr24::terminology_api {
namespace {

using terminology::Description;
using terminology::ExpandedConcept;
using terminology::Terminology;

struct Wanted {
  terminology::ExpandOptions options;
  std::optional<std::size_t> count;
  bool designations = false;
  std::string language;
  std::vector<std::pair<std::string, std::string>> echoed;  // parameters that shaped the expansion: name and value
};

Result<Wanted> read(const Input& input) {
  Wanted wanted;
  if (auto filter = input.text("filter")) {
    wanted.echoed.emplace_back("filter", *filter);
    wanted.options.filter = std::move(*filter);
  }
  MYDR24_ASSIGN(const auto offset, input.number("offset"));
  MYDR24_ASSIGN(wanted.count, input.number("count"));
  wanted.options.offset = offset.value_or(0);
  // Without a count all are meant, and too many are an error; a page is never larger than an expansion may be.
  constexpr std::size_t all = terminology::expansion_max + 1;
  wanted.options.count = wanted.count ? std::min(*wanted.count, terminology::expansion_max) : all;
  MYDR24_ASSIGN(wanted.options.active_only, input.flag("activeOnly", false));
  MYDR24_ASSIGN(wanted.options.selectable_only, input.flag("excludeNotForUI", false));
  MYDR24_ASSIGN(wanted.designations, input.flag("includeDesignations", false));
  wanted.language = input.text("displayLanguage").value_or("");
  if (!wanted.language.empty()) wanted.echoed.emplace_back("displayLanguage", wanted.language);
  return wanted;
}

void write_designations(json::Writer& writer, const Description& description) {
  if (description.designations.empty()) return;
  writer.key("designation").begin_array();
  for (const auto& designation : description.designations) {
    writer.begin_object();
    if (!designation.language.empty()) writer.field("language", designation.language);
    if (!designation.use_code.empty()) {
      writer.key("use");
      write_coding(writer, {designation.use_system, designation.use_code, "", ""});
    }
    writer.field("value", designation.value).end_object();
  }
  writer.end_array();
}

void write_concept(json::Writer& writer, const Terminology& terminology, const ExpandedConcept& one,
                   const Wanted& wanted) {
  std::string display = one.display;
  std::optional<Description> description;
  if (wanted.designations || !wanted.language.empty()) {
    if (auto found = terminology.describe({one.system, one.code, "", ""})) description = std::move(*found);
  }
  if (description && !wanted.language.empty()) display = display_in(*description, wanted.language, display);
  writer.begin_object().field("system", one.system);
  if (one.is_abstract) writer.field("abstract", true);
  if (one.is_inactive) writer.field("inactive", true);
  if (!one.version.empty()) writer.field("version", one.version);
  writer.field("code", one.code);
  if (!display.empty()) writer.field("display", display);
  if (description && wanted.designations) write_designations(writer, *description);
  writer.end_object();
}

void write_parameters(json::Writer& writer, const Wanted& wanted, const terminology::Expansion& expansion) {
  const auto begin = [&](std::string_view name) -> json::Writer& { return writer.begin_object().field("name", name); };
  writer.key("parameter").begin_array();
  for (const auto& [name, value] : wanted.echoed) begin(name).field("valueString", value).end_object();
  if (wanted.count) {
    begin("offset").field("valueInteger", wanted.options.offset).end_object();
    begin("count").field("valueInteger", *wanted.count).end_object();
  }
  begin("activeOnly").field("valueBoolean", wanted.options.active_only).end_object();
  begin("excludeNested").field("valueBoolean", true).end_object();
  if (!expansion.is_complete) begin("limitedExpansion").field("valueBoolean", true).end_object();
  writer.end_array();
}

std::string write(const Terminology& terminology, const terminology::ValueSetHead& head, const Wanted& wanted,
                  const terminology::Expansion& expansion, Instant now) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("resourceType", "ValueSet");
  const std::pair<std::string_view, const std::string&> members[] = {
      {"url", head.url}, {"version", head.version}, {"name", head.name}, {"title", head.title}};
  for (const auto& [name, value] : members) {
    if (!value.empty()) writer.field(name, value);
  }
  writer.field("status", head.status.empty() ? std::string_view("active") : std::string_view(head.status));
  writer.key("expansion").begin_object();
  writer.field("timestamp", format_instant(now)).field("total", expansion.total);
  writer.field("offset", wanted.options.offset);
  write_parameters(writer, wanted, expansion);
  if (!expansion.concepts.empty()) {
    writer.key("contains").begin_array();
    for (const auto& one : expansion.concepts) write_concept(writer, terminology, one, wanted);
    writer.end_array();
  }
  writer.end_object().end_object();
  return out;
}

}  // namespace

std::string display_in(const Description& description, std::string_view language, std::string_view otherwise) {
  const auto wanted = language.substr(0, language.find_first_of(",; "));
  for (const auto& designation : description.designations) {
    if (designation.language == wanted || designation.language == wanted.substr(0, wanted.find('-'))) {
      return designation.value;
    }
  }
  return std::string(otherwise);
}

Result<std::string> expand(const Terminology& terminology, const Input& input) {
  MYDR24_TRY(
      input.refuse({"context", "exclude-system", "system-version", "check-system-version", "force-system-version"}));
  MYDR24_ASSIGN(const auto wanted, read(input));
  MYDR24_ASSIGN(const auto set, value_set_of(input));
  if (set.resource) {
    MYDR24_ASSIGN(const auto expansion, terminology.expand(set.resource, wanted.options));
    const auto text = [&](std::string_view name) { return std::string(set.resource[name].text()); };
    return write(terminology, {text("url"), text("version"), text("name"), text("title"), text("status")}, wanted,
                 expansion, input.request().now);
  }
  MYDR24_ASSIGN(const auto expansion, terminology.expand(set.canonical, wanted.options));
  MYDR24_ASSIGN(const auto head, terminology.value_set_head(set.canonical));
  return write(terminology, head, wanted, expansion, input.request().now);
}

}  // namespace mydr24::terminology_api
