#include "app/server/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "app/server/notify.h"
#include "app/server/server.h"
#include "base/core/id.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "clinical/records/rewrite.h"

namespace mydr24::server {
namespace {

constexpr std::chrono::seconds count_time_max{10};

Result<changes::Policy> read_policy(const std::string& path) {
  if (path.empty()) return changes::standard_policy();
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Code::invalid, fmt::format("\"{}\" cannot be read", path), "changes.policy_file");
  const std::string text(std::istreambuf_iterator<char>(in), {});
  auto policy = changes::parse_policy(text);
  if (!policy)
    return fail(Code::invalid, fmt::format("{}: {}: {}", path, policy.error().where, policy.error().text),
                "changes.policy_file");
  return policy;
}

Result<std::set<std::string>> read_scopes(const std::string& text) {
  std::set<std::string> scopes;
  for (auto& scope : list_of(text)) {
    if (!live_settings::is_scope(scope) || scope == live_settings::everywhere)
      return fail(Code::invalid,
                  fmt::format("\"{}\" is none of lab, non-clinical, ward/NAME, region/NAME, tenant/NAME", scope),
                  "changes.scopes");
    scopes.insert(std::move(scope));
  }
  return scopes;
}

}  // namespace

Result<std::unique_ptr<ChangeDesk>> ChangeDesk::make(Parts parts) {
  std::unique_ptr<ChangeDesk> desk(new ChangeDesk(std::move(parts)));
  MYDR24_TRY(desk->build());
  return desk;
}

Result<> ChangeDesk::build() {
  MYDR24_ASSIGN(auto policy, read_policy(parts_.settings.changes.policy_file));
  MYDR24_TRY(check_roles(policy));
  MYDR24_ASSIGN(auto scopes, read_scopes(parts_.settings.changes.scopes));
  if (!parts_.settings.tenant.empty()) scopes.insert(fmt::format("tenant/{}", parts_.settings.tenant));
  MYDR24_ASSIGN(auto reach, call_reach(parts_.settings.server, parts_.settings.access));
  settings_ = std::make_unique<live_settings::Registry>(
      parts_.store, std::move(scopes), [&log = parts_.log](std::string_view setting, const Error& error) {
        log.error("a setting could not be applied", {{"setting", setting}, {"detail", error.text}});
      });
  MYDR24_TRY(define_settings(*settings_, parts_.live));
  settings_->attach();
  auto outlook = parts_.outlook;
  outlook.escalate = [&book = parts_.book](store::Transaction& transaction, std::string_view cause,
                                           std::string_view title, std::string_view reason) -> Result<> {
    MYDR24_TRY(book.raise(transaction, {.source = "changes",
                                        .cause = std::string(cause),
                                        .severity = alerts::Severity::urgent,
                                        .title = std::string(title),
                                        .reason = std::string(reason)}));
    return {};
  };
  book_ = std::make_unique<changes::Book>(parts_.store, std::move(policy), *settings_, std::move(outlook));
  book_->attach();
  parts_.store.add_follower(*this);
  add_metrics();
  outside_ = std::make_unique<changes::Outside>(outside_settings(std::move(reach)));
  engine_ =
      std::make_unique<changes::Engine>(parts_.store, *book_, *outside_, parts_.clock, make_uuid7(parts_.clock.now()));
  runner_ = std::make_unique<changes::Runner>(
      *engine_, parts_.store, *book_, parts_.clock,
      [&log = parts_.log](std::string_view what) { log.error("a change", {{"detail", what}}); });
  api_ = std::make_unique<change_api::Desk>(change_api::Desk{parts_.store, *book_, parts_.workers, parts_.clock});
  return settings_->load();
}

void ChangeDesk::add_metrics() {
  const auto total = [](auto read) -> Metric {
    return [read](const std::string& scope) -> std::optional<double> {
      return scope.empty() ? std::optional(static_cast<double>(read())) : std::nullopt;
    };
  };
  auto& store = parts_.store;
  const auto& dispatcher = parts_.dispatcher;
  add_metric("store_writes_failed_total", total([&store] { return store.statistics().writes_failed; }));
  add_metric("store_disk_bytes", total([&store] { return store.statistics().bytes_on_disk; }));
  add_metric("store_commit_us", total([&store] { return store.statistics().commit_us_last; }));
  add_metric("alerts_waiting", total([&dispatcher] { return dispatcher.counters().waiting.load(); }));
  add_metric("alerts_failed_total", total([&dispatcher] { return dispatcher.counters().failed.load(); }));
  add_metric("alerts_given_up_total", total([&dispatcher] { return dispatcher.counters().given_up.load(); }));
}

