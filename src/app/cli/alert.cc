#include "app/cli/alert.h"

#include <fmt/format.h>

#include <ostream>

#include "alerting/routing/matcher.h"
#include "app/cli/fhir_client.h"
#include "app/cli/login.h"
#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "base/net/client.h"
#include "base/net/uri.h"

namespace mydr24::cli {
namespace {

// What the server says is wrong: a JSON string, {"message": ...}, {"detail": ...}, or the text as it is.
std::string said(const std::string& body) {
  const auto document = json::Document::parse_view(body);
  if (!document) return body;
  const json::Value root = document->root();
  if (root.is_string()) return std::string(root.text());
  for (const std::string_view name : {"message", "detail", "title"})
    if (root[name].is_string()) return std::string(root[name].text());
  return body;
}

Result<std::string> call(const AlertOptions& options, net::Method method, const std::string& path,
                         std::string body = {}) {
  net::ClientRequest request;
  request.method = method;
  std::string server = options.server;
  while (server.ends_with('/')) server.pop_back();
  MYDR24_ASSIGN(request.url, net::parse_url(server + path));
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::move(body);
  MYDR24_TRY(authorize(request));
  const auto response = net::send_blocking(std::move(request));
  if (!response) return fail(Code::busy, response.error().text, server);
  if (response->status < 300) return response->body;
  return fail(code_of_status(response->status), said(response->body), path);
}

int show(const Terminal& terminal, const Result<std::string>& answer, const auto& as_text) {
  if (!answer) {
    const bool unreachable = answer.error().code == Code::busy && answer.error().where.starts_with("http");
    return unreachable ? terminal.fail(Exit::unreachable, answer.error()) : terminal.fail(answer.error());
  }
  if (terminal.json) {
    terminal.out << *answer;
    if (!answer->ends_with('\n')) terminal.out << '\n';
    return static_cast<int>(Exit::ok);
  }
  if (const auto document = json::Document::parse_view(*answer))
    as_text(document->root());
  else if (!answer->empty())
    return terminal.fail(document.error());
  return static_cast<int>(Exit::ok);
}

void print_alert(std::ostream& out, json::Value alert) {
  out << fmt::format("{:<9}  {:<12}  {}  {}  {}\n", alert["severity"].text(), alert["state"].text(),
                     alert["raised_at"].text(), alert["id"].text(), alert["title"].text());
}

std::string labels_text(json::Value labels) {
  std::vector<routing::Label> all;
  for (const auto label : labels) all.emplace_back(label.key(), label.text());
  return routing::to_text(routing::Labels(std::move(all)));
}

// name=value; a bare word first is the alertname.
Result<routing::Labels> read_labels(const std::vector<std::string>& words) {
  std::vector<routing::Label> labels;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto equal = words[i].find('=');
    if (equal == std::string::npos && i > 0)
      return fail(Code::invalid, fmt::format("\"{}\" is no label; write name=value", words[i]));
    if (equal == std::string::npos)
      labels.emplace_back("alertname", words[i]);
    else
      labels.emplace_back(words[i].substr(0, equal), words[i].substr(equal + 1));
  }
  return routing::Labels(std::move(labels));
}

Result<routing::Matchers> read_matchers(const std::vector<std::string>& words) {
  routing::Matchers matchers;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool is_name = i == 0 && words[i].find_first_of("=~{") == std::string::npos;
    MYDR24_ASSIGN(auto some,
                  routing::parse_matchers(is_name ? "alertname=\"" + words[i] + "\"" : words[i], routing::Names::utf8));
    for (auto& matcher : some) matchers.push_back(std::move(matcher));
  }
  return matchers;
}

Result<std::string> filter_query(const std::vector<std::string>& words) {
  MYDR24_ASSIGN(const auto matchers, read_matchers(words));
  std::string query;
  for (const auto& matcher : matchers) query += "&filter=" + net::percent_encode(matcher.text());
  return query;
}

Result<std::string> silence_body(const AlertOptions& options, const Clock& clock) {
  MYDR24_ASSIGN(const auto matchers, read_matchers(options.words));
  if (matchers.empty()) return fail(Code::invalid, "a silence needs a matcher, as alertname=DiskFull");
  MYDR24_ASSIGN(const auto duration, parse_duration(options.duration));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("matchers").begin_array();
  for (const auto& matcher : matchers)
    writer.begin_object()
        .field("name", std::string_view(matcher.name()))
        .field("value", std::string_view(matcher.value()))
        .field("isRegex", matcher.is_regex())
        .field("isEqual", matcher.is_equal())
        .end_object();
  writer.end_array()
      .field("startsAt", format_instant(clock.now()))
      .field("endsAt", format_instant(clock.now() + duration))
      .field("createdBy", std::string_view(options.by))
      .field("comment", std::string_view(options.note));
  if (!options.approved_by.empty()) writer.field("approvedBy", std::string_view(options.approved_by));
  writer.end_object();
  return body;
}

int by_person(const AlertOptions& options, std::string_view action, std::string_view text_name,
              const Terminal& terminal) {
  std::string body;
  json::Writer(body)
      .begin_object()
      .field("by", std::string_view(options.by))
      .field(text_name, std::string_view(options.note))
      .end_object();
  const auto answer = call(options, net::Method::post,
                           fmt::format("/api/v1/alerts/{}/{}", net::percent_encode(options.id), action), body);
  return show(terminal, answer, [&](json::Value alert) { print_alert(terminal.out, alert); });
}

}  // namespace

int run_alert_list(const AlertOptions& options, const Terminal& terminal) {
  const auto answer =
      call(options, net::Method::get, options.resolved ? "/api/v1/alerts?state=resolved" : "/api/v1/alerts?state=open");
  return show(terminal, answer, [&](json::Value root) {
    for (const auto alert : root["alerts"]) print_alert(terminal.out, alert);
    if (root["next"].exists()) terminal.err << "there are more: --json shows where they go on\n";
  });
}

