#include "app/server/access_control.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>

#include "base/json/document.h"
#include "base/json/writer.h"
#include "guard/audit/fhir.h"

namespace mydr24::server {
namespace {

// An alert about an override stands for so long unless its review comes first; one about a breach unless it is closed.
constexpr std::chrono::hours notice_stands{24};

audit::Settings audit_settings(const Settings& settings, const telemetry::Log& log) {
  audit::Settings made;
  made.folder = audit_folder(settings);
  made.encryption_key_file = settings.encryption.key_file;
  made.log = [&log](telemetry::Level level, std::string_view line) { log.write(level, "audit", {{"detail", line}}); };
  return made;
}

// DICOM PS3.16, CID 403: 110127 Emergency Override Started, 110138 Emergency Override Stopped; see audit/fhir.h.
Result<> note_override(store::Transaction& transaction, access::OverrideStep step,
                       const access::OverrideRecord& record) {
  using access::OverrideStep;
  audit::Entry entry;
  entry.at = transaction.now();
  entry.action = audit::Action::execute;
  entry.interaction = step == OverrideStep::started ? audit::override_started
                      : step == OverrideStep::ended ? audit::override_stopped
                                                    : "break-glass-review";
  entry.principal_kind = access::PrincipalKind::person;
  entry.principal = step == OverrideStep::reviewed ? record.reviewed_by : record.principal;
  entry.name = step == OverrideStep::reviewed ? std::string() : record.name;
  entry.purpose = "BTG";
  entry.override_id = record.id;
  if (!record.patient.empty()) entry.patients.push_back(record.patient);
  entry.rule = step == OverrideStep::reviewed ? record.verdict : record.reason;
  MYDR24_TRY(audit::note_write(transaction, std::move(entry)));
  return {};
}

Result<> note_breach(store::Transaction& transaction, std::string_view step, std::string_view by,
                     const breach::Breach& breach) {
  audit::Entry entry;
  entry.at = transaction.now();
  entry.action = audit::Action::execute;
  entry.interaction = step;
  entry.principal_kind = access::PrincipalKind::person;
  entry.principal = by;
  entry.rule = fmt::format("breach {}: {} people, {} accesses", breach.id, breach.people, breach.records);
  MYDR24_TRY(audit::note_write(transaction, std::move(entry)));
  return {};
}

}  // namespace

class AccessControl::Notices final : public store::Follower {
 public:
  Notices(const AccessControl& control, const Clock& clock) : control_(control), clock_(clock) {}
  std::string_view name() const override { return "access-notices"; }

  Result<> follow(std::span<const store::Event> events) override {
    for (const auto& event : events) {
      const bool of_breach = event.kind.starts_with("breach.");
      if (!of_breach && !event.kind.starts_with("access.override")) continue;
      const auto document = json::Document::parse_view(event.payload);
      if (!document) continue;
      const auto root = document->root();
      if (of_breach) {
        raise_breach(event, root);
      } else if (event.kind != "access.override-ended") {
        raise(event, root);
      }
    }
    return {};
  }

 private:
  // Without the patient and the reason: who may know them looks them up.
  void raise(const store::Event& event, json::Value override) const {
    routing::Alert alert;
    const bool over_budget = override["over_budget"].is_true();
    alert.labels.set("alertname", "EmergencyOverride");
    alert.labels.set("override", override["id"].text());
    alert.labels.set("severity", over_budget ? "urgent" : "info");
    alert.labels.set("team", "privacy");
    alert.annotations.set("summary", over_budget ? "More emergency overrides than the budget of one person"
                                                 : "A record was opened by an emergency override");
    alert.annotations.set("description", "Review it: GET /api/v1/break-glass?waiting=true");
    alert.starts_at = event.at;
    alert.updated_at = clock_.now();
    alert.ends_at = event.kind == "access.override-reviewed" ? clock_.now() : event.at + notice_stands;
    control_.parts_.raise(std::move(alert));
  }

  // Without what happened and to whom: who may know it looks it up. One that is open stands until it is closed.
  void raise_breach(const store::Event& event, json::Value breach) const {
    routing::Alert alert;
    const bool of_clock = event.kind == "breach.clock";
    const auto percent = breach["percent"].text();
    alert.labels.set("alertname", of_clock ? "BreachNoticeDue" : "Breach");
    alert.labels.set("breach", breach["id"].text());
    alert.labels.set("severity", of_clock && percent == "50" ? "warning" : "urgent");
    alert.labels.set("team", "privacy");
    if (of_clock) {
      alert.labels.set("notice", breach["clock"].text());
      alert.labels.set("percent", percent);
      alert.annotations.set("summary", fmt::format("{}% of the time to tell the {} of a breach is over; it ends {}",
                                                   percent, breach["clock"].text(), breach["due"].text()));
    } else {
      alert.annotations.set("summary", "A breach of personal data was documented");
    }
    alert.annotations.set("description", fmt::format("GET /api/v1/breaches/{}", breach["id"].text()));
    alert.starts_at = event.at;
    alert.updated_at = clock_.now();
    alert.ends_at = event.kind == "breach.closed" ? clock_.now() : event.at + notice_stands;
    control_.parts_.raise(std::move(alert));
  }

