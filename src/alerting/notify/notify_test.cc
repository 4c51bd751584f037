#include <gtest/gtest.h>

#include <map>

#include "alerting/notify/console_hub.h"
#include "alerting/notify/detail/test_channel.h"
#include "alerting/notify/signature.h"
#include "alerting/notify/webhook.h"
#include "base/crypto/digest.h"

namespace mydr24::notify {
namespace {

struct Sent {
  SendOutcome outcome;
  net::ClientRequest request;
  std::map<std::string, std::string> headers;
};

Sent post(Result<net::ClientResponse> answer, Message what = message(), WebhookSettings settings = {}) {
  const ManualClock clock(eight_o_clock);
  Sent sent;
  std::vector<net::ClientRequest> seen;
  settings.url = "https://pager.example.org/in?x=1";
  settings.secret = "whsec";
  auto channel = make_webhook(settings, std::make_unique<FakeClient>(std::move(answer), seen), clock);
  if (!channel) {
    ADD_FAILURE() << channel.error().text;
    return sent;
  }
  sent.outcome = send(**channel, std::move(what));
  sent.request = seen.at(0);
  sent.headers = headers_of(sent.request);
  return sent;
}

net::ClientResponse answer(int status) { return {.status = status}; }

TEST(Signature, IsTheHmacOfTimeAndBody) {
  const std::string header = sign("secret", eight_o_clock, "{}");
  EXPECT_EQ(header, "t=1700000000,v1=" + crypto::hmac_sha256_hex("secret", "1700000000.{}"));
  EXPECT_TRUE(verify_signature(header, "secret", eight_o_clock + std::chrono::minutes(5), "{}"));
  EXPECT_FALSE(verify_signature(header, "secret", eight_o_clock + std::chrono::minutes(6), "{}"));
  EXPECT_FALSE(verify_signature(header, "secret", eight_o_clock - std::chrono::minutes(6), "{}"));
  EXPECT_FALSE(verify_signature(header, "other", eight_o_clock, "{}"));
  EXPECT_FALSE(verify_signature(header, "secret", eight_o_clock, "{ }"));
  for (const std::string_view wrong : {"", "t=", "v1=00", "t=x,v1=00", "t=1700000000,v1="})
    EXPECT_FALSE(verify_signature(wrong, "secret", eight_o_clock, "{}"));
}

TEST(Webhook, PostsASignedBodyThatDoesNotTellWhoThePatientIs) {
  const Sent sent = post(answer(202));
  EXPECT_EQ(sent.outcome.status, SendStatus::delivered);
  EXPECT_EQ(sent.outcome.http_status, 202);
  EXPECT_EQ(sent.request.method, net::Method::post);
  EXPECT_EQ(sent.request.url.target, "/in?x=1");
  EXPECT_EQ(sent.request.time_max, std::chrono::seconds(5));
  EXPECT_EQ(
      sent.request.body,
      R"({"schema":"mydr24.alert.v1","alert":{"id":"a1","severity":"emergency","title":"Early warning score: high",)"
      R"("raised_at":"2023-11-14T22:13:20.000Z","step":0,"repeat":false},)"
      R"("delivery":{"id":"a1-r00000-c00","attempt":1,"retry":false},"contact":"nurse"})");
  EXPECT_EQ(sent.headers.at("X-MyDR24-Delivery"), "a1-r00000-c00");
  EXPECT_EQ(sent.headers.at("Idempotency-Key"), "a1-r00000-c00");
  EXPECT_EQ(sent.headers.at("X-MyDR24-Attempt"), "1");
  EXPECT_FALSE(sent.headers.contains("X-MyDR24-Retry"));
  EXPECT_TRUE(verify_signature(sent.headers.at("X-MyDR24-Signature"), "whsec", eight_o_clock, sent.request.body));
}

TEST(Webhook, ARetryIsMarkedInHeadersAndBody) {
  Message again = message();
  again.attempt = 3;
  const Sent sent = post(answer(200), again);
  EXPECT_NE(sent.request.body.find(R"("attempt":3,"retry":true)"), std::string::npos);
  EXPECT_EQ(sent.headers.at("X-MyDR24-Retry"), "true");
  EXPECT_EQ(sent.headers.at("X-MyDR24-Attempt"), "3");
}

TEST(Webhook, SendsThePatientReferenceAndALinkOnlyWhenTheSettingsSaySo) {
  const Sent sent = post(answer(200), message(), {.include_patient = true, .link_base = "https://desk.example.org"});
  EXPECT_NE(sent.request.body.find(R"("patient":"Patient/123","reason":"NEWS2 9: SpO2 82 %")"), std::string::npos);
  EXPECT_NE(sent.request.body.find(R"("link":"https://desk.example.org/alerts/a1")"), std::string::npos);
}

TEST(Webhook, OnlyA2xxIsDeliveredAndA410EndsIt) {
  for (const int status : {199, 301, 400, 404, 429, 500, 503})
    EXPECT_EQ(post(answer(status)).outcome.status, SendStatus::failed) << status;
  EXPECT_EQ(post(answer(410)).outcome.status, SendStatus::refused);
  const Sent unreachable = post(Error{Code::busy, "no answer within 5 s", ""});
  EXPECT_EQ(unreachable.outcome.status, SendStatus::failed);
  EXPECT_EQ(unreachable.outcome.text, "no answer within 5 s");
}

TEST(ConsoleHub, ReplaysFromASequenceNumber) {
  const ManualClock clock(eight_o_clock);
  ConsoleHub hub(clock);
  const std::int64_t start = hub.last();
  EXPECT_EQ(start, to_us(eight_o_clock));
  EXPECT_EQ(hub.publish("alert.raised", "{}"), start + 1);
  EXPECT_EQ(hub.publish("alert.call", "{}"), start + 2);
  hub.publish("alert.resolved", "{}");
  const auto page = hub.after(start + 1, 10);
  EXPECT_FALSE(page.missed);
  ASSERT_EQ(page.entries.size(), 2U);
  EXPECT_EQ(page.entries[0].kind, "alert.call");
  EXPECT_EQ(hub.after(start, 1).entries.size(), 1U);
  EXPECT_TRUE(hub.after(hub.last(), 10).entries.empty());
}

TEST(ConsoleHub, WhatHasAKeyIsShownOnceWhileItIsInTheRing) {
  const ManualClock clock(eight_o_clock);
  ConsoleHub hub(clock, {.entries_max = 2});
  const std::int64_t start = hub.last();
  EXPECT_EQ(hub.publish("alert.call", "{}", "d/1"), start + 1);
  EXPECT_EQ(hub.publish("alert.call", "{}", "d/1"), start + 1);
  EXPECT_EQ(hub.publish("alert.call", "{}", "d/2"), start + 2);
  hub.publish("alert.raised", "{}");
  EXPECT_EQ(hub.publish("alert.call", "{}", "d/1"), start + 4) << "it has left the ring";
}

TEST(ConsoleHub, ANoticeIsATextAndNoCall) {
  const ManualClock clock(eight_o_clock);
  ConsoleHub hub(clock);
  const std::int64_t start = hub.last();
  const Message notice{.delivery_id = "n1", .title = "On call: ann", .contact = "bob", .purpose = Purpose::notice};
  EXPECT_EQ(send(*make_console_channel(hub), notice).status, SendStatus::delivered);
  const auto page = hub.after(start, 10);
  ASSERT_EQ(page.entries.size(), 1U);
  EXPECT_EQ(page.entries[0].kind, "notice");
  EXPECT_EQ(page.entries[0].payload, R"({"text":"On call: ann","contact":"bob"})");
  EXPECT_EQ(webhook_body(notice, {}), R"({"schema":"mydr24.notice.v1","id":"n1","text":"On call: ann"})");
}

TEST(ConsoleHub, TellsAReaderThatFellBehindTheRing) {
  const ManualClock clock(eight_o_clock);
  ConsoleHub hub(clock, {.entries_max = 3});
  const std::int64_t start = hub.last();
  for (int i = 0; i < 5; ++i) hub.publish("alert.call", "{}");
  EXPECT_TRUE(hub.after(start, 10).missed);
  EXPECT_EQ(hub.after(start, 10).entries.size(), 3U);
  EXPECT_FALSE(hub.after(start + 2, 10).missed);
  EXPECT_TRUE(hub.after(start + 1000, 10).missed);
}

TEST(ConsoleChannel, PutsTheCallIntoTheFeed) {
  const ManualClock clock(eight_o_clock);
  ConsoleHub hub(clock);
  const auto channel = make_console_channel(hub);
  EXPECT_EQ(send(*channel, message()).status, SendStatus::delivered);
  const auto page = hub.after(hub.last() - 1, 10);
  ASSERT_EQ(page.entries.size(), 1U);
  EXPECT_EQ(page.entries[0].kind, "alert.call");
  EXPECT_NE(page.entries[0].payload.find(R"("patient":"Patient/123")"), std::string::npos);
}

}  // namespace
}  // namespace mydr24::notify
