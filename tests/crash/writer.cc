#include "writer.h"

#include <fmt/format.h>

#include <charconv>

#include "app/load/bodies.h"
#include "base/core/clock.h"
#include "base/core/date_time.h"
#include "base/json/document.h"

namespace mydr24::live {
namespace {

// "http://host/fhir/R4/Patient/x/_history/3" or the same without the base: reference and version.
bool split_location(std::string_view location, std::string& reference, std::int64_t& version) {
  const std::size_t history = location.rfind("/_history/");
  if (history == std::string_view::npos) return false;
  const std::string_view number = location.substr(history + 10);
  std::from_chars(number.data(), number.data() + number.size(), version);
  location = location.substr(0, history);
  const std::size_t id = location.rfind('/');
  if (id == std::string_view::npos) return false;
  const std::size_t type = location.rfind('/', id - 1);
  reference = location.substr(type == std::string_view::npos ? 0 : type + 1);
  return version > 0;
}

std::string basic(std::string_view id, std::string_view mark) {
  const std::string member = id.empty() ? "" : load::id_member(id);
  return fmt::format(R"({{"resourceType":"Basic",{}"code":{{"text":"{}"}}}})", member, mark);
}

}  // namespace

void Writer::write(const load::Endpoint& endpoint, const std::atomic<bool>& stop) {
  load::HttpClient http(endpoint);
  while (!stop && ledger_.problem.empty()) {
    const auto dice = random_() % 10;
    const bool answered = dice < 3 ? create(http) : dice < 6 ? update(http) : dice < 8 ? transact(http) : alarm(http);
    if (!answered) return;
  }
}

bool Writer::expect(const Result<load::Reply>& reply, int status) {
  if (!reply) return false;
  if (reply->status == status) {
    ++ledger_.acknowledged;
    return true;
  }
  ledger_.problem = fmt::format("answered {} instead of {}: {}", reply->status, status, reply->body);
  return false;
}

bool Writer::remember(const load::Reply& reply, const std::string& mark) {
  std::string reference;
  std::int64_t version = 0;
  if (!split_location(reply.location, reference, version)) {
    ledger_.problem = "no version in Location: " + reply.location;
    return false;
  }
  ledger_.resources[reference] = {.version = version, .mark = mark};
  return true;
}

bool Writer::create(load::HttpClient& http) {
  const std::string mark = fmt::format("created {} {}", number_, ++serial_);
  const auto reply = http.send("POST", "/fhir/R4/Basic", basic("", mark));
  return expect(reply, 201) && remember(*reply, mark);
}

bool Writer::put(load::HttpClient& http, const std::string& reference, const std::string& body,
                 const std::string& mark) {
  Known& known = ledger_.resources[reference];
  known.maybe_next = true;
  known.next_mark = mark;
  const int status = known.version == 0 ? 201 : 200;
  const auto reply = http.send("PUT", "/fhir/R4/" + reference, body);
  if (!expect(reply, status)) return false;
  known = {.version = known.version + 1, .mark = mark};
  if (reply->etag == fmt::format("W/\"{}\"", known.version)) return true;
  ledger_.problem = fmt::format("{}: ETag {} instead of version {}", reference, reply->etag, known.version);
  return false;
}

bool Writer::update(load::HttpClient& http) {
  const std::string mark = fmt::format("updated {} {}", number_, ++serial_);
  if (updatable_.size() < 20) updatable_.push_back(fmt::format("Basic/u-{}-{}", number_, serial_));
  const std::string& reference = updatable_[random_() % updatable_.size()];
  return put(http, reference, basic(std::string_view(reference).substr(6), mark), mark);
}

bool Writer::transact(load::HttpClient& http) {
  constexpr std::size_t entries = 10;
  const std::string mark = fmt::format("transacted {} {}", number_, ++serial_);
  std::string bundle = R"({"resourceType":"Bundle","type":"transaction","entry":[)";
  for (std::size_t n = 0; n < entries; ++n) {
    if (n > 0) bundle.push_back(',');
    bundle += fmt::format(R"({{"resource":{},"request":{{"method":"POST","url":"Basic"}}}})", basic("", mark));
  }
  const auto reply = http.send("POST", "/fhir/R4/", bundle + "]}");
  if (!expect(reply, 200)) return false;
  const auto document = json::Document::parse_view(reply->body);
  if (!document || document->root()["entry"].size() != entries) {
    ledger_.problem = "not the answer to the transaction: " + reply->body;
    return false;
  }
  for (const json::Value entry : document->root()["entry"]) {
    load::Reply one;
    one.location = entry["response"]["location"].text();
    if (!remember(one, mark)) return false;
  }
  return true;
}

// A patient of its own for each: an alert that is not resolved joins what comes later about the same patient.
bool Writer::alarm(load::HttpClient& http) {
  const std::string id = fmt::format("a-{}-{}", number_, ++serial_);
  const std::string n = fmt::format("{}{:06}", number_, serial_);
  if (!put(http, "Patient/" + id, load::patient().fill({{"id", load::id_member(id)}, {"n", n}, {"gender", "female"}}),
           n))
    return false;
  const auto reply =
      http.send("POST", "/fhir/R4/Observation",
                load::oxygen_saturation().fill(
                    {{"patient", "Patient/" + id}, {"value", "82"}, {"at", format_instant(system_clock().now())}}));
  if (!expect(reply, 201)) return false;
  ledger_.alarms.push_back("Patient/" + id);
  return remember(*reply, "Patient/" + id);
}

}  // namespace mydr24::live
