#include "operations/series/keeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "operations/series/detail/bytes.h"

namespace mydr24::series {
namespace {

constexpr std::size_t row_bytes_max = 64U << 10;
constexpr std::size_t batch_bytes_max = 256U << 10;
constexpr std::size_t batch_rows_max = 400;
constexpr std::uint32_t page = 64;
constexpr std::uint32_t log_page = 4;  // of rows that may have megabytes
constexpr char format = 1;             // of a row: its first byte

constexpr std::array<std::string_view, 3> kinds{"r", "m", "h"};
std::string time_key(Milliseconds time, std::size_t part) { return fmt::format("{:015}/{:06}", time, part); }

std::string pack_labels(const Labels& labels) {
  std::string out(1, format);
  for (const auto& [name, value] : labels) {
    put_text(out, name);
    put_text(out, value);
  }
  return out;
}

Result<Labels> unpack_labels(std::string_view row) {
  BytesReader bytes(row);
  if (bytes.take(1) != std::string_view(&format, 1)) return fail(Code::internal, "a row of labels of another format");
  std::vector<routing::Label> labels;
  while (!bytes.done()) {
    std::string name(bytes.text());
    labels.emplace_back(std::move(name), bytes.text());
  }
  if (bytes.broken()) return fail(Code::internal, "a row of labels that ends early");
  return Labels(std::move(labels));
}

std::size_t columns_of(Resolution resolution) { return resolution == Resolution::raw ? 1 : columns_max; }

}  // namespace

std::string Keeper::key(std::string_view kind, std::string_view rest) const {
  return fmt::format("{}{}/{}", prefix_, kind, rest);
}

// How often a resolution is written. It follows from the finer one, which is kept for longer than this; where that is let
// go early, hours are written sooner.
Milliseconds Keeper::every(Resolution resolution) const {
  constexpr Milliseconds hour = 3'600'000;
  if (resolution == Resolution::minute) return hour / 2;
  const Milliseconds kept = std::chrono::milliseconds(database_.settings().minutes_for).count();
  return database_.let_go_until(Resolution::minute) > database_.now() - kept ? hour : 12 * hour;
}

Result<> Keeper::each_row(std::string_view kind, const std::function<Result<>(const store::StateRow&)>& take) {
  const std::string prefix = key(kind, "");
  const std::uint32_t count = kind == "w" ? log_page : page;
  std::string after;
  for (bool more = true; more;) {
    std::vector<store::StateRow> rows;
    MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(rows, reader.states(space, prefix, after, count));
      return {};
    }));
    for (const store::StateRow& row : rows) MYDR24_TRY(take(row));
    more = rows.size() == count;
    if (more) after = rows.back().key;
  }
  return {};
}

Result<> Keeper::load_series() {
  return each_row("s", [&](const store::StateRow& row) -> Result<> {
    const std::uint64_t id = std::strtoull(row.key.substr(prefix_.size() + 2).c_str(), nullptr, 16);
    last_id_ = std::max(last_id_, id);
    MYDR24_ASSIGN(const Labels labels, unpack_labels(row.value));
    // There may be more than now are allowed.
    auto series = database_.series(labels);
    if (!series) return {};
    (*series)->id_ = id;
    known_[id] = std::move(*series);
    return {};
  });
}

Result<> Keeper::load_rows(Resolution resolution) {
  const auto which = static_cast<std::size_t>(resolution);
  return each_row(kinds[which], [&](const store::StateRow& row) -> Result<> {
    BytesReader bytes(row.value);
    if (bytes.take(1) != std::string_view(&format, 1)) return fail(Code::internal, "a row of another format", row.key);
    while (!bytes.done()) {
      const auto found = known_.find(bytes.varint());
      const auto count = static_cast<std::uint32_t>(bytes.varint());
      const std::string_view packed = bytes.text();
      if (bytes.broken() || found == known_.end()) continue;
      Series& series = *found->second;
      const std::lock_guard lock(series.mutex_);
      ChunkReader reader(packed, count, columns_of(resolution));
      Milliseconds time = 0;
      Row values{};
      while (reader.next(time, values)) {
        const Bucket bucket{time, values[0], values[1], values[2], values[3], values[4]};
        if (resolution == Resolution::raw)
          (void)series.append(time, values[0]);
        else if (resolution == Resolution::minute && (series.minutes_.empty() || time > series.minutes_.last()))
          series.take_minute(bucket);
        else if (resolution == Resolution::hour && (series.hours_.empty() || time > series.hours_.last()))
          series.take_hour(bucket);
        series.written_[which] = std::max(series.written_[which], time);
      }
    }
    return {};
  });
}

