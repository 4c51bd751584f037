#include <algorithm>

#include "fhir/search/search.h"
#include "storage/sqlite/transaction.h"
#include "storage/store/search_sql.h"

namespace mydr24::sqlite {

using search::IndexEntry;
using search::Kind;

namespace {

// As FTS5 is given them: each word with its type. `words` are followed by one space each.
std::string typed_words(std::int64_t type, std::string_view words) {
  std::string text;
  text.reserve(words.size() + words.size() / 2);
  while (!words.empty()) {
    const auto end = std::min(words.find(' '), words.size());
    text += store::typed_word(type, words.substr(0, end));
    text += ' ';
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return text;
}

}  // namespace

// Both are sorted: what is in one only is what changes.
Result<> WriteTransaction::write_entries(const Record& record, std::span<const IndexEntry> before,
                                         std::span<const IndexEntry> after) {
  // Will be made from the body when its turn comes.
  if (record.number > counters_.indexed && record.number <= counters_.to_index) return {};
  auto old = before.begin();
  auto fresh = after.begin();
  while (old != before.end() || fresh != after.end()) {
    const auto order = old == before.end()    ? std::partial_ordering::greater
                       : fresh == after.end() ? std::partial_ordering::less
                                              : *old <=> *fresh;
    if (order < 0) {
      MYDR24_TRY(remove_entry(record.number, *old++));
    } else if (order > 0) {
      MYDR24_TRY(add_entry(record.number, *fresh++));
    } else {
      ++old;
      ++fresh;
    }
  }
  change_totals(before, -1);
  change_totals(after, 1);
  change_texts(record, before, after);
  return {};
}

// Each token once, and each code once whatever its systems: entries of one code stand together.
void WriteTransaction::change_totals(std::span<const IndexEntry> entries, int by) {
  const auto& totals = view_.shared().totals;
  const IndexEntry* previous = nullptr;
  for (const IndexEntry& entry : entries) {
    if (entry.kind != Kind::token || entry.contained) continue;
    const auto number = parameter(entry);
    if (!number) continue;
    changes_.push_back({totals.key_of_token(*number, entry.value, entry.system), by});
    const bool same_code =
        previous != nullptr && previous->parameter == entry.parameter && previous->value == entry.value;
    if (!same_code) changes_.push_back({totals.key_of_code(*number, entry.value), by});
    previous = &entry;
  }
}

void WriteTransaction::change_texts(const Record& record, std::span<const IndexEntry> before,
                                    std::span<const IndexEntry> after) {
  const auto& numbers = view_.shared().parameters();
  const auto texts_of = [&](std::span<const IndexEntry> entries) {
    std::pair<std::string_view, std::string_view> texts;
    for (const IndexEntry& entry : entries) {
      if (entry.kind != Kind::text || entry.contained || entry.parameter >= numbers.narrative.size()) continue;
      (numbers.narrative[entry.parameter] ? texts.second : texts.first) = entry.value;
    }
    return texts;
  };
  const auto old = texts_of(before);
  const auto fresh = texts_of(after);
  if (old == fresh) return;
  for (const auto& [texts, gain] : {std::pair(old, false), std::pair(fresh, true)}) {
    if (texts.first.empty() && texts.second.empty()) continue;
    texts_.push_back({.record = record.number,
                      .gain = gain,
                      .content = typed_words(record.type, texts.first),
                      .narrative = typed_words(record.type, texts.second)});
  }
}

// Words of this type that are not known to be in the table of words. What is remembered is bounded.
Result<> WriteTransaction::add_words(std::string_view text) {
  constexpr std::size_t remembered_max = 50'000;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (words_.size() >= remembered_max) words_.clear();
    if (!words_.emplace(word).second) continue;
    MYDR24_TRY(connection_.run("INSERT OR IGNORE INTO word (word) VALUES (?1)", word));
  }
  return {};
}

// Of a text that was erased, words that no other text has.
Result<> WriteTransaction::forget_words(std::string_view text) {
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    MYDR24_ASSIGN(Statement found,
                  connection_.prepare("SELECT rowid FROM text_index WHERE text_index MATCH ?1 LIMIT 1"));
    const auto quoted = fmt::format("\"{}\"", word);
    Connection::bind_all(found, std::string_view(quoted));
    MYDR24_ASSIGN(const bool is_used, found.step());
    if (is_used) continue;
    words_.erase(std::string(word));
    MYDR24_TRY(connection_.run("DELETE FROM word WHERE word = ?1", word));
  }
  return {};
}

