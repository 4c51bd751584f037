#include "app/server/processing_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::server {
namespace {

class Record {
 public:
  Record(const Settings& settings, const access::Policy& policy) : settings_(settings), policy_(policy), out_(text_) {}

  std::string write(std::span<const identity::Client> clients, Instant now) {
    out_.begin_object().field("at", format_instant(now));
    said("controller", settings_.rights.controller);
    said("officer", settings_.rights.officer);
    said("legal_basis", settings_.rights.legal_basis);
    purposes();
    list("subjects", {"patients", "relatives and contacts of patients", "staff who use the system"});
    categories();
    recipients(clients);
    said("transfers", settings_.rights.transfers.empty() ? "none" : settings_.rights.transfers);
    retention();
    measures();
    out_.end_object();
    return std::move(text_);
  }

 private:
  void said(std::string_view name, const std::string& text) {
    if (text.empty()) {
      out_.key(name).null();
    } else {
      out_.field(name, text);
    }
  }
  void list(std::string_view name, const std::vector<std::string>& texts) {
    out_.key(name).begin_array();
    for (const auto& text : texts) out_.string(text);
    out_.end_array();
  }

  // What the roles of the policy are for.
  void purposes() {
    std::map<std::string, std::vector<const access::Role*>> by_purpose;
    for (const auto& role : policy_.roles) by_purpose[role.purpose].push_back(&role);
    out_.key("purposes").begin_array();
    for (const auto& [purpose, roles] : by_purpose) {
      out_.begin_object().field("purpose", purpose).key("roles").begin_array();
      for (const auto* role : roles)
        out_.begin_object().field("name", role->name).field("text", role->text).end_object();
      out_.end_array().end_object();
    }
    out_.end_array();
  }

  // What somebody may write or read: resource types by the policy, and what is kept of staff.
  void categories() {
    std::set<std::string> types;
    for (const auto& role : policy_.roles)
      for (const auto& grant : role.fhir) types.insert(grant.types.begin(), grant.types.end());
    out_.key("categories").begin_array();
    if (types.contains("*")) {
      out_.string("health records: every FHIR R4 resource type");
    } else {
      for (const auto& type : types) out_.string(fmt::format("health records: {}", type));
    }
    out_.string("accounts, sessions and on-call plans of staff");
    out_.string("the audit trail: who did what to whose record");
    out_.end_array();
  }

  void recipient(std::string_view kind, std::string_view name, std::string_view gets) {
    out_.begin_object().field("kind", kind).field("name", name).field("gets", gets).end_object();
  }

  void recipients(std::span<const identity::Client> clients) {
    constexpr std::string_view alerts = "alerts, by its template without what identifies a patient";
    out_.key("recipients").begin_array();
    for (const auto& client : clients)
      recipient("application", client.name.empty() ? client.id : client.name,
                client.scopes.empty() ? "what its users may" : client.scopes);
    const auto& notify = settings_.notify;
    if (!notify.smtp_host.empty()) recipient("mail server", notify.smtp_host, alerts);
    if (!notify.twilio_account.empty()) recipient("SMS and voice provider", notify.twilio_url, alerts);
    if (!notify.slack_token_file.empty()) recipient("chat provider", notify.slack_url, alerts);
    if (!notify.pagerduty_webhook_secret_file.empty()) recipient("paging provider", notify.pagerduty_url, alerts);
    for (const auto& contact : settings_.alerting.contacts)
      if (!contact.webhook_url.empty()) recipient("webhook", contact.name, "alerts");
    if (!settings_.access.oidc_issuer.empty())
      recipient("OpenID provider", settings_.access.oidc_issuer, "nothing; says who logs in");
    if (!settings_.vitals.mqtt_host.empty())
      recipient("MQTT broker", settings_.vitals.mqtt_host, "nothing; sends vital signs");
    out_.end_array();
  }

  void kept(std::string_view what, std::string_view time) {
    out_.begin_object().field("what", what).field("time", time).end_object();
  }

  void retention() {
    const auto days = [](std::int64_t count) {
      return count == 0 ? std::string("until it is erased") : fmt::format("{} days", count);
    };
    const auto& rights = settings_.rights;
    out_.key("retention").begin_array();
    kept("clinical records",
         rights.retention_years == 0
             ? std::string("until their erasure is asked for")
             : fmt::format("{} years at least; then until their erasure is asked for", rights.retention_years));
    kept(rights.not_retained, "until their erasure is asked for");
    kept("audit trail", days(settings_.audit.retention_days) + ", longer under a legal hold");
    kept("alerts", days(settings_.alerting.clear_days));
    out_.end_array();
  }

  void measures() {
    std::vector<std::string> measures;
    const auto& access = settings_.access;
    measures.emplace_back(settings_.server.tls_certificate_file.empty() ? "transport encryption: none by this server"
                                                                        : "transport encryption: TLS 1.2 or later");
    if (access.mode == "on") {
      measures.push_back(fmt::format("access control by role, patient and purpose: {} roles", policy_.roles.size()));
      measures.push_back(fmt::format("sessions end after {} minutes without a request", access.idle_min));
      if (!access.totp_roles.empty()) measures.push_back(fmt::format("one-time codes for: {}", access.totp_roles));
      measures.emplace_back("audit trail of every access and refusal, chained and signed");
    } else {
      measures.emplace_back("access control: none");
    }
    measures.emplace_back(access.key_file.empty() ? "secrets of accounts are kept as they are"
                                                  : "secrets of accounts are sealed with a key outside of the store");
    measures.emplace_back("every version of a record is kept and can be restored");
    list("measures", measures);
  }

  const Settings& settings_;
  const access::Policy& policy_;
  std::string text_;
  json::Writer out_;
};

}  // namespace

std::string processing_record(const Settings& settings, const access::Policy& policy,
                              std::span<const identity::Client> clients, Instant now) {
  return Record(settings, policy).write(clients, now);
}

}  // namespace mydr24::server
