#include "alerting/routing/detail/receivers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crypto/base64.h"

namespace mydr24::routing::detail {
namespace {

constexpr std::string_view hidden = "<secret>";
constexpr std::string_view secret_names[]{"routing_key", "service_key",      "auth_password", "smtp_auth_password",
                                          "auth_secret", "smtp_auth_secret", "api_url",       "slack_api_url",
                                          "password",    "credentials",      "bearer_token"};

Result<> is_url(const Element& element, const std::string& url) {
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return element.bad(fmt::format("unsupported scheme \"{}\" for URL", url.substr(0, url.find(':'))));
  return {};
}

// The authorization header of an http_config.
Result<std::string> authorization(const Element& http) {
  std::string header;
  if (!http.exists()) return header;
  MYDR24_TRY(http.only(http_keys));
  const Element basic = http["basic_auth"];
  if (basic.exists()) {
    MYDR24_TRY(basic.only({"username", "password"}));
    std::string user;
    std::string password;
    MYDR24_TRY(basic["username"].read(user));
    MYDR24_TRY(basic["password"].read(password));
    header = "Basic " + crypto::base64(user + ":" + password);
  }
  std::string token;
  MYDR24_TRY(http["bearer_token"].read(token));
  std::string type = "Bearer";
  const Element given = http["authorization"];
  if (given.exists()) {
    MYDR24_TRY(given.only({"type", "credentials"}));
    MYDR24_TRY(given["type"].read(type));
    MYDR24_TRY(given["credentials"].read(token));
  }
  if (token.empty()) return header;
  if (!header.empty()) return http.bad("at most one of basic_auth, bearer_token & authorization must be configured");
  return type + " " + token;
}

// What a receiver leaves out and `global` says.
struct Global {
  std::string smarthost;
  std::string from;
  std::string user;
  std::string password;
  bool require_tls = true;
  std::string slack_url;
  std::string pagerduty_url = "https://events.pagerduty.com/v2/enqueue";
  std::string authorization;
};

Result<Global> read_global(const Element& element) {
  Global global;
  if (!element.exists()) return global;
  MYDR24_TRY(element.only(global_keys));
  MYDR24_TRY(element["smtp_smarthost"].read(global.smarthost));
  MYDR24_TRY(element["smtp_from"].read(global.from));
  MYDR24_TRY(element["smtp_auth_username"].read(global.user));
  MYDR24_TRY(element["smtp_auth_password"].read(global.password));
  MYDR24_TRY(element["smtp_require_tls"].read(global.require_tls));
  MYDR24_TRY(element["slack_api_url"].read(global.slack_url));
  MYDR24_TRY(element["pagerduty_url"].read(global.pagerduty_url));
  MYDR24_ASSIGN(global.authorization, authorization(element["http_config"]));
  return global;
}

Result<Integration> read_webhook(const Element& element, const Global& global) {
  MYDR24_TRY(element.only(webhook_keys));
  Integration made{.service = Service::webhook, .authorization = global.authorization};
  MYDR24_TRY(element["url"].read(made.url));
  if (made.url.empty()) return element.bad("missing URL in webhook config");
  MYDR24_TRY(is_url(element["url"], made.url));
  MYDR24_TRY(element["max_alerts"].read(made.alerts_max));
  MYDR24_TRY(element["timeout"].read(made.time_max));
  if (element["http_config"].exists()) {
    MYDR24_ASSIGN(made.authorization, authorization(element["http_config"]));
  }
  return made;
}

Result<Integration> read_pagerduty(const Element& element, const Global& global) {
  MYDR24_TRY(element.only(pagerduty_keys));
  Integration made{.service = Service::pagerduty, .url = global.pagerduty_url};
  MYDR24_TRY(element["url"].read(made.url));
  MYDR24_TRY(is_url(element["url"], made.url));
  MYDR24_TRY(element["routing_key"].read(made.secret));
  if (element["service_key"].exists())
    return element["service_key"].bad("use routing_key: Events API v1 is not spoken");
  if (made.secret.empty()) return element.bad("missing routing_key in PagerDuty config");
  return made;
}

Result<Integration> read_slack(const Element& element, const Global& global) {
  MYDR24_TRY(element.only(slack_keys));
  Integration made{.service = Service::slack, .send_resolved = false, .url = global.slack_url};
  MYDR24_TRY(element["api_url"].read(made.url));
  if (made.url.empty()) return element.bad("no global Slack API URL set");
  MYDR24_TRY(is_url(element["api_url"], made.url));
  MYDR24_TRY(element["channel"].read(made.to));
  return made;
}

Result<Integration> read_email(const Element& element, const Global& global) {
  MYDR24_TRY(element.only(email_keys));
  Integration made{.service = Service::email,
                   .send_resolved = false,
                   .secret = global.password,
                   .from = global.from,
                   .smarthost = global.smarthost,
                   .user = global.user,
                   .require_tls = global.require_tls};
  MYDR24_TRY(element["to"].read(made.to));
  MYDR24_TRY(element["from"].read(made.from));
  MYDR24_TRY(element["smarthost"].read(made.smarthost));
  MYDR24_TRY(element["auth_username"].read(made.user));
  MYDR24_TRY(element["auth_password"].read(made.secret));
  MYDR24_TRY(element["require_tls"].read(made.require_tls));
  if (made.to.empty()) return element.bad("missing to address in email config");
  if (made.smarthost.empty()) return element.bad("no global SMTP smarthost set");
  if (made.from.empty()) return element.bad("no global SMTP from set");
  return made;
}

Result<Integration> read_oncall(const Element& element, const Global&) {
  MYDR24_TRY(element.only(oncall_keys));
  Integration made{.service = Service::oncall};
  MYDR24_TRY(element["policy"].read(made.to));
  return made;
}

using Read = Result<Integration> (*)(const Element&, const Global&);
constexpr std::pair<std::string_view, Read> kinds[]{{"webhook_configs", read_webhook},
                                                    {"email_configs", read_email},
                                                    {"pagerduty_configs", read_pagerduty},
                                                    {"slack_configs", read_slack},
                                                    {"oncall_configs", read_oncall}};

Result<Receiver> read_receiver(const Element& element, const Global& global) {
  Receiver receiver;
  MYDR24_ASSIGN(receiver.name, element["name"].text());
  if (receiver.name.empty()) return element.bad("missing name in receiver");
  MYDR24_ASSIGN(const auto members, element.members());
  for (const auto& [name, member] : members) {
    if (name == "name") continue;
    const auto kind = std::ranges::find(kinds, name, &std::pair<std::string_view, Read>::first);
    if (kind == std::end(kinds))
      return member.bad(
          "there is no such way to notify; there are webhook_configs, email_configs, pagerduty_configs, "
          "slack_configs and oncall_configs");
    MYDR24_ASSIGN(const auto items, member.items());
    for (const Element& item : items) {
      MYDR24_ASSIGN(Integration made, kind->second(item, global));
      MYDR24_TRY(item["send_resolved"].read(made.send_resolved));
      receiver.integrations.push_back(std::move(made));
    }
  }
  return receiver;
}

Result<> read_ranges(const Element& list, Result<Range> (*read)(std::string_view), std::vector<Range>& out) {
  MYDR24_ASSIGN(const auto items, list.items());
  for (const Element& item : items) {
    MYDR24_ASSIGN(const std::string text, item.text());
    const auto range = read(text);
    if (!range) return item.bad(range.error().text);
    out.push_back(*range);
  }
  return {};
}

Result<int> read_time(const Element& element) {
  MYDR24_ASSIGN(const std::string text, element.text());
  const auto minutes = parse_time_of_day(text);
  if (!minutes) return element.bad(minutes.error().text);
  return *minutes;
}

bool is_secret(std::string_view name) { return std::ranges::find(secret_names, name) != std::end(secret_names); }

YAML::Node without_secrets(const YAML::Node& node) {
  if (node.IsSequence()) {
    YAML::Node list(YAML::NodeType::Sequence);
    for (const auto& item : node) list.push_back(without_secrets(item));
    return list;
  }
  if (!node.IsMap()) return node;
  YAML::Node map(YAML::NodeType::Map);
  for (const auto& member : node) {
    const std::string& name = member.first.Scalar();
    if (name == "oncall_configs") continue;
    if (is_secret(name) && member.second.IsScalar())
      map.force_insert(name, std::string(hidden));
    else
      map.force_insert(name, without_secrets(member.second));
  }
  return map;
}

}  // namespace

Result<> read_receivers(const Element& root, Config& config) {
  MYDR24_ASSIGN(const Global global, read_global(root["global"]));
  MYDR24_ASSIGN(const auto items, root["receivers"].items());
  for (const Element& item : items) {
    MYDR24_ASSIGN(Receiver receiver, read_receiver(item, global));
    if (config.receiver(receiver.name) != nullptr)
      return item.bad(fmt::format("notification config name \"{}\" is not unique", receiver.name));
    config.receivers.push_back(std::move(receiver));
  }
  return {};
}

Result<TimeInterval> read_interval(const Element& element) {
  MYDR24_TRY(element.only({"times", "weekdays", "days_of_month", "months", "years", "location"}));
  TimeInterval interval;
  MYDR24_ASSIGN(const auto times, element["times"].items());
  for (const Element& item : times) {
    MYDR24_TRY(item.only({"start_time", "end_time"}));
    if (!item["start_time"].exists() || !item["end_time"].exists())
      return item.bad("both start and end times must be provided");
    TimeInterval::Times made;
    MYDR24_ASSIGN(made.begin, read_time(item["start_time"]));
    MYDR24_ASSIGN(made.end, read_time(item["end_time"]));
    if (made.begin >= made.end) return item.bad("start time cannot be equal or greater than end time");
    interval.times.push_back(made);
  }
  MYDR24_TRY(read_ranges(element["weekdays"], parse_weekdays, interval.weekdays));
  MYDR24_TRY(read_ranges(element["days_of_month"], parse_days_of_month, interval.days_of_month));
  MYDR24_TRY(read_ranges(element["months"], parse_months, interval.months));
  MYDR24_TRY(read_ranges(element["years"], parse_years, interval.years));
  std::string zone;
  MYDR24_TRY(element["location"].read(zone));
  if (!zone.empty()) {
    auto found = zone::Zone::find(zone);
    if (!found) return element["location"].bad(found.error().text);
    interval.zone = *found;
  }
  return interval;
}

std::string shown_text(const YAML::Node& document) { return to_text(without_secrets(document)); }

}  // namespace mydr24::routing::detail
