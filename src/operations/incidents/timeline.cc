#include "operations/incidents/timeline.h"

#include <fmt/format.h>

#include <charconv>

#include "base/core/date_time.h"
#include "base/crypto/digest.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::incidents::timeline {
namespace {

constexpr std::uint32_t page_max = 500;
constexpr std::size_t problems_max = 20;

std::string key_of(std::string_view id, std::int64_t number) { return fmt::format("{}/{:08}", id, number); }

std::string event_of(const Incident& incident, const Line& line, std::int64_t number, std::string_view hash) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("incident", incident.id).field("severity", to_string(incident.severity));
  out.field("state", to_string(incident.state)).field("title", incident.title).field("service", incident.service);
  if (!line.by.empty()) out.field("by", line.by);
  out.field("n", number).field("hash", hash).end_object();
  return text;
}

std::int64_t number_in(json::Value value) {
  std::int64_t number = 0;
  const std::string_view digits = value.text();
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

// What is wrong with one row; empty: nothing is. `previous` becomes its hash.
Result<std::string> check(store::Reader& reader, const store::StateRow& row, const Incident& incident,
                          std::int64_t number, std::string& previous) {
  if (row.key != key_of(incident.id, number)) return fmt::format("entry {} is not there", number);
  const auto document = json::Document::parse_view(row.value);
  if (!document) return fmt::format("entry {} is no JSON", number);
  const json::Value root = document->root(), entry = root["entry"];
  const std::string hash = crypto::sha256_hex(entry.raw());
  if (root["hash"].text() != hash || entry["previous"].text() != previous || number_in(entry["n"]) != number)
    return fmt::format("entry {} was altered", number);
  previous = hash;
  // The journal says the same.
  const store::Sequence sequence = number_in(root["sequence"]);
  MYDR24_ASSIGN(const auto events, reader.events(sequence - 1, 1));
  const auto event = events.empty() || events.front().sequence != sequence
                         ? Result<json::Document>(fail(Code::not_found, "no such event"))
                         : json::Document::parse_view(events.front().payload);
  if (!event || event->root()["hash"].text() != hash || event->root()["incident"].text() != incident.id)
    return fmt::format("entry {} is not what the journal says", number);
  return std::string();
}

}  // namespace

Result<> append(store::Transaction& transaction, Incident& incident, const Line& line) {
  if (incident.entries >= entries_max)
    return fail(Code::too_large, fmt::format("a timeline has at most {} entries", entries_max));
  const std::int64_t number = incident.entries + 1;
  std::string entry;
  json::Writer out(entry);
  out.begin_object().field("n", number).field("at", format_instant(transaction.now())).field("kind", line.kind);
  if (!line.by.empty()) out.field("by", line.by);
  if (!line.text.empty()) out.field("text", line.text);
  if (!line.data.empty()) out.key("data").raw(line.data);
  out.field("previous", incident.head).end_object();
  const std::string hash = crypto::sha256_hex(entry);
  MYDR24_ASSIGN(const store::Sequence sequence,
                transaction.note(fmt::format("incident.{}", line.kind), event_of(incident, line, number, hash)));
  std::string row;
  json::Writer(row).begin_object().key("entry").raw(entry).field("hash", hash).field("sequence", sequence).end_object();
  incident.entries = number;
  incident.head = hash;
  return transaction.set_state(space, key_of(incident.id, number), row);
}

Result<std::vector<std::string>> read(store::Reader& reader, std::string_view id, std::int64_t after,
                                      std::uint32_t count) {
  MYDR24_ASSIGN(const auto rows, reader.states(space, fmt::format("{}/", id), key_of(id, after), count));
  std::vector<std::string> found;
  found.reserve(rows.size());
  for (const store::StateRow& row : rows) found.push_back(row.value);
  return found;
}

Result<std::vector<std::string>> verify(store::Reader& reader, const Incident& incident) {
  std::vector<std::string> problems;
  std::string previous, after = key_of(incident.id, 0);
  std::int64_t number = 0;
  for (bool more = true; more && problems.size() < problems_max;) {
    MYDR24_ASSIGN(const auto rows, reader.states(space, fmt::format("{}/", incident.id), after, page_max));
    for (const store::StateRow& row : rows) {
      after = row.key;
      MYDR24_ASSIGN(auto problem, check(reader, row, incident, ++number, previous));
      if (problem.empty()) continue;
      problems.push_back(std::move(problem));
      return problems;  // what follows stands on it
    }
    more = rows.size() == page_max;
  }
  if (number != incident.entries)
    problems.push_back(fmt::format("there are {} entries, not {}", number, incident.entries));
  else if (previous != incident.head)
    problems.emplace_back("the last entry is not the one that the incident names");
  return problems;
}

}  // namespace mydr24::incidents::timeline
