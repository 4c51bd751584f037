#include "clinical/consents/consents.h"

#include <fmt/format.h>

#include <charconv>

namespace mydr24::consents {
namespace {

// Changes by the sequence of their version, each with the time and the id, as long as a server may not have seen them.
constexpr std::string_view space = "consent.changed";
constexpr std::chrono::hours changes_kept{1};
constexpr std::chrono::milliseconds look_every{500};
constexpr std::uint32_t page = 500;
// Old changes that each new one sweeps away.
constexpr std::uint32_t swept = 2;

std::string key_of(store::Sequence sequence) { return fmt::format("{:020}", sequence); }

}  // namespace

Result<> Consents::start() {
  const std::lock_guard lock(mutex_);
  return records_.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto last, reader.last_sequence());
    taken_ = key_of(last);
    search::Query query;
    query.type = "Consent";
    query.count = page;
    do {
      MYDR24_ASSIGN(const auto found, reader.search(query));
      for (const auto& version : found.matches) {
        MYDR24_ASSIGN(const auto document, json::Document::parse_view(version.body));
        if (auto consent = access::parse_consent(document.root())) book_.put(std::move(*consent));
      }
      query.cursor = found.next_cursor;
    } while (!query.cursor.empty());
    return {};
  });
}

Result<> Consents::react(store::Transaction& transaction, const records::Change& change) {
  const auto now = transaction.now();
  MYDR24_ASSIGN(const auto oldest, transaction.states(space, "", "", swept));
  for (const auto& row : oldest) {
    std::int64_t us = 0;
    std::from_chars(row.value.data(), row.value.data() + row.value.size(), us);
    if (from_us(us) + changes_kept < now) MYDR24_TRY(transaction.erase_state(space, row.key));
  }
  return transaction.set_state(space, key_of(change.written.sequence), fmt::format("{} {}", to_us(now), change.id));
}

Result<> Consents::take(store::Reader& reader, std::string_view id) {
  MYDR24_ASSIGN(const auto version, reader.current("Consent", id));
  if (!version || version->action == store::Action::remove) {
    book_.erase(id);
    return {};
  }
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(version->body));
  if (auto consent = access::parse_consent(document.root())) {
    book_.put(std::move(*consent));
  } else {
    book_.erase(id);
  }
  return {};
}

Result<> Consents::take_changes() {
  return records_.store().read([&](store::Reader& reader) -> Result<> {
    for (;;) {
      MYDR24_ASSIGN(const auto rows, reader.states(space, "", taken_, page));
      for (const auto& row : rows) {
        MYDR24_TRY(take(reader, std::string_view(row.value).substr(row.value.find(' ') + 1)));
        taken_ = row.key;
      }
      if (rows.size() < page) return {};
    }
  });
}

void Consents::refresh() {
  const std::lock_guard lock(mutex_);
  looked_at_ = records_.clock().steady();
  if (const auto done = take_changes(); !done)
    log_.warn("changed Consents could not be read; it is tried again", {{"detail", done.error().text}});
}

void Consents::tick() {
  {
    const std::lock_guard lock(mutex_);
    if (records_.clock().steady() - looked_at_ < look_every) return;
  }
  refresh();
}

}  // namespace mydr24::consents
