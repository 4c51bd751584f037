// How long entries are kept: whole segments go, signed anchors stand for them, legal holds keep theirs.

#include <fmt/format.h>

#include <algorithm>

#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "guard/audit/detail/segment.h"
#include "guard/audit/log.h"

namespace mydr24::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view holds_file_name = "holds.json";
constexpr std::string_view holds_name = "mydr24 audit holds";
constexpr std::size_t holds_bytes_max = std::size_t{16} << 20;

struct Ends {
  std::string before;  // digest of the line before the first
  std::string digest;  // of the last line
  std::int64_t last = 0;
};

Result<Ends> ends_of(const Segment& segment) {
  Ends ends;
  std::string block;
  const auto see = [&](std::string_view text) {
    const auto line = parse_line(text);
    if (!line) return true;
    if (line->number == segment.first()) ends.before = line->previous;
    ends.last = line->number;
    ends.digest = to_text(line->digest);
    return true;
  };
  for (std::size_t i = 0; i < segment.blocks(); ++i) {
    if (i != 0 && i + 1 != segment.blocks()) continue;
    MYDR24_TRY(segment.read(i, block));
    for_each_line(block, see);
  }
  if (ends.before.empty() || ends.digest.empty())
    return fail(Code::invalid, "its first or last line cannot be read", sealed_path({}, segment.first()).string());
  return ends;
}

}  // namespace

Result<Retained> Log::retain(int days) {
  if (days < 1) return fail(Code::invalid, "entries are kept for a day at least", "days");
  const Instant before = clock_.now() - std::chrono::days(days);
  const std::lock_guard one(sealing_);
  MYDR24_ASSIGN(const auto held, holds());
  MYDR24_ASSIGN(const auto segments, segments_in(settings_.folder));
  Retained retained;
  for (const std::int64_t first : segments) {
    auto done = retain_segment(first, before, held, retained);
    if (done) continue;
    if (done.error().code != Code::invalid) return done.error();
    tell(telemetry::Level::error, fmt::format("audit: segment {} is damaged and kept: {}", first, done.error().text));
  }
  return retained;
}

Result<> Log::retain_segment(std::int64_t first, Instant before, const std::vector<Hold>& holds, Retained& retained) {
  MYDR24_ASSIGN(const Segment segment, Segment::open(trail_, first));
  const Index* index = segment.index();
  if (index == nullptr || index->latest >= before) return {};
  const auto is_in = [&](const Hold& one) {
    return !index->frames_of(index_key(KeyKind::patient, one.patient)).empty();
  };
  // What does not name every patient may be about one of those.
  const bool names_all = index->frames_of(index_key(KeyKind::everyone, {})).empty();
  if (std::ranges::any_of(holds, is_in) || (!holds.empty() && !names_all)) {
    ++retained.segments_held;
    return {};
  }
  MYDR24_ASSIGN(const Ends ends, ends_of(segment));
  Anchor anchor{.at = clock_.now(), .first = first, .last = ends.last, .before = ends.before, .digest = ends.digest};
  anchor.until = index->latest == Instant::min() ? anchor.at : index->latest;
  anchor.key = key_id_;
  {
    const std::lock_guard lock(mutex_);
    MYDR24_TRY(write_line(Kind::anchor, to_json(anchor)));
  }
  // What stands for the lines is on disk before they go.
  MYDR24_TRY(sync());
  std::error_code error;
  fs::remove(sealed_path(settings_.folder, first), error);
  if (error) return file_error(error.value(), "cannot be removed", sealed_path(settings_.folder, first));
  fs::remove(index_path(settings_.folder, first), error);
  ++retained.segments_removed;
  retained.lines_removed += ends.last - first + 1;
  return sync_folder(settings_.folder);
}

Result<std::vector<Hold>> Log::holds() const {
  const std::lock_guard lock(holds_);
  MYDR24_ASSIGN(auto held, read_holds());
  std::erase_if(held, [now = clock_.now()](const Hold& one) { return !one.is_in_force(now); });
  return held;
}

