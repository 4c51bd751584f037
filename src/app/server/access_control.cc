#include "app/server/access_control.h"

#include <fmt/format.h>

#include "base/json/document.h"
#include "guard/audit/fhir.h"

namespace mydr24::server {
namespace {

// An alert about an override stands for so long unless its review comes first.
constexpr std::chrono::hours notice_stands{24};

audit::Settings audit_settings(const Settings& settings, const telemetry::Log& log) {
  audit::Settings made;
  made.folder = settings.audit.folder.empty() ? std::filesystem::path(settings.store.path) / "audit"
                                              : std::filesystem::path(settings.audit.folder);
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

}  // namespace

class AccessControl::Notices final : public store::Follower {
 public:
  Notices(const AccessControl& control, const Clock& clock) : control_(control), clock_(clock) {}
  std::string_view name() const override { return "access-notices"; }

  Result<> follow(std::span<const store::Event> events) override {
    for (const auto& event : events) {
      if (!event.kind.starts_with("access.override")) continue;
      const auto document = json::Document::parse_view(event.payload);
      if (!document) continue;
      const auto root = document->root();
      if (event.kind != "access.override-ended") raise(event, root);
    }
    return {};
  }

 private:
  // Without the patient and the reason: who may know them looks them up.
  void raise(const store::Event& event, json::Value override) const {
    routing::Alert alert;
    const bool over_budget = override["over_budget"].is_true();
    const auto add = [](routing::Labels& labels, std::string_view name, std::string_view value) {
      labels.set(name, value);
    };
    add(alert.labels, "alertname", "EmergencyOverride");
    add(alert.labels, "override", override["id"].text());
    add(alert.labels, "severity", over_budget ? "urgent" : "info");
    add(alert.labels, "team", "privacy");
    add(alert.annotations, "summary",
        over_budget ? "More emergency overrides than the budget of one person"
                    : "A record was opened by an emergency override");
    add(alert.annotations, "description", "Review it: GET /api/v1/break-glass?waiting=true");
    alert.starts_at = event.at;
    alert.updated_at = clock_.now();
    alert.ends_at = event.kind == "access.override-reviewed" ? clock_.now() : event.at + notice_stands;
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
  MYDR24_ASSIGN(auto policy, load_policy(settings.access.policy_file));
  auto desk = parts_.desk;
  desk.caller_of = [this](const access::Principal& person) { return gatekeeper_->caller_of(person); };
  MYDR24_ASSIGN(desk_, AccessDesk::make(std::move(desk)));
  glass_ = std::make_unique<access::BreakGlass>(store, parts_.desk.clock, access::BreakGlassSettings{}, note_override);
  glass_->attach();
  gatekeeper_ = std::make_unique<Gatekeeper>(Gatekeeper::Parts{.identity = desk_->identity(),
                                                               .glass = *glass_,
                                                               .consents = parts_.consents.book(),
                                                               .policy = std::move(policy),
                                                               .organization = settings.access.organization,
                                                               .clock = parts_.desk.clock,
                                                               .machine_clock = parts_.desk.machine_clock});
  notices_ = std::make_unique<Notices>(*this, parts_.desk.machine_clock);
  store.add_follower(*notices_);
  api_ = std::make_unique<access_api::Service>(access_api::Service{store, *glass_});
  return {};
}

void AccessControl::add_routes(pipeline::Router& router) {
  desk_->add_routes(router);
  access_api::add_routes(router, *api_);
}

void AccessControl::add_admin_routes(pipeline::Router& router) { desk_->add_admin_routes(router); }

}  // namespace mydr24::server
