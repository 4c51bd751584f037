#pragma once

// Notices by mail, over one Mailer for each submission server and user. Private to alerting/groups.

#include <map>
#include <memory>
#include <string>

#include "alerting/groups/state.h"
#include "alerting/notify/mailer.h"

namespace mydr24::groups {

class GroupMail {
 public:
  GroupMail(const Clock& clock, std::string external_url) : clock_(clock), external_url_(std::move(external_url)) {}

  // One mail to each address; the first outcome that is no delivery, else the last. On one thread.
  Task<notify::SendOutcome> send(const Notice& notice);

 private:
  Result<notify::Mailer*> mailer_for(const routing::Integration& way);

  const Clock& clock_;
  const std::string external_url_;
  std::map<std::string, std::unique_ptr<notify::Mailer>> mailers_;
};

// "host:port" as a smarthost is written. Code::invalid.
Result<notify::MailerSettings> mailer_settings(const routing::Integration& way);

}  // namespace mydr24::groups
