// mydr24 audit: reads the trail of a data folder, whether or not its server is running.

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <ostream>

#include "app/cli/commands.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"
#include "guard/audit/disclosures.h"
#include "guard/audit/export.h"
#include "guard/audit/search.h"
#include "guard/audit/verify.h"

namespace mydr24::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view folder_name = "audit";  // in the data folder

fs::path folder_of(const AuditOptions& options) {
  return options.folder.empty() ? fs::path(options.data) / folder_name : fs::path(options.folder);
}

Result<audit::Trail> trail_of(const AuditOptions& options) {
  return audit::open_trail(folder_of(options), options.encryption_key_file);
}

int done() { return static_cast<int>(Exit::ok); }

Result<std::optional<Instant>> time_of(const std::string& text, std::string_view option) {
  if (text.empty()) return std::optional<Instant>();
  const auto time = parse_date_time(text);
  if (!time) return fail(Code::invalid, "is no time: 2026-05-10 or 2026-05-10T08:00:00Z", std::string(option));
  return std::optional(time->low);
}

Result<audit::Query> query_of(const AuditOptions& options) {
  audit::Query query{.patient = options.patient,
                     .or_everyone = options.or_everyone,
                     .principal = options.principal,
                     .override_id = options.override_id,
                     .request_id = options.request_id,
                     .interaction = options.interaction,
                     .failures = options.failures};
  const auto slash = options.resource.find('/');
  query.resource_type = options.resource.substr(0, slash);
  if (slash != std::string::npos) query.resource_id = options.resource.substr(slash + 1);
  if (!options.action.empty()) {
    query.action = audit::parse_action(options.action);
    if (!query.action) return fail(Code::invalid, "is none of C, R, U, D, E", "--action");
  }
  if (!options.outcome.empty()) {
    query.outcome = audit::parse_outcome(options.outcome);
    if (!query.outcome) return fail(Code::invalid, "is none of 0, 4, 8, 12", "--outcome");
  }
  MYDR24_ASSIGN(query.since, time_of(options.since, "--since"));
  MYDR24_ASSIGN(query.until, time_of(options.until, "--until"));
  return query;
}

std::string joined(const std::vector<std::string>& texts, std::size_t shown_max) {
  std::string text;
  for (std::size_t i = 0; i < std::min(texts.size(), shown_max); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : ", ", texts[i]);
  if (texts.size() > shown_max) text += fmt::format(" and {} more", texts.size() - shown_max);
  return text;
}

std::string what(const audit::Entry& entry) {
  std::string text = entry.interaction;
  if (!entry.resource_type.empty()) text += " " + entry.resource_type;
  if (!entry.resource_id.empty()) text += "/" + entry.resource_id;
  return text;
}

void print_table(const audit::Page& page, const Terminal& terminal) {
  constexpr std::size_t patients_shown = 3;
  const auto row = [&](std::string_view line, std::string_view at, std::string_view who, std::string_view did,
                       std::string_view status, std::string_view patients, std::string_view why) {
    terminal.out << fmt::format("{:>8}  {:<24}  {:<22}  {:<36}  {:>6}  {:<20}  {}\n", line, at, who, did, status,
                                patients, why);
  };
  row("LINE", "TIME", "WHO", "DID", "STATUS", "PATIENTS", "PURPOSE, RULE, OVERRIDE");
  for (const auto& [number, entry] : page.entries) {
    std::vector<std::string> why;
    for (const std::string& text : {entry.purpose, entry.rule, entry.override_id})
      if (!text.empty()) why.push_back(text);
    std::string patients = joined(entry.patients, patients_shown);
    if (entry.patients_cut) patients += patients.empty() ? "everyone" : " and others";
    row(std::to_string(number), format_instant(entry.at),
        entry.principal.empty() ? access::to_string(entry.principal_kind) : entry.principal, what(entry),
        entry.http_status == 0 ? "-" : std::to_string(entry.http_status), patients, joined(why, why.size()));
  }
}

