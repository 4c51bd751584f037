#include "walk.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "base/core/clock.h"
#include "base/core/date_time.h"

namespace mydr24::live {
namespace {

constexpr std::chrono::milliseconds slack{2'000};  // a call that is due may be this late
constexpr std::chrono::milliseconds early{50};     // clocks of two processes, rounded

// "2s", "500ms", "30min"
std::chrono::milliseconds duration(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error == std::errc() && unit == "ms") return std::chrono::milliseconds(value);
  if (error == std::errc() && unit == "s") return std::chrono::seconds(value);
  if (error == std::errc() && unit == "min") return std::chrono::minutes(value);
  throw std::runtime_error(fmt::format("'{}' is no time", text));
}

}  // namespace

bool Walk::Line::begins(std::initializer_list<std::string_view> expected) const {
  std::size_t i = 0;
  for (const std::string_view word : expected)
    if (i >= words.size() || words[i++].text != word) return false;
  return true;
}

Walk::Line Walk::split(std::size_t number, const std::string& text) {
  Line line{number, text, {}};
  std::size_t at = 0;
  while ((at = text.find_first_not_of(' ', at)) != std::string::npos) {
    const bool quoted = text[at] == '"';
    const std::size_t begin = quoted ? at + 1 : at;
    const std::size_t end = std::min(text.find(quoted ? '"' : ' ', begin), text.size());
    line.words.push_back({text.substr(begin, end - begin), quoted});
    at = std::min(end + 1, text.size());
  }
  return line;
}

Walk::Walk(const std::filesystem::path& file) : folder_(file.parent_path()) {
  std::istringstream lines(load::read_text(file));
  std::size_t number = 0;
  for (std::string text; std::getline(lines, text);) {
    Line line = split(++number, text);
    if (line.words.empty() || line.words[0].text.starts_with('#')) continue;
    if (steps_.empty() && take_setting(line)) continue;
    steps_.push_back(std::move(line));
  }
}

bool Walk::take_setting(const Line& line) {
  if (line.begins({"escalate", "after"})) {
    escalate_after_s_ = fmt::format("{}", duration(line.words.at(2).text).count() / 1000);
  } else if (line.begins({"contact"})) {
    contacts_.push_back(line.words.at(1).text);
  } else if (line.begins({"step"})) {
    policy_.emplace_back();
    for (std::size_t i = 1; i < line.words.size(); ++i) policy_.back().push_back(line.words[i].text);
  } else {
    return false;
  }
  return true;
}

std::string Walk::config() const {
  std::string out = fmt::format("[alerting]\nescalate_after_s = {}\n", escalate_after_s_);
  if (!policy_.empty()) {
    std::vector<std::string> steps;
    for (const auto& names : policy_) steps.push_back(fmt::format("[\"{}\"]", fmt::join(names, "\", \"")));
    out += fmt::format("steps = [{}]\n", fmt::join(steps, ", "));
  }
  for (const std::string& name : contacts_)
    out += fmt::format("\n[[alerting.contacts]]\nname = \"{}\"\nwebhook_url = \"{}\"\n", name, pager_.url("/" + name));
  return out;
}

std::string Walk::run() {
  live_ = std::make_unique<Live>(config());
  for (const Line& line : steps_) {
    std::string wrong = step(line);
    if (!wrong.empty()) return fmt::format("line {}: {}\n{}", line.number, line.text, wrong);
  }
  const int code = live_->stop();
  return code == 0 ? "" : fmt::format("the server ended with {} instead of 0:\n{}", code, live_->server().log());
}

std::string Walk::step(const Line& line) {
  const std::string& verb = line.words[0].text;
  if (verb == "post" || verb == "put" || verb == "get" || verb == "delete") return request(line);
  if (verb == "within" || verb == "after") return told(line);
  if (verb == "for") return nobody(line);
  if (line.begins({"acknowledge", "as"})) return acknowledge(line);
  if (line.begins({"pagers", "answer"})) {
    pager_.answer_with(std::stoi(line.words.at(2).text));
    return {};
  }
  if (line.begins({"kill", "and", "restart"})) {
    live_->server().kill();
    live_->restart();
    return {};
  }
  return "not a step of a walk (README.md)";
}

std::string Walk::body(const std::string& file) const {
  std::string text = load::read_text(folder_ / file);
  for (std::size_t at = text.find("${now"); at != std::string::npos; at = text.find("${now", at)) {
    const std::size_t end = text.find('}', at);
    const std::string_view minus = std::string_view(text).substr(at + 5, end - at - 5);
    const auto before = minus.starts_with('-') ? duration(minus.substr(1)) : std::chrono::milliseconds(0);
    text.replace(at, end + 1 - at, format_instant(system_clock().now() - before));
  }
  return text;
}

std::string Walk::request(const Line& line) {
  std::string method = line.words[0].text;
  std::ranges::transform(method, method.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  const bool has_body = line.words.at(2).text != "->";
  last_ = system_clock().steady();
  const auto reply = live_->http().send(method, line.words.at(1).text, has_body ? body(line.words[2].text) : "");
  return check(line, has_body ? 3 : 2, reply);
}

std::string Walk::check(const Line& line, std::size_t arrow, const Result<load::Reply>& reply) const {
  if (!reply) return reply.error().text;
  if (line.words.at(arrow).text != "->" || fmt::format("{}", reply->status) != line.words.at(arrow + 1).text)
    return fmt::format("answered {}: {}", reply->status, reply->body);
  bool wanted = true;
  for (std::size_t i = arrow + 2; i < line.words.size(); ++i) {
    if (!line.words[i].quoted) {
      wanted = line.words[i].text != "not";
      continue;
    }
    if ((reply->body.find(line.words[i].text) != std::string::npos) != wanted) return "the answer is " + reply->body;
    wanted = true;
  }
  return {};
}

std::string Walk::told(const Line& line) {
  const auto time = duration(line.words.at(1).text);
  const std::string& contact = line.words.at(2).text;
  const std::string& text = line.words.at(5).text;
  const bool within = line.words[0].text == "within";
  const std::string path = "/" + contact;
  std::size_t& heard = heard_[contact];
  load::Delivery call;
  const auto next = [&](const std::vector<load::Delivery>& all) {
    std::size_t n = 0;
    for (const load::Delivery& delivery : all) {
      if (delivery.path != path || n++ < heard) continue;
      call = delivery;
      return true;
    }
    return false;
  };
  const auto due = last_ + time;
  const auto until = within ? due : due + slack;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - system_clock().steady());
  if (!pager_.wait(std::max(left, std::chrono::milliseconds(1)), next)) return contact + " was not told";
  ++heard;
  if (!within && call.at < due - early)
    return fmt::format("told {} ms too early",
                       std::chrono::duration_cast<std::chrono::milliseconds>(due - call.at).count());
  last_ = call.at;
  if (call.body.find(text) == std::string::npos) return "told: " + call.body;
  const bool retry = line.words.size() > 6 && line.words.back().text == "retry";
  if (retry && call.body.find("\"retry\":true") == std::string::npos) return "not marked as a retry: " + call.body;
  return {};
}

std::string Walk::nobody(const Line& line) {
  std::size_t heard = 0;
  for (const auto& [contact, calls] : heard_) heard += calls;
  const bool told = pager_.wait(duration(line.words.at(1).text), [&](const auto& all) { return all.size() > heard; });
  return told ? "told: " + pager_.deliveries().back().body : "";
}

std::string Walk::acknowledge(const Line& line) {
  const auto deliveries = pager_.deliveries();
  if (deliveries.empty()) return "there was no call";
  const auto document = json::Document::parse_view(deliveries.back().body);
  if (!document) return "the call is no JSON";
  const std::string target = fmt::format("/api/v1/alerts/{}/ack", document->root()["alert"]["id"].text());
  const std::string by = fmt::format(R"({{"by":"{}"}})", line.words.at(2).text);
  last_ = system_clock().steady();
  return check(line, 3, live_->http().send("POST", target, by, "Content-Type: application/json\r\n"));
}

}  // namespace mydr24::live