Result<> Keeper::load_log(const std::function<void(std::string_view)>& replay) {
  return each_row("w", [&](const store::StateRow& row) -> Result<> {
    replay(row.value);
    const std::lock_guard lock(mutex_);
    logged_ = std::max<std::uint64_t>(logged_, std::strtoull(row.key.substr(prefix_.size() + 2).c_str(), nullptr, 16));
    log_rows_.emplace_back(logged_, row.value.size());
    log_bytes_ += row.value.size();
    return {};
  });
}

Result<> Keeper::load(const std::function<void(std::string_view)>& replay) {
  {
    const std::lock_guard lock(mutex_);  // it may be the second attempt
    log_rows_.clear();
    log_bytes_ = 0;
  }
  MYDR24_TRY(load_series());
  for (const auto resolution : {Resolution::hour, Resolution::minute, Resolution::raw})
    MYDR24_TRY(load_rows(resolution));
  MYDR24_TRY(load_log(replay));
  database_.maintain();
  return {};
}

// What is written was appended before the rows that are erased here were counted.
Result<> Keeper::keep() {
  std::uint64_t until = 0;
  {
    const std::lock_guard lock(mutex_);
    until = logged_;
  }
  MYDR24_TRY(keep_series());
  MYDR24_TRY(keep_rows(Resolution::raw));
  std::vector<std::string> covered;
  {
    const std::lock_guard lock(mutex_);
    while (!log_rows_.empty() && log_rows_.front().first <= until) {
      covered.push_back(key("w", fmt::format("{:016x}", log_rows_.front().first)));
      log_bytes_ -= log_rows_.front().second;
      log_rows_.pop_front();
    }
  }
  MYDR24_TRY(erase(std::move(covered)));
  bool is_old = false;
  for (const auto resolution : {Resolution::minute, Resolution::hour}) {
    const auto which = static_cast<std::size_t>(resolution);
    if (database_.now() - kept_at_[which] < every(resolution)) continue;
    MYDR24_TRY(keep_rows(resolution));
    kept_at_[which] = database_.now();
    is_old = true;
  }
  if (!is_old) return {};
  MYDR24_TRY(erase_old());
  return erase_gone();
}

Result<> Keeper::keep_series() {
  Batch batch;
  std::vector<std::pair<SeriesPtr, std::uint64_t>> named;
  const auto flush = [&]() -> Result<> {
    MYDR24_TRY(write(batch, Resolution::raw));
    for (auto& [series, id] : named) {
      series->id_ = id;
      known_[id] = series;
    }
    named.clear();
    return {};
  };
  for (const SeriesPtr& series : database_.all()) {
    if (series->id_ != 0) continue;
    const std::uint64_t id = ++last_id_;
    named.emplace_back(series, id);
    batch.rows.push_back({key("s", fmt::format("{:016x}", id)), pack_labels(*series->labels())});
    batch.bytes += batch.rows.back().value.size();
    if (batch.rows.size() >= batch_rows_max || batch.bytes >= batch_bytes_max) MYDR24_TRY(flush());
  }
  return flush();
}

Result<> Keeper::keep_rows(Resolution resolution) {
  const auto which = static_cast<std::size_t>(resolution);
  const Milliseconds now = database_.now();
  std::size_t part = 0;
  Batch batch;
  std::string row(1, format);
  const auto end_row = [&] {
    if (row.size() == 1) return;
    batch.bytes += row.size();
    batch.rows.push_back({key(kinds[which], time_key(now, part++)), std::exchange(row, std::string(1, format))});
  };
  for (const SeriesPtr& series : database_.all()) {
    if (series->id_ == 0) continue;  // newer than keep_series(): with the next
    Chunk chunk;
    Appender appender(columns_of(resolution));
    {
      const std::lock_guard lock(series->mutex_);
      const Tier& tier = resolution == Resolution::raw      ? series->raw_
                         : resolution == Resolution::minute ? series->minutes_
                                                            : series->hours_;
      const Milliseconds after = series->written_[which];
      if (tier.empty() || tier.last() <= after) continue;
      tier.read(after == INT64_MIN ? after : after + 1, INT64_MAX, [&](Milliseconds time, const Row& values) {
        appender.append(chunk, time, std::span(values).first(columns_of(resolution)));
      });
    }
    put_varint(row, series->id_);
    put_varint(row, chunk.count);
    put_text(row, chunk.bits);
    batch.written.push_back({series, chunk.last});
    if (row.size() < row_bytes_max) continue;
    end_row();
    if (batch.bytes >= batch_bytes_max) MYDR24_TRY(write(batch, resolution));
  }
  end_row();
  return write(batch, resolution);
}

