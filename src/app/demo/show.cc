#include "app/demo/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "api/pipeline/json_body.h"
#include "app/demo/staff.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::demo {
namespace {

using net::Method;
using pipeline::Call;

constexpr std::size_t pages_kept = 200;
constexpr std::size_t pages_shown = 12;
constexpr std::size_t body_bytes_max = 4096;
constexpr std::chrono::milliseconds look_every{2'000}, look_every_min{250};

struct Page {
  std::string id, alert, contact, severity, title;
};

// Test pages and synthetic emergencies are none.
std::optional<Page> page_of(const load::Delivery& delivery) {
  const auto document = json::Document::parse_view(delivery.body);
  if (!document || document->root()["schema"].text() != "mydr24.alert.v1") return std::nullopt;
  const json::Value alert = document->root()["alert"];
  return Page{.id = std::string(document->root()["delivery"]["id"].text()),
              .alert = std::string(alert["id"].text()),
              .contact = std::string(document->root()["contact"].text()),
              .severity = std::string(alert["severity"].text()),
              .title = std::string(alert["title"].text())};
}

Task<> begin_drill(Drill& drill, const Show& show, Call& call) {
  // Which a page of another site cannot send unasked.
  if (!call.request().header("Content-Type").starts_with("application/json")) {
    co_await call.respond(fail(Code::invalid, "send Content-Type: application/json", "Content-Type"));
    co_return;
  }
  const auto body = co_await pipeline::take_object(call, body_bytes_max);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const json::Value root = body->root();
  auto time = Drill::time_default;
  if (const json::Value given = root["seconds"]) {
    std::int64_t seconds = 0;
    const auto text = given.text();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (!given.is_number() || error != std::errc() || end != text.data() + text.size()) {
      co_await call.respond(fail(Code::invalid, "a whole number", "seconds"));
      co_return;
    }
    time = std::chrono::seconds(seconds);
  }
  const auto begun = drill.begin(root["scenario"].text(), time);
  if (!begun) {
    co_await call.respond(begun.error());
  } else {
    co_await pipeline::send_json(call, 202, show.to_json());
  }
}

void write_drill(json::Writer& out, const DrillState& drill) {
  out.key("drill").begin_object().field("phase", to_string(drill.phase));
  if (drill.phase != DrillState::Phase::none) {
    out.field("scenario", drill.scenario).field("multiplier", drill.multiplier).field("seconds", drill.time.count());
    out.field("begun_at", format_instant(drill.begun));
    if (drill.phase == DrillState::Phase::running)
      out.field("ends_at", format_instant(drill.begun + std::chrono::duration_cast<Microseconds>(drill.time)));
    if (!drill.problem.empty()) out.field("problem", drill.problem);
    out.key("classes").begin_array();
    for (const surge::LoadResult& result : drill.results) {
      out.begin_object().field("class", result.name).field("offered", result.offered);
      out.field("served", result.count(surge::Outcome::served)).field("refused", result.count(surge::Outcome::refused));
      out.field("failed", result.failed()).field("p99_ms", result.served.quantile_ms(0.99)).end_object();
    }
    out.end_array();
  }
  out.end_object().key("scenarios").begin_array();
  for (const surge::Scenario& each : surge::scenarios())
    out.begin_object().field("name", each.name).field("multiplier", each.multiplier).end_object();
  out.end_array();
}

}  // namespace

Show::Show(const ShowSettings& settings, const Clock& clock)
    : settings_(settings), clock_(clock), pager_(settings.pager_port, pages_kept), drill_(settings.binary, clock) {}

std::string Show::pager_url(std::string_view contact) const {
  std::string path = "/pager/";
  for (const char c : contact) path += c == ' ' ? '-' : c;
  return pager_.url(path);
}

void Show::add_routes(pipeline::Router& router) {
  router.add({Method::get, "/api/v1/demo", "demo-show", RequestClass::urgent,
              [this](Call& call) -> Task<> { co_await pipeline::send_json(call, 200, to_json()); },
              admission::Cost::by_method, "The demo's scene, the pages that came, the drill"});
  router.add({Method::post, "/api/v1/demo/scenarios", "demo-drill", RequestClass::urgent,
              [this](Call& call) -> Task<> { co_await begin_drill(drill_, *this, call); }, admission::Cost::by_method,
              "Begins a drill: the load of a scenario on this server"});
  // What ends the load gets through it.
  router.add({Method::del, "/api/v1/demo/scenarios", "demo-drill-end", RequestClass::emergency,
              [this](Call& call) -> Task<> {
                drill_.end();
                co_await pipeline::send_json(call, 202, to_json());
              },
              admission::Cost::by_method, "Ends the drill"});
}

Result<> Show::begin(const std::string& server, const std::string& emergency, Ward ward,
                     std::function<void(std::string)> said) {
  MYDR24_ASSIGN(auto own, load::parse_endpoint(server));
  MYDR24_ASSIGN(auto urgent, load::parse_endpoint(emergency.empty() ? server : emergency));
  drill_.aim(own, std::move(urgent));
  said_ = std::move(said);
  if (settings_.pace > 0 && ward.patients > 0)
    story_ = std::make_unique<Story>(std::move(ward), settings_.pace, clock_);
  thread_ = std::thread([this, own = std::move(own)]() mutable { run(std::move(own)); });
  return {};
}

void Show::run(load::Endpoint server) {
  Desk desk(std::move(server));
  const double pace = std::max(settings_.pace, 1.0);
  const auto paced = [pace](std::chrono::milliseconds time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time / pace);
  };
  const StaffSettings times;
  Staff staff({.answers_after = paced(times.answers_after), .resolves_after = paced(times.resolves_after)}, clock_);
  // With --keep: a drill that the last process did not bring to its end.
  if (const auto list = desk.get("/api/v1/alerts?state=open&count=500")) {
    const std::string prefix = fmt::format("Patient/{}-", surge::scenario_patients);
    if (std::ranges::any_of(list->root()["alerts"],
                            [&](json::Value alert) { return alert["patient"].text().starts_with(prefix); }))
      (void)drill_.settle();
  }
  while (true) {
    if (story_) {
      // What fails is looked at again: a server in a drill refuses what can wait.
      (void)staff.look(desk);
      story_->look(desk);
    }
    drill_.keep_time();
    tell();
    std::unique_lock lock(mutex_);
    if (story_) scene_ = story_->state();
    if (changed_.wait_for(lock, std::max(paced(look_every), look_every_min), [this] { return stopping_; })) return;
  }
}

