#include "clinical/conformance/conformance.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/json/writer.h"
#include "clinical/conformance/progress_row.h"

namespace mydr24::conformance {
namespace {

constexpr std::string_view event_kind = "conformance.changed";
constexpr std::uint32_t page_resources = 200;
constexpr std::chrono::seconds look_every{1};
// Between two steps of the indexing: it must never be what others wait for.
constexpr std::chrono::milliseconds step_pause{2};
constexpr std::chrono::milliseconds others_pause{100};
constexpr std::chrono::seconds retry_pause{2};
constexpr std::uint32_t rows_page = 500;

// How long things take is read from the machine's clock: it decides nothing that is stored.
std::chrono::nanoseconds machine_time() { return system_clock().steady(); }

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
  std::int64_t change = 0;  // what was read is by this one
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
  MYDR24_TRY(servers_.forget_others());
  MYDR24_TRY(take_up());
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
  if (!thread_.joinable()) return;
  thread_.join();
  const std::lock_guard looking(look_mutex_);
  servers_.leave();
}

std::vector<Progress> Conformance::unindexed() const {
  const std::lock_guard lock(mutex_);
  std::vector<Progress> all;
  for (const auto& job : jobs_) all.push_back(job.progress);
  return all;
}

bool Conformance::is_definition(std::string_view type) {
  return std::ranges::find(definition_types, type) != definition_types.end();
}

Result<> Conformance::react(store::Transaction& transaction, const records::Change& change) {
  MYDR24_TRY(servers_.check(transaction));
  if (!is_definition(change.type)) return {};
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
  MYDR24_ASSIGN(const auto sequence, transaction.note(event_kind, payload));
  return note_change(transaction, sequence);
}

// The process that follows need not wait until it looks.
Result<> Conformance::follow(std::span<const store::Event> events) {
  if (std::ranges::none_of(events, [](const auto& event) { return event.kind == event_kind; })) return {};
  return look();
}

// A version and the change that it is are committed together, the change with the later sequence.
bool Conformance::wait_until_in_effect(store::Sequence sequence, std::chrono::milliseconds longest) {
  std::unique_lock lock(mutex_);
  if (in_effect_ <= sequence) woken_ = true;
  wake_.notify_all();
  return followed_.wait_for(lock, longest, [&] { return in_effect_ > sequence || stopping_; });
}

Result<> Conformance::look() {
  const std::lock_guard looking(look_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return fail(Code::busy, "the server is stopping");
  }
  const auto at = records_.clock().steady();
  std::int64_t change = 0;
  MYDR24_TRY(records_.store().read(
      [&](store::Reader& reader) -> Result<> {
        MYDR24_ASSIGN(change, last_change(reader));
        return {};
      },
      {.request_class = RequestClass::emergency}, store::Store::everything_committed));
  if (change == in_effect_) {
    servers_.looked(at);
    return {};
  }
  if (const auto told = servers_.be_slow(); !told && told.error().code != Code::stale) return told;
  return take_up();
}

// Code::stale: changed again in the meantime.
Result<> Conformance::take_up() {
  auto taken = reload();
  while (!taken && taken.error().code == Code::stale) taken = reload();
  return taken;
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
    MYDR24_ASSIGN(stored.change, last_change(reader));
    for (const auto type : definition_types) MYDR24_TRY(read_type(reader, type, stored));
    return {};
  }));
  for (const auto& document : stored.documents) stored.resources.push_back(document.root());
  return stored;
}

Conformance::Custom Conformance::custom_parameters(const Stored& stored) {
  Custom all;
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
    // The last one of a URL counts.
    std::erase_if(all.parameters, [&](const auto& other) { return other.url == custom->url; });
    all.definitions[custom->url] = definition_of(resource);
    all.parameters.push_back(std::move(*custom));
  }
  return all;
}

// The generations that the database knows these definitions under; a new one is noted when it has none. Every process
// that has read the same definitions gives the same numbers. A parameter that is gone gets a new number when it comes
// back: what is written until then has no rows of it.
Result<> Conformance::number(std::int64_t change, Custom& custom) {
  return records_.store().write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(const auto last, last_change(transaction));
    if (last != change) return fail(Code::stale, "the definitions were changed again");
    for (auto& parameter : custom.parameters) {
      const auto& definition = custom.definitions.at(parameter.url);
      MYDR24_ASSIGN(const auto row, transaction.state(progress_space, parameter.url));
      if (row) {
        MYDR24_ASSIGN(const auto document, json::Document::parse_view(*row));
        parameter.generation = static_cast<std::uint32_t>(number_of(document.root()["generation"]));
        if (document.root()["definition"].text() == definition) continue;
        ++parameter.generation;
      }
      MYDR24_TRY(transaction.set_state(progress_space, parameter.url,
                                       row_text(parameter.generation, definition, "", 0, false)));
    }
    return forget_gone(transaction, custom);
  });
}