Result<std::vector<Hold>> Log::read_holds() const {
  auto stored = read_whole(settings_.folder / holds_file_name, holds_bytes_max);
  if (!stored && stored.error().code == Code::not_found) return std::vector<Hold>();
  if (!stored) return stored.error();
  MYDR24_ASSIGN(const std::string text, Sealing(trail_.keys).open_file(std::move(*stored), holds_name));
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
  std::vector<Hold> holds;
  for (const json::Value one : document.root()) {
    const auto at = parse_date_time(one["at"].text());
    if (!at || one["patient"].text().empty())
      return fail(Code::invalid, "is no list of legal holds", (settings_.folder / holds_file_name).string());
    holds.push_back({.patient = std::string(one["patient"].text()),
                     .reason = std::string(one["reason"].text()),
                     .by = std::string(one["by"].text()),
                     .at = at->low,
                     .until = {}});
    if (const auto until = parse_date_time(one["until"].text()); until) holds.back().until = until->low;
  }
  return holds;
}

Result<> Log::write_holds(const std::vector<Hold>& holds) {
  std::string text;
  json::Writer writer(text);
  writer.begin_array();
  for (const Hold& one : holds) {
    writer.begin_object().field("patient", one.patient).field("reason", one.reason).field("by", one.by);
    writer.field("at", format_instant(one.at));
    if (one.until) writer.field("until", format_instant(*one.until));
    writer.end_object();
  }
  writer.end_array();
  MYDR24_ASSIGN(const std::string stored, Sealing(trail_.keys).seal_file(text, holds_name));
  return write_whole(settings_.folder / holds_file_name, stored, 0600);
}

Result<> Log::note_hold(std::string_view interaction, std::string_view patient, std::string_view reason,
                        std::string_view by) {
  Entry entry{.at = clock_.now(), .action = Action::execute};
  entry.interaction = interaction;
  entry.principal_kind = access::PrincipalKind::person;
  entry.principal = by;
  entry.patients.emplace_back(patient);
  entry.rule = reason;
  MYDR24_TRY(append(std::move(entry)));
  return sync();
}

Result<> Log::hold(std::string_view patient, std::string_view reason, std::string_view by,
                   std::optional<Instant> until) {
  if (!is_fhir_id(patient)) return fail(Code::invalid, "is no id of a patient", "patient");
  if (reason.empty()) return fail(Code::invalid, "a legal hold has a reason", "reason");
  if (until && *until <= clock_.now()) return fail(Code::invalid, "is past", "until");
  const std::lock_guard lock(holds_);
  MYDR24_ASSIGN(auto held, read_holds());
  std::erase_if(held, [&](const Hold& one) { return one.patient == patient || !one.is_in_force(clock_.now()); });
  held.push_back({.patient = std::string(patient),
                  .reason = std::string(reason),
                  .by = std::string(by),
                  .at = clock_.now(),
                  .until = until});
  // In force before it is told of; release() the other way round: nothing is removed that the trail says is held.
  MYDR24_TRY(write_holds(held));
  const auto told = until ? fmt::format("{}; until {}", reason, format_instant(*until)) : std::string(reason);
  return note_hold("audit.hold", patient, told, by);
}

Result<> Log::release(std::string_view patient, std::string_view reason, std::string_view by) {
  if (reason.empty()) return fail(Code::invalid, "the end of a legal hold has a reason", "reason");
  const std::lock_guard lock(holds_);
  MYDR24_ASSIGN(auto held, read_holds());
  if (std::erase_if(held, [&](const Hold& one) { return one.patient == patient; }) == 0)
    return fail(Code::not_found, "no legal hold is on that patient", std::string(patient));
  MYDR24_TRY(note_hold("audit.release", patient, reason, by));
  return write_holds(held);
}

std::string to_json(const std::vector<Hold>& holds) {
  std::string text;
  json::Writer out(text);
  out.begin_object().key("holds").begin_array();
  for (const Hold& hold : holds) {
    out.begin_object().field("patient", hold.patient).field("reason", hold.reason).field("by", hold.by);
    out.field("at", format_instant(hold.at));
    if (hold.until) out.field("until", format_instant(*hold.until));
    out.end_object();
  }
  out.end_array().end_object();
  return text;
}

Result<std::optional<Instant>> time_of(std::string_view text, std::string_view where) {
  if (text.empty()) return std::optional<Instant>();
  const auto time = parse_date_time(text);
  if (!time) return fail(Code::invalid, "is no time: 2026-05-10 or 2026-05-10T08:00:00Z", std::string(where));
  return std::optional(time->low);
}

}  // namespace mydr24::audit