void Show::tell() {
  for (const load::Delivery& delivery : pager_.deliveries()) {
    if (delivery.at <= told_until_) continue;
    told_until_ = delivery.at;
    if (const auto page = page_of(delivery))
      said_(fmt::format("page for the {}: {}, {}", page->contact, page->severity, page->title));
  }
  if (!story_ || story_->state().scene == told_scene_) return;
  told_scene_ = story_->state().scene;
  said_(fmt::format("scene: {}", told_scene_));
}

void Show::stop() {
  drill_.close();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::string Show::to_json() const {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("at", format_instant(clock_.now())).field("pace", settings_.pace);
  {
    const std::lock_guard lock(mutex_);
    if (!scene_.scene.empty()) {
      out.key("story").begin_object().field("scene", scene_.scene).field("since", format_instant(scene_.since));
      out.field("round", scene_.round);
      if (!scene_.patient.empty()) out.field("patient", scene_.patient);
      if (!scene_.change.empty()) out.field("change", scene_.change);
      out.end_object();
    }
  }
  out.key("pages").begin_array();
  const auto came = pager_.deliveries();
  std::size_t shown = 0;
  for (auto each = came.rbegin(); each != came.rend() && shown < pages_shown; ++each) {
    const auto page = page_of(*each);
    if (!page) continue;
    const Instant at = clock_.now() - std::chrono::duration_cast<Microseconds>(clock_.steady() - each->at);
    out.begin_object().field("id", page->id).field("at", format_instant(at)).field("alert", page->alert);
    out.field("contact", page->contact).field("severity", page->severity).field("title", page->title).end_object();
    ++shown;
  }
  out.end_array();
  write_drill(out, drill_.state());
  out.end_object();
  return text;
}

}  // namespace mydr24::demo