Result<> Conformance::forget_gone(store::Transaction& transaction, const Custom& custom) {
  std::string after;
  for (bool more = true; more;) {
    MYDR24_ASSIGN(const auto rows, transaction.states(progress_space, "", after, rows_page));
    for (const auto& [url, text] : rows) {
      // Keys with a blank are those of jobs.
      if (url.contains(' ') || custom.definitions.contains(url)) continue;
      MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
      if (document.root()["definition"].text().empty()) continue;
      const auto generation = static_cast<std::uint32_t>(number_of(document.root()["generation"]));
      MYDR24_TRY(transaction.set_state(progress_space, url, row_text(generation, "", "", 0, false)));
    }
    more = rows.size() == rows_page;
    if (more) after = rows.back().key;
  }
  return {};
}

Result<Conformance::Row> Conformance::read_row(store::Reader& reader, const Job& job) {
  Row row;
  MYDR24_ASSIGN(row.text, reader.state(progress_space, job.key));
  if (!row.text) {
    MYDR24_ASSIGN(row.complete, job.is_of_bases ? bases_are_done(reader) : Result<bool>(false));
    return row;
  }
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(*row.text));
  const auto root = document.root();
  if (root["definition"].text() != job.definition) return row;
  row.complete = root["complete"].is_true();
  row.cursor = root["cursor"].text();
  row.done = number_of(root["done"]);
  return row;
}

Result<std::vector<Conformance::Job>> Conformance::find_jobs(std::int64_t change, const search::CataloguePtr& catalogue,
                                                             const std::vector<search::CustomParameter>& parameters) {
  std::vector<Job> jobs;
  MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
    for (const auto& parameter : parameters) {
      for (const auto& base : parameter.bases) {
        if (search::find_parameter(base, parameter.code, catalogue.get()) == nullptr) continue;
        Job job;
        job.key = fmt::format("{}@{} {}", parameter.url, parameter.generation, base);
        job.generation = parameter.generation;
        job.change = change;
        MYDR24_ASSIGN(const auto row, read_row(reader, job));
        if (row.complete) continue;
        MYDR24_ASSIGN(const auto total, reader.count_resources(base));
        job.progress = {parameter.url, base, parameter.code, row.done, total};
        jobs.push_back(std::move(job));
      }
    }
    return find_base_jobs(reader, jobs);
  }));
  return jobs;
}

// Until the new definitions are in force, and a moment longer, the jobs of both stand.
void Conformance::add_jobs(std::vector<Job>& jobs) {
  const std::lock_guard lock(mutex_);
  for (auto& job : jobs) {
    const auto known = std::ranges::find(jobs_, job.key, &Job::key);
    if (known == jobs_.end()) {
      jobs_.push_back(job);
    } else {
      job.change = known->change;
      job.begun = known->begun;
    }
  }
}

void Conformance::replace_jobs(std::vector<Job> jobs, std::int64_t change) {
  {
    const std::lock_guard lock(mutex_);
    jobs_ = std::move(jobs);
    in_effect_ = change;
    woken_ = true;
  }
  wake_.notify_all();
  followed_.notify_all();
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
  auto custom = custom_parameters(stored);
  MYDR24_TRY(number(stored.change, custom));
  made->catalogue = base_catalogue_;
  if (!custom.parameters.empty()) {
    MYDR24_ASSIGN(made->catalogue, search::with_parameters(made->catalogue, custom.parameters));
    MYDR24_TRY(records_.store().learn(made->catalogue));
  }
  MYDR24_ASSIGN(auto jobs, find_jobs(stored.change, made->catalogue, custom.parameters));
  add_jobs(jobs);
  {
    const std::lock_guard lock(definitions_mutex_);
    for (const auto& bases : outdated_bases_) {
      made->outdated.push_back(search::with_own_bases(made->catalogue, bases));
    }
    records_.use(std::move(made));
  }
  MYDR24_TRY(servers_.go_by(stored.change));
  if (std::ranges::none_of(jobs, &Job::is_of_bases)) MYDR24_TRY(finish_bases());
  replace_jobs(std::move(jobs), stored.change);
  return {};
}

// The resources of the job's type that come next.
Result<Conformance::Page> Conformance::next_page(const Job& job) const {
  Page page;
  MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(page.row, read_row(reader, job));
    if (page.row.complete) return {};
    search::Query query;
    query.type = job.progress.type;
    query.count = page_resources;
    query.order = search::Order::oldest_first;
    query.cursor = page.row.cursor;
    MYDR24_ASSIGN(page.found, reader.search(query));
    return {};
  }));
  return page;
}