  const AccessControl& control_;
  const Clock& clock_;
};

AccessControl::AccessControl(Parts parts) : parts_(std::move(parts)) {}
AccessControl::~AccessControl() = default;

Result<std::unique_ptr<AccessControl>> AccessControl::make(Parts parts) {
  std::unique_ptr<AccessControl> made(new AccessControl(std::move(parts)));
  MYDR24_TRY(made->start());
  return made;
}

Result<> AccessControl::start() {
  const auto& settings = parts_.desk.settings;
  auto& store = parts_.desk.records.store();
  MYDR24_ASSIGN(
      audit_, audit::Log::open(audit_settings(settings, parts_.desk.log), parts_.desk.machine_clock, &parts_.metrics));
  writes_ = std::make_unique<audit::WriteFollower>(*audit_);
  store.add_follower(*writes_);
  ledger_ = std::make_unique<erasure::Ledger>(audit_->trail().folder / "erasures");
  MYDR24_ASSIGN(auto policy, load_policy(settings.access.policy_file));
  auto desk = parts_.desk;
  desk.policy = policy;
  desk.caller_of = [this](const access::Principal& person) { return gatekeeper_->caller_of(person); };
  desk.operate = [this](json::Value command) { return operate(command); };
  MYDR24_ASSIGN(desk_, IdentityDesk::make(std::move(desk)));
  glass_ = std::make_unique<access::BreakGlass>(store, parts_.desk.clock, access::BreakGlassSettings{}, note_override);
  glass_->attach();
  gatekeeper_ = std::make_unique<Gatekeeper>(
      Gatekeeper::Parts{.identity = desk_->identity(),
                        .glass = *glass_,
                        .consents = parts_.consents.book(),
                        .policy = std::move(policy),
                        .catalogue = [this] { return parts_.desk.records.definitions()->catalogue; },
                        .organization = settings.access.organization,
                        .tenant = settings.tenant,
                        .clock = parts_.desk.clock,
                        .machine_clock = parts_.desk.machine_clock});
  const auto unclear =
      parts_.metrics.gauge("consents_unclear", "Consents in force that say something which is not understood");
  parts_.metrics.before_expose([unclear, this] { unclear.set(static_cast<double>(parts_.consents.book().unclear())); });
  breaches_ = std::make_unique<breach::Book>(store, note_breach);
  breaches_->attach();
  notices_ = std::make_unique<Notices>(*this, parts_.desk.machine_clock);
  store.add_follower(*notices_);
  api_ = std::make_unique<access_api::Service>(
      access_api::Service{.store = store,
                          .glass = *glass_,
                          .identity = desk_->identity(),
                          .clock = parts_.desk.machine_clock,
                          .router = parts_.router,
                          .policy = [this] { return gatekeeper_->policy(); },
                          .explain = [this](const access_api::Question& question,
                                            access::Access& asker) { return explain(question, &asker); },
                          .tenant = parts_.tenant,
                          .base_url = [this] { return desk_->base_url(); }});
  if (settings.audit.retention_days > 0)
    keeper_ = std::jthread([this](const std::stop_token& stop) { keep_retention(stop); });
  MYDR24_ASSIGN(const auto again, erasure::replay(parts_.desk.records, *ledger_));
  if (again > 0)
    parts_.desk.log.warn("a copy of the store was put back: what had been erased is erased again",
                         {{"resources", again}});
  return {};
}

namespace {

Result<net::Method> method_of(std::string_view text) {
  using net::Method;
  for (const auto method : {Method::get, Method::head, Method::post, Method::put, Method::patch, Method::del})
    if (net::to_string(method) == text) return method;
  return fail(Code::invalid, fmt::format("{} is no method: GET, POST, PUT, PATCH or DELETE", text.substr(0, 32)),
              "method");
}

Result<access::Principal> principal_of(store::Store& store, std::string_view name) {
  std::optional<identity::User> user;
  MYDR24_TRY(store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(user, identity::users::find(reader, identity::folded_name(name)));
    return {};
  }));
  if (!user) return fail(Code::not_found, fmt::format("there is no user {}", name.substr(0, 64)), "as");
  access::Principal principal;
  principal.kind = access::PrincipalKind::person;
  principal.id = identity::user_id(user->name);
  principal.name = user->display;
  principal.roles = user->roles;
  principal.fhir_user = user->fhir_user;
  return principal;
}

