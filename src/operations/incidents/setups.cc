#include "operations/incidents/setups.h"

#include <fmt/format.h>

#include <charconv>

#include "alerting/alerts/book.h"
#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "operations/incidents/rows.h"

namespace mydr24::incidents {
namespace {

constexpr std::string_view space = rows::setup;
constexpr std::string_view version_prefix = "version/";
constexpr std::string_view correction_prefix = "correction/";
constexpr std::size_t differences_max = 100;
constexpr std::uint32_t page_max = 500;

std::string version_key(std::int64_t version) { return fmt::format("{}{:08}", version_prefix, version); }

Result<std::string> row_of(store::Reader& reader, std::int64_t version) {
  MYDR24_ASSIGN(auto row, reader.state(space, version_key(version)));
  if (!row) return fail(Code::not_found, fmt::format("there is no version {}", version));
  return std::move(*row);
}

Setup built_in() {
  auto made = Setup::parse(Setup::default_text());
  if (!made) std::abort();  // a test parses it
  return std::move(*made);
}

Result<std::int64_t> stored_version(store::Reader& reader) {
  MYDR24_ASSIGN(const auto row, reader.state(space, "active"));
  std::int64_t version = 0;
  if (row) std::from_chars(row->data(), row->data() + row->size(), version);
  return version;
}

void compare(const Setup& before, const Setup& after, const Facts& facts, std::string what, DryRun& run) {
  const Severity was = before.classify(facts).severity;
  const Classification is = after.classify(facts);
  ++run.before[static_cast<std::size_t>(was)];
  ++run.after[static_cast<std::size_t>(is.severity)];
  if (was == is.severity) return;
  ++run.different;
  if (run.differences.size() < differences_max)
    run.differences.push_back({std::move(what), facts.title, was, is.severity, is.rule});
}

Result<> run_incidents(store::Reader& reader, const Setup& before, const Setup& after, DryRun& run) {
  std::string key;
  while (run.incidents < static_cast<std::int64_t>(dry_run_max)) {
    MYDR24_ASSIGN(const auto found, reader.states(rows::incidents, rows::incident_prefix, key, page_max));
    for (const store::StateRow& row : found) {
      MYDR24_ASSIGN(const Incident incident, incident_of(row.value));
      compare(before, after, rows::facts_of(incident), "incident " + incident.id, run);
      ++run.incidents;
      key = row.key;
    }
    if (found.size() < page_max) break;
  }
  return {};
}

Result<> run_alerts(store::Reader& reader, const Setup& before, const Setup& after, DryRun& run) {
  for (const bool resolved : {false, true}) {
    alerts::ListQuery query{.resolved = resolved, .count = alerts::ListQuery::count_max, .after = {}};
    do {
      MYDR24_ASSIGN(const alerts::AlertPage page, alerts::Book::list(reader, query));
      for (const alerts::Alert& alert : page.alerts) {
        if (alert.source == rows::own_source) continue;
        compare(before, after, rows::facts_of(alert), "alert " + alert.id, run);
        ++run.alerts;
      }
      query.after = page.next;
    } while (!query.after.empty() && run.alerts < static_cast<std::int64_t>(dry_run_max));
  }
  return {};
}

void write_counts(json::Writer& out, std::string_view name, const std::array<std::int64_t, severity_count>& counts) {
  out.key(name).begin_object();
  for (const Severity severity : severities) out.field(to_string(severity), counts[static_cast<std::size_t>(severity)]);
  out.end_object();
}

}  // namespace

std::string to_json(const DryRun& run) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("incidents", run.incidents).field("alerts", run.alerts);
  write_counts(out, "before", run.before);
  write_counts(out, "after", run.after);
  out.field("different", run.different).key("differences").begin_array();
  for (const auto& each : run.differences) {
    out.begin_object().field("what", each.what).field("title", each.title).field("before", to_string(each.before));
    out.field("after", to_string(each.after)).field("rule", each.rule).end_object();
  }
  out.end_array().end_object();
  return text;
}

Setups::Setups() : active_(std::make_shared<const Setup>(built_in())) {}

SetupPointer Setups::active() const {
  const std::lock_guard lock(mutex_);
  return active_;
}

std::int64_t Setups::active_version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

void Setups::publish(SetupPointer setup, std::int64_t version) {
  const std::lock_guard lock(mutex_);
  active_ = std::move(setup);
  version_ = version;
}

Result<> Setups::load(store::Store& store) {
  SetupPointer found;
  std::int64_t version = 0;
  MYDR24_TRY(store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(version, stored_version(reader));
    MYDR24_ASSIGN(Setup setup, find(reader, version));
    found = std::make_shared<const Setup>(std::move(setup));
    return {};
  }));
  publish(std::move(found), version);
  return {};
}

Result<Setup> Setups::find(store::Reader& reader, std::int64_t version) const {
  if (version == 0) return built_in();
  MYDR24_ASSIGN(const std::string row, row_of(reader, version));
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(row));
  return Setup::parse(document.root()["setup"].raw());
}

Result<std::int64_t> Setups::add(store::Transaction& transaction, std::string_view text, std::string_view by) const {
  MYDR24_ASSIGN(const Setup setup, Setup::parse(text));
  MYDR24_ASSIGN(const auto last, transaction.state(space, "last"));
  std::int64_t version = 0;
  if (last) std::from_chars(last->data(), last->data() + last->size(), version);
  ++version;
  std::string row;
  json::Writer(row)
      .begin_object()
      .field("version", version)
      .field("by", by)
      .field("at", format_instant(transaction.now()))
      .key("setup")
      .raw(setup.text())
      .end_object();
  MYDR24_TRY(transaction.set_state(space, "last", fmt::to_string(version)));
  MYDR24_TRY(transaction.set_state(space, version_key(version), row));
  return version;
}

