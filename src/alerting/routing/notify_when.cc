#include "alerting/routing/notify_when.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json/writer.h"

namespace mydr24::routing {
namespace {

void write_set(json::Writer& writer, std::string_view name, const std::set<Fingerprint>& set) {
  writer.key(name).begin_array();
  for (const Fingerprint fingerprint : set) writer.string(to_text(fingerprint));
  writer.end_array();
}

void read_set(json::Value list, std::set<Fingerprint>& set) {
  for (const auto item : list) {
    Fingerprint fingerprint = 0;
    std::from_chars(item.text().data(), item.text().data() + item.text().size(), fingerprint, 16);
    set.insert(set.end(), fingerprint);
  }
}

}  // namespace

std::string_view to_string(Why why) {
  constexpr std::array<std::string_view, 6> names{"nothing",      "first",        "new firing",
                                                  "all resolved", "new resolved", "repeat"};
  return names[static_cast<std::size_t>(why)];
}

Why notify_when(const LogEntry* last, const std::set<Fingerprint>& firing, const std::set<Fingerprint>& resolved,
                bool send_resolved, Instant now, milliseconds repeat_interval) {
  if (last == nullptr) return firing.empty() ? Why::nothing : Why::first;
  if (!std::ranges::includes(last->firing, firing)) return Why::new_firing;
  // Also where send_resolved is off: that they are resolved has to be written down, so that they can fire again.
  if (firing.empty()) return last->firing.empty() ? Why::nothing : Why::all_resolved;
  if (send_resolved && !std::ranges::includes(last->resolved, resolved)) return Why::new_resolved;
  return last->at < now - repeat_interval ? Why::repeat : Why::nothing;
}

std::string to_json(const LogEntry& entry) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object().field("at", rfc3339(entry.at));
  write_set(writer, "firing", entry.firing);
  write_set(writer, "resolved", entry.resolved);
  if (entry.episode != Instant()) writer.field("episode", to_us(entry.episode));
  writer.end_object();
  return text;
}

Result<LogEntry> log_entry_from_json(std::string_view text) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
  LogEntry entry;
  MYDR24_ASSIGN(const auto at, read_time(document.root()["at"], "at"));
  entry.at = at.value_or(Instant());
  read_set(document.root()["firing"], entry.firing);
  read_set(document.root()["resolved"], entry.resolved);
  const auto episode = document.root()["episode"].text();
  std::int64_t us = 0;
  std::from_chars(episode.data(), episode.data() + episode.size(), us);
  entry.episode = from_us(us);
  return entry;
}

}  // namespace mydr24::routing
