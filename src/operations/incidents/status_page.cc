#include "operations/incidents/status_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/core/date_time.h"
#include "base/core/markup.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "operations/incidents/book.h"

namespace mydr24::incidents {
namespace {

constexpr std::array<std::string_view, 3> state_names{"operational", "degraded", "outage"};

// Of a text in XML 1.0: what it does not allow is left out.
std::string escaped(std::string_view text) {
  std::string allowed;
  std::ranges::copy_if(text, std::back_inserter(allowed),
                       [](char c) { return static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t'; });
  return escape_markup(allowed);
}

ComponentState state_of(std::string_view severity, std::string_view state, bool is_itself) {
  const bool is_grave = severity == "emergency" || severity == "critical";
  if (is_itself && is_grave && state != "mitigated") return ComponentState::outage;
  if (severity == "low") return ComponentState::operational;
  return ComponentState::degraded;
}

void add(StatusPage& page, const Setup& setup, json::Value summary, bool over) {
  const std::string_view service = summary["service"].text();
  const Reach reach = setup.reach_of(service);
  StatusPage::Entry entry{.id = std::string(summary["id"].text()),
                          .severity = std::string(summary["severity"].text()),
                          .state = std::string(summary["state"].text()),
                          .opened_at = std::string(summary["opened_at"].text()),
                          .mitigated_at = std::string(summary["mitigated_at"].text()),
                          .resolved_at = std::string(summary["resolved_at"].text()),
                          .published = std::string(summary["published"].text()),
                          .components = {}};
  for (auto& component : page.components) {
    if (!contains(reach.services, component.name)) continue;
    entry.components.push_back(component.title);
    if (!over)
      component.state = std::max(component.state, state_of(entry.severity, entry.state, component.name == service));
  }
  if (!entry.components.empty()) page.entries.push_back(std::move(entry));
}

std::string sentence(const StatusPage::Entry& entry) {
  if (!entry.published.empty()) return entry.published;
  return fmt::format("{}: {}", fmt::join(entry.components, ", "), entry.state);
}

}  // namespace

std::string_view to_string(ComponentState state) { return state_names[static_cast<std::size_t>(state)]; }

Result<StatusPage> status_page(store::Reader& reader, const Setup& setup, Instant now) {
  StatusPage page;
  for (const Service& service : setup.services())
    if (service.is_public) page.components.push_back({service.name, service.title});
  const std::string since = format_instant(now - status_history);
  for (const bool over : {false, true}) {
    MYDR24_ASSIGN(const Page found, Book::list(reader, over, "", status_incidents_max));
    for (const std::string& summary : found.summaries) {
      MYDR24_ASSIGN(const auto document, json::Document::parse_view(summary));
      const json::Value root = document.root();
      if (root["merged_into"] || (over && root["resolved_at"].text() < since)) continue;
      add(page, setup, root, over);
    }
  }
  return page;
}

std::string to_json(const StatusPage& page, Instant now) {
  std::string text;
  json::Writer out(text);
  auto worst = ComponentState::operational;
  for (const auto& component : page.components) worst = std::max(worst, component.state);
  out.begin_object().field("schema", "mydr24.status.v1").field("at", format_instant(now));
  out.field("state", to_string(worst)).key("components").begin_array();
  for (const auto& component : page.components)
    out.begin_object()
        .field("name", component.name)
        .field("title", component.title)
        .field("state", to_string(component.state))
        .end_object();
  out.end_array().key("incidents").begin_array();
  for (const auto& entry : page.entries) {
    out.begin_object().field("id", entry.id).field("severity", entry.severity).field("state", entry.state);
    out.field("opened_at", entry.opened_at);
    if (!entry.mitigated_at.empty()) out.field("mitigated_at", entry.mitigated_at);
    if (!entry.resolved_at.empty()) out.field("resolved_at", entry.resolved_at);
    out.field("text", sentence(entry)).key("components").begin_array();
    for (const std::string& each : entry.components) out.string(each);
    out.end_array().end_object();
  }
  out.end_array().end_object();
  return text;
}

std::string to_atom(const StatusPage& page, Instant now, std::string_view base_url) {
  std::string updated = page.entries.empty() ? format_instant(now) : std::string();
  std::string entries;
  for (const auto& entry : page.entries) {
    const std::string& at = !entry.resolved_at.empty()    ? entry.resolved_at
                            : !entry.mitigated_at.empty() ? entry.mitigated_at
                                                          : entry.opened_at;
    updated = std::max(updated, at);
    entries += fmt::format(
        "<entry><id>urn:uuid:{}</id><title>{}</title><published>{}</published><updated>{}</updated>"
        "<link href=\"{}/status.json\"/><summary>{}</summary></entry>\n",
        escaped(entry.id), escaped(fmt::format("{}: {}", fmt::join(entry.components, ", "), entry.state)),
        entry.opened_at, at, escaped(base_url), escaped(sentence(entry)));
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">"
      "<id>{0}/status.atom</id><title>Service status</title><updated>{1}</updated><author><name>MyDR24</name></author>"
      "<link rel=\"self\" href=\"{0}/status.atom\"/>\n{2}</feed>\n",
      escaped(base_url), updated, entries);
}

}  // namespace mydr24::incidents
