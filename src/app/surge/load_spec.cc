#include "app/surge/load_spec.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::surge {
namespace {

constexpr std::array<std::string_view, kind_count> kind_names{"alarm", "vital",  "summary", "board",
                                                              "work",  "read",   "search",  "encounter",
                                                              "admit", "bundle", "history", "alerts"};
constexpr std::array<std::string_view, 2> pace_names{"poisson", "constant"};
constexpr std::array<std::string_view, 4> retry_names{"none", "immediate", "backoff", "budget"};

template <class T>
Result<> read_number(json::Value value, T& out) {
  const std::string_view text = value.text();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (!value.is_number() || error != std::errc() || end != text.data() + text.size())
    return fail(Code::invalid, "is no number of that kind", std::string(value.key()));
  return {};
}

template <class T, std::size_t N>
Result<> read_name(json::Value value, const std::array<std::string_view, N>& names, T& out) {
  const auto found = std::ranges::find(names, value.text());
  if (found == names.end()) return fail(Code::invalid, "is none of its names", std::string(value.key()));
  out = static_cast<T>(found - names.begin());
  return {};
}

}  // namespace

std::string_view to_string(Kind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

Result<Retry> parse_retry(std::string_view name) {
  const auto found = std::ranges::find(retry_names, name);
  if (found == retry_names.end()) return fail(Code::invalid, fmt::format("there is no way to retry called {}", name));
  return static_cast<Retry>(found - retry_names.begin());
}

std::string to_json(const LoadSpec& spec) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("name", spec.name).field("host", spec.endpoint.host).field("port", spec.endpoint.port);
  writer.field("tls", spec.tls).field("connection_per_request", spec.connection_per_request);
  writer.key("mix").begin_array();
  for (const Share& share : spec.mix)
    writer.begin_object().field("kind", to_string(share.kind)).field("weight", share.weight).end_object();
  writer.end_array().key("phases").begin_array();
  for (const Phase& phase : spec.phases)
    writer.begin_object().field("seconds", phase.seconds).field("per_second", phase.per_second).end_object();
  writer.end_array();
  writer.field("pace", pace_names[static_cast<std::size_t>(spec.pace)]);
  writer.field("retry", retry_names[static_cast<std::size_t>(spec.retry)]);
  writer.field("warm_up_s", spec.warm_up_s).field("seed", spec.seed).field("connections", spec.connections);
  writer.field("sources", spec.sources)
      .field("work_ms", spec.work_ms)
      .field("timeout_ms", spec.timeout.count())
      .field("patients", spec.patients);
  writer.field("patient_prefix", spec.patient_prefix).field("alarm_prefix", spec.alarm_prefix);
  writer.field("headers", spec.headers);
  writer.field("fifo", spec.fifo).field("keep_times", spec.keep_times).end_object();
  return out;
}

Result<LoadSpec> parse_load_spec(std::string_view json) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(json));
  const json::Value root = document.root();
  LoadSpec spec;
  spec.name = root["name"].text();
  spec.endpoint.host = root["host"].text();
  spec.patient_prefix = root["patient_prefix"].text();
  spec.alarm_prefix = root["alarm_prefix"].text();
  spec.headers = root["headers"].text();
  spec.tls = root["tls"].is_true();
  spec.connection_per_request = root["connection_per_request"].is_true();
  spec.keep_times = root["keep_times"].is_true();
  MYDR24_TRY(read_number(root["port"], spec.endpoint.port));
  for (const json::Value entry : root["mix"]) {
    Share share;
    MYDR24_TRY(read_name(entry["kind"], kind_names, share.kind));
    MYDR24_TRY(read_number(entry["weight"], share.weight));
    spec.mix.push_back(share);
  }
  for (const json::Value entry : root["phases"]) {
    Phase phase;
    MYDR24_TRY(read_number(entry["seconds"], phase.seconds));
    MYDR24_TRY(read_number(entry["per_second"], phase.per_second));
    spec.phases.push_back(phase);
  }
  MYDR24_TRY(read_name(root["pace"], pace_names, spec.pace));
  MYDR24_TRY(read_name(root["retry"], retry_names, spec.retry));
  MYDR24_TRY(read_number(root["warm_up_s"], spec.warm_up_s));
  MYDR24_TRY(read_number(root["seed"], spec.seed));
  MYDR24_TRY(read_number(root["connections"], spec.connections));
  MYDR24_TRY(read_number(root["sources"], spec.sources));
  std::int64_t timeout_ms = 0;
  MYDR24_TRY(read_number(root["timeout_ms"], timeout_ms));
  spec.timeout = std::chrono::milliseconds(timeout_ms);
  MYDR24_TRY(read_number(root["patients"], spec.patients));
  MYDR24_TRY(read_number(root["work_ms"], spec.work_ms));
  MYDR24_TRY(read_number(root["fifo"], spec.fifo));
  if (spec.mix.empty() || spec.connections == 0 || spec.patients == 0 || spec.timeout.count() <= 0)
    return fail(Code::invalid, "a load needs a mix, connections, patients and a timeout", spec.name);
  return spec;
}

}  // namespace mydr24::surge
