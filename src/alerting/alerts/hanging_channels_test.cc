// A provider that takes the connection and never answers delays nobody else: for every kind of channel, with real
// connections. AL-09.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "alerting/alerts/book.h"
#include "alerting/alerts/dispatcher.h"
#include "alerting/notify/detail/test_smtp.h"
#include "alerting/notify/mailer.h"
#include "alerting/notify/providers.h"
#include "base/net/http.h"
#include "storage/store/fake_store.h"

namespace mydr24::alerts {
namespace {

using namespace std::chrono_literals;

// Takes what it is sent and answers nothing: as good a hanging mail server as a hanging HTTP server.
using Silence = notify::SmtpPeer;

class HangingChannel : public testing::TestWithParam<notify::Address> {};

TEST_P(HangingChannel, DelaysNoOtherAndItsOutcomeIsSeen) {
  const Silence silence({.hangs = true});
  const std::string silent_url = fmt::format("http://127.0.0.1:{}", silence.port());
  std::atomic<int> reached = 0;
  auto pager = net::serve({}, [&](net::Exchange& exchange) -> Task<> {
    (void)co_await exchange.read_body(1U << 16);
    ++reached;
    co_await exchange.respond({.status = 204});
  });
  ASSERT_TRUE(pager);

  const Clock& clock = system_clock();
  notify::Providers providers;
  providers.time_max = 700ms;
  providers.twilio = {.base_url = silent_url, .account = "AC1", .token = "t", .sms_from = "+15550000001"};
  providers.slack = {.base_url = silent_url, .token = "xoxb-1"};
  providers.pagerduty.base_url = silent_url;
  providers.mail_from = "alerts@hospital.example";
  providers.mailer = *notify::Mailer::make(
      {.host = "127.0.0.1", .port = silence.port(), .tls = notify::MailTls::none, .time_max = providers.time_max},
      clock);
  notify::Address hanging = GetParam();
  if (hanging.target == "SILENT") hanging.target = silent_url + "/hook";
  const notify::Address webhook{notify::Kind::webhook, fmt::format("http://127.0.0.1:{}/", (*pager)->port()), "s"};
  const auto directory = oncall::Directory::make(
      {.contacts = {{"doctor", {hanging}}, {"nurse", {webhook}}}, .steps = {{{"doctor", "nurse"}}}});
  ASSERT_TRUE(directory) << directory.error().text;

  store::FakeStore store(clock);
  notify::ConsoleHub hub(clock);
  Book book(*directory);
  Dispatcher dispatcher(*directory, clock, hub, {.retry_first = 60s},
                        [&](asio::io_context& context, const notify::Address& address) {
                          return notify::make_channel(context, address, providers, hub, clock);
                        });
  ASSERT_TRUE(dispatcher.start(store));
  std::string id;
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(store.write(RequestClass::emergency, [&](store::Transaction& transaction) -> Result<> {
    Raise raise;
    raise.source = "vitals";
    raise.cause = "c";
    raise.severity = Severity::emergency;
    raise.title = "Red score";
    MYDR24_ASSIGN(const auto raised, book.raise(transaction, raise));
    id = raised.id;
    return {};
  }));
  store.settle();
  while (reached == 0 && std::chrono::steady_clock::now() - begin < 5s) std::this_thread::sleep_for(1ms);
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(reached, 1);
  EXPECT_LT(took, 500ms) << "the hanging channel's time limit is 700 ms: nothing waited for it";
  RecordProperty("delivered_us", std::chrono::duration_cast<std::chrono::microseconds>(took).count());

  ASSERT_TRUE(dispatcher.settle(5s));
  std::map<std::string, Delivery> by_contact;
  ASSERT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto deliveries, Book::deliveries(reader, id));
    for (const Delivery& delivery : deliveries) by_contact[delivery.contact] = delivery;
    return {};
  }));
  EXPECT_EQ(by_contact["nurse"].state, DeliveryState::delivered);
  EXPECT_EQ(by_contact["doctor"].state, DeliveryState::pending);
  EXPECT_EQ(by_contact["doctor"].attempts, 1);
  EXPECT_NE(by_contact["doctor"].text, "");
  EXPECT_GT(silence.connections(), 0U);
  dispatcher.stop();
}

INSTANTIATE_TEST_SUITE_P(EveryKind, HangingChannel,
                         testing::Values(notify::Address{notify::Kind::webhook, "SILENT", ""},
                                         notify::Address{notify::Kind::email, "doctor@hospital.example", ""},
                                         notify::Address{notify::Kind::sms, "+15551234567", ""},
                                         notify::Address{notify::Kind::voice, "+15551234567", ""},
                                         notify::Address{notify::Kind::chat, "SILENT", ""},
                                         notify::Address{notify::Kind::chat, "C024BE91L", ""},
                                         notify::Address{notify::Kind::pagerduty, "R1", ""}),
                         [](const auto& given) {
                           return fmt::format("{}{}", to_string(given.param.kind), given.index);
                         });

}  // namespace
}  // namespace mydr24::alerts