Result<> Keeper::write(Batch& batch, Resolution resolution) {
  if (!batch.rows.empty()) {
    MYDR24_TRY(store_.write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
      for (const auto& [key, value] : batch.rows) MYDR24_TRY(transaction.set_state(space, key, value));
      return {};
    }));
  }
  for (const auto& [series, until] : batch.written) {
    const std::lock_guard lock(series->mutex_);
    series->written_[static_cast<std::size_t>(resolution)] = until;
  }
  batch = {};
  return {};
}

Result<> Keeper::erase(std::vector<std::string> keys) {
  for (std::size_t at = 0; at < keys.size(); at += batch_rows_max) {
    const auto some = std::span(keys).subspan(at, std::min(batch_rows_max, keys.size() - at));
    MYDR24_TRY(store_.write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
      for (const std::string& key : some) MYDR24_TRY(transaction.erase_state(space, key));
      return {};
    }));
  }
  return {};
}

// Rows that were written before that time may go: they are older than they are kept for; or what they hold was let go early
// and must not fill the memory again at the next start, and what follows from it is written: a minute ends at the latest two
// hours after its last sample, an hour three, see Database::maintain(), and clocks may differ by ten minutes.
Milliseconds Keeper::kept_from(Resolution resolution) const {
  constexpr std::array<Milliseconds, 2> ended_after{135 * 60'000, 195 * 60'000};
  const auto& settings = database_.settings();
  const auto which = static_cast<std::size_t>(resolution);
  const std::array<std::chrono::minutes, 3> kept{settings.raw_for, settings.minutes_for, settings.hours_for};
  const Milliseconds old = database_.now() - std::chrono::milliseconds(kept[which]).count();
  const Milliseconds let_go = database_.let_go_until(resolution);
  if (resolution == Resolution::hour) return std::max(old, let_go);
  return std::max(old, std::min(let_go, kept_at_[which + 1] - ended_after[which]));
}

Result<> Keeper::erase_old() {
  for (const auto resolution : {Resolution::raw, Resolution::minute, Resolution::hour}) {
    const auto which = static_cast<std::size_t>(resolution);
    const std::string first = key(kinds[which], time_key(kept_from(resolution), 0));
    std::vector<std::string> old;
    const std::string prefix = key(kinds[which], "");
    MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
      std::string after;
      for (bool more = true; more;) {
        MYDR24_ASSIGN(const auto rows, reader.states(space, prefix, after, page));
        more = rows.size() == page && rows.back().key < first;
        if (more) after = rows.back().key;
        for (const auto& row : rows)
          if (row.key < first) old.push_back(row.key);
      }
      return {};
    }));
    MYDR24_TRY(erase(std::move(old)));
  }
  return {};
}

// Series that were given up. The last number stays taken: rows may still name it, and another series must not get it.
Result<> Keeper::erase_gone() {
  std::vector<std::string> gone;
  std::erase_if(known_, [&](const auto& entry) {
    const std::lock_guard lock(entry.second->mutex_);
    if (!entry.second->gone_ || entry.first == last_id_) return false;
    gone.push_back(key("s", fmt::format("{:016x}", entry.first)));
    return true;
  });
  return erase(std::move(gone));
}

void Keeper::log(std::string text, store::Done done) {
  const std::lock_guard lock(mutex_);
  if (log_bytes_ + text.size() > log_bytes_max) return done(fail(Code::busy, "too much waits to be written down"));
  const std::uint64_t number = ++logged_;
  log_rows_.emplace_back(number, text.size());
  log_bytes_ += text.size();
  store_.submit(
      RequestClass::background,
      [text = std::move(text), key = key("w", fmt::format("{:016x}", number))](store::Transaction& transaction) {
        return transaction.set_state(space, key, text);
      },
      std::move(done));
}

}  // namespace mydr24::series