// The rows of a page and the progress are one commit. Code::stale when another process took the same page: two may lead
// for a moment.
Result<Conformance::Row> Conformance::write_page(const Job& job, const Page& page,
                                                 const std::function<Result<>(store::Transaction&)>& reindex) {
  Row row;
  row.cursor = page.found.next_cursor;
  row.done = page.row.done + static_cast<std::int64_t>(page.found.matches.size());
  row.complete = row.cursor.empty();
  MYDR24_TRY(records_.store().write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(const auto there, transaction.state(progress_space, job.key));
    if (there != page.row.text) return fail(Code::stale, "another process has indexed these");
    MYDR24_TRY(reindex(transaction));
    return transaction.set_state(progress_space, job.key,
                                 row_text(job.generation, job.definition, row.cursor, row.done, row.complete));
  }));
  return row;
}

Result<Conformance::Row> Conformance::step(const Job& job) {
  if (job.is_of_bases) return step_bases(job);
  const auto catalogue = records_.definitions()->catalogue;
  const auto* parameter = search::find_parameter(job.progress.type, job.progress.code, catalogue.get());
  // Not in force yet, or not any more: the list of jobs is being made anew.
  if (parameter == nullptr || parameter->generation != job.generation) return Row{.done = job.progress.done};

  MYDR24_ASSIGN(const auto page, next_page(job));
  if (page.row.complete) return page.row;
  std::vector<std::pair<const store::Version*, std::vector<search::IndexEntry>>> found;
  for (const auto& version : page.found.matches) {
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(version.body));
    found.emplace_back(&version, search::extract(document.root(), *parameter, catalogue.get()));
  }
  return write_page(job, page, [&](store::Transaction& transaction) -> Result<> {
    for (const auto& [version, entries] : found) {
      const auto indexed = transaction.reindex(version->type, version->id, version->version, {}, entries);
      if (indexed) continue;
      if (indexed.error().code != Code::stale) return indexed;
      // Changed since the page was read: what has not changed in it was not written.
      MYDR24_ASSIGN(const auto now, transaction.current(version->type, version->id));
      if (!now || now->action == store::Action::remove) continue;
      MYDR24_ASSIGN(const auto document, json::Document::parse_view(now->body));
      MYDR24_TRY(transaction.reindex(now->type, now->id, now->version, {},
                                     search::extract(document.root(), *parameter, catalogue.get())));
    }
    return {};
  });
}

Result<Conformance::Row> Conformance::read_progress(const Job& job) const {
  Row row;
  MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(row, read_row(reader, job));
    return {};
  }));
  return row;
}

std::chrono::nanoseconds Conformance::work_on(const Job& job) {
  const auto waits = [&](const Error& error) {
    log_.warn("indexing waits", {{"parameter", job.progress.url}, {"error", error.text}});
    return retry_pause;
  };
  const bool leads = records_.store().leads();
  if (leads && !job.begun) {
    const auto all = servers_.all_go_by(job.change);
    if (!all) return waits(all.error());
    if (!*all) return others_pause;
  }
  const auto row = leads ? step(job) : read_progress(job);
  if (!row && row.error().code == Code::stale) return step_pause;
  if (!row) return waits(row.error());
  if (row->complete && leads) {
    log_.info("search parameter indexed",
              {{"parameter", job.progress.url}, {"type", job.progress.type}, {"resources", fmt::to_string(row->done)}});
  }
  bool bases_are_done = false;
  {
    const std::lock_guard lock(mutex_);
    // The list may have been made anew in the meantime.
    const auto same = std::ranges::find(jobs_, job.key, &Job::key);
    if (same != jobs_.end()) {
      same->begun = same->begun || leads;
      same->progress.done = row->done;
      if (row->complete) jobs_.erase(same);
    }
    bases_are_done = job.is_of_bases && std::ranges::none_of(jobs_, &Job::is_of_bases);
  }
  if (bases_are_done) {
    if (const auto finished = finish_bases(); !finished) return waits(finished.error());
  }
  return leads || row->complete ? std::chrono::nanoseconds(step_pause) : std::chrono::nanoseconds(look_every);
}

void Conformance::work() {
  auto look_at = machine_time() + look_every;
  std::chrono::nanoseconds pause = step_pause;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait_for(lock, pause, [this] { return stopping_ || woken_; });
    if (stopping_) return;
    const bool is_due = std::exchange(woken_, false) || machine_time() >= look_at;
    lock.unlock();
    if (is_due) {
      look_at = machine_time() + look_every;
      if (const auto looked = look(); !looked)
        log_.warn("the definitions could not be read anew", {{"error", looked.error().text}});
    }
    lock.lock();
    pause = look_every;
    if (jobs_.empty()) continue;
    const Job job = jobs_.front();
    lock.unlock();
    pause = work_on(job);
    lock.lock();
  }
}

}  // namespace mydr24::conformance
