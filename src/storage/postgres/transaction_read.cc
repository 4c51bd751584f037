#include <algorithm>
#include <ranges>

#include "storage/postgres/transaction.h"

namespace mydr24::postgres {

using store::Sequence;
using store::Version;

// When the group has written this record, the levels that did are sent.
Result<> WriteTransaction::flush_before_reading(std::int64_t type, std::string_view id) {
  const Pending::RecordKey key(type, id);
  for (std::size_t level = levels_.size(); level-- > 0;) {
    const auto& records = levels_[level].pending.records;
    if (const auto found = records.find(key); found != records.end()) {
      return found->second.is_sent ? Result<>() : flush(level);
    }
  }
  return {};
}

Result<std::optional<Version>> WriteTransaction::current(std::string_view type, std::string_view id) {
  MYDR24_ASSIGN(const auto number, type_number(type));
  if (!number || !is_plain_text(id)) return std::optional<Version>();
  if (const auto* const known = known_record(*number, id)) {
    if (known->record == 0) return std::optional<Version>();
    MYDR24_TRY(flush_before_reading(*number, id));
    return view_.by_record(known->record, type);
  }
  MYDR24_ASSIGN(
      const auto rows,
      connection_.query("SELECT r.version, r.sequence, j.at, j.action, j.meta_at, j.body, r.record, r.deleted "
                        "FROM record r JOIN journal j ON j.sequence = r.sequence "
                        "WHERE r.type = $1 AND r.id = $2",
                        Parameters::of(*number, id)));
  Pending::Record record{.type = *number};
  std::optional<Version> version;
  if (!rows.empty()) {
    version.emplace();
    version->type = type;
    version->id = id;
    MYDR24_TRY(view_.read_version(rows, 0, 0, true, *version));
    record.record = rows.integer(0, 6);
    record.version = version->version;
    record.sequence = version->sequence;
    record.deleted = rows.integer(0, 7) != 0;
  }
  // A put that follows need not look for it again.
  top().records.insert_or_assign({*number, std::string(id)}, record);
  return version;
}

Result<std::optional<Version>> WriteTransaction::current_head(std::string_view type, std::string_view id) {
  MYDR24_ASSIGN(auto version, current(type, id));
  if (version) version->body.clear();
  return version;
}

Result<std::optional<Version>> WriteTransaction::version(std::string_view type, std::string_view id,
                                                         std::int64_t version) {
  MYDR24_TRY(flush());
  return view_.version(type, id, version);
}

Result<std::vector<Version>> WriteTransaction::history(const store::HistoryQuery& query) {
  MYDR24_TRY(flush());
  return view_.history(query);
}

Result<store::SearchPage> WriteTransaction::search(const search::Query& query) {
  MYDR24_TRY(flush());
  return view_.search(query);
}

Result<std::string> WriteTransaction::explain(const search::Query& query) {
  MYDR24_TRY(flush());
  return view_.explain(query);
}

Result<std::int64_t> WriteTransaction::count_resources(std::string_view type) {
  MYDR24_TRY(flush());
  return view_.count_resources(type);
}

Result<std::optional<std::string>> WriteTransaction::state(std::string_view space, std::string_view key) {
  const Pending::StateKey wanted(space, key);
  for (const Level& level : levels_ | std::views::reverse) {
    if (const auto found = level.pending.states.find(wanted); found != level.pending.states.end()) {
      return found->second;
    }
  }
  if (!is_plain_text(space)) return std::optional<std::string>();
  return view_.state(space, key);
}

Result<std::vector<store::StateRow>> WriteTransaction::states(std::string_view space, std::string_view prefix,
                                                              std::string_view after, std::uint32_t count) {
  if (std::ranges::any_of(levels_, [](const Level& level) { return !level.pending.states.empty(); })) {
    MYDR24_TRY(flush());
  }
  return view_.states(space, prefix, after, count);
}

Result<std::vector<store::Event>> WriteTransaction::events(Sequence after, std::uint32_t count) {
  MYDR24_TRY(flush());
  return view_.events(after, count);
}

Result<std::vector<store::JournalLine>> WriteTransaction::journal(Sequence after, std::uint32_t count) {
  MYDR24_TRY(flush());
  return view_.journal(after, count);
}

Result<std::vector<store::SpaceRow>> WriteTransaction::all_states(std::string_view space, std::string_view key,
                                                                  std::uint32_t count) {
  MYDR24_TRY(flush());
  return view_.all_states(space, key, count);
}

Result<std::vector<store::Timer>> WriteTransaction::all_timers(std::string_view after, std::uint32_t count) {
  MYDR24_TRY(flush());
  return view_.all_timers(after, count);
}

Result<std::vector<store::Timer>> WriteTransaction::due_timers(std::uint32_t count) {
  MYDR24_TRY(flush());
  MYDR24_ASSIGN(const auto rows, connection_.query("SELECT key, due, kind, payload FROM timer WHERE due <= $1 "
                                                   "ORDER BY due, key LIMIT $2",
                                                   Parameters::of(to_us(now_), count)));
  return View::timers_of(rows);
}

Result<std::vector<std::pair<std::string, Sequence>>> WriteTransaction::cursors() {
  MYDR24_TRY(flush());
  return view_.cursors();
}

}  // namespace mydr24::postgres