changes::OutsideSettings ChangeDesk::outside_settings(net::Reach reach) {
  changes::OutsideSettings made;
  made.base_url = [this] {
    const std::lock_guard lock(mutex_);
    return base_url_;
  };
  made.is_ending = parts_.is_ending;
  made.reach = std::move(reach);
  made.version = std::string(version);
  made.fhir = [this](const std::string& search) { return count(search); };
  made.metric = [this](const std::string& name, const std::string& scope) -> std::optional<double> {
    const auto found = metrics_.find(name);
    if (found != metrics_.end()) return found->second(scope);
    return scope.empty() ? parts_.measured(name) : std::nullopt;
  };
  made.burn = parts_.burn;
  made.command = [this](const std::string& name) -> Result<changes::Command> {
    const auto& known = book_->policy().commands;
    const auto found = known.find(name);
    if (found == known.end()) return fail(Code::refused, fmt::format("the policy allows no command {}", name));
    return found->second;
  };
  made.credential = [this](const std::string& name, const std::string& url) { return show(name, url); };
  return made;
}

Result<> ChangeDesk::check_roles(const changes::Policy& policy) const {
  if (parts_.gatekeeper == nullptr) return {};
  for (const auto& [name, credential] : policy.credentials)
    for (const auto& role : credential.roles)
      if (parts_.gatekeeper->policy()->find(role) == nullptr)
        return fail(Code::invalid, fmt::format("the credential {}: there is no role {}", name, role),
                    "changes.policy_file");
  return {};
}

// The policy may be another one than when the plan was proposed.
Result<changes::Shown> ChangeDesk::show(const std::string& credential, const std::string& url) const {
  const auto& known = book_->policy().credentials;
  const auto found = known.find(credential);
  if (found == known.end()) return fail(Code::refused, fmt::format("the policy has no credential {}", credential));
  if (!changes::is_for(found->second, url))
    return fail(Code::refused, fmt::format("the credential {} is not for this URL", credential));
  const auto& what = found->second;
  if (!what.roles.empty()) {
    if (parts_.gatekeeper == nullptr) return changes::Shown{};
    access::Principal machine;
    machine.kind = access::PrincipalKind::machine;
    machine.id = "service/change-checks";
    machine.name = fmt::format("checks of changes, as {}", credential);
    machine.tenant = parts_.settings.tenant;
    machine.roles = what.roles;
    machine.expires = Instant::max();
    auto loan = parts_.gatekeeper->lend(std::move(machine));
    return changes::Shown{.header = what.header, .value = "Bearer " + loan.token, .held = std::move(loan.held)};
  }
  const auto where = fmt::format("credentials.{}", credential);
  MYDR24_ASSIGN(auto secret, read_secret(what.file, where));
  if (secret.ends_with('\r')) secret.pop_back();
  if (std::ranges::any_of(secret, [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return fail(Code::invalid,
                fmt::format("the first line of \"{}\" has characters that no header may have", what.file), where);
  const bool has_scheme = what.header != "Authorization" || secret.contains(' ');
  return changes::Shown{.header = what.header, .value = has_scheme ? std::move(secret) : "Bearer " + secret};
}

// As every search is answered; how many there are, and nothing of them.
Result<std::int64_t> ChangeDesk::count(const std::string& search) const {
  const auto definitions = parts_.records.definitions();
  // A type alone is a search too.
  const auto criteria = search.contains('?') ? search : search + "?_lastUpdated=gt1900-01-01";
  MYDR24_ASSIGN(auto query, records::parse_criteria(criteria, definitions->catalogue));
  query.total = search::Total::accurate;
  query.count = 1;
  std::int64_t total = 0;
  MYDR24_TRY(parts_.store.read(
      [&](store::Reader& reader) -> Result<> {
        MYDR24_ASSIGN(const auto page, reader.search(query));
        total = page.total.value_or(0);
        return {};
      },
      {.time_max = count_time_max}, 0));
  return total;
}

Result<> ChangeDesk::follow(std::span<const store::Event> events) {
  for (const store::Event& event : events) {
    if (!event.kind.starts_with("change.")) continue;
    const auto payload = json::Document::parse_view(event.payload);
    if (!payload) continue;
    std::string told;
    json::Writer out(told);
    out.begin_object();
    for (const auto* member : {"id", "state"})
      if (const auto value = payload->root()[member]) out.field(member, value.text());
    out.end_object();
    parts_.hub.publish(event.kind, std::move(told));
  }
  return {};
}

void ChangeDesk::start(std::string base_url) {
  {
    const std::lock_guard lock(mutex_);
    base_url_ = std::move(base_url);
  }
  runner_->start();
}

void ChangeDesk::stop() {
  if (outside_) outside_->stop();
  if (runner_) runner_->stop();
}

}  // namespace mydr24::server
