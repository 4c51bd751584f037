// The URLs under which this server is reached: references below them are indexed as local ones. The database keeps by
// which of them its rows are; when the setting changes, the rows are made anew, type by type.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/json/writer.h"
#include "clinical/conformance/conformance.h"
#include "clinical/conformance/progress_row.h"
#include "fhir/model/definitions.h"

namespace mydr24::conformance {
namespace {

constexpr std::string_view key = "own bases";
// Settings that rows of one database may be by: more changes than that before an indexing is through are refused.
constexpr std::size_t settings_max = 8;

std::vector<std::string> texts_of(json::Value list) {
  std::vector<std::string> texts;
  for (const auto item : list) texts.emplace_back(item.text());
  return texts;
}

void write_list(json::Writer& out, const std::vector<std::string>& list) {
  out.begin_array();
  for (const auto& item : list) out.string(item);
  out.end_array();
}

std::string text_of(const std::vector<std::string>& bases, const std::vector<std::vector<std::string>>& before) {
  std::string text;
  json::Writer out(text);
  out.begin_object().key("bases");
  write_list(out, bases);
  out.key("before").begin_array();
  for (const auto& list : before) write_list(out, list);
  out.end_array().end_object();
  return text;
}

struct Change {
  std::vector<search::IndexEntry> gone, fresh;
};

// By all outdated catalogues, and by the one in force.
Result<Change> change_of(const store::Version& version, const records::Definitions& definitions) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(version.body));
  const auto now = search::extract(document.root(), definitions.catalogue.get());
  Change change;
  for (const auto& outdated : definitions.outdated) {
    const auto before = search::extract(document.root(), outdated.get());
    Change one;
    std::ranges::set_difference(before, now, std::back_inserter(one.gone));
    std::ranges::set_difference(now, before, std::back_inserter(one.fresh));
    Change both;
    std::ranges::set_union(change.gone, one.gone, std::back_inserter(both.gone));
    std::ranges::set_union(change.fresh, one.fresh, std::back_inserter(both.fresh));
    change = std::move(both);
  }
  return change;
}

}  // namespace

// Reads what the rows are by, and notes what they are to be by.
Result<> Conformance::take_own_bases() {
  std::optional<std::string> row;
  bool is_empty = true;
  MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(row, reader.state(progress_space, key));
    MYDR24_ASSIGN(const auto count, row ? std::int64_t{1} : reader.last_sequence());
    is_empty = count == 0;
    return {};
  }));
  std::vector<std::string> known;
  if (row) {
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(*row));
    known = texts_of(document.root()["bases"]);
    for (const auto list : document.root()["before"]) outdated_bases_.push_back(texts_of(list));
  }
  if (settings_.keeps_own_bases && !is_empty) settings_.own_bases = known;
  if (known == settings_.own_bases && (row || known.empty())) return {};
  if (!is_empty && std::ranges::find(outdated_bases_, known) == outdated_bases_.end()) outdated_bases_.push_back(known);
  if (outdated_bases_.size() > settings_max) {
    return fail(Code::invalid,
                fmt::format("the URLs of this server were changed {} times before the search index was "
                            "made anew: start once with the last ones and let it finish",
                            settings_max),
                "server.base_url");
  }
  return records_.store().write(RequestClass::background, [&](store::Transaction& transaction) {
    return transaction.set_state(progress_space, key, text_of(settings_.own_bases, outdated_bases_));
  });
}

// One job for each type that has resources.
Result<> Conformance::find_base_jobs(store::Reader& reader, std::vector<Job>& jobs) {
  if (outdated_bases_.empty()) return {};
  const auto definition = fmt::format("{}", fmt::join(settings_.own_bases, " "));
  for (const model::Type* type : model::resource_types()) {
    MYDR24_ASSIGN(const auto total, reader.count_resources(type->name));
    if (total == 0) continue;
    Job job;
    job.is_of_bases = true;
    job.key = fmt::format("{} {}", key, type->name);
    job.definition = definition;
    MYDR24_ASSIGN(const auto row, read_row(reader, job));
    if (row.complete) continue;
    job.progress = {std::string(key), std::string(type->name), "", row.done, total};
    jobs.push_back(std::move(job));
  }
  return {};
}

// Whoever is through with the last type clears what is kept.
Result<bool> Conformance::bases_are_done(store::Reader& reader) {
  MYDR24_ASSIGN(const auto row, reader.state(progress_space, key));
  if (!row) return true;
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(*row));
  return texts_of(document.root()["before"]).empty();
}

Result<Conformance::Row> Conformance::step_bases(const Job& job) {
  const auto definitions = records_.definitions();
  MYDR24_ASSIGN(const auto page, next_page(job));
  if (page.row.complete) return page.row;
  std::vector<std::pair<const store::Version*, Change>> found;
  for (const auto& version : page.found.matches) {
    MYDR24_ASSIGN(auto change, change_of(version, *definitions));
    if (!change.gone.empty() || !change.fresh.empty()) found.emplace_back(&version, std::move(change));
  }
  return write_page(job, page, [&](store::Transaction& transaction) -> Result<> {
    for (const auto& [version, change] : found) {
      const auto indexed = transaction.reindex(version->type, version->id, version->version, change.gone, change.fresh);
      if (indexed) continue;
      if (indexed.error().code != Code::stale) return indexed;
      // Changed since the page was read: what has not changed in it was not written.
      MYDR24_ASSIGN(const auto now, transaction.current(version->type, version->id));
      if (!now || now->action == store::Action::remove) continue;
      MYDR24_ASSIGN(const auto newer, change_of(*now, *definitions));
      MYDR24_TRY(transaction.reindex(now->type, now->id, now->version, newer.gone, newer.fresh));
    }
    return {};
  });
}

// Every row is by the setting in force.
Result<> Conformance::finish_bases() {
  const std::lock_guard lock(definitions_mutex_);
  if (outdated_bases_.empty()) return {};
  MYDR24_TRY(records_.store().write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
    for (const model::Type* type : model::resource_types()) {
      MYDR24_TRY(transaction.erase_state(progress_space, fmt::format("{} {}", key, type->name)));
    }
    return transaction.set_state(progress_space, key, text_of(settings_.own_bases, {}));
  }));
  outdated_bases_.clear();
  auto made = std::make_shared<records::Definitions>(*records_.definitions());
  made->outdated.clear();
  records_.use(std::move(made));
  return {};
}

}  // namespace mydr24::conformance
