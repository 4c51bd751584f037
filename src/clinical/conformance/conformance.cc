#include "clinical/conformance/conformance.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/json/writer.h"
#include "clinical/conformance/progress_row.h"

namespace mydr24::conformance {
namespace {

constexpr std::string_view event_kind = "conformance.changed";
constexpr std::uint32_t page_resources = 200;
// Between two steps of the indexing: it must never be what others wait for.
constexpr std::chrono::milliseconds step_pause{2};
constexpr std::chrono::seconds retry_pause{2};
constexpr std::chrono::milliseconds settle_pause{500};

constexpr auto definition_types =
    std::to_array<std::string_view>({"CodeSystem", "ConceptMap", "SearchParameter", "StructureDefinition", "ValueSet"});

bool is_active(json::Value resource) {
  const auto status = resource["status"].text();
  return status == "active" || status == "draft";
}

// What decides which entries a SearchParameter makes.
std::string definition_of(json::Value resource) {
  std::string text;
  for (const auto* name : {"code", "base", "type", "expression", "target", "component"}) {
    const auto value = resource[name];
    text += value ? json::compact(value) : std::string("-");
    text += '\n';
  }
  return text;
}

}  // namespace

// Written into the state row of one parameter of one type.
std::string row_text(std::uint32_t generation, std::string_view definition, std::string_view cursor, std::int64_t done,
                     bool complete) {
  std::string text;
  json::Writer(text)
      .begin_object()
      .field("generation", static_cast<std::int64_t>(generation))
      .field("definition", definition)
      .field("cursor", cursor)
      .field("done", done)
      .field("complete", complete)
      .end_object();
  return text;
}

std::int64_t number_of(json::Value value) {
  std::int64_t number = 0;
  const auto text = value.text();
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

struct Conformance::Stored {
  std::vector<json::Document> documents;
  std::vector<json::Value> resources;
};

Result<> Conformance::start(const Settings& settings) {
  settings_ = settings;
  std::vector<validation::Package> packages;
  std::vector<json::Value> resources;
  for (const auto& path : settings.packages) {
    auto package = validation::load_package(path);
    if (!package) {
      auto error = std::move(package).error();
      error.text = fmt::format("the package {} cannot be loaded: {}", path, error.text);
      return error;
    }
    for (const auto& document : package->resources) resources.push_back(document->root());
    log_.info("package loaded", {{"name", package->name}, {"version", package->version}});
    packages.push_back(std::move(*package));
  }
  std::vector<std::string> left_out;
  base_terminology_ = terminology::Terminology::published();
  if (!resources.empty()) base_terminology_ = base_terminology_->with(resources);
  base_validator_ = validation::Validator::base(base_terminology_);
  if (!resources.empty()) base_validator_ = base_validator_->with(resources, base_terminology_, &left_out);
  for (const auto& problem : left_out) log_.warn("a profile is left out", {{"detail", problem}});
  MYDR24_TRY(take_own_bases());
  base_catalogue_ = search::published_catalogue();
  if (!settings_.own_bases.empty()) {
    base_catalogue_ = search::with_own_bases(base_catalogue_, settings_.own_bases);
    MYDR24_TRY(records_.store().learn(base_catalogue_));
  }
  MYDR24_TRY(reload());
  thread_ = std::thread([this] { work(); });
  return {};
}

void Conformance::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  followed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::vector<Progress> Conformance::unindexed() const {
  const std::lock_guard lock(mutex_);
  std::vector<Progress> all;
  for (const auto& job : jobs_) all.push_back(job.progress);
  return all;
}

bool Conformance::concerns(std::string_view type) const {
  return std::ranges::find(definition_types, type) != definition_types.end();
}

Result<> Conformance::react(store::Transaction& transaction, const records::Change& change) {
  if (change.type == "SearchParameter" && change.resource && is_active(change.resource) &&
      change.resource["expression"]) {
    const auto custom = search::custom_parameter(change.resource);
    if (!custom) {
      auto error = custom.error();
      error.code = Code::unprocessable;
      return error;
    }
  }
  std::string payload;
  json::Writer(payload).begin_object().field("type", change.type).field("id", change.id).end_object();
  MYDR24_TRY(transaction.note(event_kind, payload));
  return {};
}

Result<> Conformance::follow(std::span<const store::Event> events) {
  if (std::ranges::none_of(events, [](const auto& event) { return event.kind == event_kind; })) return {};
  MYDR24_TRY(reload());
  {
    const std::lock_guard lock(mutex_);
    in_effect_ = events.back().sequence;
  }
  followed_.notify_all();
  return {};
}

// A version and the event that tells of it are committed together, the event with the later sequence.
bool Conformance::wait_until_in_effect(store::Sequence sequence, std::chrono::milliseconds longest) {
  std::unique_lock lock(mutex_);
  return followed_.wait_for(lock, longest, [&] { return in_effect_ > sequence || stopping_; });
}

Result<> Conformance::read_type(store::Reader& reader, std::string_view type, Stored& stored) {
  search::Query query;
  query.type = type;
  query.count = page_resources;
  query.order = search::Order::oldest_first;
  do {
    MYDR24_ASSIGN(auto page, reader.search(query));
    for (auto& match : page.matches) {
      if (stored.documents.size() == stored_max) {
        return fail(Code::too_large, fmt::format("more than {} conformance resources are stored", stored_max));
      }
      MYDR24_ASSIGN(auto document, json::Document::parse(std::move(match.body)));
      stored.documents.push_back(std::move(document));
    }
    query.cursor = page.next_cursor;
  } while (!query.cursor.empty());
  return {};
}

Result<Conformance::Stored> Conformance::read_stored() {
  Stored stored;
  MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
    for (const auto type : definition_types) MYDR24_TRY(read_type(reader, type, stored));
    return {};
  }));
  for (const auto& document : stored.documents) stored.resources.push_back(document.root());
  return stored;
}

