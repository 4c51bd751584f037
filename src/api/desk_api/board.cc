// GET /api/v1/vitals: patients by need, with what their score is made of; GET /api/v1/vitals/{patient}; GET
// /api/v1/status.

#include <fmt/format.h>

#include "api/desk_api/desk_api.h"
#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "base/net/uri.h"

namespace mydr24::desk_api {
namespace {

constexpr std::uint32_t rows_max = 200;

// What the board calls a patient: HumanName.text, else the parts of the first name; the ward and bed of the open
// Encounter.
struct Caption {
  std::string name;
  std::string birth_date;
  std::string gender;
  std::string place;
};

std::string name_of(json::Value patient) {
  const auto name = patient["name"].at(0);
  if (const auto text = name["text"].text(); !text.empty()) return std::string(text);
  std::string parts;
  for (const auto given : name["given"]) parts += std::string(given.text()) + " ";
  parts += name["family"].text();
  return parts;
}

Result<std::string> place_of(store::Reader& reader, const std::string& patient_id) {
  const net::QueryParameters parameters{
      {"patient", "Patient/" + patient_id}, {"status", "in-progress"}, {"_count", "1"}};
  const auto query = search::parse_query("Encounter", parameters, false);
  if (!query) return std::string();
  MYDR24_ASSIGN(const auto page, reader.search(*query));
  if (page.matches.empty()) return std::string();
  MYDR24_ASSIGN(const auto encounter, json::Document::parse_view(page.matches.front().body));
  const auto location = encounter.root()["location"].at(0)["location"];
  if (const auto display = location["display"].text(); !display.empty()) return std::string(display);
  const auto reference = location["reference"].text();
  if (!reference.starts_with("Location/")) return std::string();
  MYDR24_ASSIGN(const auto place, reader.current("Location", reference.substr(9)));
  if (!place || place->body.empty()) return std::string();
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(place->body));
  return std::string(document.root()["name"].text());
}

Result<Caption> caption_of(store::Reader& reader, const std::string& patient_id) {
  Caption caption;
  MYDR24_ASSIGN(const auto patient, reader.current("Patient", patient_id));
  if (patient && !patient->body.empty()) {
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(patient->body));
    caption.name = name_of(document.root());
    caption.birth_date = document.root()["birthDate"].text();
    caption.gender = document.root()["gender"].text();
  }
  MYDR24_ASSIGN(caption.place, place_of(reader, patient_id));
  return caption;
}

// The newest value of each sign with its time, and the points it gave.
void write_signs(json::Writer& out, const vitals::PatientSigns& signs, const vitals::WatchSettings& settings) {
  out.key("signs").begin_object();
  for (std::size_t i = 0; i < vitals::parameter_count; ++i) {
    if (signs.held[i].empty()) continue;
    const auto& held = signs.held[i].front();
    out.key(vitals::to_string(static_cast<vitals::Parameter>(i))).begin_object();
    out.field("value", held.value).field("at", format_instant(held.at));
    if (signs.score && signs.score->parts[i].state == vitals::PartState::scored) {
      out.field("points", signs.score->parts[i].points);
    }
    out.end_object();
  }
  out.end_object();
  if (const auto score = vitals::quick_sofa_of(signs, settings)) out.field("qsofa", score->points());
  if (std::ranges::any_of(signs.limits, [](const auto& limit) { return limit.spo2_scale == 2; }))
    out.field("spo2_scale", 2);
  if (signs.monitoring) out.field("monitored", true);
  if (!signs.finding.empty()) out.field("finding", signs.finding);
}

Result<std::string> board(const Desk& desk) {
  std::string text;
  MYDR24_TRY(desk.store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto page, vitals::Watch::board(reader, rows_max));
    json::Writer out(text);
    out.begin_object().field("schema", "mydr24.vitals-board.v1").field("at", format_instant(desk.clock.now()));
    out.key("patients").begin_array();
    for (const auto& row : page.rows) {
      MYDR24_ASSIGN(const auto caption, caption_of(reader, row.patient_id));
      MYDR24_ASSIGN(const auto signs, desk.watch.current(reader, row.patient_id));
      out.begin_object().field("id", row.patient_id).field("name", caption.name).field("birthDate", caption.birth_date);
      out.field("gender", caption.gender).field("place", caption.place).field("at", format_instant(row.at));
      out.field("points", row.points).field("complete", row.complete).field("band", vitals::to_string(row.band));
      if (!row.alert_id.empty()) out.field("alert", row.alert_id);
      if (signs) write_signs(out, *signs, desk.watch.settings());
      out.end_object();
    }
    out.end_array();
    if (!page.next.empty()) out.field("more", true);
    out.end_object();
    return {};
  }));
  return text;
}

Result<std::string> one_patient(const Desk& desk, access::Access& access, std::string_view id) {
  access.note_patient(id);
  MYDR24_TRY(access.check_shown(desk.store, "Patient", id));
  std::string text;
  MYDR24_TRY(desk.store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto signs, desk.watch.current(reader, id));
    if (!signs) return fail(Code::not_found, fmt::format("no vital sign of Patient/{} is known", id));
    text = vitals::to_json(*signs);
    return {};
  }));
  return text;
}

std::string status(const Desk& desk) {
  const auto& counters = desk.dispatcher.counters();
  const auto statistics = desk.store.statistics();
  std::string text;
  json::Writer out(text);
  out.begin_object().field("schema", "mydr24.status.v1").field("at", format_instant(desk.clock.now()));
  out.field("demo", desk.demo).field("escalate_after_s", desk.escalate_after.count());
  out.key("alerts").begin_object();
  out.field("raised", counters.raised.load()).field("delivered", counters.delivered.load());
  out.field("failed", counters.failed.load()).field("waiting", counters.waiting.load());
  out.field("escalated", counters.escalated.load()).field("acknowledged", counters.acknowledged.load());
  out.field("unrecorded", desk.unrecorded ? desk.unrecorded() : 0);
  out.field("delivery_ms_last", static_cast<double>(counters.delivery_us_last.load()) / 1000.0);
  out.field("delivery_ms_max", static_cast<double>(counters.delivery_us_max.load()) / 1000.0).end_object();
  if (desk.clocks != nullptr) out.key("clocks").raw(desk.clocks->json());
  out.key("store").begin_object().field("writes", statistics.writes).field("commits", statistics.commits);
  out.field("commit_ms_last", static_cast<double>(statistics.commit_us_last) / 1000.0);
  out.field("bytes_on_disk", statistics.bytes_on_disk).end_object().end_object();
  return text;
}

Task<> answer(pipeline::Call& call, Result<std::string> result) {
  if (result) {
    co_await send_json(call, std::move(*result));
  } else {
    co_await call.respond(result.error());
  }
}

}  // namespace

void add_board_routes(pipeline::Router& router, Desk& desk) {
  router.add({net::Method::get, "/api/v1/vitals", "vitals-board", RequestClass::urgent,
              [&desk](pipeline::Call& call) -> Task<> {
                auto result = co_await desk.workers.run(call.request_class(), [&desk] { return board(desk); });
                co_await answer(call, std::move(result));
              }});
  router.add({net::Method::get, "/api/v1/vitals/{patient}", "vitals-patient", RequestClass::emergency,
              [&desk](pipeline::Call& call) -> Task<> {
                co_await answer(call, one_patient(desk, call.access(), call.capture(0)));
              }});
  router.add({net::Method::get, "/api/v1/status", "status", RequestClass::urgent,
              [&desk](pipeline::Call& call) -> Task<> { co_await send_json(call, status(desk)); }});
}

}  // namespace mydr24::desk_api
