#include "app/server/admission_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/pipeline/pipeline.h"
#include "app/server/listeners.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "guard/admission/ticket.h"

namespace mydr24::server {
namespace {

constexpr std::chrono::milliseconds look_every{10};
constexpr std::chrono::seconds hold_every{1};
constexpr std::size_t hint_bytes_max = 4'096;

Result<admission::ControlSettings> control_settings(const Settings& settings) {
  const auto& from = settings.admission;
  admission::ControlSettings to;
  to.workers = worker_count(settings);
  to.write_seats = static_cast<std::size_t>(from.write_seats);
  to.target = std::chrono::milliseconds(from.target_ms);
  to.interval = std::chrono::milliseconds(from.interval_ms);
  to.age_max = std::chrono::milliseconds(from.age_max_ms);
  if (!from.ticket_key_file.empty()) {
    MYDR24_ASSIGN(to.ticket_key, admission::read_ticket_key(from.ticket_key_file));
  }
  return to;
}

std::optional<double> number_of(json::Value value) {
  double number = 0;
  const auto text = value.text();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!value.is_number() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::clamp(number, -1e9, 1e9);
}

Result<admission::Hint> parse_hint(std::string_view body) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(body));
  admission::Hint hint;
  for (const auto member : document.root()) {
    const auto number = number_of(member);
    if (member.key() == "scenario" && member.is_string()) {
      hint.scenario = member.text();
    } else if (member.key() == "factor" && number) {
      hint.factor = *number;
    } else if (member.key() == "eta_s" && number) {
      hint.eta = std::chrono::seconds(static_cast<std::int64_t>(*number));
    } else if (member.key() == "lasts_s" && number) {
      hint.lasts = std::chrono::seconds(static_cast<std::int64_t>(*number));
    } else {
      return fail(Code::invalid, "a hint has the members scenario (text), factor, eta_s and lasts_s (numbers)",
                  std::string(member.key()));
    }
  }
  return hint;
}

}  // namespace

Result<std::unique_ptr<AdmissionDesk>> AdmissionDesk::make(const Parts& parts) {
  MYDR24_ASSIGN(const auto settings, control_settings(parts.settings));
  return std::unique_ptr<AdmissionDesk>(new AdmissionDesk(parts, settings));
}

AdmissionDesk::AdmissionDesk(const Parts& parts, const admission::ControlSettings& settings)
    : parts_(parts), control_(settings) {
  make_metrics();
}

void AdmissionDesk::start(std::vector<store::Store*> stores) {
  stores_ = std::move(stores);
  parts_.log.info("threads are weighted by class", {{"privilege", to_string(parts_.weights.privilege())}});
  thread_ = std::thread([this] {
    parts_.weights.begin(ThreadKind::guard, 0);
    run();
  });
}

