// From a document to a Setup, and what must hold of it.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "alerting/oncall/fields.h"
#include "base/core/date_time.h"
#include "base/json/document.h"
#include "operations/incidents/setup.h"

namespace mydr24::incidents {
namespace {

using oncall::Fields;

constexpr std::chrono::seconds time_max = std::chrono::days(366);
constexpr std::size_t text_bytes_max = 4'000;
constexpr std::array<std::string_view, 5> severity_words{"emergency", "critical", "high", "medium", "low"};
constexpr std::array<std::string_view, 3> alert_words{"emergency", "urgent", "advisory"};
constexpr std::array<std::string_view, notify::kind_count> kinds{"webhook", "console", "email",    "sms",
                                                                 "voice",   "chat",    "pagerduty"};

Facts read_facts(Fields& from) {
  Facts facts{.title = from.text("title", text_bytes_max),
              .text = from.text("text", text_bytes_max),
              .status = from.text("status"),
              .service = from.text("service"),
              .source = from.text("source")};
  if (facts.title.empty()) from.refuse("title", "a title is needed");
  return facts;
}

Severity read_severity(Fields& from, std::string_view name) {
  if (!from.has(name)) from.refuse(name, "a severity is needed: emergency, critical, high, medium or low");
  return static_cast<Severity>(from.choice(name, severity_words, 2));
}

std::vector<notify::Address> read_addresses(Fields& from, std::string_view name) {
  std::vector<notify::Address> found;
  for (Fields& each : from.objects(name, addresses_max)) {
    notify::Address address;
    address.kind = static_cast<notify::Kind>(each.choice("kind", kinds, 0));
    address.target = each.text("target", notify::target_bytes_max);
    address.secret = each.text("secret", 2'000);
    if (const auto checked = notify::check_address(address); !checked)
      each.refuse(checked.error().where, checked.error().text);
    each.finish();
    found.push_back(std::move(address));
  }
  return found;
}

}  // namespace

class SetupReader {
 public:
  Result<Setup> read(std::string_view text) {
    if (text.size() > setup_bytes_max)
      return fail(Code::too_large, fmt::format("a setup has at most {} bytes", setup_bytes_max), "setup");
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
    made_.text_ = json::compact(document.root());
    Fields root(document.root(), "setup", error_);
    if (root.text("format") != "mydr24.incident-setup.v1") root.refuse("format", "it is mydr24.incident-setup.v1");
    made_.zone_ = root.zone("zone");
    made_.privacy_officer_ = root.name("privacy_officer");
    read_holidays(root);
    made_.default_severity_ = static_cast<Severity>(root.choice("default_severity", severity_words, 2));
    read_severities(root);
    read_services(root);
    read_rules(root);
    read_alerts(root);
    read_runbooks(root);
    made_.external_ = read_addresses(root, "external");
    made_.webhooks_ = read_addresses(root, "webhooks");
    made_.updates_ = read_addresses(root, "updates");
    for (const auto& address : made_.webhooks_)
      if (address.kind != notify::Kind::webhook) root.refuse("webhooks", "these are webhooks only");
    root.finish();
    if (error_) return *error_;
    return std::move(made_);
  }

