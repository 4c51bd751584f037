#include "app/server/notify.h"

#include <fmt/format.h>

#include <fstream>

#include "alerting/notify/mailer.h"
#include "base/net/client.h"

namespace mydr24::server {
namespace {

// Empty path: no secret.
Result<std::string> optional_secret(const std::string& path, const std::string& where) {
  if (path.empty()) return std::string();
  return read_secret(path, where);
}

notify::MailTls mail_tls(std::string_view word) {
  if (word == "implicit") return notify::MailTls::implicit;
  if (word == "opportunistic") return notify::MailTls::opportunistic;
  return word == "none" ? notify::MailTls::none : notify::MailTls::required;
}

notify::TemplateTexts template_texts(const NotifySection& section) {
  return {.sms = section.template_sms,
          .voice = section.template_voice,
          .mail_subject = section.template_mail_subject,
          .mail_text = section.template_mail_text,
          .chat = section.template_chat,
          .pagerduty = section.template_pagerduty};
}

Result<notify::Templates> make_templates(const NotifySection& section) {
  auto templates = notify::parse_templates(template_texts(section));
  if (!templates) return fail(templates.error().code, templates.error().text, "notify." + templates.error().where);
  return templates;
}

Result<> check_url(const std::string& url, std::string_view where) {
  const auto parsed = net::parse_url(url);
  if (!parsed) return fail(Code::invalid, parsed.error().text, std::string(where));
  return {};
}

Result<> check_number(const std::string& number, std::string_view where) {
  if (number.empty()) return {};
  const auto checked = notify::check_address({notify::Kind::sms, number, {}});
  if (!checked) return fail(Code::invalid, checked.error().text, std::string(where));
  return {};
}

Result<std::shared_ptr<notify::Mailer>> make_mailer(const NotifySection& section, const Clock& clock) {
  if (section.smtp_host.empty()) return std::shared_ptr<notify::Mailer>();
  notify::MailerSettings settings{.host = section.smtp_host,
                                  .port = static_cast<std::uint16_t>(section.smtp_port),
                                  .tls = mail_tls(section.smtp_tls),
                                  .ca_file = section.smtp_ca_file,
                                  .user = section.smtp_user,
                                  .time_max = std::chrono::milliseconds(section.time_max_ms)};
  MYDR24_ASSIGN(settings.password, optional_secret(section.smtp_password_file, "notify.smtp_password_file"));
  MYDR24_ASSIGN(auto mailer, notify::Mailer::make(std::move(settings), clock));
  return std::shared_ptr<notify::Mailer>(std::move(mailer));
}

}  // namespace

Result<std::string> read_secret(const std::string& path, const std::string& where) {
  std::ifstream in(path);
  std::string secret;
  if (!in || !std::getline(in, secret) || secret.empty()) {
    return fail(Code::invalid, fmt::format("cannot read a secret from the first line of \"{}\"", path), where);
  }
  return secret;
}

Result<> check_notify(const NotifySection& section) {
  MYDR24_TRY(make_templates(section));
  MYDR24_TRY(check_url(section.twilio_url, "notify.twilio_url"));
  MYDR24_TRY(check_url(section.slack_url, "notify.slack_url"));
  MYDR24_TRY(check_url(section.pagerduty_url, "notify.pagerduty_url"));
  if (!section.link_base.empty()) MYDR24_TRY(check_url(section.link_base, "notify.link_base"));
  if (section.link_base.ends_with('/'))
    return fail(Code::invalid, "write it without the '/' at its end", "notify.link_base");
  MYDR24_TRY(check_number(section.twilio_from, "notify.twilio_from"));
  MYDR24_TRY(check_number(section.twilio_voice_from, "notify.twilio_voice_from"));
  if (!section.smtp_host.empty() && section.smtp_from.empty())
    return fail(Code::invalid, "mail needs a sender: set it together with smtp_host", "notify.smtp_from");
  return {};
}

Result<net::Reach> call_reach(const ServerSection& server, const AccessSection& access) {
  const bool by_access = server.call_networks == "auto";
  auto reach = net::Reach::parse(!by_access ? std::string_view(server.call_networks)
                                            : std::string_view(access.mode == "on" ? "public" : "any"));
  if (!reach) return fail(Code::invalid, reach.error().text, "server.call_networks");
  return reach;
}

Result<std::unique_ptr<Notify>> make_notify(const Settings& settings, store::Store& store, const Clock& clock) {
  const auto& section = settings.notify;
  MYDR24_TRY(check_notify(section));
  MYDR24_ASSIGN(std::string key,
                section.ack_key_file.empty() ? notify::ack_key(store) : notify::ack_key(section.ack_key_file));
  auto made = std::make_unique<Notify>();
  made->tokens = std::make_unique<notify::AckTokens>(key);
  made->addresses = std::make_unique<notify::AddressBook>(store, std::move(key));
  notify::Providers& to = made->providers;
  to.addresses = made->addresses.get();
  to.tokens = made->tokens.get();
  to.token_valid = std::chrono::minutes(section.ack_valid_min);
  MYDR24_ASSIGN(to.mailer, make_mailer(section, clock));
  to.mail_from = section.smtp_from;
  to.twilio = {.base_url = section.twilio_url,
               .account = section.twilio_account,
               .sms_from = section.twilio_from,
               .voice_from = section.twilio_voice_from};
  MYDR24_ASSIGN(to.twilio.token, optional_secret(section.twilio_token_file, "notify.twilio_token_file"));
  to.slack.base_url = section.slack_url;
  MYDR24_ASSIGN(to.slack.token, optional_secret(section.slack_token_file, "notify.slack_token_file"));
  MYDR24_ASSIGN(to.slack.signing_secret,
                optional_secret(section.slack_signing_secret_file, "notify.slack_signing_secret_file"));
  to.pagerduty.base_url = section.pagerduty_url;
  MYDR24_ASSIGN(to.pagerduty.webhook_secret,
                optional_secret(section.pagerduty_webhook_secret_file, "notify.pagerduty_webhook_secret_file"));
  MYDR24_ASSIGN(to.reach, call_reach(settings.server, settings.access));
  for (const auto& contact : settings.alerting.contacts) to.trusted_targets.push_back(contact.webhook_url);
  to.link_base = section.link_base;
  to.site = section.site;
  to.time_max = std::chrono::milliseconds(section.time_max_ms);
  MYDR24_ASSIGN(to.templates, make_templates(section));
  return made;
}

}  // namespace mydr24::server
