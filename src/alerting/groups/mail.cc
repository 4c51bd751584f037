#include <fmt/format.h>

#include <charconv>

#include "alerting/groups/detail/mail.h"
#include "alerting/groups/payload.h"

namespace mydr24::groups {
namespace {

std::vector<std::string> addresses(std::string_view list) {
  std::vector<std::string> all;
  while (!list.empty()) {
    const auto comma = list.find(',');
    std::string_view one = list.substr(0, comma);
    list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (!one.empty()) all.emplace_back(one);
  }
  return all;
}

}  // namespace

Result<notify::MailerSettings> mailer_settings(const routing::Integration& way) {
  notify::MailerSettings settings;
  const auto colon = way.smarthost.rfind(':');
  const std::string_view port = colon == std::string::npos ? "" : std::string_view(way.smarthost).substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), settings.port);
  if (port.empty() || error != std::errc() || end != port.data() + port.size())
    return fail(Code::invalid, fmt::format("\"{}\" is no smarthost; write host:port", way.smarthost));
  settings.host = way.smarthost.substr(0, colon);
  settings.user = way.user;
  settings.password = way.secret;
  if (settings.port == 465)
    settings.tls = notify::MailTls::implicit;
  else
    settings.tls = way.require_tls ? notify::MailTls::required : notify::MailTls::opportunistic;
  return settings;
}

Result<notify::Mailer*> GroupMail::mailer_for(const routing::Integration& way) {
  auto& mailer = mailers_[fmt::format("{} {} {}", way.smarthost, way.user, way.require_tls)];
  if (!mailer) {
    MYDR24_ASSIGN(notify::MailerSettings settings, mailer_settings(way));
    MYDR24_ASSIGN(mailer, notify::Mailer::make(std::move(settings), clock_));
  }
  return mailer.get();
}

Task<notify::SendOutcome> GroupMail::send(const Notice& notice, std::set<std::string>& told) {
  const auto mailer = mailer_for(*notice.integration);
  if (!mailer) co_return notify::SendOutcome{notify::SendStatus::refused, 0, mailer.error().text};
  std::string problems;
  bool again = false;
  for (const std::string& address : addresses(notice.integration->to)) {
    if (told.contains(address)) continue;
    notify::Mail mail{.from = notice.integration->from,
                      .to = address,
                      .subject = headline(notice),
                      .text = mail_text(notice, external_url_),
                      .urgent = notice.severity != routing::Severity::advisory};
    // The mails of one group stand together.
    mail.references.push_back(fmt::format("{}@mydr24", notice.group_hash));
    const auto outcome = co_await (*mailer)->send(std::move(mail));
    if (outcome.status == notify::SendStatus::delivered) {
      told.insert(address);
      continue;
    }
    again = again || outcome.status != notify::SendStatus::refused;
    problems += fmt::format("{}{}: {}", problems.empty() ? "" : "; ", address, outcome.text);
  }
  if (again) co_return notify::SendOutcome{notify::SendStatus::failed, 0, problems};
  if (!told.empty()) co_return notify::SendOutcome{notify::SendStatus::delivered, 0, problems};
  co_return notify::SendOutcome{notify::SendStatus::refused, 0, problems.empty() ? "there is no address" : problems};
}

}  // namespace mydr24::groups
