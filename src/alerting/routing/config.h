#pragma once

// An Alertmanager configuration, read from its YAML: the tree of routes, receivers, inhibition rules and time intervals.
// Immutable once loaded. Templates are kept as text and not evaluated: what a notification says is fixed, so that no
// label can carry patient data into it.
//
// Invariant: every alert matches at least one route, every route names a receiver that is there.

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/routing/matcher.h"
#include "alerting/routing/time_interval.h"
#include "base/core/result.h"

namespace mydr24::routing {

using std::chrono::milliseconds;

struct Route {
  Matchers matchers;  // sorted
  std::string receiver;
  bool group_by_all = false;  // '...'
  std::vector<std::string> group_by;
  milliseconds group_wait{30'000};
  milliseconds group_interval{5 * 60'000};
  milliseconds repeat_interval{4 * 3'600'000};
  std::vector<std::string> mute_intervals;
  std::vector<std::string> active_intervals;
  bool continues = false;
  std::vector<Route> routes;
  std::string key;  // {}/{team="er"}: of the route and those above it
  int number = 0;   // in the order of the text; the root is 0
};

enum class Service : std::uint8_t { webhook, pagerduty, slack, email, oncall };
std::string_view to_string(Service service);

// One way a receiver is notified.
struct Integration {
  Service service = Service::webhook;
  bool send_resolved = true;
  std::string url;             // webhook; pagerduty: base of the API; slack: the incoming webhook
  std::string secret;          // pagerduty: routing key; email: password
  std::string authorization;   // webhook: the whole header; empty: none
  std::string to;              // email: addresses; slack: channel; oncall: policy, empty: the severity's default
  std::string from;            // email
  std::string smarthost;       // email: host:port
  std::string user;            // email
  bool require_tls = true;     // email
  std::size_t alerts_max = 0;  // webhook: in one body; 0: all
  milliseconds time_max{0};    // webhook: of one attempt; 0: the client's
};

struct Receiver {
  std::string name;
  std::vector<Integration> integrations;
};

struct InhibitRule {
  Matchers source;
  Matchers target;
  std::vector<std::string> equal;
};

struct Config {
  milliseconds resolve_timeout{5 * 60'000};
  Route root;
  std::vector<Receiver> receivers;
  std::vector<InhibitRule> inhibit_rules;
  std::map<std::string, std::vector<TimeInterval>, std::less<>> intervals;
  std::vector<std::string> warnings;  // what was read and has no effect here
  // The configuration as Alertmanager YAML that amtool parses: secrets are <secret>, what only we know is left out.
  std::string shown;

  const Receiver* receiver(std::string_view name) const;
};

using ConfigPtr = std::shared_ptr<const Config>;

inline constexpr std::size_t config_bytes_max = 4U << 20;
inline constexpr int route_depth_max = 32;
inline constexpr std::size_t routes_max = 10'000;

// Code::invalid; `where` names line and element: "line 12: route.routes[0].receiver".
Result<ConfigPtr> load_config(std::string_view yaml, Names names = Names::utf8);

// The routes that an alert with these labels takes, in order: depth first, a child that matches ends the search unless
// it continues. Never empty; valid as long as the Config.
std::vector<const Route*> match(const Route& root, const Labels& labels);

// The labels that a group of this route has in common for this alert.
Labels group_labels(const Route& route, const Labels& labels);
// {}/{team="er"}:{alertname="X", ward="A"}
std::string group_key(const Route& route, const Labels& group);

// Is nothing of this route to be sent at this time (mute intervals, or outside of the active ones)?
bool is_muted(const Config& config, const Route& route, Instant at);

}  // namespace mydr24::routing
