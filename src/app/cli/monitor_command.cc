// mydr24 monitor, mydr24 slo: over the interfaces of a running server.

#include <fmt/format.h>

#include <charconv>
#include <ostream>

#include "app/cli/commands.h"
#include "app/cli/desk_client.h"
#include "base/json/writer.h"
#include "base/net/uri.h"

namespace mydr24::cli {
namespace {

using net::Method;

double number_of(json::Value value) {
  const std::string_view digits = value.text();
  double number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

// A list of rules, or what `monitor rules export` or the server gave: {"rules": [...]}.
Result<std::string> rules_body(const MonitorOptions& options) {
  MYDR24_ASSIGN(const std::string text, read_input(options.file));
  const auto document = json::Document::parse_view(text);
  if (!document) return fail(document.error().code, document.error().text, options.file);
  const json::Value list = document->root().is_array() ? document->root() : document->root()["rules"];
  std::string body;
  json::Writer out(body);
  out.begin_object().field("by", options.by);
  // Of the rules that were exported: what was changed since is not overwritten.
  if (const json::Value revision = document->root()["revision"]) out.key("revision").raw(revision.raw());
  out.key("rules").raw(list ? list.raw() : "[]").end_object();
  return body;
}

void print_revision(const Terminal& terminal, json::Value answer) {
  terminal.out << fmt::format("revision {}: {} rules, {} objectives\n", answer["revision"].text(),
                              answer["rules"].text(), answer["objectives"].text());
}

}  // namespace

int run_monitor_status(const MonitorOptions& options, const Terminal& terminal) {
  const auto answer = call_desk(options.server, Method::get, "/api/v1/monitor");
  const int exit = show(answer, terminal, [&](json::Value status) {
    terminal.out << status["verdict"].text() << '\n';
    for (const json::Value finding : status["findings"])
      terminal.out << fmt::format("{:<9} {:<20} {}\n          {}\n", finding["severity"].text(),
                                  finding["category"].text(), finding["title"].text(), finding["reason"].text());
  });
  const bool is_well = !answer || answer->root()["verdict"].text() == "ok";
  return is_well ? exit : static_cast<int>(Exit::findings);
}

int run_monitor_metrics(const MonitorOptions& options, const Terminal& terminal) {
  return show(call_desk(options.server, Method::get, "/api/v1/monitor"), terminal, [&](json::Value status) {
    for (const json::Value metric : status["metrics"])
      terminal.out << fmt::format("{:<40} {:>14} {:<6} {:<8} {}\n", metric["name"].text(),
                                  metric["value"].is_null() ? "-" : fmt::format("{:.6g}", number_of(metric["value"])),
                                  metric["unit"].text(), metric["state"].text(),
                                  metric["age_s"] ? fmt::format("{:.0f} s old", number_of(metric["age_s"])) : "");
  });
}

int run_monitor_channels(const MonitorOptions& options, const Terminal& terminal) {
  const auto answer = call_desk(options.server, Method::get, "/api/v1/monitor/channels");
  bool all = true;
  const int exit = show(answer, terminal, [&](json::Value channels) {
    for (const json::Value channel : channels["channels"])
      terminal.out << fmt::format("{:<24} {:<10} {:.3f} s  {:.0f} s ago  {}\n", channel["name"].text(),
                                  channel["delivered"].is_true() ? "arrived" : "failed", number_of(channel["took_s"]),
                                  number_of(channel["age_s"]), channel["text"].text());
  });
  if (answer)
    for (const json::Value channel : answer->root()["channels"]) all = all && channel["delivered"].is_true();
  return all ? exit : static_cast<int>(Exit::findings);
}

int run_monitor_changes(const MonitorOptions& options, const Terminal& terminal) {
  return show(call_desk(options.server, Method::get, "/api/v1/monitor/changes"), terminal, [&](json::Value answer) {
    for (const json::Value change : answer["changes"])
      terminal.out << fmt::format("{:>6}  {}  {:<12} {}\n", change["revision"].text(), change["at"].text(),
                                  change["what"].text(), change["by"].text());
  });
}

int run_monitor_rules(const MonitorOptions& options, const Terminal& terminal) {
  return show(call_desk(options.server, Method::get, "/api/v1/monitor/rules"), terminal, [&](json::Value answer) {
    for (const json::Value each : answer["rules"]) {
      const json::Value rule = each["rule"];
      terminal.out << fmt::format("{:<28} {:<10} {} {} {}  {} {}\n", rule["name"].text(), each["state"].text(),
                                  rule["metric"].text(), rule["comparison"].text(), rule["limit"].text(),
                                  rule["severity"].text(), rule["category"].text());
    }
  });
}

int run_monitor_rules_export(const MonitorOptions& options, const Terminal& terminal) {
  const auto answer = call_desk(options.server, Method::get, "/api/v1/monitor/rules");
  if (!answer) return terminal.fail(answer.error());
  std::string text;
  json::Writer out(text);
  out.begin_object().key("revision").raw(answer->root()["revision"].raw()).key("rules").begin_array();
  for (const json::Value each : answer->root()["rules"]) out.raw(each["rule"].raw());
  out.end_array().end_object();
  terminal.out << text << '\n';
  return static_cast<int>(Exit::ok);
}

int run_monitor_rules_set(const MonitorOptions& options, const Terminal& terminal) {
  auto body = rules_body(options);
  if (!body) return terminal.fail(body.error());
  return show(call_desk(options.server, Method::put, "/api/v1/monitor/rules", std::move(*body)), terminal,
              [&](json::Value answer) { print_revision(terminal, answer); });
}

int run_monitor_rules_preview(const MonitorOptions& options, const Terminal& terminal) {
  auto body = rules_body(options);
  if (!body) return terminal.fail(body.error());
  return show(call_desk(options.server, Method::post, "/api/v1/monitor/rules/preview", std::move(*body)), terminal,
              [&](json::Value answer) {
                for (const json::Value rule : answer["rules"])
                  terminal.out << fmt::format(
                      "{:<28} {}\n", rule["name"].text(),
                      !rule["measured"].is_true() ? std::string("is not measured here")
                      : rule["would_fire"].is_true()
                          ? fmt::format("would have told of it: {} of {} s beyond the limit",
                                        rule["seconds_beyond"].text(), rule["seconds_measured"].text())
                          : std::string("would have been quiet"));
              });
}

int run_slo_list(const MonitorOptions& options, const Terminal& terminal) {
  return show(call_desk(options.server, Method::get, "/api/v1/monitor/slos"), terminal, [&](json::Value answer) {
    for (const json::Value slo : answer["slos"])
      for (const json::Value objective : slo["objectives"])
        terminal.out << fmt::format("{:<28} target {:<8.6g} attained {:<10.6g} budget left {:>6.1f} %  {}\n",
                                    slo["name"].text(), number_of(objective["target"]),
                                    number_of(objective["attained"]), 100 * number_of(objective["budget_remaining"]),
                                    objective["measured"].is_true() ? "" : "is not measured here");
  });
}

int run_slo_show(const MonitorOptions& options, const Terminal& terminal) {
  const auto target = "/api/v1/monitor/slos/" + net::percent_encode(options.name);
  return show(call_desk(options.server, Method::get, target), terminal, [&](json::Value slo) {
    terminal.out << fmt::format("{}  {}  {} {} since {}\n", slo["name"].text(), slo["display_name"].text(),
                                slo["method"].text(), slo["window"].text(), slo["since"].text());
    for (const json::Value objective : slo["objectives"]) {
      terminal.out << fmt::format("target {:.6g}: {:.6g} events, {:.6g} bad; attained {:.6g}, budget left {:.1f} %\n",
                                  number_of(objective["target"]), number_of(objective["events"]),
                                  number_of(objective["bad"]), number_of(objective["attained"]),
                                  100 * number_of(objective["budget_remaining"]));
      for (const json::Value burn : objective["burn_rates"])
        terminal.out << fmt::format(
            "  {:>4}/{:<4} limit {:<5.4g} now {:.4g} and {:.4g}  {}{}\n", burn["long_window"].text(),
            burn["short_window"].text(), number_of(burn["limit"]), number_of(burn["long"]), number_of(burn["short"]),
            burn["pages"].is_true() ? "page" : "ticket", burn["fires"].is_true() ? "  FIRES" : "");
    }
  });
}

int run_slo_import(const MonitorOptions& options, const Terminal& terminal) {
  const auto yaml = read_input(options.file);
  if (!yaml) return terminal.fail(yaml.error());
  std::string body;
  json::Writer(body)
      .begin_object()
      .field("by", options.by)
      .field("replace", options.replace)
      .field("dry_run", options.dry_run)
      .field("yaml", *yaml)
      .end_object();
  return show(call_desk(options.server, Method::post, "/api/v1/monitor/openslo", std::move(body)), terminal,
              [&](json::Value answer) {
                if (options.dry_run)
                  terminal.out << fmt::format("valid: {} objectives\n", answer["objectives"].text());
                else
                  print_revision(terminal, answer);
              });
}

int run_slo_export(const MonitorOptions& options, const Terminal& terminal) {
  const auto answer = call_desk(options.server, Method::get, "/api/v1/monitor/openslo?format=json");
  if (!answer) return terminal.fail(answer.error());
  terminal.out << answer->root()["yaml"].text();
  return static_cast<int>(Exit::ok);
}

int run_slo_remove(const MonitorOptions& options, const Terminal& terminal) {
  const auto target =
      fmt::format("/api/v1/monitor/slos/{}?by={}", net::percent_encode(options.name), net::percent_encode(options.by));
  return show(call_desk(options.server, Method::del, target), terminal,
              [&](json::Value answer) { print_revision(terminal, answer); });
}

}  // namespace mydr24::cli