// The generation that the database knows this definition under; a new one is noted when it has none.
Result<std::uint32_t> Conformance::generation_of(const std::string& url, const std::string& definition) {
  std::optional<std::string> row;
  MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(row, reader.state(progress_space, url));
    return {};
  }));
  std::uint32_t generation = 1;
  if (row) {
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(*row));
    generation = static_cast<std::uint32_t>(number_of(document.root()["generation"]));
    if (document.root()["definition"].text() == definition) return generation;
    ++generation;
  }
  MYDR24_TRY(records_.store().write(RequestClass::background, [&](store::Transaction& transaction) {
    return transaction.set_state(progress_space, url, row_text(generation, definition, "", 0, false));
  }));
  return generation;
}

Result<std::vector<search::CustomParameter>> Conformance::custom_parameters(const Stored& stored) {
  std::vector<search::CustomParameter> parameters;
  const auto published = search::published_catalogue();
  for (const auto resource : stored.resources) {
    if (resource["resourceType"].text() != "SearchParameter" || !is_active(resource)) continue;
    auto custom = search::custom_parameter(resource);
    if (!custom) continue;
    // R4 has its own parameter of that name: it stays in force.
    std::erase_if(custom->bases, [&](const std::string& base) {
      return search::find_parameter(base, custom->code, published.get()) != nullptr;
    });
    if (custom->bases.empty()) continue;
    MYDR24_ASSIGN(custom->generation, generation_of(custom->url, definition_of(resource)));
    parameters.push_back(std::move(*custom));
  }
  return parameters;
}

Result<> Conformance::find_jobs(const search::CataloguePtr& catalogue,
                                const std::vector<search::CustomParameter>& parameters) {
  std::vector<Job> jobs;
  MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
    for (const auto& parameter : parameters) {
      for (const auto& base : parameter.bases) {
        if (search::find_parameter(base, parameter.code, catalogue.get()) == nullptr) continue;
        Job job;
        job.key = fmt::format("{}@{} {}", parameter.url, parameter.generation, base);
        job.generation = parameter.generation;
        job.progress = {parameter.url, base, parameter.code, 0, 0};
        MYDR24_ASSIGN(const auto row, reader.state(progress_space, job.key));
        if (row) {
          MYDR24_ASSIGN(const auto document, json::Document::parse_view(*row));
          if (document.root()["complete"].is_true()) continue;
          job.cursor = document.root()["cursor"].text();
          job.progress.done = number_of(document.root()["done"]);
        }
        MYDR24_ASSIGN(job.progress.total, reader.count_resources(base));
        jobs.push_back(std::move(job));
      }
    }
    return find_base_jobs(reader, jobs);
  }));
  if (std::ranges::none_of(jobs, &Job::is_of_bases)) MYDR24_TRY(finish_bases());
  {
    const std::lock_guard lock(mutex_);
    jobs_ = std::move(jobs);
    settling_ = true;
  }
  wake_.notify_all();
  return {};
}

