#include "operations/incidents/safety.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "operations/incidents/book.h"

namespace mydr24::incidents {

std::string adverse_event_id(std::string_view incident, std::size_t patient) {
  return fmt::format("{}-p{:03}", incident, patient);
}

std::string adverse_event_of(const Incident& incident, std::size_t patient) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("resourceType", "AdverseEvent").field("id", adverse_event_id(incident.id, patient));
  out.key("identifier").begin_object().field("system", "urn:mydr24:incident").field("value", incident.id).end_object();
  // Whether harm was done is for people to say.
  out.field("actuality", "potential");
  out.key("event").begin_object().field("text", incident.title).end_object();
  out.key("subject").begin_object().field("reference", incident.patients[patient]).end_object();
  out.field("detected", format_instant(incident.opened_at)).field("recordedDate", format_instant(incident.opened_at));
  out.end_object();
  return text;
}

Result<> SafetyEvents::follow(std::span<const store::Event> events) {
  std::set<std::string> ids;
  for (const store::Event& event : events) {
    if (event.kind != "incident.alert" && event.kind != "incident.merged") continue;
    const auto document = json::Document::parse_view(event.payload);
    if (document) ids.emplace(document->root()["incident"].text());
  }
  if (ids.empty()) return {};
  std::vector<std::pair<std::string, std::string>> wanted;  // id, text
  MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
    for (const std::string& id : ids) {
      const auto incident = Book::find(reader, id);
      if (!incident) continue;
      for (std::size_t i = 0; i < incident->patients.size(); ++i) {
        MYDR24_ASSIGN(const auto there, reader.current_head("AdverseEvent", adverse_event_id(id, i)));
        if (!there) wanted.emplace_back(adverse_event_id(id, i), adverse_event_of(*incident, i));
      }
    }
    return {};
  }));
  std::vector<records::Prepared> prepared;
  for (auto& [id, text] : wanted) {
    auto accepted = records_.prepare(std::move(text), {.type = "AdverseEvent", .id = id});
    if (accepted)
      prepared.push_back(std::move(*accepted));
    else
      ++rejected_;
  }
  if (prepared.empty()) return {};
  return records_.store().write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
    for (const records::Prepared& each : prepared) MYDR24_TRY(records_.put(transaction, each));
    return {};
  });
}

}  // namespace mydr24::incidents