// As the pipeline decides it.
access::Decision decide(const access::Policy& policy, const access::Caller& caller, const pipeline::Match& match) {
  const auto& route = *match.route;
  if (route.open) return {.allowed = true, .rule = "anybody may"};
  return route.pattern.starts_with("/fhir") ? access::decide_fhir(caller, route.interaction, pipeline::type_of(match))
                                            : access::decide_operation(policy, caller, route.interaction);
}

Result<bool> sees(access::Access& access, store::Store& store, const pipeline::Match& match) {
  bool visible = false;
  MYDR24_TRY(access.read(store, [&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto found, reader.current(pipeline::type_of(match), match.captures[1]));
    visible = found.has_value();
    return {};
  }));
  return visible;
}

}  // namespace

Result<std::string> AccessControl::explain(const access_api::Question& question, access::Access* asker) {
  auto& store = parts_.desk.records.store();
  MYDR24_ASSIGN(const auto method, method_of(question.method));
  MYDR24_ASSIGN(const auto principal, principal_of(store, question.as));
  const auto path = question.path.substr(0, question.path.find('?'));
  const auto match = parts_.router.match(method, path);
  if (match.route == nullptr)
    return fail(Code::not_found, fmt::format("no route answers {} {}", question.method, path), "path");
  const auto policy = gatekeeper_->policy();
  MYDR24_ASSIGN(const auto caller, gatekeeper_->caller_of(principal));
  const auto decision = decide(*policy, *caller, match);
  std::string text;
  json::Writer out(text);
  out.begin_object().field("as", caller->principal.id).key("roles").begin_array();
  for (const auto& role : principal.roles) out.string(role);
  out.end_array().field("interaction", match.route->interaction);
  out.field("allowed", decision.allowed).field("rule", decision.rule);
  if (decision.allowed && match.route->pattern.starts_with("/fhir/{type}/{id}")) {
    access::Access access(caller, parts_.desk.clock);
    MYDR24_ASSIGN(const bool visible, sees(access, store, match));
    bool may_know = true;
    if (asker != nullptr) {
      MYDR24_ASSIGN(may_know, sees(*asker, store, match));
    }
    if (may_know) out.field("visible", visible);
  }
  if (!match.route->open) {
    out.key("allowed_roles").begin_array();
    for (const auto& role : policy->roles) {
      auto alone = principal;
      alone.roles = {role.name};
      MYDR24_ASSIGN(const auto other, gatekeeper_->caller_of(std::move(alone)));
      if (decide(*policy, *other, match).allowed) out.string(role.name);
    }
    out.end_array();
  }
  out.end_object();
  return text;
}

void AccessControl::keep_retention(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  do {
    const auto retained = audit_->retain(static_cast<int>(parts_.desk.settings.audit.retention_days));
    if (!retained) {
      parts_.desk.log.warn("old audit segments could not be removed; it is tried again tomorrow",
                           {{"detail", retained.error().text}});
    } else if (retained->segments_removed > 0) {
      parts_.desk.log.info("audit segments beyond their retention are gone",
                           {{"segments", retained->segments_removed}, {"held", retained->segments_held}});
    }
  } while (!wake.wait_for(lock, stop, std::chrono::hours(24), [&stop] { return stop.stop_requested(); }));
}

void AccessControl::add_routes(pipeline::Router& router, fhir_api::Service& fhir) {
  desk_->add_routes(router);
  access_api::add_routes(router, *api_);
  const auto& server = parts_.desk.settings.server;
  trail_ = std::make_unique<audit_api::Service>(
      fhir, *audit_, parts_.desk.machine_clock,
      audit::Observer{.name = parts_.desk.settings.notify.site,
                      .url = server.base_url.empty() ? std::string() : server.base_url + "/fhir/R4"});
  audit_api::add_routes(router, *trail_);
  rights_ = std::make_unique<rights_api::Service>(
      rights_api::Service{*trail_,
                          *breaches_,
                          [this] { return gatekeeper_->policy(); },
                          [this] { return processing_record(); },
                          *ledger_,
                          {.retention_years = static_cast<int>(parts_.desk.settings.rights.retention_years),
                           .not_retained = list_of(parts_.desk.settings.rights.not_retained)}});
  rights_api::add_routes(router, *rights_);
}

void AccessControl::add_admin_routes(pipeline::Router& router) { desk_->add_admin_routes(router); }

}  // namespace mydr24::server