// The entry's own members after its line's number.
std::string with_number(const audit::Found& one) {
  return fmt::format("{{\"line\":{},{}", one.number, audit::to_json(one.entry).substr(1));
}

std::string_view names_of(const audit::Finding& one) { return audit::to_string(one.problem); }

Result<std::string> read_text(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(Code::not_found, "cannot be read", file);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// --key: a file, or the key itself.
Result<std::string> key_of(const AuditOptions& options) {
  std::error_code ignored;
  if (options.key.empty() || !fs::is_regular_file(options.key, ignored)) return options.key;
  return read_text(options.key);
}

int verify_file(const AuditOptions& options, const Terminal& terminal) {
  auto key = key_of(options);
  if (key && key->empty()) {
    const auto own = audit::trail_key(folder_of(options));
    if (!own) return terminal.fail(own.error());
    key = own->base64_url;
  }
  if (!key) return terminal.fail(key.error());
  std::ifstream in(options.exported, std::ios::binary);
  if (!in) return terminal.fail(fail(Code::not_found, "cannot be read", options.exported));
  const auto verified = audit::verify_export(in, *key);
  if (!verified) return terminal.fail(Exit::findings, verified.error());
  if (terminal.json) {
    std::string text;
    json::Writer(text)
        .begin_object()
        .field("schema", "mydr24.audit.export.v1")
        .field("good", true)
        .field("lines", verified->lines)
        .field("first", verified->first)
        .field("last", verified->last)
        .end_object();
    terminal.out << text << '\n';
  } else {
    terminal.out << fmt::format("{} lines, entries {} to {}: as they were signed\n", verified->lines, verified->first,
                                verified->last);
  }
  return done();
}

void print_json(const audit::Verification& verified, const Terminal& terminal) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object().field("schema", "mydr24.audit.verify.v1").field("good", verified.findings.empty());
  writer.field("lines", verified.lines).field("entries", verified.entries);
  writer.field("checkpoints", verified.checkpoints).field("removed", verified.removed);
  writer.field("first", verified.first).field("last", verified.last);
  writer.field("last_checkpoint", verified.last_checkpoint).key("findings").begin_array();
  for (const audit::Finding& one : verified.findings) {
    writer.begin_object().field("problem", names_of(one)).field("line", one.number).field("file", one.file);
    writer.field("text", one.text).end_object();
  }
  writer.end_array().end_object();
  terminal.out << text << '\n';
}

}  // namespace

int run_audit_search(const AuditOptions& options, const Terminal& terminal) {
  const auto query = query_of(options);
  if (!query) return terminal.fail(query.error());
  const auto trail = trail_of(options);
  if (!trail) return terminal.fail(trail.error());
  const auto page = audit::search(*trail, *query, options.limit, options.cursor);
  if (!page) return terminal.fail(page.error());
  const std::string format = terminal.json ? "json" : options.format;
  if (format == "ndjson") {
    for (const audit::Found& one : page->entries) terminal.out << with_number(one) << '\n';
  } else if (format == "json") {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("schema", "mydr24.audit.search.v1").key("entries").begin_array();
    for (const audit::Found& one : page->entries) writer.raw(with_number(one));
    writer.end_array().field("next", page->next).end_object();
    terminal.out << text << '\n';
  } else {
    print_table(*page, terminal);
  }
  if (format != "json" && !page->next.empty())
    terminal.err << fmt::format("There may be more: --cursor {}\n", page->next);
  return done();
}

