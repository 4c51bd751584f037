// The plan of an operations desk: emergency, critical and high teams with a fallback for what has no team of its own,
// their escalation times (300 s and 1800 s) and their backups. Clinical alerts go their own way ("default").

#include <fmt/format.h>

#include "alerting/oncall/settings.h"
#include "base/json/writer.h"

namespace mydr24::oncall {
namespace {

struct Member {
  std::string_view name, role, availability, backup;
};

// Source: the response teams of the operations plan; the people named there as backups and leads are people here.
constexpr Member members[] = {
    {"Emergency Operations Manager", "Team lead, emergency", "always", "Operations Executive"},
    {"Database Emergency Specialist", "Database recovery", "always", "Database Manager"},
    {"Application Emergency Specialist", "Application recovery", "always", "Application Manager"},
    {"Healthcare Operations Director", "Clinical coordination", "business_hours", "Medical Director"},
    {"Database Manager", "Backup", "always", ""},
    {"Application Manager", "Backup", "always", ""},
    {"Medical Director", "Backup", "always", ""},
    {"Operations Executive", "Executive", "always", ""},
    {"Critical Operations Manager", "Team lead, critical", "always", "Emergency Operations Manager"},
    {"Senior Database Administrator", "Database operations", "on_call", "Database Team Lead"},
    {"Senior Application Engineer", "Application troubleshooting", "on_call", "Engineering Manager"},
    {"Infrastructure Specialist", "Infrastructure management", "on_call", "Infrastructure Manager"},
    {"Database Team Lead", "Backup", "always", ""},
    {"Engineering Manager", "Backup", "always", ""},
    {"Infrastructure Manager", "Backup", "always", ""},
};

std::string list(std::initializer_list<std::string_view> items) {
  std::string out;
  json::Writer writer(out);
  writer.begin_array();
  for (const std::string_view item : items) writer.string(item);
  writer.end_array();
  return out;
}

std::string team(std::string_view name, std::string_view lead, const std::string& people, int timeout_s,
                 const std::string& expertise) {
  return fmt::format(R"({{"name":"{}","lead":"{}","members":{},"escalation_timeout_s":{},"expertise":{}}})", name, lead,
                     people, timeout_s, expertise);
}

}  // namespace

Documents operations_desk() {
  Documents plan;
  for (const Member& member : members) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().field("name", member.name).field("role", member.role);
    writer.field("availability", member.availability);
    if (!member.backup.empty()) writer.field("backup", member.backup);
    writer.key("methods").raw(R"([{"kind":"console"}])").end_object();
    plan[fmt::format("contact/{}", member.name)] = std::move(out);
  }
  plan["team/operations emergency"] = team(
      "operations emergency", "Emergency Operations Manager",
      list({"Database Emergency Specialist", "Application Emergency Specialist", "Healthcare Operations Director"}),
      300, list({"EmergencyResponse", "PatientDataRecovery", "DatabaseSystems", "ApplicationServices"}));
  plan["team/operations critical"] =
      team("operations critical", "Critical Operations Manager",
           list({"Senior Database Administrator", "Senior Application Engineer", "Infrastructure Specialist"}), 1800,
           list({"DatabaseSystems", "ApplicationServices", "NetworkInfrastructure", "ComplianceIssues"}));
  // High, medium and low had no team: those who answer first for critical ones, then their lead.
  plan["team/operations fallback"] = team("operations fallback", "Critical Operations Manager",
                                          list({"Database Team Lead", "Engineering Manager", "Infrastructure Manager"}),
                                          3600, list({"ApplicationServices", "ProviderSupport"}));
  // At once the whole team, +15 s the backups, +30 s the lead, +60 s the lead and an executive, again and again.
  plan["policy/operations-emergency"] = R"({"name":"operations-emergency","people_min":2,"steps":[
    {"targets":["team:operations emergency"],"delay_s":15},
    {"targets":["contact:Database Manager","contact:Application Manager","contact:Medical Director"],"delay_s":15},
    {"targets":["contact:Emergency Operations Manager","contact:Operations Executive"],"delay_s":30},
    {"targets":["contact:Emergency Operations Manager","contact:Operations Executive","contact:Medical Director"],"delay_s":60}]})";
  plan["policy/operations-critical"] = R"({"name":"operations-critical","people_min":2,"steps":[
    {"targets":["team:operations critical"],"delay_s":900},
    {"targets":["contact:Critical Operations Manager","team:operations fallback"],"delay_s":900},
    {"targets":["contact:Emergency Operations Manager","contact:Operations Executive"],"delay_s":900}]})";
  plan["policy/operations-high"] = R"({"name":"operations-high","steps":[
    {"targets":["team:operations fallback"],"delay_s":3600},
    {"targets":["contact:Critical Operations Manager"],"delay_s":3600}]})";
  return plan;
}

}  // namespace mydr24::oncall
