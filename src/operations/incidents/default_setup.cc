// The setup of a fresh installation.
// Source of severities, times and the first three rules: the operations plan. Its rule "keyword:security" alone would call
// everybody for "security patch applied": here it does not count where only planned work is spoken of.

#include "operations/incidents/setup.h"

namespace mydr24::incidents {

std::string_view Setup::default_text() {
  return R"json({
  "format": "mydr24.incident-setup.v1",
  "zone": "UTC",
  "default_severity": "high",
  "privacy_officer": "Privacy Officer",
  "severities": [
    {"severity": "emergency", "description": "Life-threatening system failure",
     "examples": ["Emergency response system down", "Patient data corruption affecting active care",
                  "Complete system outage during medical emergency", "Security breach exposing patient data"],
     "response_s": 180, "resolution_s": 3600, "escalation_required": true, "escalation_timeout_s": 300,
     "external_notification": true, "team": "operations emergency", "policy": "operations-emergency", "review_days": 3},
    {"severity": "critical", "description": "Major service disruption affecting patient care",
     "examples": ["Primary database failure with failover issues", "Authentication system preventing provider access",
                  "FHIR API completely unavailable", "Backup system failure"],
     "response_s": 900, "resolution_s": 14400, "escalation_required": true, "escalation_timeout_s": 1800,
     "external_notification": false, "team": "operations critical", "policy": "operations-critical",
     "review_business_days": 5},
    {"severity": "high", "description": "Significant service degradation",
     "examples": ["Slow response times affecting user experience", "Partial feature unavailability",
                  "Non-critical API errors", "Monitoring system issues"],
     "response_s": 3600, "resolution_s": 28800, "escalation_required": false, "external_notification": false,
     "team": "operations fallback", "policy": "operations-high"},
    {"severity": "medium", "description": "Limited impact: one function or one ward, and there is another way",
     "examples": ["A report fails", "One printer queue stands still"],
     "response_s": 14400, "resolution_s": 86400, "escalation_required": false, "external_notification": false,
     "team": "operations fallback", "policy": "operations-high"},
    {"severity": "low", "description": "Minor issue without effect on care",
     "examples": ["A misspelt text", "A question about a setting"],
     "response_s": 86400, "resolution_s": 432000, "escalation_required": false, "external_notification": false,
     "team": "operations fallback", "policy": "operations-high"}
  ],
  "rules": [
    {"name": "Emergency Response Failure", "condition": "keyword:emergency AND status:down", "severity": "emergency",
     "vectors": [
       {"title": "emergency gateway", "status": "down", "matches": true},
       {"title": "emergency gateway", "status": "up", "matches": false},
       {"title": "print server", "status": "down", "matches": false}]},
    {"name": "Database Failure", "condition": "keyword:database AND status:down", "severity": "critical",
     "vectors": [
       {"title": "database replica", "status": "down", "matches": true},
       {"title": "database replica is slow", "status": "degraded", "matches": false}]},
    {"name": "Security Incident", "severity": "emergency", "breach": true,
     "condition": "keyword:breach OR keyword:unauthorized OR (keyword:security AND NOT (keyword:patch OR keyword:update OR keyword:training))",
     "vectors": [
       {"title": "unauthorized access", "matches": true},
       {"title": "security breach at the gateway", "matches": true},
       {"title": "security alarm in the data centre", "matches": true},
       {"title": "breach found while applying a security patch", "matches": true},
       {"title": "security patch applied", "matches": false},
       {"title": "security training on Tuesday", "matches": false}]}
  ],
  "vectors": [
    {"title": "emergency database", "status": "down", "severity": "emergency"},
    {"title": "the login page is slow", "severity": "high"}
  ],
  "alerts": [
    {"source": "vitals", "severity": "emergency", "as": "emergency", "service": "clinical care"},
    {"source": "monitor", "severity": "emergency", "as": "emergency", "own": true},
    {"source": "monitor", "severity": "urgent", "as": "high", "own": true},
    {"source": "*", "severity": "emergency", "as": "emergency"}
  ],
  "services": [
    {"name": "clinical care", "title": "Clinical care"},
    {"name": "database", "title": "Database"},
    {"name": "records", "title": "Patient records", "depends_on": ["database"], "public": true},
    {"name": "login", "title": "Login", "depends_on": ["database"], "public": true},
    {"name": "clinical alarms", "title": "Clinical alarms", "depends_on": ["database"], "public": true},
    {"name": "notifications", "title": "Calls and messages", "depends_on": ["database"], "public": true},
    {"name": "emergency", "title": "The way of an emergency", "depends_on": ["database", "notifications"]},
    {"name": "portal", "title": "Page and interface", "depends_on": ["database"]},
    {"name": "audit", "title": "Audit trail"},
    {"name": "backup", "title": "Backups"}
  ],
  "runbooks": [
    {"name": "Database is down", "service": "database",
     "steps": ["Look at GET /readyz and the log: is the disk full, is the file system read-only?",
               "Make room or bring the volume back; writes that were refused are answered again by their senders",
               "mydr24 store verify", "Tell the wards that records can be written again"]},
    {"name": "An emergency begins", "severity": "emergency",
     "steps": ["Take command: mydr24 incident role ID commander NAME",
               "Name who speaks to wards and leadership (communications) and who writes (scribe)",
               "Wards affected work by their downtime cards until told otherwise",
               "Say every 15 minutes what is known: mydr24 incident note ID TEXT"]}
  ]
})json";
}

}  // namespace mydr24::incidents