Result<> WriteTransaction::flush_group() {
  for (const TextChange& change : texts_) {
    if (change.gain) MYDR24_TRY(add_words(change.content));
    MYDR24_TRY(change.gain ? connection_.run("INSERT INTO text_index (rowid, content, narrative) VALUES (?1, ?2, ?3)",
                                             change.record, change.content, change.narrative)
                           : connection_.run("INSERT INTO text_index (text_index, rowid, content, narrative) VALUES "
                                             "('delete', ?1, ?2, ?3)",
                                             change.record, change.content, change.narrative));
  }
  if (std::exchange(erasing_, false)) {
    for (const TextChange& change : texts_)
      if (!change.gain) MYDR24_TRY(forget_words(change.content));
  }
  texts_.clear();
  return {};
}

void WriteTransaction::publish_group() {
  auto& shared = view_.shared();
  shared.totals.apply(changes_, counters_.sequence);
  changes_.clear();
  shared.to_index = counters_.to_index;
  shared.indexed = counters_.indexed;
}

void WriteTransaction::forget_group() {
  words_.clear();
  texts_.clear();
  changes_.clear();
  erasing_ = false;
}

Result<std::int64_t> WriteTransaction::parameter(const IndexEntry& entry) const {
  const auto& known = view_.shared().parameters();
  const auto& numbers = entry.contained ? known.contained : known.own;
  if (entry.parameter >= numbers.size() || numbers[entry.parameter] < 0) {
    return fail(Code::internal, fmt::format("an index entry of an unknown search parameter ({})", entry.parameter));
  }
  return numbers[entry.parameter];
}

// A row that is there already is as good as a new one: a write must not fail for it (verify() finds what is wrong).
Result<> WriteTransaction::add_entry(std::int64_t record, const IndexEntry& entry) {
  MYDR24_ASSIGN(const auto number, parameter(entry));
  switch (entry.kind) {
    case Kind::string:
      return connection_.run("INSERT OR IGNORE INTO string_index (parameter, value, record) VALUES (?1, ?2, ?3)",
                             number, entry.value, record);
    case Kind::token: {
      MYDR24_ASSIGN(const auto system, view_.names().add_system(entry.system));
      return connection_.run(
          "INSERT OR IGNORE INTO token_index (parameter, code, record, system) VALUES (?1, ?2, ?3, ?4)", number,
          entry.value, record, system);
    }
    case Kind::reference:
    case Kind::uri: {
      MYDR24_ASSIGN(const auto target, view_.names().add_target(entry.value));
      return connection_.run("INSERT OR IGNORE INTO reference_index (parameter, target, record) VALUES (?1, ?2, ?3)",
                             number, target, record);
    }
    case Kind::date:
      return connection_.run("INSERT OR IGNORE INTO date_index (parameter, low, high, record) VALUES (?1, ?2, ?3, ?4)",
                             number, entry.low, entry.high, record);
    case Kind::number:
      return connection_.run(
          "INSERT OR IGNORE INTO number_index (parameter, low, high, record) VALUES (?1, ?2, ?3, ?4)", number,
          entry.from, entry.to, record);
    case Kind::quantity: {
      MYDR24_ASSIGN(const auto unit, view_.names().add_system(entry.system));
      return connection_.run(
          "INSERT OR IGNORE INTO quantity_index (parameter, unit, low, high, record) VALUES (?1, ?2, ?3, ?4, ?5)",
          number, unit, entry.from, entry.to, record);
    }
    case Kind::composite: {
      MYDR24_ASSIGN(const auto system, view_.names().add_system(entry.system));
      MYDR24_ASSIGN(const auto unit, view_.names().add_system(entry.unit));
      return connection_.run(
          "INSERT OR IGNORE INTO composite_index (parameter, key, low, high, record, system, unit) VALUES (?1, ?2, ?3, "
          "?4, ?5, ?6, ?7)",
          number, entry.value, entry.from, entry.to, record, system, unit);
    }
    case Kind::position:
      return connection_.run(
          "INSERT OR IGNORE INTO position_index (parameter, latitude, longitude, record) VALUES (?1, ?2, ?3, ?4)",
          number, entry.from, entry.to, record);
    default:
      break;
  }
  return {};
}

