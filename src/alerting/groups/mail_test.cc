// Notices of groups by mail, over a real connection to a mail server in this process.

#include "alerting/groups/detail/mail.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "alerting/notify/detail/test_smtp.h"
#include "alerting/routing/config.h"

namespace mydr24::groups {
namespace {

class GroupMailTest : public testing::Test {
 protected:
  // One alert is known, and its receiver is mailed at these addresses.
  void start(const notify::SmtpBehaviour& behaviour, std::string_view to) {
    peer_ = std::make_unique<notify::SmtpPeer>(behaviour);
    const auto yaml = fmt::format(R"(
route: {{receiver: desk, group_wait: 0s}}
receivers: [{{name: desk, email_configs: [{{to: '{}', from: 'alerts@hospital.example', smarthost: '127.0.0.1:{}', require_tls: false}}]}}]
)",
                                  to, peer_->port());
    const auto config = routing::load_config(yaml);
    ASSERT_TRUE(config) << config.error().text;
    State state(*config);
    Alert alert;
    alert.labels = Labels({{"alertname", "DiskFull"}, {"severity", "urgent"}, {"patient", "Ann Other"}});
    alert.starts_at = clock_.now();
    alert.ends_at = Instant::max();
    state.put(alert, clock_.now());
    auto notices = state.look(clock_.now(), 10, [](const auto&, std::size_t) { return true; });
    ASSERT_EQ(notices.size(), 1U);
    notice_ = std::move(notices[0]);
  }

  notify::SendOutcome send() {
    asio::io_context context;
    GroupMail mail(clock_, "http://desk.example");
    notify::SendOutcome outcome;
    asio::co_spawn(context, [&]() -> Task<> { outcome = co_await mail.send(notice_, told_); }, asio::detached);
    context.run();
    return outcome;
  }

  std::vector<std::string> recipients() const {
    std::vector<std::string> all;
    for (const auto& mail : peer_->mails()) all.insert(all.end(), mail.to.begin(), mail.to.end());
    return all;
  }

  const ManualClock clock_{Instant(std::chrono::hours(480'000))};
  std::unique_ptr<notify::SmtpPeer> peer_;
  Notice notice_;
  std::set<std::string> told_;
};

TEST_F(GroupMailTest, EveryAddressGetsAMailOfItsOwnWithoutLabels) {
  start({}, "a@hospital.example, b@hospital.example");
  const auto outcome = send();
  EXPECT_EQ(outcome.status, notify::SendStatus::delivered) << outcome.text;
  EXPECT_EQ(recipients(), (std::vector<std::string>{"<a@hospital.example>", "<b@hospital.example>"}));
  for (const auto& mail : peer_->mails()) {
    EXPECT_EQ(mail.from, "<alerts@hospital.example>");
    EXPECT_NE(mail.text.find("Subject: [FIRING:1] DiskFull"), std::string::npos) << mail.text;
    EXPECT_NE(mail.text.find("X-Priority: 1"), std::string::npos) << mail.text;
    EXPECT_EQ(mail.text.find("Ann Other"), std::string::npos) << mail.text;
  }
}

TEST_F(GroupMailTest, AnAddressThatIsRefusedKeepsTheOthersFromNothing) {
  start({.says_to = {{"<gone@hospital.example>", "550 no such user"}}}, "gone@hospital.example, b@hospital.example");
  const auto outcome = send();
  EXPECT_EQ(outcome.status, notify::SendStatus::delivered);
  EXPECT_NE(outcome.text.find("gone@hospital.example"), std::string::npos) << outcome.text;
  EXPECT_EQ(recipients(), (std::vector<std::string>{"<b@hospital.example>"}));
}

TEST_F(GroupMailTest, AnotherAttemptWritesOnlyToWhoDoesNotHaveItYet) {
  start({.says_to = {{"<slow@hospital.example>", "451 try later"}}}, "slow@hospital.example, b@hospital.example");
  EXPECT_EQ(send().status, notify::SendStatus::failed);
  EXPECT_EQ(send().status, notify::SendStatus::failed);
  EXPECT_EQ(recipients(), (std::vector<std::string>{"<b@hospital.example>"}));
}

TEST_F(GroupMailTest, WhenNobodyTakesItThatIsARefusal) {
  start({.recipient_says = "550 no such user"}, "a@hospital.example");
  const auto outcome = send();
  EXPECT_EQ(outcome.status, notify::SendStatus::refused);
  EXPECT_NE(outcome.text.find("a@hospital.example"), std::string::npos) << outcome.text;
  EXPECT_TRUE(recipients().empty());
}

}  // namespace
}  // namespace mydr24::groups
