// mydr24 oncall import --from: what other systems exported.

#include <fmt/format.h>

#include <fstream>
#include <ostream>

#include "alerting/imports/imports.h"
#include "app/cli/desk_client.h"
#include "app/cli/oncall_plan.h"
#include "base/json/writer.h"

namespace mydr24::cli {
namespace {

using net::Method;

void say(const std::vector<imports::Left>& left, const Terminal& terminal) {
  for (const imports::Left& each : left) terminal.err << fmt::format("{}: {}\n", each.where, each.text);
  if (!left.empty()) terminal.err << fmt::format("{} things are otherwise here\n", left.size());
}

int worse(int exit, bool findings) { return exit == done() && findings ? static_cast<int>(Exit::findings) : exit; }

Result<oncall::Documents> present_plan(const OnCallOptions& options) {
  MYDR24_ASSIGN(const json::Document answer, call_desk(options.server, Method::get, "/api/v1/oncall/plan"));
  oncall::Documents parts;
  for (const json::Value part : answer.root()["parts"]) parts.emplace(part.key(), part.raw());
  return parts;
}

int adopt_routing(const OnCallOptions& options, const std::string& text, const Terminal& terminal) {
  const auto adopted = routing::adopt_config(text);
  if (!adopted) return terminal.fail(adopted.error());
  say(adopted->left, terminal);
  if (options.output.empty()) {
    terminal.out << adopted->yaml;
  } else if (!options.dry_run) {
    std::ofstream file(options.output, std::ios::binary | std::ios::trunc);
    file << adopted->yaml << std::flush;
    if (!file) return terminal.fail(fail(Code::internal, "the file cannot be written", options.output));
    terminal.err << fmt::format("name it in alerting.routing, then POST /-/reload: {}\n", options.output);
  }
  return worse(done(), !adopted->left.empty());
}

}  // namespace

int run_oncall_adopt(const OnCallOptions& options, const Terminal& terminal) {
  const auto text = read_input(options.file);
  if (!text) return terminal.fail(text.error());
  if (options.from == "alertmanager") return adopt_routing(options, *text, terminal);
  auto imported = options.from == "goalert" ? imports::from_goalert(*text, terminal.clock.now())
                                            : imports::from_grafana_oncall(*text, terminal.clock.now());
  if (!imported) return terminal.fail(imported.error());
  say(imported->left, terminal);
  if (imported->parts.empty())
    return terminal.fail(fail(Code::invalid, "there is nothing in it that could be carried over", options.file));
  const auto present = present_plan(options);
  if (!present) return terminal.fail(present.error());
  imports::keep_verified(imported->parts, *present);
  std::string change;
  json::Writer out(change);
  out.begin_object().field("by", options.by).field("dry_run", options.dry_run).key("parts").begin_object();
  for (const auto& [key, document] : imported->parts) out.key(key).raw(document);
  out.end_object().end_object();
  return worse(put_plan(options, std::move(change), terminal), !imported->left.empty());
}

int put_plan(const OnCallOptions& options, std::string change, const Terminal& terminal) {
  if (!options.dry_run && options.by.empty())
    return terminal.fail(Exit::usage, fail(Code::invalid, "who changes the plan is needed", "--by"));
  const auto answer = call_desk(options.server, Method::put, "/api/v1/oncall/plan", std::move(change));
  if (!options.dry_run)
    return show(answer, terminal,
                [&](json::Value root) { terminal.out << "revision " << root["revision"].text() << '\n'; });
  const int exit = show(answer, terminal, [&](json::Value root) {
    for (const std::string_view what : {"added", "changed", "removed"})
      for (const json::Value key : root[what]) terminal.out << fmt::format("{:<8} {}\n", what, key.text());
    if (root["added"].size() + root["changed"].size() + root["removed"].size() == 0)
      terminal.out << "nothing changes\n";
    for (const json::Value gap : root["gaps"])
      terminal.out << fmt::format("gap      {}  {}  {} step {}: {} of {} people\n", gap["begin"].text(),
                                  gap["end"].text(), gap["policy"].text(), gap["step"].text(), gap["people"].size(),
                                  gap["needed"].text());
  });
  return exit == done() && answer->root()["gaps"].size() > 0 ? static_cast<int>(Exit::findings) : exit;
}

}  // namespace mydr24::cli
