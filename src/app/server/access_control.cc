#include "app/server/access_control.h"

#include <fmt/format.h>

#include "base/json/document.h"

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
      MYDR24_TRY(record(event, root));
      if (event.kind != "access.override-ended") raise(event, root);
    }
    return {};
  }

 private:
  // DICOM PS3.16, CID 403: 110127 Emergency Override Started, 110138 Emergency Override Stopped.
  Result<> record(const store::Event& event, json::Value override) const {
    audit::Entry entry;
    entry.at = event.at;
    entry.action = audit::Action::execute;
    entry.interaction = event.kind == "access.override"         ? "break-glass-start"
                        : event.kind == "access.override-ended" ? "break-glass-end"
                                                                : "break-glass-review";
    entry.principal_kind = access::PrincipalKind::person;
    entry.principal = event.kind == "access.override-reviewed" ? override["reviewed_by"].text()
                                                               : override["principal"].text();
    entry.purpose = "BTG";
    entry.override_id = override["id"].text();
    if (const auto patient = override["patient"].text(); !patient.empty()) entry.patients.emplace_back(patient);
    entry.rule = override["reason"].text();
    entry.store_sequence = event.sequence;
    return control_.audit_->append_once(std::move(entry));
  }

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

Result<std::unique_ptr<AccessControl>> AccessControl::make(Parts parts) {
  std::unique_ptr<AccessControl> made(new AccessControl(std::move(parts)));
  MYDR24_TRY(made->start());
  return made;
}

Result<> AccessControl::start() {
  const auto& settings = parts_.desk.settings;
  auto& store = parts_.desk.records.store();
  MYDR24_ASSIGN(audit_, audit::Log::open(audit_settings(settings, parts_.desk.log), parts_.desk.machine_clock,
                                         &parts_.metrics));
  writes_ = std::make_unique<audit::WriteFollower>(*audit_);
  store.add_follower(*writes_);
  MYDR24_ASSIGN(auto policy, load_policy(settings.access.policy_file));
  MYDR24_ASSIGN(desk_, AccessDesk::make(parts_.desk));
  glass_ = std::make_unique<access::BreakGlass>(store, parts_.desk.clock, access::BreakGlassSettings{});
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
