#include <fmt/format.h>

#include "storage/postgres/transaction.h"

namespace mydr24::postgres {

using search::IndexEntry;
using search::Kind;

namespace {

// PostgreSQL takes words of at most 2,046 bytes, and a megabyte of them.
constexpr std::size_t word_bytes_max = 1'024;
constexpr std::size_t words_bytes_max = 900'000;

}  // namespace

std::string stored_words(std::string_view words) {
  std::string stored;
  while (!words.empty()) {
    const auto end = std::min(words.find(' '), words.size());
    const auto word = words.substr(0, end);
    words.remove_prefix(std::min(end + 1, words.size()));
    if (word.empty() || word.size() > word_bytes_max || !is_plain_text(word)) continue;
    if (stored.size() + word.size() >= words_bytes_max) break;
    if (!stored.empty()) stored += ' ';
    stored += word;
  }
  return stored;
}

Result<std::int64_t> WriteTransaction::parameter(const IndexEntry& entry) const {
  const auto& numbers = entry.contained ? parameters_->contained : parameters_->of;
  if (entry.parameter >= numbers.size() || numbers[entry.parameter] < 0) {
    return fail(Code::internal, fmt::format("an index entry of an unknown search parameter ({})", entry.parameter));
  }
  return numbers[entry.parameter];
}

// Both are sorted: what is in one only is what changes.
Result<> WriteTransaction::write_entries(const Pending::Record& record, std::span<const IndexEntry> before,
                                         std::span<const IndexEntry> after) {
  bool content = false;
  bool narrative = false;
  const auto change = [&](const IndexEntry& entry, bool add) -> Result<> {
    if (entry.kind != Kind::text) return change_entry(record.record, entry, add);
    const bool of_narrative =
        entry.parameter < parameters_->narrative.size() && parameters_->narrative[entry.parameter];
    (of_narrative ? narrative : content) = true;
    return {};
  };
  auto old = before.begin();
  auto fresh = after.begin();
  while (old != before.end() || fresh != after.end()) {
    const auto order = old == before.end()    ? std::partial_ordering::greater
                       : fresh == after.end() ? std::partial_ordering::less
                                              : *old <=> *fresh;
    if (order < 0) {
      MYDR24_TRY(change(*old++, false));
    } else if (order > 0) {
      MYDR24_TRY(change(*fresh++, true));
    } else {
      ++old;
      ++fresh;
    }
  }
  if (kept_totals_.has_tokens()) {
    MYDR24_TRY(count_tokens(before, -1));
    MYDR24_TRY(count_tokens(after, 1));
  }
  if ((content || narrative) && !record.deleted) return set_text(record, after, content, narrative);
  return {};
}

void WriteTransaction::count_type(std::int64_t type, std::int64_t change) {
  if (change == 0 || !kept_totals_.has_type(type)) return;
  top().totals[{.of = TotalKey::Of::type, .number = type, .code = {}}] += change;
  top().touch();
}

// Each token once, and each code once whatever its systems: entries of one code stand together.
Result<> WriteTransaction::count_tokens(std::span<const IndexEntry> entries, std::int64_t change) {
  const IndexEntry* previous = nullptr;
  for (const IndexEntry& entry : entries) {
    if (entry.kind != Kind::token || entry.contained) continue;
    const bool same_code =
        previous != nullptr && previous->parameter == entry.parameter && previous->value == entry.value;
    previous = &entry;
    MYDR24_ASSIGN(const auto number, parameter(entry));
    TotalKey key{.of = TotalKey::Of::code, .number = number, .code = stored_text(entry.value)};
    const auto* const systems = kept_totals_.systems(number, key.code);
    if (systems == nullptr) continue;
    top().touch();
    if (!same_code && systems->contains(-1)) top().totals[key] += change;
    MYDR24_ASSIGN(key.system, add_system(entry.system));
    key.of = TotalKey::Of::token;
    if (systems->contains(key.system)) top().totals[std::move(key)] += change;
  }
  return {};
}

Result<> WriteTransaction::set_text(const Pending::Record& record, std::span<const IndexEntry> after, bool content,
                                    bool narrative) {
  std::optional<std::string> texts[2];
  for (const IndexEntry& entry : after) {
    if (entry.kind != Kind::text) continue;
    const bool of_narrative =
        entry.parameter < parameters_->narrative.size() && parameters_->narrative[entry.parameter];
    texts[of_narrative ? 1 : 0] = stored_words(entry.value);
  }
  constexpr std::int64_t no_record = 0;
  top().add(Batch::text_set, record.record, record.type, texts[0], texts[1], content ? record.record : no_record,
            narrative ? record.record : no_record);
  return {};
}

Result<> WriteTransaction::change_entry(std::int64_t record, const IndexEntry& entry, bool add) {
  MYDR24_ASSIGN(const auto number, parameter(entry));
  const auto stored = stored_text(entry.value);
  const std::string_view value = stored;
  switch (entry.kind) {
    case Kind::string:
      top().add(add ? Batch::string_add : Batch::string_remove, number, value, record);
      return {};
    case Kind::token: {
      MYDR24_ASSIGN(const auto system, add_system(entry.system));
      top().add(add ? Batch::token_add : Batch::token_remove, number, value, record, system);
      return {};
    }
    case Kind::reference:
    case Kind::uri:
      top().add(add ? Batch::reference_add : Batch::reference_remove, number, value, record);
      return {};
    case Kind::date:
      top().add(add ? Batch::date_add : Batch::date_remove, number, entry.low, entry.high, record);
      return {};
    case Kind::number:
      top().add(add ? Batch::number_add : Batch::number_remove, number, entry.from, entry.to, record);
      return {};
    case Kind::quantity: {
      MYDR24_ASSIGN(const auto unit, add_system(entry.system));
      top().add(add ? Batch::quantity_add : Batch::quantity_remove, number, unit, entry.from, entry.to, record);
      return {};
    }
    case Kind::composite: {
      MYDR24_ASSIGN(const auto system, add_system(entry.system));
      MYDR24_ASSIGN(const auto unit, add_system(entry.unit));
      top().add(add ? Batch::composite_add : Batch::composite_remove, number, value, entry.from, entry.to, record,
                system, unit);
      return {};
    }
    case Kind::position:
      top().add(add ? Batch::position_add : Batch::position_remove, number, entry.from, entry.to, record);
      return {};
    default:
      return {};
  }
}

}  // namespace mydr24::postgres
