// mydr24 change, mydr24 settings: over the interfaces of a running server.

#include <fmt/format.h>

#include <array>
#include <ostream>
#include <thread>

#include "app/cli/commands.h"
#include "app/cli/desk_client.h"
#include "app/cli/yaml.h"
#include "base/json/writer.h"
#include "base/net/uri.h"
#include "operations/changes/policy.h"

namespace mydr24::cli {
namespace {

using net::Method;

constexpr std::string_view changes_path = "/api/v1/changes";
constexpr auto wait_every = std::chrono::milliseconds(250);
constexpr auto wait_max = std::chrono::hours(24);

std::string path_of(std::string_view id) { return fmt::format("{}/{}", changes_path, net::percent_encode(id)); }

std::string joined(json::Value list, std::string_view otherwise) {
  std::string text;
  for (const auto item : list) text += fmt::format("{}{}", text.empty() ? "" : ", ", item.text());
  return text.empty() ? std::string(otherwise) : text;
}

void print_state(json::Value answer, const Terminal& terminal) {
  const auto change = answer["change"];
  terminal.out << fmt::format("{}  {}  risk {} ({:.4})\n", change["id"].text(), change["state"].text(),
                              change["risk"]["level"].text(), change["risk"]["score"].text());
  if (answer["approvals_open"].size() > 0)
    terminal.out << fmt::format("approvals still needed: {}\n", joined(answer["approvals_open"], ""));
}

void print_change(json::Value answer, const Terminal& terminal) {
  const auto change = answer["change"];
  print_state(answer, terminal);
  terminal.out << fmt::format("{}\n{} {} of {}, by {}\ndigest {}\n", change["title"].text(), change["type"].text(),
                              change["kind"].text(), change["service"].text(), change["requested_by"].text(),
                              change["digest"].text());
  for (const auto factor : change["risk"]["factors"])
    terminal.out << fmt::format("  {:<22} weight {:<4} value {:<6.4} {}\n", factor["name"].text(),
                                factor["weight"].text(), factor["value"].text(), factor["text"].text());
  for (const auto approval : change["approvals"])
    terminal.out << fmt::format("approved {}  {}\n", approval["at"].text(), approval["member"].text());
  for (const auto obstacle : answer["obstacles"]) terminal.out << fmt::format("in its way: {}\n", obstacle.text());
  for (const auto entry : change["run"]["log"])
    terminal.out << fmt::format("{}  {:<15} {:<4} {}  {}\n", entry["at"].text(), entry["phase"].text(),
                                entry["ok"].is_true() ? "ok" : "FAIL", entry["name"].text(), entry["text"].text());
  if (!change["run"]["because"].text().empty())
    terminal.out << fmt::format("rolled back because: {}\n", change["run"]["because"].text());
}

bool is_over(std::string_view state) { return state != "running" && state != "paused" && state != "rolling_back"; }

// Exit code findings when it ends in another state than `wanted`.
int wait_for(const ChangeOptions& options, std::string_view wanted, const Terminal& terminal) {
  const auto until = terminal.clock.steady() + wait_max;
  for (;;) {
    const auto answer = call_desk(options.server, Method::get, path_of(options.id));
    if (!answer) return terminal.fail(answer.error());
    const auto state = answer->root()["change"]["state"].text();
    if (!is_over(state) && state != "paused" && terminal.clock.steady() < until) {
      std::this_thread::sleep_for(wait_every);
      continue;
    }
    (void)show(answer, terminal, [&](json::Value change) { print_change(change, terminal); });
    return state == wanted ? done() : static_cast<int>(Exit::findings);
  }
}

}  // namespace

int run_change_list(const ChangeOptions& options, const Terminal& terminal) {
  auto target = fmt::format("{}?limit={}", changes_path, options.limit);
  if (!options.state.empty()) target += "&state=" + net::percent_encode(options.state);
  return show(call_desk(options.server, Method::get, target), terminal, [&](json::Value answer) {
    for (const auto change : answer["changes"])
      terminal.out << fmt::format("{}  {:<17} {:<9} {:<8} {:<16} {}\n", change["id"].text(), change["state"].text(),
                                  change["type"].text(), change["risk"].text(), change["service"].text(),
                                  change["title"].text());
  });
}

int run_change_show(const ChangeOptions& options, const Terminal& terminal) {
  return show(call_desk(options.server, Method::get, path_of(options.id)), terminal,
              [&](json::Value answer) { print_change(answer, terminal); });
}

int run_change_propose(const ChangeOptions& options, const Terminal& terminal) {
  const auto text = read_input(options.file);
  if (!text) return terminal.fail(text.error());
  const auto plan = yaml_to_json(*text);
  if (!plan) return terminal.fail(fail(plan.error().code, plan.error().text, options.file));
  std::string body;
  json::Writer(body).begin_object().field("by", options.by).key("plan").raw(*plan).end_object();
  const bool is_new = options.id.empty();
  return show(call_desk(options.server, is_new ? Method::post : Method::put,
                        is_new ? std::string(changes_path) : path_of(options.id), std::move(body)),
              terminal, [&](json::Value answer) { print_state(answer, terminal); });
}

int run_change_act(const ChangeOptions& options, const Terminal& terminal) {
  std::string body;
  json::Writer out(body);
  out.begin_object().field("by", options.by);
  const std::array<std::pair<const char*, const std::string*>, 5> members{{{"digest", &options.digest},
                                                                           {"reason", &options.reason},
                                                                           {"text", &options.reason},
                                                                           {"evidence", &options.evidence},
                                                                           {"at", &options.at}}};
  for (const auto& [name, value] : members)
    if (!value->empty()) out.field(name, *value);
  out.field("rolled_back", options.rolled_back).end_object();
  const auto answer = call_desk(options.server, Method::post, fmt::format("{}/{}", path_of(options.id), options.action),
                                std::move(body));
  if (!answer || !options.wait)
    return show(answer, terminal, [&](json::Value change) { print_state(change, terminal); });
  const auto* wanted = options.action == "start" ? "successful" : options.action == "abort" ? "aborted" : "rolled_back";
  return wait_for(options, wanted, terminal);
}

int run_change_calendar(const ChangeOptions& options, const Terminal& terminal) {
  return show(call_desk(options.server, Method::get, "/api/v1/change-calendar"), terminal, [&](json::Value answer) {
    terminal.out << fmt::format("load: {}\n", answer["load"].text());
    for (const auto freeze : answer["freezes"])
      terminal.out << fmt::format("freeze   {}  {}  {}  {}\n", freeze["begin"].text(), freeze["end"].text(),
                                  joined(freeze["services"], "all services"), freeze["why"].text());
    for (const auto frozen : answer["frozen_services"])
      terminal.out << fmt::format("frozen   {}  {}  {}\n", frozen["at"].text(), frozen["service"].text(),
                                  frozen["why"].text());
    for (const auto change : answer["changes"])
      terminal.out << fmt::format(
          "change   {:<24}  {}  {:<10} {}  {}\n", change["starts"] ? change["starts"].text() : change["begin"].text(),
          change["id"].text(), change["state"].text(), change["service"].text(), change["title"].text());
  });
}

int run_change_freeze(const ChangeOptions& options, const Terminal& terminal) {
  std::string body;
  json::Writer out(body);
  out.begin_object().field("begin", options.begin).field("end", options.end).field("why", options.reason);
  out.field("by", options.by).key("services").begin_array();
  for (const auto& service : options.services) out.string(service);
  out.end_array().end_object();
  return show(call_desk(options.server, Method::post, "/api/v1/change-freezes", std::move(body)), terminal,
              [&](json::Value answer) { terminal.out << answer["id"].text() << '\n'; });
}

int run_change_unfreeze(const ChangeOptions& options, const Terminal& terminal) {
  std::string body;
  json::Writer(body).begin_object().field("why", options.reason).field("by", options.by).end_object();
  return show(
      call_desk(options.server, Method::post,
                fmt::format("/api/v1/change-services/{}/unfreeze", net::percent_encode(options.id)), std::move(body)),
      terminal, [](json::Value) {});
}

int run_change_policy(const ChangeOptions& options, const Terminal& terminal) {
  if (options.file.empty())
    return show(call_desk(options.server, Method::get, "/api/v1/change-policy"), terminal,
                [&](json::Value answer) { terminal.out << json::compact(answer) << '\n'; });
  const auto text = read_input(options.file);
  if (!text) return terminal.fail(text.error());
  const auto policy = changes::parse_policy(*text);
  if (!policy) return terminal.fail(policy.error());
  terminal.out << changes::to_json(*policy) << '\n';
  return done();
}

int run_change_figures(const ChangeOptions& options, const Terminal& terminal) {
  std::string target = "/api/v1/change-figures";
  char mark = '?';
  for (const auto& [name, value] : {std::pair("since", options.since), std::pair("until", options.until)})
    if (!value.empty()) target += fmt::format("{}{}={}", std::exchange(mark, '&'), name, net::percent_encode(value));
  return show(call_desk(options.server, Method::get, target), terminal, [&](json::Value answer) {
    for (const auto of : answer["services"])
      terminal.out << fmt::format(
          "{:<16} {} changes, {:.4} a day, {} failed, lead {:.6} s (p90 {:.6}), recovery {:.6} s (p90 {:.6}), rework "
          "{}\n",
          of["service"].text().empty() ? "all" : of["service"].text(), of["finished"].text(), of["per_day"].text(),
          of["failed"].text(), of["lead"]["median_s"].text(), of["lead"]["p90_s"].text(),
          of["recovery"]["median_s"].text(), of["recovery"]["p90_s"].text(), of["unplanned"].text());
  });
}

int run_settings_list(const ChangeOptions& options, const Terminal& terminal) {
  return show(call_desk(options.server, Method::get, "/api/v1/settings"), terminal, [&](json::Value answer) {
    for (const auto setting : answer["settings"])
      terminal.out << fmt::format("{:<30} {:>8} {:<5} version {:<4} {}{}\n", setting["name"].text(),
                                  setting["applied"].text(), setting["unit"].text(),
                                  setting["in_force"]["version"].text(), setting["about"].text(),
                                  setting["emergency"].is_true() ? " (emergencies pass it)" : "");
  });
}

int run_settings_get(const ChangeOptions& options, const Terminal& terminal) {
  return show(call_desk(options.server, Method::get, "/api/v1/settings/" + net::percent_encode(options.setting)),
              terminal, [&](json::Value answer) { terminal.out << answer["setting"]["applied"].text() << '\n'; });
}

int run_settings_history(const ChangeOptions& options, const Terminal& terminal) {
  return show(call_desk(options.server, Method::get, "/api/v1/settings/" + net::percent_encode(options.setting)),
              terminal, [&](json::Value answer) {
                for (const auto version : answer["history"])
                  terminal.out << fmt::format("{:>4}  {}  {}  by {}  {}  {}\n", version["version"].text(),
                                              version["at"].text(), json::compact(version["values"]),
                                              version["by"].text(), version["why"].text(), version["change"].text());
              });
}

}  // namespace mydr24::cli
