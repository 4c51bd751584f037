#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <thread>

#include "alertmanager/case.h"
#include "alertmanager/target.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"
#include "base/net/uri.h"

namespace mydr24::alertmanager {
namespace {

constexpr double tolerance_s = 0.15;  // of the times that alerts carry
constexpr double slack_s = 0.25;      // after a window: the notification is on its way

class Run {
 public:
  Run(const Case& what, const std::string& target) : case_(what), hooks_(what.hooks) {
    outcome_.name = what.name;
    outcome_.target = target;
    TargetOptions options{.config = what.config, .prefix = what.prefix, .start_delay = what.start_delay};
    for (const Hook& hook : what.hooks) replace(options.config, "$" + hook.name, hooks_.url(hook.name));
    target_ = target == "real" ? start_real(options) : start_ours(options);
    base_ = target_->url() + what.prefix;
    start_ = Hooks::Clock::now();
    wall_ = std::chrono::floor<Microseconds>(std::chrono::system_clock::now());
    hooks_.begin(start_);
  }

  Outcome run() {
    for (std::size_t i = 0; i < case_.steps.size();) {
      wait_until(case_.steps[i].at);
      // Pushes of one time are one request.
      if (case_.steps[i].verb == "push") {
        std::size_t end = i;
        while (end < case_.steps.size() && case_.steps[end].verb == "push" && case_.steps[end].at == case_.steps[i].at)
          ++end;
        push(i, end);
        i = end;
      } else {
        do_step(case_.steps[i++]);
      }
    }
    double last = 0;
    for (const Want& want : case_.wants) last = std::max(last, want.to + slack_s);
    wait_until(last);
    judge();
    return std::move(outcome_);
  }

 private:
  static void replace(std::string& text, const std::string& what, const std::string& by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
      text.replace(at, what.size(), by);
  }
  void wait_until(double second) {
    std::this_thread::sleep_until(
        start_ + std::chrono::duration_cast<Hooks::Clock::duration>(std::chrono::duration<double>(second)));
  }
  std::string time_of(double second) const {
    return routing_time(wall_ + Microseconds(static_cast<std::int64_t>(second * 1e6)));
  }
  static std::string routing_time(Instant at) { return format_instant(at); }
  double second_of(std::string_view text) const {
    const auto range = parse_date_time(text);
    return range ? static_cast<double>((range->low - wall_).count()) / 1e6 : -1;
  }
  void fault(int line, std::string text) { outcome_.faults.push_back(fmt::format("line {}: {}", line, text)); }

  void push(std::size_t begin, std::size_t end) {
    std::string body;
    json::Writer writer(body);
    writer.begin_array();
    for (std::size_t i = begin; i < end; ++i)
      for (const std::string& word : case_.steps[i].words) {
        const WantedAlert alert = read_alert(word);
        writer.begin_object().key("labels");
        routing::write(writer, alert.labels);
        writer.key("annotations");
        routing::write(writer, alert.annotations);
        if (alert.start) writer.field("startsAt", time_of(*alert.start));
        if (alert.end) writer.field("endsAt", time_of(*alert.end));
        writer.end_object();
      }
    writer.end_array();
    const Reply reply = call(net::Method::post, base_ + "/api/v2/alerts", body);
    if (reply.status != 200) fault(case_.steps[begin].line, fmt::format("{}: {}", reply.status, reply.body));
  }