int run_alert_show(const AlertOptions& options, const Terminal& terminal) {
  const auto answer = call(options, net::Method::get, "/api/v1/alerts/" + net::percent_encode(options.id));
  return show(terminal, answer, [&](json::Value root) {
    print_alert(terminal.out, root["alert"]);
    if (const auto reason = root["alert"]["reason"].text(); !reason.empty()) terminal.out << reason << '\n';
    for (const auto entry : root["history"])
      terminal.out << fmt::format("  {}  {}\n", entry["at"].text(), entry["kind"].text());
  });
}

int run_alert_ack(const AlertOptions& options, const Terminal& terminal) {
  return by_person(options, "ack", "note", terminal);
}

int run_alert_resolve(const AlertOptions& options, const Terminal& terminal) {
  return by_person(options, "resolve", "why", terminal);
}

int run_alert_add(const AlertOptions& options, const Terminal& terminal) {
  const auto labels = read_labels(options.words);
  if (!labels) return terminal.fail(labels.error());
  const auto annotations = read_labels(options.annotations);
  if (!annotations) return terminal.fail(annotations.error());
  std::string body;
  json::Writer writer(body);
  writer.begin_array().begin_object().key("labels");
  routing::write(writer, *labels);
  writer.key("annotations");
  routing::write(writer, *annotations);
  if (!options.start.empty()) writer.field("startsAt", std::string_view(options.start));
  if (!options.end.empty()) writer.field("endsAt", std::string_view(options.end));
  writer.end_object().end_array();
  return show(terminal, call(options, net::Method::post, "/api/v2/alerts", body), [](json::Value) {});
}

int run_alert_query(const AlertOptions& options, const Terminal& terminal) {
  const auto filter = filter_query(options.words);
  if (!filter) return terminal.fail(filter.error());
  const std::string_view held_back = options.all ? "true" : "false";
  const auto answer = call(options, net::Method::get,
                           fmt::format("/api/v2/alerts?silenced={}&inhibited={}{}", held_back, held_back, *filter));
  return show(terminal, answer, [&](json::Value alerts) {
    for (const auto alert : alerts)
      terminal.out << fmt::format("{:<10}  {}  {}\n", alert["status"]["state"].text(), alert["startsAt"].text(),
                                  labels_text(alert["labels"]));
  });
}

int run_alert_actionability(const AlertOptions& options, const Terminal& terminal) {
  const auto answer =
      call(options, net::Method::get, fmt::format("/api/v1/alerts/actionability?days={}", options.days));
  return show(terminal, answer, [&](json::Value root) {
    terminal.out << "fired  acknowledged  led to action  auto-resolved  rule\n";
    for (const auto rule : root["rules"])
      terminal.out << fmt::format("{:>5}  {:>12}  {:>13}  {:>13}  {}{}\n", rule["fired"].text(),
                                  rule["acknowledged"].text(), rule["led_to_action"].text(),
                                  rule["auto_resolved"].text(), rule["rule"].text(),
                                  rule["questionable"].is_true() ? "  (questionable)" : "");
  });
}

int run_silence_add(const AlertOptions& options, const Terminal& terminal) {
  const auto body = silence_body(options, terminal.clock);
  if (!body) return terminal.fail(body.error());
  return show(terminal, call(options, net::Method::post, "/api/v2/silences", *body),
              [&](json::Value root) { terminal.out << root["silenceID"].text() << '\n'; });
}

int run_silence_preview(const AlertOptions& options, const Terminal& terminal) {
  const auto body = silence_body(options, terminal.clock);
  if (!body) return terminal.fail(body.error());
  return show(terminal, call(options, net::Method::post, "/api/v1/silences/preview", *body), [&](json::Value root) {
    terminal.out << fmt::format("would mute {} firing, {} in the last 30 days, {} of them urgent\n",
                                root["firing"].text(), root["last_30_days"].text(), root["urgent"].text());
    if (root["needs_second_person"].is_true())
      terminal.out << fmt::format("needs a second person (--approved-by): {}\n", root["why"].text());
    for (const auto name : root["names"]) terminal.out << "  " << name.text() << '\n';
  });
}

int run_silence_query(const AlertOptions& options, const Terminal& terminal) {
  const auto filter = filter_query(options.words);
  if (!filter) return terminal.fail(filter.error());
  const auto answer = call(options, net::Method::get, "/api/v2/silences?" + filter->substr(filter->empty() ? 0 : 1));
  return show(terminal, answer, [&](json::Value silences) {
    for (const auto silence : silences) {
      const std::string_view state = silence["status"]["state"].text();
      if (state == "expired" && !options.all) continue;
      std::string matchers;
      for (const auto matcher : silence["matchers"])
        matchers += fmt::format("{}{}{}{}\"{}\"", matchers.empty() ? "" : " ", matcher["name"].text(),
                                matcher["isEqual"].is_true() ? (matcher["isRegex"].is_true() ? "=" : "") : "!",
                                matcher["isRegex"].is_true() ? "~" : "=", matcher["value"].text());
      terminal.out << fmt::format("{:<8}  {}  {}  {}  {}\n", state, silence["endsAt"].text(), silence["id"].text(),
                                  silence["createdBy"].text(), matchers);
    }
  });
}

int run_silence_expire(const AlertOptions& options, const Terminal& terminal) {
  return show(terminal, call(options, net::Method::del, "/api/v2/silence/" + net::percent_encode(options.id)),
              [](json::Value) {});
}

}  // namespace mydr24::cli
