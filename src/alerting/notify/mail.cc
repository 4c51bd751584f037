// Mail. All mails about one alert stand in one thread: they refer to an id made from the alert's.

#include <fmt/format.h>

#include "alerting/notify/detail/call.h"
#include "alerting/notify/detail/mail_format.h"
#include "alerting/notify/mailer.h"
#include "base/core/id.h"
#include "base/core/markup.h"

namespace mydr24::notify {
namespace {

constexpr std::size_t subject_characters_max = 150;
constexpr std::size_t text_characters_max = 4000;

// The text as a page, a line a paragraph, and the link as a button.
std::string html_of(std::string_view text, std::string_view link) {
  std::string out = "<!doctype html><html><body style=\"font-family:sans-serif\">\n";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    // The link has a button of its own.
    if (line.empty() || (!link.empty() && line.contains(link))) continue;
    out += fmt::format("<p>{}</p>\n", escape_markup(line));
  }
  if (!link.empty())
    out += fmt::format(
        "<p><a href=\"{}\" style=\"background:#c00000;color:#fff;padding:10px "
        "18px;text-decoration:none\">Acknowledge</a>"
        "</p>\n",
        escape_markup(link));
  return out + "</body></html>\n";
}

class MailChannel : public Channel {
 public:
  explicit MailChannel(ChannelParts parts) : parts_(std::move(parts)) {}
  std::string_view medium() const override { return "email"; }

  Task<SendOutcome> send(Message message) override {
    if (message.purpose == Purpose::acknowledged || message.purpose == Purpose::resolved)
      co_return SendOutcome{SendStatus::delivered, 0, {}};
    co_return co_await parts_.providers.mailer->send(mail_of(message));
  }

 private:
  Mail mail_of(const Message& message) const {
    const Providers& providers = parts_.providers;
    Mail mail{.from = providers.mail_from, .to = parts_.address.target};
    const std::string domain = domain_of(providers.mail_from);
    if (message.purpose == Purpose::verification) {
      mail.subject = fmt::format("{}: is this address yours?", providers.site);
      mail.text = notice_of(message, providers);
      mail.message_id = fmt::format("verification.{}@{}", make_secret(), domain);
      return mail;
    }
    if (message.purpose == Purpose::notice) {
      mail.text = notice_of(message, providers);
      mail.subject = std::string(cut_characters(mail.text, subject_characters_max));
      mail.message_id = fmt::format("{}@{}", message.delivery_id, domain);
      return mail;
    }
    const Fields fields = fields_of(message, providers);
    mail.subject = providers.templates.mail_subject.render(fields, subject_characters_max, characters);
    mail.text = providers.templates.mail_text.render(fields, text_characters_max, characters);
    mail.html = html_of(mail.text, fields.link);
    mail.message_id = fmt::format("{}.{}@{}", message.delivery_id, message.attempt, domain);
    mail.references = {fmt::format("{}@{}", message.alert_id, domain)};
    mail.urgent = message.severity == "emergency";
    return mail;
  }

  const ChannelParts parts_;
};

}  // namespace

Result<std::unique_ptr<Channel>> make_mail(ChannelParts parts) {
  if (!parts.providers.mailer || parts.providers.mail_from.empty())
    return fail(Code::invalid, "there is no mail server: set notify.smtp_host and notify.smtp_from");
  return std::make_unique<MailChannel>(std::move(parts));
}

}  // namespace mydr24::notify
