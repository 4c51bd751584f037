// What a clause of a behaviour means; the table in README.md.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <set>

#include "behaviour.h"

namespace mydr24::live {
namespace {

using Entries = std::vector<json::Value>;

constexpr std::size_t shown_max = 500;

struct Answered {
  const load::Reply& reply;
  json::Value body;
  const Entries& entries;
};

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    if (space != 0) out.emplace_back(text.substr(0, space));
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  }
  return out;
}

std::string short_of(std::string_view text) { return std::string(text.substr(0, shown_max)); }

// Ids of the entries of a search mode; "" for those without (history, transaction).
std::vector<std::string> ids(const Entries& entries, std::string_view mode) {
  std::vector<std::string> out;
  for (const json::Value entry : entries)
    if (entry["search"]["mode"].text() == mode) out.emplace_back(entry["resource"]["id"].text());
  return out;
}

std::string same_set(std::vector<std::string> expected, std::vector<std::string> got) {
  std::ranges::sort(expected);
  std::ranges::sort(got);
  return expected == got ? "" : fmt::format("expected {}, got {}", fmt::join(expected, " "), fmt::join(got, " "));
}

json::Value resource_of(const Answered& answered) {
  if (answered.body["resourceType"].text() != "Bundle") return answered.body;
  return answered.entries.empty() ? json::Value() : answered.entries.front()["resource"];
}

std::string link_of(json::Value bundle, std::string_view relation) {
  for (const json::Value link : bundle["link"])
    if (link["relation"].text() == relation) return std::string(link["url"].text());
  return {};
}

bool is_error(json::Value issue) { return issue["severity"].text() == "error" || issue["severity"].text() == "fatal"; }

bool has_error(json::Value outcome) {
  for (const json::Value issue : outcome["issue"])
    if (is_error(issue)) return true;
  return false;
}

// Without the indexes: "Patient.name[0].given[1]" is at Patient.name.given.
std::string without_indexes(std::string_view path) {
  std::string out;
  bool inside = false;
  for (const char c : path) {
    inside = c == '[' || (inside && c != ']');
    if (!inside && c != ']') out.push_back(c);
  }
  return out;
}

// An issue of severity error at an element path (or below it, or at its owner when a whole element is missing).
std::string issue_at(json::Value outcome, std::string_view code, std::string_view path) {
  std::vector<std::string> seen;
  for (const json::Value issue : outcome["issue"]) {
    if (!is_error(issue)) continue;
    const bool right_code = code == "*" || issue["code"].text() == code;
    if (right_code && path.empty()) return {};
    for (const json::Value expression : issue["expression"]) {
      const std::string at = without_indexes(expression.text());
      if (right_code && at.starts_with(path)) return {};
    }
    seen.push_back(short_of(issue.raw()));
  }
  return fmt::format("no issue {} at {}, but {}", code, path, fmt::join(seen, " "));
}

std::string paragraph(const Answered& answered, std::string_view word, std::string_view rest) {
  const std::string_view body = answered.reply.body;
  if (word == "holds")
    return body.find(rest) != std::string_view::npos ? "" : fmt::format("'{}' is not in {}", rest, short_of(body));
  if (word == "without")
    return body.find(rest) == std::string_view::npos ? "" : fmt::format("'{}' is in {}", rest, short_of(body));
  if (word == "location")
    return answered.reply.location.find(rest) != std::string::npos ? "" : "Location: " + answered.reply.location;
  return "there is no such clause: " + std::string(word);
}

std::string links(const Answered& answered, std::string_view word, std::string_view rest) {
  const std::string self = link_of(answered.body, "self");
  if (word == "self") return self.find(rest) != std::string::npos ? "" : "self link: " + self;
  if (word == "self-without") return self.find(rest) == std::string::npos ? "" : "self link: " + self;
  if (word == "link") return !link_of(answered.body, rest).empty() ? "" : fmt::format("there is no {} link", rest);
  return link_of(answered.body, rest).empty() ? "" : fmt::format("there is a {} link", rest);
}

