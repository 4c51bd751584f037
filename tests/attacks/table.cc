#include "table.h"

#include <fmt/format.h>

#include <algorithm>

namespace mydr24::attacks {
namespace {

// What no target may hold as it is, encoded; what is encoded already stays.
std::string target_of(std::string_view text) {
  std::string target;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || std::string_view("\"<>{}|\\^`").contains(c))
      target += fmt::format("%{:02X}", byte);
    else
      target += c;
  }
  return target;
}

Request request_of(json::Value attack) {
  Request request;
  const auto ask = attack["ask"].text();
  const auto space = ask.find(' ');
  request.method = ask.substr(0, space);
  request.target = target_of(ask.substr(space + 1));
  for (const auto header : attack["headers"])
    request.headers.emplace_back(std::string(header.key()), std::string(header.text()));
  const auto body = attack["body"];
  if (body) request.body = body.is_string() ? std::string(body.text()) : std::string(body.raw());
  return request;
}

bool has_status(json::Value wanted, int status) {
  return std::ranges::any_of(wanted, [&](json::Value each) { return each.text() == std::to_string(status); });
}

void check(json::Value step, json::Value defaults, const Answer& answer, const std::string& name) {
  EXPECT_TRUE(has_status(step["status"], answer.status))
      << name << ": " << answer.status << " is none of " << step["status"].raw() << "\n"
      << answer.body.substr(0, 600);
  for (const auto list : {step["hides"], defaults["hides"]}) {
    if (step["may_show"].is_true() && list.offset() == defaults["hides"].offset()) continue;
    for (const auto text : list) {
      EXPECT_FALSE(answer.body.contains(text.text()) || answer.head.contains(text.text()))
          << name << " shows " << text.text() << "\n"
          << answer.head << answer.body.substr(0, 600);
    }
  }
  for (const auto text : step["shows"])
    EXPECT_TRUE(answer.body.contains(text.text()) || answer.head.contains(text.text()))
        << name << " does not show " << text.text() << "\n"
        << answer.head << answer.body.substr(0, 600);
  if (step["answers"]) EXPECT_EQ(std::to_string(answer.answers), step["answers"].text()) << name;
  // No answer of any kind tells of the inside.
  for (const std::string_view inside :
       {"SQLITE_", "sqlite3", "syntax error", "/src/", ".cc:", "std::", "terminate called"})
    EXPECT_FALSE(answer.body.contains(inside)) << name << " tells of the inside: " << answer.body.substr(0, 600);
}

}  // namespace

int run_table(Hospital& hospital, const std::string& file) {
  const auto text = load::read_text(std::filesystem::path(MYDR24_SOURCE_DIR) / "tests" / "attacks" / file);
  const auto document = json::Document::parse_view(text);
  if (!document) {
    ADD_FAILURE() << file << ": " << document.error().text;
    return 0;
  }
  const auto root = document->root();
  int attacks = 0;
  for (const auto attack : root["attacks"]) {
    ++attacks;
    const auto name = fmt::format("{} {}", file, attack["name"].text());
    if (const auto raw = attack["raw"]) {
      const auto answer = ask(hospital.server(), raw.text(), std::chrono::milliseconds(1'500));
      check(attack, root, answer, name);
    } else {
      const std::string as(attack["as"] ? attack["as"].text() : root["as"].text());
      check(attack, root, hospital.ask(as, request_of(attack)), name);
    }
    for (const auto step : attack["then"])
      check(step, json::Value(), hospital.ask(std::string(step["as"].text()), request_of(step)), name + ", then");
    hospital.check_service();
  }
  return attacks;
}

}  // namespace mydr24::attacks
