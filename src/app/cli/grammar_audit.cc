#include "app/cli/command_line.h"
#include "guard/audit/search.h"

namespace mydr24::cli {

CLI::App* CommandLine::add_audit_command(CLI::App& parent, const std::string& name, const std::string& about,
                                         const std::string& examples,
                                         int (*run)(const AuditOptions&, const Terminal&)) {
  auto* command = add(parent, name, about, examples, [this, run] { return run(audit_, terminal_); });
  command->add_option("--data", audit_.data, "Data folder; the trail is in its folder audit")->capture_default_str();
  command->add_option("--folder", audit_.folder, "The trail's own folder, in place of --data");
  add_key_file_option(command, audit_.encryption_key_file);
  return command;
}

void CommandLine::add_audit_query(CLI::App* command) {
  command->add_option("--patient", audit_.patient, "Id of a patient concerned");
  command->add_flag("--or-everyone", audit_.or_everyone, "With it: also what concerns every patient, as an export");
  command->add_option("--principal", audit_.principal, "Who: user/anna, client/registry");
  command->add_option("--since", audit_.since, "At or after: 2026-05-10, 2026-05-10T08:00:00Z");
  command->add_option("--until", audit_.until, "Before");
  command->add_option("--action", audit_.action, "C, R, U, D or E");
  command->add_option("--interaction", audit_.interaction, "read, search-type, alert.acknowledge ...");
  command->add_option("--outcome", audit_.outcome, "0 success, 4 refused or not found, 8 failed, 12 broke down");
  command->add_flag("--failures", audit_.failures, "Every outcome but success");
  command->add_option("--resource", audit_.resource, "Type, or Type/id");
  command->add_option("--override", audit_.override_id, "Id of an emergency override");
  command->add_option("--request", audit_.request_id, "X-Request-Id");
}

void CommandLine::add_audit() {
  CLI::App* audit = app_.add_subcommand("audit", "The trail of every access and every refusal");
  audit->require_subcommand(1);

  auto* search = add_audit_command(*audit, "search", "Who did what, newest first",
                                   "Examples:\n"
                                   "  mydr24 audit search --data ./data --patient p1\n"
                                   "  mydr24 audit search --principal user/anna --failures --format ndjson\n"
                                   "  mydr24 audit search --override 019b2f --json",
                                   run_audit_search);
  add_audit_query(search);
  search->add_option("--limit", audit_.limit, "Entries")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, audit::page_entries_max));
  search->add_option("--cursor", audit_.cursor, "Where a search before ended");
  search->add_option("--format", audit_.format, "table, json or ndjson")
      ->capture_default_str()
      ->check(CLI::IsMember({"table", "json", "ndjson"}));

  auto* verify = add_audit_command(
      *audit, "verify", "Whether a trail, or an export, is what was written; exit code 7 when not",
      "Examples:\n"
      "  mydr24 audit verify --data ./data\n"
      "  mydr24 audit verify --folder /mnt/copy/audit --checkpoints /safe/checkpoints --key audit.pub\n"
      "  mydr24 audit verify --export june.ndjson --key audit.pub",
      run_audit_verify);
  verify->add_option("--checkpoints", audit_.checkpoints, "Signed checkpoints that were kept elsewhere");
  verify->add_option("--key", audit_.key, "Public key, or its file; else the one in the trail's folder");
  verify->add_option("--export", audit_.exported, "A file that `audit export` wrote, in place of the trail");

  auto* exported =
      add_audit_command(*audit, "export", "Entries as NDJSON, oldest first, with a signed trailer",
                        "Examples:\n"
                        "  mydr24 audit export --data ./data --since 2026-06-01 --until 2026-07-01 > june.ndjson\n"
                        "  mydr24 audit export --patient p1 --format fhir --site \"St. Anna\" > p1.ndjson",
                        run_audit_export);
  add_audit_query(exported);
  exported->add_option("--format", audit_.format, "entries, or fhir: AuditEvents")
      ->check(CLI::IsMember({"entries", "fhir"}));
  exported->add_option("--key-file", audit_.key, "Signing key; else the one in the trail's folder");
  exported->add_option("--site", audit_.site, "Who recorded them, in AuditEvents")->capture_default_str();
  exported->add_option("--url", audit_.url, "Base URL of the server, in AuditEvents");

  add_audit_command(*audit, "key", "The public key that signs checkpoints and exports",
                    "Example:\n  mydr24 audit key --data ./data > audit.pub", run_audit_key);

  auto* disclosures = add_audit_command(*audit, "disclosures", "Who got data of a patient, by purpose and recipient",
                                        "Example:\n  mydr24 audit disclosures p1 --data ./data --since 2020-01-01",
                                        run_audit_disclosures);
  disclosures->add_option("patient", audit_.patient, "Id of the patient")->required();
  disclosures->add_option("--since", audit_.since, "At or after");
  disclosures->add_option("--until", audit_.until, "Before");

  add_holds(*audit);
}

}  // namespace mydr24::cli