Result<> WriteTransaction::remove_entry(std::int64_t record, const IndexEntry& entry) {
  MYDR24_ASSIGN(const auto number, parameter(entry));
  switch (entry.kind) {
    case Kind::string:
      return connection_.run("DELETE FROM string_index WHERE parameter = ?1 AND value = ?2 AND record = ?3", number,
                             entry.value, record);
    case Kind::token: {
      MYDR24_ASSIGN(const auto system, view_.names().add_system(entry.system));
      return connection_.run(
          "DELETE FROM token_index WHERE parameter = ?1 AND code = ?2 AND record = ?3 AND system = ?4", number,
          entry.value, record, system);
    }
    case Kind::reference:
    case Kind::uri: {
      MYDR24_ASSIGN(const auto target, view_.names().add_target(entry.value));
      return connection_.run("DELETE FROM reference_index WHERE parameter = ?1 AND target = ?2 AND record = ?3", number,
                             target, record);
    }
    case Kind::date:
      return connection_.run("DELETE FROM date_index WHERE parameter = ?1 AND low = ?2 AND high = ?3 AND record = ?4",
                             number, entry.low, entry.high, record);
    case Kind::number:
      return connection_.run("DELETE FROM number_index WHERE parameter = ?1 AND low = ?2 AND high = ?3 AND record = ?4",
                             number, entry.from, entry.to, record);
    case Kind::quantity: {
      MYDR24_ASSIGN(const auto unit, view_.names().add_system(entry.system));
      return connection_.run(
          "DELETE FROM quantity_index WHERE parameter = ?1 AND unit = ?2 AND low = ?3 AND high = ?4 AND record = ?5",
          number, unit, entry.from, entry.to, record);
    }
    case Kind::composite: {
      MYDR24_ASSIGN(const auto system, view_.names().add_system(entry.system));
      MYDR24_ASSIGN(const auto unit, view_.names().add_system(entry.unit));
      return connection_.run(
          "DELETE FROM composite_index WHERE parameter = ?1 AND key = ?2 AND low = ?3 AND high = ?4 AND record = ?5 "
          "AND "
          "system = ?6 AND unit = ?7",
          number, entry.value, entry.from, entry.to, record, system, unit);
    }
    case Kind::position:
      return connection_.run(
          "DELETE FROM position_index WHERE parameter = ?1 AND latitude = ?2 AND longitude = ?3 AND record = ?4",
          number, entry.from, entry.to, record);
    default:
      break;
  }
  return {};
}

Result<std::unique_ptr<const ParameterNumbers>> WriteTransaction::number(const search::CataloguePtr& catalogue) {
  std::size_t added = 0;
  auto numbers = number_parameters(connection_, catalogue, added);
  return kept(std::move(numbers));
}

Result<> WriteTransaction::index_more(std::int64_t count) {
  const auto& catalogue = view_.shared().parameters().catalogue;
  for (; count > 0 && counters_.indexed < counters_.to_index; --count) {
    const std::int64_t number = ++counters_.indexed;
    MYDR24_ASSIGN(const auto version, view_.by_record(number));
    if (!version || version->action == store::Action::remove) continue;
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(version->body));
    MYDR24_ASSIGN(const auto type, view_.names().type(version->type));
    const auto entries = search::extract(document.root(), catalogue.get());
    MYDR24_TRY(kept(write_entries({.number = number, .type = type}, {}, entries)));
  }
  const bool done = counters_.indexed >= counters_.to_index;
  return kept(done ? connection_.run("DELETE FROM reindex")
                   : connection_.run("UPDATE reindex SET done = ?1", counters_.indexed));
}

}  // namespace mydr24::sqlite
