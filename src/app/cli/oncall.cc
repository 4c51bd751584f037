// mydr24 oncall: the plan and who is on duty, over the interfaces of a running server.

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <thread>

#include "alerting/oncall/plan.h"
#include "app/cli/commands.h"
#include "app/cli/desk_client.h"
#include "app/cli/oncall_plan.h"
#include "app/cli/yaml.h"
#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/writer.h"
#include "base/net/uri.h"

namespace mydr24::cli {
namespace {

using net::Method;

class Target {
 public:
  explicit Target(std::string path) : text_(std::move(path)) {}
  Target& with(std::string_view name, std::string_view value) {
    if (!value.empty()) text_ += fmt::format("{}{}={}", std::exchange(mark_, '&'), name, net::percent_encode(value));
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  char mark_ = '?';
};

std::string joined(json::Value list, std::string_view otherwise) {
  std::string text;
  for (const json::Value item : list) {
    const std::string_view name = item.is_object() ? item["contact"].text() : item.text();
    text += fmt::format("{}{}", text.empty() ? "" : ", ", name);
    if (item["instead_of"]) text += fmt::format(" (instead of {})", item["instead_of"].text());
  }
  return text.empty() ? std::string(otherwise) : text;
}

// The parts of a file: {"parts": {"policy/x": ...}} as export writes it, or by kind: {"policy": {"x": ...}}.
Result<std::string> change_of(const OnCallOptions& options) {
  MYDR24_ASSIGN(const std::string text, read_input(options.file));
  auto json = yaml_to_json(text);
  if (!json) return fail(json.error().code, json.error().text, options.file);
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(*json));
  std::string change;
  json::Writer out(change);
  out.begin_object().field("by", options.by).field("replace", !options.merge).field("dry_run", options.dry_run);
  out.key("parts").begin_object();
  const json::Value root = document.root();
  for (const json::Value part : root["parts"]) out.key(part.key()).raw(part.raw());
  for (const json::Value kind : root) {
    if (kind.key() == "parts" || kind.key() == "schema" || kind.key() == "revision") continue;
    if (!oncall::is_kind(kind.key()))
      return fail(Code::invalid, fmt::format("\"{}\" is no kind of part", kind.key()), options.file);
    for (const json::Value part : kind) out.key(fmt::format("{}/{}", kind.key(), part.key())).raw(part.raw());
  }
  out.end_object().end_object();
  return change;
}

}  // namespace

int run_oncall_show(const OnCallOptions& options, const Terminal& terminal) {
  const std::string target =
      options.kind.empty() ? "/api/v1/oncall/plan" : "/api/v1/oncall/parts/" + net::percent_encode(options.kind);
  return show(call_desk(options.server, Method::get, target), terminal, [&](json::Value plan) {
    terminal.out << fmt::format("revision {}\n", plan["revision"].text());
    for (const json::Value part : plan["parts"])
      terminal.out << fmt::format("{}  {}\n", part.key(), json::compact(part).substr(0, 160));
  });
}

int run_oncall_who(const OnCallOptions& options, const Terminal& terminal) {
  Target target("/api/v1/oncall/who");
  target.with("schedule", options.schedule).with("policy", options.policy).with("at", options.at);
  return show(call_desk(options.server, Method::get, target.text()), terminal, [&](json::Value answer) {
    if (answer["schedule"]) {
      terminal.out << fmt::format("{}  {}\n", answer["schedule"].text(), joined(answer["people"], "nobody"));
      return;
    }
    terminal.out << fmt::format("policy {} at {}\n", answer["policy"].text(), answer["at"].text());
    for (const json::Value step : answer["steps"])
      terminal.out << fmt::format("+{:>5} s  {}\n", step["after_s"].text(), joined(step["people"], "nobody"));
  });
}

int run_oncall_shifts(const OnCallOptions& options, const Terminal& terminal) {
  Target target("/api/v1/oncall/shifts");
  target.with("schedule", options.schedule).with("from", options.begin).with("to", options.end);
  return show(call_desk(options.server, Method::get, target.text()), terminal, [&](json::Value answer) {
    for (const json::Value shift : answer["shifts"])
      terminal.out << fmt::format("{}  {}  {}\n", shift["begin"].text(), shift["end"].text(), shift["who"].text());
  });
}

int run_oncall_override(const OnCallOptions& options, const Terminal& terminal) {
  std::string body;
  json::Writer out(body);
  out.begin_object().field("schedule", options.schedule).field("begin", options.begin).field("end", options.end);
  if (!options.add.empty()) out.field("add", options.add);
  if (!options.remove.empty()) out.field("remove", options.remove);
  out.field("by", options.by).field("reason", options.reason).end_object();
  const std::string id = make_uuid7(terminal.clock.now());
  Target target("/api/v1/oncall/parts/override/" + id);
  target.with("by", options.by);
  return show(call_desk(options.server, Method::put, target.text(), std::move(body)), terminal,
              [&](json::Value) { terminal.out << id << '\n'; });
}

int run_oncall_swap(const OnCallOptions& options, const Terminal& terminal) {
  std::string body;
  json::Writer out(body);
  out.begin_object().field("schedule", options.schedule).field("by", options.by);
  out.key("a").begin_object().field("who", options.remove).field("begin", options.begin).field("end", options.end);
  out.end_object().key("b").begin_object().field("who", options.add).field("begin", options.other_begin);
  out.field("end", options.other_end).end_object().end_object();
  return show(call_desk(options.server, Method::post, "/api/v1/oncall/swap", std::move(body)), terminal,
              [&](json::Value answer) { terminal.out << joined(answer["overrides"], "") << '\n'; });
}

int run_oncall_coverage(const OnCallOptions& options, const Terminal& terminal) {
  Target target("/api/v1/oncall/coverage");
  target.with("days", fmt::format("{}", options.days)).with("from", options.begin);
  const auto answer = call_desk(options.server, Method::get, target.text());
  const int exit = show(answer, terminal, [&](json::Value coverage) {
    for (const json::Value gap : coverage["gaps"])
      terminal.out << fmt::format("{}  {}  {} step {}: {} of {} people ({})\n", gap["begin"].text(), gap["end"].text(),
                                  gap["policy"].text(), gap["step"].text(), gap["people"].size(), gap["needed"].text(),
                                  joined(gap["people"], "nobody"));
    terminal.err << fmt::format("{} steps, {} instants from {} to {}: {} gaps\n", coverage["steps"].text(),
                                coverage["instants"].text(), coverage["from"].text(), coverage["to"].text(),
                                coverage["gaps"].size());
  });
  return exit == done() && !answer->root()["covered"].is_true() ? static_cast<int>(Exit::findings) : exit;
}

int run_oncall_test_page(const OnCallOptions& options, const Terminal& terminal) {
  constexpr auto wait_max = std::chrono::seconds(20);
  std::string body;
  json::Writer out(body);
  out.begin_object().field("by", options.by).key("contacts").begin_array();
  for (const std::string& name : options.contacts) out.string(name);
  out.end_array().end_object();
  const auto begun = call_desk(options.server, Method::post, "/api/v1/oncall/test-page", std::move(body));
  if (!begun) return terminal.fail(begun.error());
  const std::string target = fmt::format("/api/v1/alerts/{}", begun->root()["id"].text());
  const auto until = terminal.clock.steady() + wait_max;
  for (;;) {
    const auto answer = call_desk(options.server, Method::get, target);
    if (!answer) return terminal.fail(answer.error());
    std::size_t waiting = 0, failed = 0;
    for (const json::Value delivery : answer->root()["deliveries"]) {
      waiting += delivery["state"].text() == "pending" ? 1 : 0;
      failed += delivery["state"].text() == "failed" ? 1 : 0;
    }
    if (waiting > 0 && terminal.clock.steady() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      continue;
    }
    (void)show(answer, terminal, [&](json::Value detail) {
      for (const json::Value delivery : detail["deliveries"])
        terminal.out << fmt::format("{:<30} {:<10} {:<10} {}\n", delivery["contact"].text(), delivery["medium"].text(),
                                    delivery["state"].text(), delivery["text"].text());
    });
    return static_cast<int>(waiting + failed == 0 ? Exit::ok : Exit::findings);
  }
}

int run_oncall_import(const OnCallOptions& options, const Terminal& terminal) {
  if (!options.from.empty()) return run_oncall_adopt(options, terminal);
  auto change = change_of(options);
  if (!change) return terminal.fail(change.error());
  return put_plan(options, std::move(*change), terminal);
}

int run_oncall_export(const OnCallOptions& options, const Terminal& terminal) {
  const auto answer = call_desk(options.server, Method::get, "/api/v1/oncall/plan");
  if (!answer) return terminal.fail(answer.error());
  terminal.out << answer->source() << '\n';
  return done();
}

}  // namespace mydr24::cli