std::string entries_of(const Answered& answered, std::string_view word, std::string_view rest) {
  const auto matched = ids(answered.entries, "match");
  const auto expected = words(rest);
  const auto among = [&](const std::string& id) { return std::ranges::find(matched, id) != matched.end(); };
  if (word == "=") return same_set(expected, matched);
  if (word == "include") return same_set(expected, ids(answered.entries, "include"));
  if (word == "outcome") return ids(answered.entries, "outcome").empty() ? "there is no outcome entry" : "";
  if (word == "entries")
    return std::to_string(answered.entries.size()) == rest ? "" : fmt::format("{} entries", answered.entries.size());
  if (word == ">")
    return matched == expected ? "" : fmt::format("expected in order {}, got {}", rest, fmt::join(matched, " "));
  if (word == "no-repeats") {
    const std::set<std::string> distinct(matched.begin(), matched.end());
    return distinct.size() == matched.size() ? "" : fmt::format("some come twice: {}", fmt::join(matched, " "));
  }
  const bool wanted = word == "has";
  for (const std::string& id : expected)
    if (among(id) != wanted)
      return fmt::format("{} {} among {}", id, wanted ? "is not" : "is", fmt::join(matched, " "));
  return {};
}

std::string keys_of(const Answered& answered, std::string_view word, std::string_view rest) {
  std::vector<std::string> keys;
  for (const json::Value member : resource_of(answered)) keys.emplace_back(member.key());
  const auto expected = words(rest);
  if (word == "keys") return same_set(expected, keys);
  for (const std::string& key : expected)
    if ((std::ranges::find(keys, key) != keys.end()) != (word == "key"))
      return fmt::format("expected {} {}, keys are {}", word, key, fmt::join(keys, " "));
  return {};
}

std::string tags_of(const Answered& answered, std::string_view tag) {
  for (const json::Value entry : answered.entries) {
    bool found = false;
    for (const json::Value one : entry["resource"]["meta"]["tag"]) found = found || one["code"].text() == tag;
    if (!found) return fmt::format("{} has no tag {}", entry["resource"]["id"].text(), tag);
  }
  return answered.entries.empty() ? "there is no entry" : "";
}

std::string verdict(const Answered& answered, std::string_view word, std::string_view rest) {
  const bool failed = has_error(answered.body);
  const int status = answered.reply.status;
  if (word == "ok")
    return (status == 200 || status == 201) && !failed ? ""
                                                       : fmt::format("{} {}", status, short_of(answered.reply.body));
  if (status != 200 && status != 400 && status != 422)
    return fmt::format("{} {}", status, short_of(answered.reply.body));
  return issue_at(answered.body, "*", rest);
}

std::string totals(const Answered& answered, std::string_view rest) {
  const std::string_view total = answered.body["total"].text();
  return total == rest ? "" : fmt::format("total is '{}'", total);
}

}  // namespace

bool is_status(std::string_view clause) {
  return clause.size() == 3 && clause[0] >= '1' && clause[0] <= '5' && (clause[1] == 'x' || clause[1] <= '9');
}

std::string check_clause(std::string_view clause, const load::Reply& reply, json::Value body, const Entries& entries) {
  const Answered answered{reply, body, entries};
  const std::size_t space = clause.find(' ');
  const std::string_view word = clause.substr(0, space);
  const std::string_view rest = space == std::string_view::npos ? "" : clause.substr(space + 1);
  const auto is = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, word) != names.end();
  };
  if (is_status(word)) {
    const std::string status = std::to_string(reply.status);
    const bool right = word.ends_with("xx") ? status[0] == word[0] : status == word;
    return right ? "" : fmt::format("{} {}", reply.status, short_of(reply.body));
  }
  if (is({"=", ">", "has", "lacks", "include", "entries", "outcome", "no-repeats"}))
    return entries_of(answered, word, rest);
  if (is({"keys", "key", "no-key"})) return keys_of(answered, word, rest);
  if (is({"self", "self-without", "link", "no-link"})) return links(answered, word, rest);
  if (is({"ok", "error"})) return verdict(answered, word, rest);
  if (word == "total") return totals(answered, rest);
  if (word == "no-total") return body["total"].exists() ? "there is a total" : "";
  if (word == "tag") return tags_of(answered, rest);
  if (word == "issue") {
    const std::size_t gap = rest.find(' ');
    return issue_at(body, rest.substr(0, gap), gap == std::string_view::npos ? "" : rest.substr(gap + 1));
  }
  return paragraph(answered, word, rest);
}

}  // namespace mydr24::live