void AdmissionDesk::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void AdmissionDesk::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, look_every, [this] { return stopping_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

void AdmissionDesk::look() {
  const auto now = parts_.clock.steady();
  hold(now);
  std::chrono::nanoseconds worst{0};
  for (std::size_t i = 0; i < lag_gauges_.size(); ++i) {
    const auto lag = general_lag_.take(i);
    lag_gauges_[i].set(std::chrono::duration<double>(lag).count());
    worst = std::max(worst, lag);
  }
  const auto emergency = emergency_lag_.take(0);
  emergency_lag_gauge_.set(std::chrono::duration<double>(emergency).count());
  if (parts_.weights.watch(now) > 0)
    parts_.log.warn("a real-time thread never rested and is an ordinary one now", {{"listener", "emergency"}});
  const auto change = control_.tick(now, worst, emergency);
  if (!change) return;
  parts_.log.warn("brown-out level", {{"from", change->from}, {"to", change->to}});
  std::string payload;
  json::Writer(payload).begin_object().field("from", change->from).field("to", change->to).end_object();
  write_event("admission.level", payload);
}

void AdmissionDesk::hold(std::chrono::nanoseconds now) {
  if (!parts_.hold || (held_at_.count() != 0 && now - held_at_ < hold_every)) return;
  held_at_ = now;
  const auto held =
      control_.accept({.scenario = "setting", .eta = std::chrono::seconds(0), .lasts = 2 * hold_every}, now);
  if (!held) parts_.log.warn("the brown-out level could not be held", {{"error", held.error().text}});
}

void AdmissionDesk::write_event(const std::string& kind, const std::string& payload) {
  for (store::Store* store : stores_) {
    store->submit(
        RequestClass::urgent,
        [kind, payload](store::Transaction& transaction) -> Result<> {
          MYDR24_TRY(transaction.note(kind, payload));
          return {};
        },
        [this, kind](Result<> done) {
          if (!done) parts_.log.warn("an event could not be written", {{"kind", kind}, {"error", done.error().text}});
        });
  }
}

// ---- figures

void AdmissionDesk::make_metrics() {
  auto& metrics = parts_.metrics;
  const auto& server = parts_.settings.server;
  const auto threads = std::min(server.threads > 0 ? static_cast<std::size_t>(server.threads) : usable_processors(),
                                LagBoard::threads_max);
  constexpr std::string_view lag_help = "How late an I/O thread was with what was due, the worst of its last 10 ms";
  for (std::size_t i = 0; i < threads; ++i)
    lag_gauges_.push_back(metrics.gauge("loop_lag_seconds", lag_help, {{"thread", thread_name(ThreadKind::io, i)}}));
  if (has_emergency_listener(parts_.settings)) {
    emergency_lag_gauge_ =
        metrics.gauge("loop_lag_seconds", lag_help, {{"thread", thread_name(ThreadKind::emergency_io, 0)}});
  }
  struct OfClass {
    telemetry::Counter admitted;
    std::array<telemetry::Counter, admission::refusal_count> refused;
    telemetry::Gauge limit;
    telemetry::Gauge waiting;
  };
  std::vector<OfClass> classes;
  for (std::size_t i = 0; i < request_class_count; ++i) {
    const std::string name(to_string(static_cast<RequestClass>(i)));
    OfClass made;
    made.admitted = metrics.counter("admission_admitted_total", "Requests let in", {{"class", name}});
    for (std::size_t reason = 1; reason < admission::refusal_count; ++reason) {
      made.refused[reason] = metrics.counter(
          "admission_refused_total", "Requests refused, by why",
          {{"class", name}, {"reason", std::string(to_string(static_cast<admission::Refusal>(reason)))}});
    }
    made.limit = metrics.gauge("admission_limit", "How many requests may wait for a seat", {{"class", name}});
    made.waiting = metrics.gauge("admission_waiting", "Requests that wait for a seat", {{"class", name}});
    classes.push_back(made);
  }
  const auto level = metrics.gauge("admission_level", "Brown-out level, 0 (all is served) to 4");
  const auto threshold = metrics.gauge("admission_threshold", "Ranks (class and cohort) let in, of 512");
  const auto demoted = metrics.gauge("threads_demoted", "Real-time threads made ordinary because they never rested");
  metrics.gauge("threads_privilege", "What threads are raised by: 0 nothing, 1 nice values, 2 real-time scheduling")
      .set(static_cast<double>(parts_.weights.privilege()));
  metrics.before_expose([=, this] {
    const auto figures = control_.figures();
    const auto up_to = [](const telemetry::Counter& counter, std::uint64_t now) {
      if (const double more = static_cast<double>(now) - counter.value(); more > 0) counter.add(more);
    };
    for (std::size_t i = 0; i < classes.size(); ++i) {
      up_to(classes[i].admitted, figures.admitted[i]);
      for (std::size_t reason = 1; reason < admission::refusal_count; ++reason)
        up_to(classes[i].refused[reason], figures.refused[i][reason]);
      classes[i].limit.set(static_cast<double>(figures.limit[i]));
      classes[i].waiting.set(static_cast<double>(figures.waiting[i]));
    }
    level.set(figures.level);
    threshold.set(static_cast<double>(figures.threshold));
    demoted.set(static_cast<double>(parts_.weights.demoted()));
  });
}

// ---- for operators

void AdmissionDesk::add_admin_routes(pipeline::Router& router) {
  router.add({net::Method::post, "/api/v1/admission/hints", "admission-hint", RequestClass::urgent,
              [this](pipeline::Call& call) -> Task<> { co_await handle_hint(call); }, admission::Cost::quick,
              "Tells of a surge to come: brown-out level 1 until it is over"});
  router.add({net::Method::get, "/api/v1/admission", "admission", RequestClass::urgent,
              [this](pipeline::Call& call) -> Task<> { co_await handle_show(call); }, admission::Cost::quick,
              "Level, threshold, limits and counts of admission"});
}

Task<> AdmissionDesk::handle_hint(pipeline::Call& call) {
  auto body = co_await call.exchange().read_body(hint_bytes_max);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const auto hint = parse_hint(*body);
  const auto taken = hint ? control_.accept(*hint, parts_.clock.steady()) : Result<>(hint.error());
  if (!taken) {
    co_await call.respond(taken.error());
    co_return;
  }
  // What is opened lazily is opened before it is needed: connections of the readers, pages of the index.
  for (std::size_t i = 0; i < usable_processors() * stores_.size(); ++i) {
    parts_.workers.submit(RequestClass::urgent, [this, store = stores_[i % stores_.size()]] {
      const auto read = store->read([](store::Reader& reader) -> Result<> {
        MYDR24_TRY(reader.count_resources("Patient"));
        return {};
      });
      if (!read) parts_.log.warn("readers could not be opened", {{"error", read.error().text}});
    });
  }
  std::string text;
  json::Writer(text)
      .begin_object()
      .field("scenario", hint->scenario)
      .field("factor", hint->factor)
      .field("eta_s", hint->eta.count())
      .field("lasts_s", hint->lasts.count())
      .end_object();
  write_event("admission.hint", text);
  net::Response response{.status = 202, .content_type = "application/json"};
  response.body = std::move(text);
  co_await call.respond(std::move(response));
}

Task<> AdmissionDesk::handle_show(pipeline::Call& call) const {
  const auto figures = control_.figures();
  net::Response response{.status = 200, .content_type = "application/json"};
  json::Writer out(response.body);
  out.begin_object().field("level", figures.level).field("threshold", static_cast<std::int64_t>(figures.threshold));
  out.field("privilege", to_string(parts_.weights.privilege())).key("classes").begin_object();
  for (std::size_t i = 0; i < request_class_count; ++i) {
    out.key(to_string(static_cast<RequestClass>(i))).begin_object();
    out.field("admitted", static_cast<std::int64_t>(figures.admitted[i]));
    out.field("waiting", static_cast<std::int64_t>(figures.waiting[i]));
    out.field("limit", static_cast<std::int64_t>(figures.limit[i])).key("refused").begin_object();
    for (std::size_t reason = 1; reason < admission::refusal_count; ++reason) {
      out.field(to_string(static_cast<admission::Refusal>(reason)),
                static_cast<std::int64_t>(figures.refused[i][reason]));
    }
    out.end_object().end_object();
  }
  out.end_object().end_object();
  co_await call.respond(std::move(response));
}

}  // namespace mydr24::server
