#include "storage/store/rehearsal.h"

namespace mydr24::store {

Result<std::optional<Version>> Rehearsal::current(std::string_view type, std::string_view id) {
  return reader_.current(type, id);
}
Result<std::optional<Version>> Rehearsal::current_head(std::string_view type, std::string_view id) {
  return reader_.current_head(type, id);
}
Result<std::optional<Version>> Rehearsal::version(std::string_view type, std::string_view id, std::int64_t version) {
  return reader_.version(type, id, version);
}
Result<std::vector<Version>> Rehearsal::history(const HistoryQuery& query) { return reader_.history(query); }
Result<SearchPage> Rehearsal::search(const search::Query& query) { return reader_.search(query); }
Result<std::int64_t> Rehearsal::count_resources(std::string_view type) { return reader_.count_resources(type); }
Result<std::vector<Event>> Rehearsal::events(Sequence after, std::uint32_t count) {
  return reader_.events(after, count);
}

Result<std::optional<std::string>> Rehearsal::state(std::string_view space, std::string_view key) {
  const auto row = rows_.find({std::string(space), std::string(key)});
  return row == rows_.end() ? reader_.state(space, key) : Result<std::optional<std::string>>(row->second);
}

Result<std::vector<StateRow>> Rehearsal::states(std::string_view space, std::string_view prefix, std::string_view after,
                                                std::uint32_t count) {
  const auto stored_max = count + static_cast<std::uint32_t>(rows_.size());
  MYDR24_ASSIGN(const auto stored, reader_.states(space, prefix, after, stored_max));
  std::map<std::string, std::optional<std::string>> merged;
  for (const StateRow& row : stored) merged.emplace(row.key, row.value);
  for (const auto& [key, value] : rows_)
    if (key.first == space && key.second.starts_with(prefix) && key.second > after) merged[key.second] = value;
  std::vector<StateRow> found;
  for (const auto& [key, value] : merged)
    if (value && found.size() < count) found.push_back({key, *value});
  return found;
}

Result<Sequence> Rehearsal::last_sequence() {
  if (sequence_) return *sequence_;
  return reader_.last_sequence();
}

Result<Sequence> Rehearsal::next_sequence() {
  MYDR24_ASSIGN(const Sequence last, last_sequence());
  sequence_ = last + 1;
  return *sequence_;
}

Result<Written> Rehearsal::put(const Put& put) {
  MYDR24_ASSIGN(const auto there, reader_.current_head(put.type, put.id));
  MYDR24_ASSIGN(const Sequence sequence, next_sequence());
  return Written{(there ? there->version : 0) + 1, sequence, now_};
}

Result<Sequence> Rehearsal::note(std::string_view kind, std::string_view payload) {
  MYDR24_ASSIGN(const Sequence sequence, next_sequence());
  noted_.push_back({sequence, now_, std::string(kind), std::string(payload)});
  return sequence;
}

Result<> Rehearsal::set_state(std::string_view space, std::string_view key, std::string_view value) {
  rows_[{std::string(space), std::string(key)}] = std::string(value);
  return {};
}

Result<> Rehearsal::erase_state(std::string_view space, std::string_view key) {
  rows_[{std::string(space), std::string(key)}] = std::nullopt;
  return {};
}

}  // namespace mydr24::store
