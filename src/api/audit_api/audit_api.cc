#include "api/audit_api/audit_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "api/pipeline/json_body.h"
#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/writer.h"
#include "base/net/uri.h"
#include "guard/audit/disclosures.h"
#include "guard/audit/verify.h"

namespace mydr24::audit_api {
namespace {

constexpr std::size_t body_bytes_max = 16U << 10;

// The parameters of a request, each of which must be one of these.
class Parameters {
 public:
  static Result<Parameters> of(const net::Request& request, std::initializer_list<std::string_view> known) {
    const auto sent = net::parse_query(request.query);
    if (!sent) return fail(Code::invalid, "the query string is malformed: check its percent-encoding");
    Parameters made;
    for (const auto& [name, value] : *sent) {
      if (std::ranges::find(known, name) == known.end())
        return fail(Code::invalid, fmt::format("is no parameter here: {}", fmt::join(known, ", ")), name.substr(0, 64));
      made.values_.emplace_back(name, value);
    }
    return made;
  }
  std::string operator[](std::string_view name) const {
    const auto found = std::ranges::find(values_, name, [](const auto& each) { return each.first; });
    return found == values_.end() ? std::string() : found->second;
  }
  Result<std::optional<Instant>> time(std::string_view name) const { return audit::time_of((*this)[name], name); }

 private:
  net::QueryParameters values_;
};

struct Asked {
  std::string patient, format;
  std::optional<Instant> since, until;
};

Result<Asked> asked_of(const net::Request& request) {
  MYDR24_ASSIGN(const auto parameters, Parameters::of(request, {"patient", "since", "until", "format"}));
  Asked asked{.patient = parameters["patient"], .format = parameters["format"], .since = {}, .until = {}};
  if (asked.patient.starts_with("Patient/")) asked.patient.erase(0, std::string_view("Patient/").size());
  if (!is_fhir_id(asked.patient)) return fail(Code::invalid, "give the id of the patient", "patient");
  if (!asked.format.empty() && asked.format != "json" && asked.format != "csv")
    return fail(Code::invalid, "is json or csv", "format");
  MYDR24_ASSIGN(asked.since, parameters.time("since"));
  MYDR24_ASSIGN(asked.until, parameters.time("until"));
  return asked;
}

Task<> disclosures(Service& service, pipeline::Call& call) {
  const auto asked = asked_of(call.request());
  if (!asked) {
    co_await call.respond(asked.error());
    co_return;
  }
  call.access().note_patient(asked->patient);
  if (const auto may = check_sees_trail_of(service, call.access(), asked->patient); !may) {
    co_await call.respond(may.error());
    co_return;
  }
  const auto accounting = co_await service.fhir.workers.run(call.request_class(), [&] {
    return audit::account_disclosures(service.log.trail(), asked->patient, asked->since, asked->until);
  });
  if (!accounting) {
    co_await call.respond(accounting.error());
  } else if (asked->format == "csv") {
    net::Response response{.status = 200, .content_type = "text/csv; charset=utf-8; header=present"};
    response.headers.emplace_back("Cache-Control", "no-store");
    response.body = to_csv(*accounting);
    co_await call.respond(std::move(response));
  } else {
    co_await pipeline::send_json(call, 200, to_json(*accounting));
  }
}

std::size_t segments_in(const std::filesystem::path& folder) {
  std::error_code error;
  std::size_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    const auto name = file.path().filename().string();
    if (name.ends_with(".log") || name.ends_with(".log.zst")) ++count;
  }
  return count;
}

Result<std::string> status_of(Service& service) {
  const auto statistics = service.log.statistics();
  MYDR24_ASSIGN(const auto holds, service.log.holds());
  std::string text;
  json::Writer out(text);
  out.begin_object().field("line", statistics.last).field("entries", statistics.entries);
  out.field("bytes", statistics.bytes).field("refused", statistics.refused);
  out.field("lag_ms", std::chrono::duration_cast<std::chrono::milliseconds>(service.log.lag()).count());
  out.field("last_checkpoint", statistics.last_checkpoint);
  if (statistics.last_checkpoint > 0) out.field("checkpoint_at", format_instant(statistics.checkpoint_at));
  out.field("segments", static_cast<std::int64_t>(segments_in(service.log.trail().folder)));
  out.field("holds", static_cast<std::int64_t>(holds.size()));
  if (const std::lock_guard lock(service.mutex); service.verified) {
    out.key("verified").begin_object().field("at", format_instant(service.verified->at));
    out.field("good", service.verified->findings == 0).field("last", service.verified->last).end_object();
  }
  out.end_object();
  return text;
}

Result<std::string> holds_of(Service& service) {
  MYDR24_ASSIGN(const auto holds, service.log.holds());
  return audit::to_json(holds);
}

// Files are read: not for the I/O thread.
Task<> answer_with(Service& service, pipeline::Call& call, Result<std::string> (*read)(Service&)) {
  auto text = co_await service.fhir.workers.run(call.request_class(), [&] { return read(service); });
  if (!text) {
    co_await call.respond(text.error());
  } else {
    co_await pipeline::send_json(call, 200, std::move(*text));
  }
}

Task<> status(Service& service, pipeline::Call& call) { co_await answer_with(service, call, status_of); }
Task<> list_holds(Service& service, pipeline::Call& call) { co_await answer_with(service, call, holds_of); }

Task<> verify(Service& service, pipeline::Call& call) {
  const auto verified = co_await service.fhir.workers.run(RequestClass::background, [&] {
    return audit::verify({.folder = service.log.trail().folder, .keys = service.log.trail().keys});
  });
  if (!verified) {
    co_await call.respond(verified.error());
    co_return;
  }
  {
    const std::lock_guard lock(service.mutex);
    service.verified = Service::Verified{.at = service.clock.now(),
                                         .findings = static_cast<std::int64_t>(verified->findings.size()),
                                         .last = verified->last};
  }
  std::string text;
  json::Writer out(text);
  out.begin_object().field("good", verified->findings.empty()).field("lines", verified->lines);
  out.field("entries", verified->entries).field("checkpoints", verified->checkpoints);
  out.field("removed", verified->removed).field("first", verified->first).field("last", verified->last);
  out.field("last_checkpoint", verified->last_checkpoint).key("findings").begin_array();
  for (const auto& one : verified->findings) {
    out.begin_object().field("problem", audit::to_string(one.problem)).field("line", one.number);
    out.field("file", one.file).field("text", one.text).end_object();
  }
  out.end_array().end_object();
  co_await pipeline::send_json(call, 200, std::move(text));
}

Result<> place(Service& service, pipeline::Call& call, json::Value hold) {
  MYDR24_ASSIGN(const auto until, audit::time_of(hold["until"].text(), "until"));
  const auto patient = hold["patient"].text();
  if (is_fhir_id(patient)) call.access().note_patient(patient);
  return service.log.hold(patient, hold["reason"].text(), call.access().principal().id, until);
}

Task<> add_hold(Service& service, pipeline::Call& call) {
  const auto document = co_await pipeline::take_object(call, body_bytes_max);
  if (!document) {
    co_await call.respond(document.error());
    co_return;
  }
  const auto done =
      co_await service.fhir.workers.run(call.request_class(), [&] { return place(service, call, document->root()); });
  if (!done) {
    co_await call.respond(done.error());
  } else {
    co_await pipeline::send_json(call, 201, "{}");
  }
}

Task<> lift_hold(Service& service, pipeline::Call& call) {
  const auto parameters = Parameters::of(call.request(), {"reason"});
  if (!parameters) {
    co_await call.respond(parameters.error());
    co_return;
  }
  call.access().note_patient(call.capture(0));
  const auto done = co_await service.fhir.workers.run(call.request_class(), [&] {
    return service.log.release(call.capture(0), (*parameters)["reason"], call.access().principal().id);
  });
  if (!done) {
    co_await call.respond(done.error());
  } else {
    co_await call.respond(net::Response{.status = 204});
  }
}

// A field of RFC 4180; what a spreadsheet would take for a formula is told apart by an apostrophe.
std::string field(std::string_view text) {
  std::string quoted = "\"";
  if (!text.empty() && std::string_view("=+-@\t\r").contains(text.front())) quoted += '\'';
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

Result<> check_sees_trail_of(Service& service, access::Access& access, std::string_view patient) {
  audit::Entry entry{.id = "about", .at = service.clock.now()};
  entry.interaction = "read";
  entry.patients.emplace_back(patient);
  const auto event = as_version(audit::to_audit_events(entry, service.observer).front(), entry.at);
  bool shown = false;
  MYDR24_TRY(service.fhir.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(shown, access.shows(reader, event));
    return {};
  }));
  return shown ? Result<>() : fail(Code::refused, "you may not see who saw the record of this patient");
}