 private:
  void read_holidays(Fields& root) {
    for (const std::string& day : root.names("holidays", 1'000)) {
      const auto range = parse_date_time(day);
      if (!range || range->precision != Precision::day) root.refuse("holidays", "a holiday is a day: 2026-12-25");
      made_.holidays_.insert(day);
    }
  }

  void read_severities(Fields& root) {
    std::set<Severity> seen;
    for (Fields& each : root.objects("severities", severity_count)) {
      Criteria made{.severity = read_severity(each, "severity"),
                    .description = each.text("description"),
                    .examples = each.texts("examples", 20, 500),
                    .response = each.seconds("response_s", {}, time_max),
                    .resolution = each.seconds("resolution_s", {}, time_max),
                    .escalation_required = each.flag("escalation_required", false),
                    .escalation_timeout = each.seconds("escalation_timeout_s", {}, time_max),
                    .external_notification = each.flag("external_notification", false),
                    .team = each.name("team", false),
                    .policy = each.name("policy", true),
                    .review_days = static_cast<int>(each.number("review_days", 0, 0, 366)),
                    .review_business_days = static_cast<int>(each.number("review_business_days", 0, 0, 260))};
      if (!seen.insert(made.severity).second) each.refuse("severity", "it is there twice");
      if (made.response.count() == 0) each.refuse("response_s", "a time is needed");
      if (made.resolution < made.response) each.refuse("resolution_s", "it is at least the response time");
      if (made.escalation_required && made.escalation_timeout.count() == 0)
        each.refuse("escalation_timeout_s", "where escalation is required, a time is needed");
      if (made.external_notification && made.severity != Severity::emergency)
        each.refuse("external_notification", "only emergencies are told outside");
      if (made.description.empty()) each.refuse("description", "say what it is");
      each.finish();
      made_.criteria_[static_cast<std::size_t>(made.severity)] = std::move(made);
    }
    if (seen.size() != severity_count) root.refuse("severities", "each of the five severities needs its criteria");
    for (std::size_t i = 1; i < severity_count; ++i)
      if (made_.criteria_[i].response < made_.criteria_[i - 1].response)
        root.refuse("severities", fmt::format("{} is answered sooner than {}, which is more severe",
                                              to_string(severities[i]), to_string(severities[i - 1])));
  }

  void read_services(Fields& root) {
    for (Fields& each : root.objects("services", services_max)) {
      Service made{.name = each.name("name"),
                   .title = each.text("title"),
                   .depends_on = each.names("depends_on", 100),
                   .wards = each.names("wards", 500),
                   .team = each.name("team", false),
                   .policy = each.name("policy", false),
                   .is_public = each.flag("public", false)};
      if (made.title.empty()) made.title = made.name;
      if (made_.service(made.name) != nullptr) each.refuse("name", "it is there twice");
      each.finish();
      made_.services_.push_back(std::move(made));
    }
    for (const Service& each : made_.services_)
      for (const std::string& name : each.depends_on)
        if (made_.service(name) == nullptr)
          root.refuse("services", fmt::format("\"{}\" depends on \"{}\", which is not there", each.name, name));
    for (const Service& each : made_.services_) {
      const Reach reach = made_.reach_of(each.name);
      for (const std::string& name : each.depends_on)
        if (contains(reach.services, name))
          root.refuse("services", fmt::format("\"{}\" depends on itself, by way of \"{}\"", each.name, name));
    }
  }

  void must_be_service(Fields& from, const std::string& name) const {
    if (!name.empty() && made_.service(name) == nullptr)
      from.refuse("service", fmt::format("there is no service \"{}\"", name));
  }

  void read_rules(Fields& root) {
    for (Fields& each : root.objects("rules", rules_max)) {
      Rule made{.name = each.name("name"),
                .condition = {},
                .severity = read_severity(each, "severity"),
                .breach = each.flag("breach", false),
                .vectors = {}};
      auto condition = Condition::parse(each.text("condition", condition_bytes_max));
      if (condition)
        made.condition = std::move(*condition);
      else
        each.refuse("condition", fmt::format("{}: {}", condition.error().where, condition.error().text),
                    condition.error().code);
      for (Fields& vector : each.objects("vectors", vectors_max)) {
        made.vectors.push_back({.facts = read_facts(vector), .matches = vector.flag("matches", true)});
        vector.finish();
      }
      const auto matching = std::ranges::count(made.vectors, true, &Vector::matches);
      if (matching == 0 || matching == std::ssize(made.vectors))
        each.refuse("vectors", "a rule needs test vectors: one that matches and one that does not");
      if (contains(made_.rules_, made.name, &Rule::name)) each.refuse("name", "it is there twice");
      each.finish();
      made_.rules_.push_back(std::move(made));
    }
    for (Fields& each : root.objects("vectors", vectors_max * 100)) {
      made_.vectors_.push_back({.facts = read_facts(each),
                                .severity = read_severity(each, "severity"),
                                .reason = each.text("reason", text_bytes_max)});
      each.finish();
    }
  }

  void read_alerts(Fields& root) {
    for (Fields& each : root.objects("alerts", 100)) {
      AlertRule made{.source = each.text("source"),
                     .severity = static_cast<alerts::Severity>(each.choice("severity", alert_words, 0)),
                     .as = {},
                     .service = each.name("service", false),
                     .own = each.flag("own", false)};
      if (made.source.empty()) each.refuse("source", "say of which source: \"vitals\", or \"*\"");
      if (each.has("as")) made.as = read_severity(each, "as");
      must_be_service(each, made.service);
      each.finish();
      made_.alerts_.push_back(std::move(made));
    }
  }

  void read_runbooks(Fields& root) {
    for (Fields& each : root.objects("runbooks", runbooks_max)) {
      Runbook made{.name = each.name("name"),
                   .link = each.text("link", 2'000),
                   .service = each.name("service", false),
                   .severity = {},
                   .steps = each.texts("steps", 50, 500)};
      if (each.has("severity")) made.severity = read_severity(each, "severity");
      must_be_service(each, made.service);
      if (!made.link.empty() && !made.link.starts_with("https://") && !made.link.starts_with("http://"))
        each.refuse("link", "an http or https address is needed");
      each.finish();
      made_.runbooks_.push_back(std::move(made));
    }
  }

  Setup made_;
  std::optional<Error> error_;
};

Result<Setup> Setup::parse(std::string_view text) { return SetupReader().read(text); }

}  // namespace mydr24::incidents
