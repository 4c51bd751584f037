#include "app/server/live_parts.h"

#include <fmt/format.h>

#include "base/json/document.h"
#include "base/json/writer.h"
#include "clinical/vitals/rule_book.h"
#include "guard/identity/throttle.h"

namespace mydr24::server {
namespace {

using live_settings::Definition;
using live_settings::Type;

constexpr std::string_view default_policy = "policy/default";

std::function<Result<>(const std::string&)> applied_by(LiveParts::Apply::Function function) {
  return [function = std::move(function)](const std::string& value) -> Result<> {
    function(value);
    return {};
  };
}

// The policy with another delay in each of its steps.
std::string with_delay(std::string_view document, const std::string& seconds) {
  const auto parsed = json::Document::parse_view(document);
  std::string text;
  json::Writer out(text);
  out.begin_object();
  for (const auto member : parsed->root()) {
    out.key(member.key());
    if (member.key() != "steps") {
      out.raw(member.raw());
      continue;
    }
    out.begin_array();
    for (const auto step : member) {
      out.begin_object();
      for (const auto each : step)
        if (each.key() != "delay_s") out.key(each.key()).raw(each.raw());
      out.key("delay_s").raw(seconds).end_object();
    }
    out.end_array();
  }
  out.end_object();
  return text;
}

// As the store keeps it, which the plan in memory follows within a second; until it was changed, as the settings have it.
Result<std::string> document_of(const oncall::Directory& directory, store::Reader& reader) {
  MYDR24_ASSIGN(const auto row, reader.state("oncall", fmt::format("part/{}", default_policy)));
  if (row) return *row;
  const auto plan = directory.plan();
  const auto found = plan->documents().find(default_policy);
  if (found == plan->documents().end()) return fail(Code::not_found, "there is no policy of that name", "default");
  return found->second;
}

// Of each of its steps, as text; nothing: they differ, or there is none.
std::optional<std::string> delay_of(std::string_view document) {
  const auto parsed = json::Document::parse_view(document);
  if (!parsed) return std::nullopt;
  std::optional<std::string> delay;
  for (const auto step : parsed->root()["steps"]) {
    const auto text = step["delay_s"].text();
    if (text.empty() || (delay && *delay != text)) return std::nullopt;
    delay = text;
  }
  return delay;
}

// The plan is the store's: every server takes it up within a second (OnCallDesk).
Definition escalate_after(const LiveParts& parts) {
  Definition made{.name = "alerting.escalate_after_s",
                  .unit = "s",
                  .low = 1,
                  .high = 24 * 3600,  // as in the settings file
                  .standard = fmt::format("{}", parts.alerting.escalate_after_s),
                  .about = "How long a step of the on-call policy \"default\" waits for an answer",
                  .module = "alerting/oncall",
                  .emergency = true};
  made.within = [&directory = parts.directory](store::Transaction& transaction, const std::string& value,
                                               std::string_view by) -> Result<> {
    MYDR24_ASSIGN(const auto document, document_of(directory, transaction));
    // One value could not be taken back to several.
    if (!delay_of(document))
      return fail(Code::conflict, "its steps wait for different times: change them in the on-call plan");
    oncall::Change change{.by = std::string(by)};
    change.parts[std::string(default_policy)] = with_delay(document, value);
    MYDR24_TRY(directory.change(transaction, change));
    return {};
  };
  made.read = [&directory = parts.directory, standard = made.standard](store::Reader& reader) -> Result<std::string> {
    const auto document = document_of(directory, reader);
    return document ? delay_of(*document).value_or(standard) : standard;
  };
  return made;
}

Definition rules_version() {
  Definition made{.name = "vitals.rules_version",
                  .high = vitals::RuleBook::versions_max,
                  .standard = "0",
                  .about = "Which version of the rules for vital signs is in force; 0: the built-in one",
                  .module = "clinical/vitals",
                  .emergency = true};
  made.within = [](store::Transaction& transaction, const std::string& value, std::string_view by) {
    return vitals::RuleBook::activate(transaction, std::stoi(value), by);
  };
  made.read = [](store::Reader& reader) -> Result<std::string> {
    MYDR24_ASSIGN(const auto versions, vitals::RuleBook::list(reader));
    for (const auto& each : versions)
      if (each.in_force) return fmt::format("{}", each.version);
    return std::string("0");
  };
  return made;
}

Result<> define_features(live_settings::Registry& registry, const LiveParts& parts) {
  if (!parts.on.feature) return {};
  const auto all = pipeline::features();
  for (std::uint8_t i = 0; i < all.size(); ++i) {
    Definition made{.name = fmt::format("feature.{}", all[i].name),
                    .type = Type::boolean,
                    .standard = "true",
                    .about = fmt::format("{}; false: answered with 503", all[i].about),
                    .module = "api/pipeline"};
    made.apply = applied_by([i, on = parts.on.feature](const std::string& value) { on(i, value == "true"); });
    MYDR24_TRY(registry.add(std::move(made)));
  }
  return {};
}

}  // namespace

Result<> define_settings(live_settings::Registry& registry, const LiveParts& parts) {
  const auto add = [&](Definition definition, const LiveParts::Apply::Function& function) -> Result<> {
    if (!function) return {};
    definition.apply = applied_by(function);
    return registry.add(std::move(definition));
  };
  const auto& alerting = parts.alerting;
  MYDR24_TRY(add({.name = "alerting.close_idle_days",
                  .unit = "days",
                  .high = 3650,
                  .standard = fmt::format("{}", alerting.close_idle_days),
                  .about = "Until an alert is closed of which nobody speaks, emergencies excepted; 0: never",
                  .module = "alerting/alerts",
                  .routine = true},
                 parts.on.close_idle_days));
  MYDR24_TRY(add({.name = "alerting.clear_days",
                  .unit = "days",
                  .high = 3650,
                  .standard = fmt::format("{}", alerting.clear_days),
                  .about = "After its end until an alert and its calls are cleared away; 0: never",
                  .module = "alerting/alerts",
                  .routine = true},
                 parts.on.clear_days));
  MYDR24_TRY(add({.name = "store.limit_mib",
                  .unit = "MiB",
                  .high = 1e9,
                  .standard = fmt::format("{}", parts.storage_mib),
                  .about = "Beyond it only emergencies and urgent writes are taken; 0: no limit",
                  .module = "api/pipeline"},
                 parts.on.storage_mib));
  MYDR24_TRY(add({.name = "access.login_free_attempts",
                  .low = 1,
                  .high = 100,
                  .standard = fmt::format("{}", identity::Throttle::account_free),
                  .about = "How often a password may be wrong before each further attempt has to wait",
                  .module = "guard/identity"},
                 parts.on.login_free_attempts));
  MYDR24_TRY(add({.name = "access.login_wait_max_s",
                  .unit = "s",
                  .low = 1,
                  // After it nobody knows any more that one has failed.
                  .high = std::chrono::seconds(identity::Throttle::forgotten_after).count(),
                  .standard = fmt::format("{}", identity::Throttle::wait_max.count()),
                  .about = "The longest wait between two attempts to log in",
                  .module = "guard/identity"},
                 parts.on.login_wait_max_s));
  MYDR24_TRY(add({.name = "admission.hold",
                  .type = Type::boolean,
                  .standard = "false",
                  .about = "Brown-out level 1 at least: background work is refused, searches give short pages",
                  .module = "guard/admission"},
                 parts.on.admission_hold));
  MYDR24_TRY(define_features(registry, parts));
  MYDR24_TRY(registry.add(escalate_after(parts)));
  return registry.add(rules_version());
}

}  // namespace mydr24::server