int run_audit_verify(const AuditOptions& options, const Terminal& terminal) {
  if (!options.exported.empty()) return verify_file(options, terminal);
  const auto key = key_of(options);
  if (!key) return terminal.fail(key.error());
  const auto trail = trail_of(options);
  if (!trail) return terminal.fail(trail.error());
  const auto verified = audit::verify(
      {.folder = trail->folder, .checkpoints_file = options.checkpoints, .public_key = *key, .keys = trail->keys});
  if (!verified) return terminal.fail(verified.error());
  if (terminal.json) {
    print_json(*verified, terminal);
  } else {
    for (const audit::Finding& one : verified->findings)
      terminal.out << fmt::format("{} line {} {}: {}\n", terminal.paint("red", names_of(one), true), one.number,
                                  one.file, one.text);
    terminal.out << fmt::format(
        "{} lines ({} to {}), {} entries, {} checkpoints, {} removed by retention: {}\n", grouped(verified->lines),
        verified->first, verified->last, grouped(verified->entries), grouped(verified->checkpoints),
        grouped(verified->removed),
        verified->findings.empty() ? "as they were written" : fmt::format("{} findings", verified->findings.size()));
    if (verified->last > verified->last_checkpoint)
      terminal.out << fmt::format("After line {} no checkpoint was made yet.\n", verified->last_checkpoint);
  }
  return verified->findings.empty() ? done() : static_cast<int>(Exit::findings);
}

int run_audit_export(const AuditOptions& options, const Terminal& terminal) {
  const auto query = query_of(options);
  if (!query) return terminal.fail(query.error());
  const auto trail = trail_of(options);
  if (!trail) return terminal.fail(trail.error());
  audit::ExportOptions exported{.folder = trail->folder, .key_file = options.key, .query = *query, .keys = trail->keys};
  if (options.format == "fhir") exported.fhir = audit::Observer{.name = options.site, .url = options.url};
  const auto written = audit::export_entries(exported, terminal.clock.now(), terminal.out);
  if (!written) return terminal.fail(written.error());
  terminal.err << fmt::format("{} lines, signed\n", grouped(written->lines));
  return done();
}

int run_audit_key(const AuditOptions& options, const Terminal& terminal) {
  const auto key = audit::trail_key(folder_of(options));
  if (!key) return terminal.fail(key.error());
  if (terminal.json) {
    std::string text;
    json::Writer(text)
        .begin_object()
        .field("schema", "mydr24.audit.key.v1")
        .field("id", key->id)
        .field("algorithm", "Ed25519")
        .field("key", key->base64_url)
        .end_object();
    terminal.out << text << '\n';
  } else {
    terminal.out << key->pem;
  }
  return done();
}

int run_audit_disclosures(const AuditOptions& options, const Terminal& terminal) {
  const auto query = query_of(options);
  if (!query) return terminal.fail(query.error());
  const auto trail = trail_of(options);
  if (!trail) return terminal.fail(trail.error());
  const auto accounting = audit::account_disclosures(*trail, options.patient, query->since, query->until);
  if (!accounting) return terminal.fail(accounting.error());
  if (terminal.json) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("schema", "mydr24.audit.disclosures.v1").field("patient", accounting->patient);
    writer.field("entries", accounting->entries).key("disclosures").begin_array();
    for (const audit::Disclosure& one : accounting->disclosures) {
      writer.begin_object().field("outside", one.outside).field("purpose", one.purpose).field("client", one.client);
      writer.field("principal", one.principal).field("name", one.name).field("count", one.count);
      writer.field("first", format_instant(one.first)).field("last", format_instant(one.last));
      writer.field("names_patient", one.names_patient).key("interactions").begin_array();
      for (const std::string& interaction : one.interactions) writer.string(interaction);
      writer.end_array().end_object();
    }
    writer.end_array().end_object();
    terminal.out << text << '\n';
    return done();
  }
  terminal.out << fmt::format("{:<8}  {:<10}  {:<20}  {:<20}  {:>6}  {:<24}  {:<24}  {}\n", "WHERE", "PURPOSE",
                              "CLIENT", "WHO", "TIMES", "FIRST", "LAST", "WHAT");
  for (const audit::Disclosure& one : accounting->disclosures)
    terminal.out << fmt::format(
        "{:<8}  {:<10}  {:<20}  {:<20}  {:>6}  {:<24}  {:<24}  {}{}\n", one.outside ? "outside" : "inside", one.purpose,
        one.client, one.principal, one.count, format_instant(one.first), format_instant(one.last),
        joined(one.interactions, one.interactions.size()), one.names_patient ? "" : " (of every patient)");
  return done();
}

}  // namespace mydr24::cli