std::string to_json(const audit::Accounting& accounting) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("patient", accounting.patient).field("entries", accounting.entries);
  out.key("disclosures").begin_array();
  for (const auto& one : accounting.disclosures) {
    out.begin_object().field("outside", one.outside).field("purpose", one.purpose).field("client", one.client);
    out.field("principal", one.principal).field("name", one.name).field("count", one.count);
    out.field("first", format_instant(one.first)).field("last", format_instant(one.last));
    out.field("names_patient", one.names_patient).key("interactions").begin_array();
    for (const auto& interaction : one.interactions) out.string(interaction);
    out.end_array().end_object();
  }
  out.end_array().end_object();
  return text;
}

std::string to_csv(const audit::Accounting& accounting) {
  std::string text = "patient,outside,purpose,client,principal,name,count,first,last,names_patient,interactions\r\n";
  for (const auto& one : accounting.disclosures)
    text += fmt::format("{},{},{},{},{},{},{},{},{},{},{}\r\n", field(accounting.patient), one.outside,
                        field(one.purpose), field(one.client), field(one.principal), field(one.name), one.count,
                        format_instant(one.first), format_instant(one.last), one.names_patient,
                        field(fmt::format("{}", fmt::join(one.interactions, "; "))));
  return text;
}

void add_routes(pipeline::Router& router, Service& service) {
  using net::Method;
  add_event_routes(router, service);
  const auto add = [&](Method method, std::string pattern, std::string name,
                       Task<> (*answer)(Service&, pipeline::Call&), std::string summary) {
    router.add({method, std::move(pattern), std::move(name), RequestClass::routine,
                [&service, answer](pipeline::Call& call) -> Task<> { co_await answer(service, call); },
                admission::Cost::by_method, std::move(summary)});
  };
  add(Method::get, "/api/v1/audit/disclosures", "audit-disclosures", disclosures,
      "Who got data of a patient, by purpose and recipient");
  add(Method::get, "/api/v1/audit/status", "audit-status", status, "How far the audit trail is");
  add(Method::post, "/api/v1/audit/verify", "audit-verify", verify, "Whether the audit trail is what was written");
  add(Method::get, "/api/v1/audit/holds", "audit-holds", list_holds, "Legal holds in force");
  add(Method::post, "/api/v1/audit/holds", "audit-hold-place", add_hold, "Place a legal hold on a patient");
  add(Method::del, "/api/v1/audit/holds/{patient}", "audit-hold-lift", lift_hold, "Lift a legal hold");
}

}  // namespace mydr24::audit_api