Result<DryRun> Setups::dry_run(store::Reader& reader, std::int64_t version) const {
  MYDR24_ASSIGN(const Setup after, find(reader, version));
  const SetupPointer before = active();
  DryRun run;
  MYDR24_TRY(run_incidents(reader, *before, after, run));
  MYDR24_TRY(run_alerts(reader, *before, after, run));
  return run;
}

Result<> Setups::keep_dry_run(store::Transaction& transaction, std::int64_t version, const DryRun& run,
                              std::string_view by) const {
  if (version == 0) return {};
  MYDR24_ASSIGN(const std::string row, row_of(transaction, version));
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(row));
  std::string text;
  json::Writer out(text);
  out.begin_object();
  for (const json::Value member : document.root())
    if (member.key() != "dry_run") out.key(member.key()).raw(member.raw());
  out.key("dry_run").begin_object().field("by", by).field("at", format_instant(transaction.now()));
  out.key("found").raw(to_json(run)).end_object().end_object();
  return transaction.set_state(space, version_key(version), text);
}

Result<SetupPointer> Setups::activate(store::Transaction& transaction, std::int64_t version,
                                      std::string_view by) const {
  MYDR24_ASSIGN(Setup setup, find(transaction, version));
  if (version != 0) {
    MYDR24_ASSIGN(const std::string row, row_of(transaction, version));
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(row));
    if (!document.root()["dry_run"])
      return fail(Code::conflict, "hold it against stored history first: its dry run was not made");
  }
  MYDR24_TRY(transaction.set_state(space, "active", fmt::to_string(version)));
  std::string event;
  json::Writer(event).begin_object().field("version", version).field("by", by).end_object();
  MYDR24_TRY(transaction.note("incident.setup_activated", event));
  return std::make_shared<const Setup>(std::move(setup));
}

Result<> Setups::check_vectors(store::Reader& reader, std::int64_t version) const {
  if (version == 0) return {};
  MYDR24_ASSIGN(const Setup setup, find(reader, version));
  MYDR24_ASSIGN(const auto failed, failed_vectors(reader, setup));
  if (!failed.empty()) return fail(Code::conflict, fmt::format("test vectors fail: {}", fmt::join(failed, "; ")));
  return {};
}

Result<std::vector<std::string>> Setups::failed_vectors(store::Reader& reader, const Setup& setup) const {
  std::vector<std::string> failed = setup.failed_vectors();
  MYDR24_ASSIGN(const auto rows,
                reader.states(space, correction_prefix, "", static_cast<std::uint32_t>(corrections_max)));
  for (const store::StateRow& row : rows) {
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(row.value));
    const json::Value vector = document.root();
    const Facts facts{.title = std::string(vector["title"].text()),
                      .text = std::string(vector["text"].text()),
                      .status = std::string(vector["status"].text()),
                      .service = std::string(vector["service"].text()),
                      .source = std::string(vector["source"].text())};
    const Severity severity = setup.classify(facts).severity;
    if (vector["severity"].text() != to_string(severity))
      failed.push_back(fmt::format("correction {}: \"{}\" is {}, not {} as {} said", vector["incident"].text(),
                                   facts.title, to_string(severity), vector["severity"].text(), vector["by"].text()));
  }
  return failed;
}

Result<std::string> Setups::list(store::Reader& reader) const {
  MYDR24_ASSIGN(const auto found, reader.states(space, version_prefix, "", 1'000));
  std::string text;
  json::Writer out(text);
  out.begin_object().field("active", active_version()).key("versions").begin_array();
  for (const store::StateRow& row : found) {
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(row.value));
    out.begin_object();
    for (const json::Value member : document.root())
      if (member.key() != "setup") out.key(member.key()).raw(member.raw());
    out.end_object();
  }
  out.end_array().end_object();
  return text;
}

Result<> Setups::correct(store::Transaction& transaction, const Incident& incident, std::string_view reason,
                         std::string_view by) {
  const std::string key = fmt::format("{}{}", correction_prefix, incident.id);
  MYDR24_ASSIGN(const auto rows,
                transaction.states(space, correction_prefix, "", static_cast<std::uint32_t>(corrections_max)));
  // The oldest makes room: ids sort by their time.
  if (rows.size() >= corrections_max) MYDR24_TRY(transaction.erase_state(space, rows.front().key));
  const Facts facts = rows::facts_of(incident);
  std::string row;
  json::Writer out(row);
  out.begin_object().field("incident", incident.id).field("title", facts.title).field("text", facts.text);
  out.field("status", facts.status).field("service", facts.service).field("source", facts.source);
  out.field("severity", to_string(incident.severity)).field("reason", reason).field("by", by);
  out.field("at", format_instant(transaction.now())).end_object();
  return transaction.set_state(space, key, row);
}

Result<std::string> Setups::corrections(store::Reader& reader) {
  MYDR24_ASSIGN(const auto rows,
                reader.states(space, correction_prefix, "", static_cast<std::uint32_t>(corrections_max)));
  std::string text;
  json::Writer out(text);
  out.begin_object().key("corrections").begin_array();
  for (const store::StateRow& row : rows) out.raw(row.value);
  out.end_array().end_object();
  return text;
}

Result<> Setups::forget_correction(store::Transaction& transaction, std::string_view incident) {
  const std::string key = fmt::format("{}{}", correction_prefix, incident);
  MYDR24_ASSIGN(const auto row, transaction.state(space, key));
  if (!row) return fail(Code::not_found, "there is no such correction");
  return transaction.erase_state(space, key);
}

}  // namespace mydr24::incidents
