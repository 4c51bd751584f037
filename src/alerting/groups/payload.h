#pragma once

// What receivers are sent. Texts for people name the alert and how many there are, nothing else: labels and annotations
// may hold anything, and what leaves by chat, mail or pager must not identify a patient.

#include <string>

#include "alerting/groups/state.h"

namespace mydr24::groups {

// "InstanceDown", the common name of the alerts; "3 alerts" where it differs.
std::string title(const Notice& notice);
// "[FIRING:2] InstanceDown"
std::string headline(const Notice& notice);

// Alertmanager's webhook, version 4.
std::string webhook_body(const Notice& notice, const std::string& external_url);
// PagerDuty Events v2. The dedup_key is the group's hash and its episode: what fires again after its end is a new
// incident, and the end closes the one that was opened.
std::string pagerduty_body(const Notice& notice, const std::string& external_url);
// Slack's incoming webhook.
std::string slack_body(const Notice& notice, const std::string& external_url);
// Plain text, for mail.
std::string mail_text(const Notice& notice, const std::string& external_url);

}  // namespace mydr24::groups