  void do_step(const Step& step) {
    const auto& words = step.words;
    if (step.verb == "reload") {
      expect(step, call(net::Method::post, base_ + "/-/reload"), 200);
    } else if (step.verb == "kill") {
      target_->kill_and_restart();
      base_ = target_->url() + case_.prefix;
    } else if (step.verb == "silence") {
      silence(step);
    } else if (step.verb == "unsilence") {
      expect(step, call(net::Method::del, base_ + "/api/v2/silence/" + names_[words.at(0)]), 200);
    } else if (step.verb == "see") {
      see(step);
    } else if (step.verb == "count") {
      // count TIME PATH FILTER NUMBER
      std::string query;
      std::istringstream filters(words.at(1));
      for (std::string filter; std::getline(filters, filter, '&');)
        query += (query.empty() ? "?filter=" : "&filter=") + net::percent_encode(filter);
      const Reply reply = call(net::Method::get, base_ + "/api/v2/" + words.at(0) + query);
      const auto document = json::Document::parse(reply.body);
      if (!document || std::to_string(document->root().size()) != words.at(2))
        fault(step.line, fmt::format("{} {}", reply.status, reply.body));
    } else if (step.verb == "get") {
      expect(step, call(net::Method::get, base_ + words.at(0)), std::stoi(words.at(1)));
    } else if (step.verb == "delete") {
      expect(step, call(net::Method::del, base_ + words.at(0)), std::stoi(words.at(1)));
    } else if (step.verb == "post") {
      std::string body = words.at(2);
      replace(body, "$past", time_of(-86'400));
      replace(body, "$soon", time_of(3'600));
      replace(body, "$later", time_of(7'200));
      expect(step, call(net::Method::post, base_ + words.at(0), body), std::stoi(words.at(1)));
    } else {
      fault(step.line, "there is no step " + step.verb);
    }
  }

  void expect(const Step& step, const Reply& reply, int status) {
    if (reply.status != status)
      fault(step.line, fmt::format("answered {} in place of {}: {}", reply.status, status, reply.body));
    // Further words: texts that the answer holds.
    const std::size_t first = step.verb == "post" ? 3 : 2;
    for (std::size_t i = first; i < step.words.size(); ++i)
      if (reply.body.find(step.words[i]) == std::string::npos)
        fault(step.line, fmt::format("the answer has no {}: {}", step.words[i], reply.body));
  }

  // silence TIME NAME UNTIL MATCHER...
  void silence(const Step& step) {
    std::string body;
    json::Writer writer(body);
    writer.begin_object().key("matchers").begin_array();
    for (std::size_t i = 2; i < step.words.size(); ++i) {
      const auto equal = step.words[i].find('=');
      const bool regex = step.words[i].substr(equal, 2) == "=~";
      writer.begin_object()
          .field("name", step.words[i].substr(0, equal))
          .field("value", step.words[i].substr(equal + (regex ? 2 : 1)))
          .field("isRegex", regex)
          .field("isEqual", true)
          .end_object();
    }
    writer.end_array()
        .field("startsAt", time_of(step.at))
        .field("endsAt", time_of(std::stod(step.words.at(1))))
        .field("createdBy", "tester")
        .field("comment", "test")
        .end_object();
    const Reply reply = call(net::Method::post, base_ + "/api/v2/silences", body);
    if (reply.status != 200) fault(step.line, fmt::format("{}: {}", reply.status, reply.body));
    if (const auto document = json::Document::parse(reply.body))
      names_[step.words[0]] = document->root()["silenceID"].text();
  }

  // see TIME ALERT STATE [silence:NAME] [inhibit:ALERT]
  void see(const Step& step) {
    const routing::Labels labels = read_alert(step.words.at(0)).labels;
    const Reply reply = call(net::Method::get, base_ + "/api/v2/alerts");
    const auto document = json::Document::parse(reply.body);
    for (const auto item : document ? document->root() : json::Value()) {
      if (item["fingerprint"].text() != routing::to_text(routing::fingerprint(labels))) continue;
      const auto status = item["status"];
      std::string silenced;
      std::string inhibited;
      for (std::size_t i = 2; i < step.words.size(); ++i) {
        const auto& word = step.words[i];
        if (word.starts_with("silence:")) silenced = names_[word.substr(8)];
        if (word.starts_with("inhibit:"))
          inhibited = routing::to_text(routing::fingerprint(read_alert(word.substr(8)).labels));
      }
      const bool right = status["state"].text() == step.words.at(1) && status["silencedBy"].at(0).text() == silenced &&
                         status["inhibitedBy"].at(0).text() == inhibited;
      if (!right) fault(step.line, std::string(status.raw()));
      return;
    }
    fault(step.line, "the alert is not listed: " + reply.body);
  }

  bool fits(json::Value sent, const WantedAlert& wanted) const {
    for (const auto& [name, value] : wanted.labels)
      if (sent["labels"][name].text() != value) return false;
    if (sent["labels"].size() != wanted.labels.size()) return false;
    for (const auto& [name, value] : wanted.annotations)
      if (sent["annotations"][name].text() != value) return false;
    if (wanted.start && std::abs(second_of(sent["startsAt"].text()) - *wanted.start) > tolerance_s) return false;
    if (!wanted.end) return sent["status"].text() == "firing";
    return sent["status"].text() == "resolved" &&
           std::abs(second_of(sent["endsAt"].text()) - *wanted.end) <= tolerance_s;
  }

  bool fits(json::Value alerts, const Want& want) const {
    if (alerts.size() != want.alerts.size()) return false;
    return std::ranges::all_of(want.alerts, [&](const WantedAlert& wanted) {
      return std::ranges::any_of(alerts.begin(), alerts.end(), [&](json::Value sent) { return fits(sent, wanted); });
    });
  }

  // Every notification is wanted, and everything wanted came.
  void judge() {
    std::vector<bool> came(case_.wants.size(), false);
    for (const auto& arrival : hooks_.arrivals()) {
      const double at = std::chrono::duration<double>(arrival.at - start_).count();
      const auto document = json::Document::parse(arrival.body);
      bool wanted = false;
      bool last = true;
      for (std::size_t i = 0; i < case_.wants.size(); ++i) {
        const Want& want = case_.wants[i];
        if (want.hook != arrival.hook) continue;
        if (at <= want.to + slack_s) last = false;
        if (want.alerts.empty() || came[i] || at < want.from - tolerance_s || at > want.to + tolerance_s) continue;
        if (!document || !fits(document->root()["alerts"], want)) continue;
        came[i] = wanted = true;
        break;
      }
      // What comes after everything that was asked for is nobody's concern.
      if (!wanted && !last) fault(0, fmt::format("not wanted, {} at {:.2f}: {}", arrival.hook, at, arrival.body));
    }
    for (std::size_t i = 0; i < case_.wants.size(); ++i)
      if (!came[i] && !case_.wants[i].alerts.empty()) fault(case_.wants[i].line, "did not come");
  }

  const Case& case_;
  Hooks hooks_;
  std::unique_ptr<Target> target_;
  std::string base_;
  Hooks::Clock::time_point start_;
  Instant wall_;
  std::map<std::string, std::string> names_;  // of silences -> their ids
  Outcome outcome_;
};

}  // namespace

Outcome run_case(const Case& what, const std::string& target) {
  if (!what.only.empty() && what.only != target) return {what.name, target, true, {what.only_why}};
  try {
    return Run(what, target).run();
  } catch (const std::exception& problem) {
    return {what.name, target, false, {problem.what()}};
  }
}

}  // namespace mydr24::alertmanager
