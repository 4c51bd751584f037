#pragma once

// Notices by mail, over one Mailer for each submission server and user. Private to alerting/groups.

#include <map>
#include <memory>
#include <set>
#include <string>

#include "alerting/groups/state.h"
#include "alerting/notify/mailer.h"

namespace mydr24::groups {

class GroupMail {
 public:
  GroupMail(const Clock& clock, std::string external_url) : clock_(clock), external_url_(std::move(external_url)) {}

  // One mail to each address that is not in `told`, to which who was reached is added: an address that fails keeps the
  // others from nothing, and another attempt does not write twice to them. Failed while an address is left that may yet
  // be reached; delivered, with the refused ones in its text, when somebody was; refused otherwise. On one thread.
  Task<notify::SendOutcome> send(const Notice& notice, std::set<std::string>& told);

 private:
  Result<notify::Mailer*> mailer_for(const routing::Integration& way);

  const Clock& clock_;
  const std::string external_url_;
  std::map<std::string, std::unique_ptr<notify::Mailer>> mailers_;
};

// "host:port" as a smarthost is written. Code::invalid.
Result<notify::MailerSettings> mailer_settings(const routing::Integration& way);

}  // namespace mydr24::groups
