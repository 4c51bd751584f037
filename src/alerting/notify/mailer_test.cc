// Mail over a real connection to a mail server in this process.

#include "alerting/notify/mailer.h"

#include <gtest/gtest.h>

#include <thread>

#include "alerting/notify/ack_token.h"
#include "alerting/notify/detail/mail_format.h"
#include "alerting/notify/detail/test_channel.h"
#include "alerting/notify/detail/test_smtp.h"
#include "alerting/notify/providers.h"
#include "base/async/when_all.h"
#include "base/net/detail/test_certificate.h"

namespace mydr24::notify {
namespace {

using namespace std::chrono_literals;

Mail mail() {
  return {.from = "St Mary <alerts@hospital.example>",
          .to = "nurse@hospital.example",
          .subject = "[EMERGENCY] Early warning score: high",
          .text = "Line one\n.hidden dot\nünï = 1 ",
          .html = "<p>Hello</p>",
          .message_id = "d1.1@hospital.example",
          .references = {"a1@hospital.example"},
          .urgent = true};
}

SendOutcome deliver(Mailer& mailer, Mail what) {
  asio::io_context context;
  SendOutcome outcome;
  asio::co_spawn(context, [&]() -> Task<> { outcome = co_await mailer.send(std::move(what)); }, asio::detached);
  context.run();
  return outcome;
}

std::unique_ptr<Mailer> plain(const SmtpPeer& peer, const Clock& clock, std::chrono::milliseconds time_max = 5s) {
  return *Mailer::make(
      {.host = "127.0.0.1", .port = peer.port(), .tls = MailTls::none, .hello = "desk", .time_max = time_max}, clock);
}

const ManualClock clock_{eight_o_clock};

TEST(MailText, HasTheHeadersOfAThread) {
  const std::string text = mail_text(mail(), eight_o_clock, "B");
  EXPECT_TRUE(
      text.starts_with("Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
                       "From: \"St Mary\" <alerts@hospital.example>\r\n"
                       "To: nurse@hospital.example\r\n"
                       "Subject: [EMERGENCY] Early warning score: high\r\n"
                       "Message-ID: <d1.1@hospital.example>\r\n"
                       "In-Reply-To: <a1@hospital.example>\r\n"
                       "References: <a1@hospital.example>\r\n"
                       "Importance: high\r\nX-Priority: 1\r\n"
                       "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                       "Content-Type: multipart/alternative; boundary=\"B\"\r\n\r\n--B\r\n"))
      << text;
  EXPECT_TRUE(text.ends_with("<p>Hello</p>\r\n--B--\r\n"));
}

TEST(MailText, NoValueBringsAHeaderAlong) {
  Mail hostile = mail();
  hostile.subject = "a\r\nBcc: x@y.org";
  hostile.from = "Eve\r\nBcc: x@y.org <a@b.org\r\nBcc: x@y.org>";
  hostile.to = "n@b.org\r\nBcc: x@y.org";
  hostile.message_id = "x>\r\nBcc: x@y.org";
  hostile.references = {"y\r\nBcc: x@y.org"};
  EXPECT_EQ(mail_text(hostile, eight_o_clock, "B").find("\nBcc:"), std::string::npos);
}

TEST(MailText, HeadersThatAreNotAsciiAreEncodedInWordsOfWholeCharacters) {
  EXPECT_EQ(header_text("plain"), "plain");
  EXPECT_EQ(header_text("Zoë"), "=?UTF-8?B?Wm/Dqw==?=");
  std::string many;
  for (int i = 0; i < 40; ++i) many += "€";
  const std::string encoded = header_text(many);
  EXPECT_EQ(encoded,
            "=?UTF-8?B?4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs?=\r\n "
            "=?UTF-8?B?4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs?=\r\n "
            "=?UTF-8?B?4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs?=");
}

TEST(MailText, QuotedPrintableLinesAreShort) {
  EXPECT_EQ(quoted_printable("a = ü\nend \n"), "a =3D =C3=BC\r\nend=20\r\n");
  const std::string long_line = quoted_printable(std::string(200, 'x'));
  EXPECT_EQ(long_line, std::string(75, 'x') + "=\r\n" + std::string(75, 'x') + "=\r\n" + std::string(50, 'x') + "\r\n");
  EXPECT_EQ(bare_address("A <b@c>"), "b@c");
  EXPECT_EQ(domain_of("A <b@c.org>"), "c.org");
  EXPECT_EQ(domain_of("x"), "localhost");
}

TEST(Mailer, DeliversWholeAndDotted) {
  const SmtpPeer peer;
  const auto mailer = plain(peer, clock_);
  const SendOutcome outcome = deliver(*mailer, mail());
  EXPECT_EQ(outcome.status, SendStatus::delivered) << outcome.text;
  const auto mails = peer.mails();
  ASSERT_EQ(mails.size(), 1U);
  EXPECT_EQ(mails[0].from, "<alerts@hospital.example>");
  EXPECT_EQ(mails[0].to, (std::vector<std::string>{"<nurse@hospital.example>"}));
  EXPECT_NE(mails[0].text.find("\r\n.hidden dot\r\n=C3=BCn=C3=AF =3D 1=20\r\n"), std::string::npos) << mails[0].text;
  EXPECT_FALSE(mails[0].secure);
}

TEST(Mailer, ManyAtOnceAllArrive) {
  const SmtpPeer peer;
  const auto mailer = plain(peer, clock_);
  asio::io_context context;
  std::size_t delivered = 0;
  for (int i = 0; i < 100; ++i)
    asio::co_spawn(
        context,
        [&]() -> Task<> {
          const SendOutcome outcome = co_await mailer->send(mail());
          if (outcome.status == SendStatus::delivered) ++delivered;
        },
        asio::detached);
  context.run();
  EXPECT_EQ(delivered, 100U);
  EXPECT_EQ(peer.mails().size(), 100U);
}

TEST(Mailer, ARefusalForGoodIsRefusedAndOneForNowIsFailed) {
  struct Row {
    SmtpBehaviour behaviour;
    SendStatus expected;
  };
  for (const Row& row : {Row{{.recipient_says = "550 no such user"}, SendStatus::refused},
                         Row{{.recipient_says = "450 mailbox busy"}, SendStatus::failed},
                         Row{{.data_says = "554 not wanted"}, SendStatus::refused},
                         Row{{.data_says = "451 try later"}, SendStatus::failed}}) {
    const SmtpPeer peer(row.behaviour);
    const SendOutcome outcome = deliver(*plain(peer, clock_), mail());
    EXPECT_EQ(outcome.status, row.expected) << row.behaviour.recipient_says << row.behaviour.data_says;
    EXPECT_NE(outcome.text, "");
  }
}

TEST(Mailer, GoesThroughStartTlsAndLogsIn) {
  const net::TestCertificate certificate;
  const net::TlsSettings files = certificate.settings();
  const SmtpPeer peer({.certificate = files.certificate_file, .key = files.key_file, .login = "AHVzZXIAcGFzcw=="});
  MailerSettings settings{.host = "localhost",
                          .port = peer.port(),
                          .tls = MailTls::required,
                          .ca_file = files.certificate_file,
                          .user = "user",
                          .password = "pass",
                          .hello = "desk"};
  const SendOutcome outcome = deliver(**Mailer::make(settings, clock_), mail());
  ASSERT_EQ(outcome.status, SendStatus::delivered) << outcome.text;
  EXPECT_TRUE(peer.mails().at(0).secure);
  EXPECT_TRUE(peer.mails().at(0).logged_in);
  settings.password = "wrong";
  EXPECT_EQ(deliver(**Mailer::make(settings, clock_), mail()).status, SendStatus::refused);
  settings.password = "pass";
  settings.ca_file.clear();
  EXPECT_EQ(deliver(**Mailer::make(settings, clock_), mail()).status, SendStatus::failed) << "an unknown certificate";
  EXPECT_EQ(peer.mails().size(), 1U);
}

TEST(Mailer, WithoutTheTlsThatIsRequiredNoMailIsSent) {
  const SmtpPeer peer;
  const SendOutcome outcome =
      deliver(**Mailer::make({.host = "127.0.0.1", .port = peer.port(), .hello = "desk"}, clock_), mail());
  EXPECT_EQ(outcome.status, SendStatus::failed);
  EXPECT_TRUE(peer.mails().empty());
}

TEST(Mailer, AServerThatHangsOrIsNotThereFailsInTime) {
  const SmtpPeer peer({.hangs = true});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(deliver(*plain(peer, clock_, 300ms), mail()).status, SendStatus::failed);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
  EXPECT_EQ(deliver(**Mailer::make({.host = "127.0.0.1", .port = 1, .tls = MailTls::none}, clock_), mail()).status,
            SendStatus::failed);
  EXPECT_EQ(Mailer::make({}, clock_).error().code, Code::invalid);
}

TEST(Mailer, EndsWhatIsUnderWayWhenItGoes) {
  const SmtpPeer peer({.hangs = true});
  auto mailer = plain(peer, clock_, 60s);
  asio::io_context context;
  std::optional<SendOutcome> outcome;
  asio::co_spawn(context, [&]() -> Task<> { outcome = co_await mailer->send(mail()); }, asio::detached);
  context.poll();
  for (int i = 0; i < 500 && peer.connections() == 0; ++i) std::this_thread::sleep_for(2ms);
  const auto begin = std::chrono::steady_clock::now();
  mailer.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  context.restart();
  context.run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->status, SendStatus::failed);
}

TEST(MailChannel, WritesOneThreadAnAlert) {
  const SmtpPeer peer;
  Providers providers;
  providers.mailer = plain(peer, clock_);
  providers.mail_from = "St Mary <alerts@hospital.example>";
  providers.link_base = "https://desk.example.org";
  const AckTokens tokens("0123456789abcdef");
  providers.tokens = &tokens;
  asio::io_context context;
  ConsoleHub hub(clock_);
  auto channel = make_channel(context, {Kind::email, "nurse@hospital.example", {}}, providers, hub, clock_);
  ASSERT_TRUE(channel) << channel.error().text;
  EXPECT_EQ((*channel)->medium(), "email");
  EXPECT_EQ(send(**channel, message()).status, SendStatus::delivered);
  const std::string text = peer.mails().at(0).text;
  EXPECT_NE(text.find("Message-ID: <a1-r00000-c00.1@hospital.example>\r\n"), std::string::npos) << text;
  EXPECT_NE(text.find("References: <a1@hospital.example>\r\n"), std::string::npos);
  EXPECT_NE(text.find("Subject: [EMERGENCY] Early warning score: high\r\n"), std::string::npos);
  EXPECT_NE(text.find("https://desk.example.org/ack/"), std::string::npos);
  EXPECT_EQ(text.find("Patient"), std::string::npos);
  EXPECT_EQ(text.find("NEWS2"), std::string::npos);
}

}  // namespace
}  // namespace mydr24::notify