Result<> Conformance::reload() {
  MYDR24_ASSIGN(const auto stored, read_stored());
  auto made = std::make_shared<records::Definitions>();
  made->checks = settings_.checks;
  made->terminology = base_terminology_;
  made->validator = base_validator_;
  if (!stored.resources.empty()) {
    std::vector<std::string> left_out;
    made->terminology = base_terminology_->with(stored.resources);
    made->validator = base_validator_->with(stored.resources, made->terminology, &left_out);
    for (const auto& problem : left_out) log_.warn("a stored profile is left out", {{"detail", problem}});
  }
  MYDR24_ASSIGN(const auto parameters, custom_parameters(stored));
  made->catalogue = base_catalogue_;
  if (!parameters.empty()) {
    MYDR24_ASSIGN(made->catalogue, search::with_parameters(made->catalogue, parameters));
    MYDR24_TRY(records_.store().learn(made->catalogue));
  }
  const auto catalogue = made->catalogue;
  {
    const std::lock_guard lock(definitions_mutex_);
    for (const auto& bases : outdated_bases_) {
      made->outdated.push_back(search::with_own_bases(made->catalogue, bases));
    }
    records_.use(std::move(made));
  }
  return find_jobs(catalogue, parameters);
}

// The resources of the job's type that come next.
Result<store::SearchPage> Conformance::next_page(const Job& job) const {
  store::SearchPage page;
  MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
    search::Query query;
    query.type = job.progress.type;
    query.count = page_resources;
    query.order = search::Order::oldest_first;
    query.cursor = job.cursor;
    MYDR24_ASSIGN(page, reader.search(query));
    return {};
  }));
  return page;
}

// One page of resources: their rows and the progress are one commit.
Result<bool> Conformance::step(Job& job) {
  if (job.is_of_bases) return step_bases(job);
  const auto catalogue = records_.definitions()->catalogue;
  const auto* parameter = search::find_parameter(job.progress.type, job.progress.code, catalogue.get());
  if (parameter == nullptr || parameter->generation != job.generation) return true;

  MYDR24_ASSIGN(const auto page, next_page(job));
  struct Found {
    const store::Version* version;
    std::vector<search::IndexEntry> entries;
  };
  std::vector<Found> found;
  for (const auto& version : page.matches) {
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(version.body));
    auto entries = search::extract(document.root(), *parameter, catalogue.get());
    if (!entries.empty()) found.push_back({&version, std::move(entries)});
  }
  const bool complete = page.next_cursor.empty();
  const auto done = job.progress.done + static_cast<std::int64_t>(page.matches.size());
  MYDR24_TRY(records_.store().write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
    for (const auto& [version, entries] : found) {
      const auto indexed = transaction.reindex(version->type, version->id, version->version, {}, entries);
      // A newer version was written with its rows for this parameter already.
      if (!indexed && indexed.error().code != Code::stale) return indexed;
    }
    return transaction.set_state(progress_space, job.key,
                                 row_text(job.generation, "", page.next_cursor, done, complete));
  }));
  job.cursor = page.next_cursor;
  const std::lock_guard lock(mutex_);
  job.progress.done = done;
  return complete;
}

void Conformance::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    // Writes that were made ready by the definitions before are let pass first: the steps must not overtake them.
    if (std::exchange(settling_, false)) {
      if (wake_.wait_for(lock, settle_pause, [this] { return stopping_; })) return;
      continue;
    }
    Job job = jobs_.front();
    lock.unlock();
    const auto complete = step(job);
    if (!complete) log_.warn("indexing waits", {{"parameter", job.progress.url}, {"error", complete.error().text}});
    if (complete && *complete) {
      log_.info("search parameter indexed", {{"parameter", job.progress.url},
                                             {"type", job.progress.type},
                                             {"resources", fmt::to_string(job.progress.done)}});
    }
    lock.lock();
    // The list may have been made anew in the meantime.
    const auto same = std::ranges::find(jobs_, job.key, &Job::key);
    if (same != jobs_.end()) {
      if (complete && *complete) {
        jobs_.erase(same);
      } else if (complete) {
        *same = job;
      }
    }
    if (job.is_of_bases && std::ranges::none_of(jobs_, &Job::is_of_bases)) {
      lock.unlock();
      if (const auto finished = finish_bases(); !finished) {
        log_.warn("indexing waits", {{"parameter", job.progress.url}, {"error", finished.error().text}});
      }
      lock.lock();
    }
    wake_.wait_for(lock, complete ? std::chrono::nanoseconds(step_pause) : std::chrono::nanoseconds(retry_pause),
                   [this] { return stopping_; });
  }
}

}  // namespace mydr24::conformance
