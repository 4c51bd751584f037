// What each channel sends, and what it makes of the answer. The provider is a client that answers as told.

#include <gtest/gtest.h>

#include "alerting/notify/ack_token.h"
#include "alerting/notify/address_book.h"
#include "alerting/notify/detail/call.h"
#include "alerting/notify/detail/test_channel.h"
#include "alerting/notify/providers.h"
#include "base/json/document.h"
#include "storage/store/fake_store.h"

namespace mydr24::notify {
namespace {

using Make = Result<std::unique_ptr<Channel>> (*)(ChannelParts);

// A channel with everything configured, and what it sent.
class ChannelTest : public testing::Test {
 protected:
  ChannelTest() {
    providers.addresses = &book;
    providers.twilio = {.base_url = "https://sms.example.org/",
                        .account = "AC1",
                        .token = "secret",
                        .sms_from = "+15550000001",
                        .voice_from = "+15550000002"};
    providers.slack = {.base_url = "https://chat.example.org", .token = "xoxb-1", .signing_secret = "s"};
    providers.pagerduty.base_url = "https://events.example.org";
    providers.link_base = "https://desk.example.org";
    providers.site = "St Mary";
    message_.ack_token = "TOKEN";
  }

  SendOutcome call(Make make, Kind kind, std::string target, net::ClientResponse answer) {
    return call(make, kind, std::move(target), Result<net::ClientResponse>(std::move(answer)));
  }
  SendOutcome call(Make make, Kind kind, std::string target, Result<net::ClientResponse> answer) {
    auto channel =
        make({{kind, std::move(target), {}}, providers, std::make_unique<FakeClient>(std::move(answer), seen), clock});
    if (!channel) {
      ADD_FAILURE() << channel.error().text;
      return {};
    }
    EXPECT_EQ((*channel)->medium(), to_string(kind));
    return send(**channel, message_);
  }
  SendOutcome sms(net::ClientResponse answer) { return call(make_sms, Kind::sms, "+15551234567", std::move(answer)); }

  ManualClock clock{eight_o_clock};
  store::FakeStore store{clock};
  AddressBook book{store, "0123456789abcdef"};
  Providers providers;
  Message message_ = message();
  std::vector<net::ClientRequest> seen;
};

net::ClientResponse answer(int status, std::string body = "{}") { return {.status = status, .body = std::move(body)}; }

TEST_F(ChannelTest, AnSmsIsAFormWithACodeToReplyWith) {
  const SendOutcome outcome = sms(answer(201, R"({"sid":"SM1","status":"queued"})"));
  EXPECT_EQ(outcome.status, SendStatus::delivered);
  EXPECT_EQ(outcome.provider_id, "SM1");
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].url.host, "sms.example.org");
  EXPECT_EQ(seen[0].url.target, "/2010-04-01/Accounts/AC1/Messages.json");
  EXPECT_EQ(headers_of(seen[0])["Authorization"], "Basic QUMxOnNlY3JldA==");
  EXPECT_EQ(headers_of(seen[0])["Content-Type"], "application/x-www-form-urlencoded");
  auto form = form_of(seen[0]);
  EXPECT_EQ(form["To"], "+15551234567");
  EXPECT_EQ(form["From"], "+15550000001");
  EXPECT_EQ(form["Body"], "EMERGENCY St Mary: Early warning score: high\nReply 1a to acknowledge, 1c to close.");
  EXPECT_EQ(form["StatusCallback"], "https://desk.example.org/notify/twilio/status?delivery=a1-r00000-c00");
  EXPECT_EQ(form.size(), 4U);
  sms(answer(201));
  EXPECT_NE(form_of(seen[1])["Body"].find("Reply 2a"), std::string::npos);
}

TEST_F(ChannelTest, NoTextThatLeavesTellsWhoThePatientIs) {
  sms(answer(201));
  call(make_voice, Kind::voice, "+15551234567", answer(201));
  call(make_chat, Kind::chat, "https://hooks.example.org/1", answer(200, "ok"));
  call(make_chat, Kind::chat, "C1", answer(200, R"({"ok":true,"ts":"1","channel":"C1"})"));
  call(make_pagerduty, Kind::pagerduty, "R1", answer(202));
  ASSERT_EQ(seen.size(), 5U);
  for (const auto& request : seen) {
    for (const std::string_view secret : {"Patient", "123", "NEWS2", "SpO2", "82"}) {
      // The number called and the ids of the test hold digits of their own.
      std::string body = request.body;
      for (const std::string_view own : {"%2B15551234567", "+15551234567"}) {
        if (const auto at = body.find(own); at != body.npos) body.erase(at, own.size());
      }
      EXPECT_EQ(body.find(secret), std::string::npos) << secret << " in " << body;
    }
  }
}

// ON-16: what a provider rejects is not tried again there.
TEST_F(ChannelTest, AStatusDecidesWhetherItIsTriedAgain) {
  struct Row {
    int status;
    SendStatus expected;
  };
  for (const Row& row : {Row{200, SendStatus::delivered}, Row{201, SendStatus::delivered},
                         Row{400, SendStatus::refused}, Row{401, SendStatus::refused}, Row{404, SendStatus::refused},
                         Row{408, SendStatus::failed}, Row{429, SendStatus::failed}, Row{500, SendStatus::failed},
                         Row{503, SendStatus::failed}, Row{302, SendStatus::failed}}) {
    EXPECT_EQ(sms(answer(row.status)).status, row.expected) << row.status;
    EXPECT_EQ(status_of_answer(row.status), row.expected) << row.status;
  }
  const SendOutcome rejected = sms(answer(400, R"({"code":21211,"message":"Invalid 'To' Phone Number"})"));
  EXPECT_EQ(rejected.text, "the telephone gateway answered 400 (code 21211)");
  net::ClientResponse busy = answer(429);
  busy.headers = {{"Retry-After", "7"}};
  EXPECT_EQ(sms(busy).retry_after, std::chrono::seconds(7));
  busy.headers = {{"Retry-After", "999999999"}};
  EXPECT_EQ(sms(busy).retry_after, std::chrono::hours(1));
  busy.headers = {{"Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"}};
  EXPECT_EQ(sms(busy).retry_after, std::chrono::seconds(0));
  const SendOutcome hung =
      call(make_sms, Kind::sms, "+15551234567", Result<net::ClientResponse>(Error{Code::busy, "no answer in 5 s", ""}));
  EXPECT_EQ(hung.status, SendStatus::failed);
  EXPECT_EQ(hung.text, "the telephone gateway: no answer in 5 s");
}

// Answers nothing until it is told to.
class HeldClient : public net::Client {
 public:
  explicit HeldClient(std::vector<net::ClientRequest>& seen) : seen_(seen) {}
  Task<Result<net::ClientResponse>> send(net::ClientRequest request) override {
    seen_.push_back(std::move(request));
    if (is_held)
      co_return co_await async_call<Result<net::ClientResponse>>([&](auto done) { held_.push_back(std::move(done)); });
    co_return net::ClientResponse{.status = 201, .headers = {}, .body = "{}"};
  }
  void release() {
    is_held = false;
    for (auto& done : std::exchange(held_, {})) done(net::ClientResponse{.status = 201, .headers = {}, .body = "{}"});
  }
  bool is_held = true;

 private:
  std::vector<net::ClientRequest>& seen_;
  std::vector<std::move_only_function<void(Result<net::ClientResponse>)>> held_;
};

// ON-17.
TEST_F(ChannelTest, AlertsThatComeTogetherAreOneSmsButAnEmergencyNeverWaits) {
  auto client = std::make_unique<HeldClient>(seen);
  HeldClient& held = *client;
  auto channel = make_sms({{Kind::sms, "+15551234567", {}}, providers, std::move(client), clock});
  ASSERT_TRUE(channel);
  asio::io_context context;
  std::vector<SendOutcome> outcomes;
  const auto begin = [&](std::string alert, std::string severity) {
    Message one = message();
    one.alert_id = std::move(alert);
    one.severity = std::move(severity);
    asio::co_spawn(
        context,
        [&, one]() -> Task<> {
          const SendOutcome outcome = co_await (*channel)->send(one);
          outcomes.push_back(outcome);
        },
        asio::detached);
    context.poll();
    context.restart();
  };
  begin("u1", "urgent");
  for (const char* alert : {"u2", "u3", "u4", "u5"}) begin(alert, "urgent");
  EXPECT_EQ(seen.size(), 1U) << "one at a time";
  begin("e1", "emergency");
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_NE(form_of(seen[1])["Body"].find("EMERGENCY"), std::string::npos);
  held.release();
  context.run();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(form_of(seen[2])["Body"],
            "St Mary: 4 unacknowledged alerts.\nReply 3aa to acknowledge all, 3cc to close all.");
  ASSERT_EQ(outcomes.size(), 6U);
  for (const SendOutcome& outcome : outcomes) EXPECT_EQ(outcome.status, SendStatus::delivered);
  std::optional<CodeUse> use;
  EXPECT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(use, AddressBook::find_code(reader, "+15551234567", 3));
    return {};
  }));
  ASSERT_TRUE(use);
  EXPECT_EQ(use->alerts, (std::vector<std::string>{"u2", "u3", "u4", "u5"}));
  // And again one by one.
  context.restart();
  begin("u6", "advisory");
  context.restart();
  context.run();
  EXPECT_EQ(seen.size(), 4U);
  EXPECT_NE(form_of(seen[3])["Body"].find("ADVISORY"), std::string::npos);
}

TEST_F(ChannelTest, ACallSaysTheAlertAndTakesAKey) {
  EXPECT_EQ(call(make_voice, Kind::voice, "+15551234567", answer(201, R"({"sid":"CA1"})")).provider_id, "CA1");
  EXPECT_EQ(seen[0].url.target, "/2010-04-01/Accounts/AC1/Calls.json");
  auto form = form_of(seen[0]);
  EXPECT_EQ(form["From"], "+15550000002");
  EXPECT_NE(form["Twiml"].find("This is St Mary with an alert. Severity: emergency. Early warning score: high."),
            std::string::npos);
  EXPECT_NE(form["Twiml"].find(R"(action="https://desk.example.org/notify/twilio/voice/TOKEN")"), std::string::npos);
  message_.ack_token.clear();
  call(make_voice, Kind::voice, "+15551234567", answer(201));
  EXPECT_EQ(form_of(seen[1])["Twiml"].find("Gather"), std::string::npos);
}

TEST_F(ChannelTest, AnIncomingWebhookOfAChatIsPosted) {
  EXPECT_EQ(call(make_chat, Kind::chat, "https://hooks.example.org/T0/B0", answer(200, "ok")).status,
            SendStatus::delivered);
  EXPECT_EQ(seen[0].url.target, "/T0/B0");
  EXPECT_FALSE(headers_of(seen[0]).contains("Authorization"));
  const auto body = json::Document::parse(seen[0].body);
  ASSERT_TRUE(body);
  EXPECT_EQ(body->root()["text"].text(), "*EMERGENCY* Early warning score: high");
  const auto blocks = body->root()["attachments"].at(0)["blocks"];
  EXPECT_EQ(blocks.at(2)["elements"].at(0)["action_id"].text(), "ack");
  EXPECT_EQ(blocks.at(2)["elements"].at(0)["value"].text(), "TOKEN");
  EXPECT_EQ(blocks.at(2)["elements"].at(2)["url"].text(), "https://desk.example.org/ack/TOKEN");
  EXPECT_FALSE(body->root()["channel"].exists());
}

TEST_F(ChannelTest, AChatMessageIsChangedWhenTheAlertIsAcknowledged) {
  const std::string ok = R"({"ok":true,"ts":"1700.1","channel":"C77"})";
  EXPECT_EQ(call(make_chat, Kind::chat, "#ward", answer(200, ok)).provider_id, "1700.1");
  EXPECT_EQ(seen[0].url.target, "/api/chat.postMessage");
  EXPECT_EQ(headers_of(seen[0])["Authorization"], "Bearer xoxb-1");
  EXPECT_NE(seen[0].body.find(R"("channel":"#ward")"), std::string::npos);
  // Called again: a new message, which rings.
  call(make_chat, Kind::chat, "#ward", answer(200, ok));
  EXPECT_EQ(seen[1].url.target, "/api/chat.postMessage");
  message_.purpose = Purpose::acknowledged;
  message_.by = "Ada";
  call(make_chat, Kind::chat, "#ward", answer(200, ok));
  EXPECT_EQ(seen[2].url.target, "/api/chat.update");
  EXPECT_NE(seen[2].body.find(R"("channel":"C77","ts":"1700.1")"), std::string::npos);
  EXPECT_NE(seen[2].body.find("Acknowledged by Ada"), std::string::npos);
  EXPECT_EQ(seen[2].body.find("TOKEN"), std::string::npos);
  message_.purpose = Purpose::resolved;
  call(make_chat, Kind::chat, "#ward", answer(200, ok));
  EXPECT_EQ(seen[3].url.target, "/api/chat.update");
  EXPECT_FALSE(*book.chat_message("a1", {Kind::chat, "#ward", {}})) << "nothing is kept about an alert that is over";
}

TEST_F(ChannelTest, AChatThatSaysNoWithA200IsUnderstood) {
  EXPECT_EQ(call(make_chat, Kind::chat, "C1", answer(200, R"({"ok":false,"error":"channel_not_found"})")).status,
            SendStatus::refused);
  EXPECT_EQ(call(make_chat, Kind::chat, "C1", answer(200, R"({"ok":false,"error":"ratelimited"})")).status,
            SendStatus::failed);
  EXPECT_EQ(call(make_chat, Kind::chat, "C1", answer(200, "<html>")).status, SendStatus::failed);
}

TEST_F(ChannelTest, PagerDutyIsTriggeredAcknowledgedAndResolvedUnderOneKey) {
  EXPECT_EQ(
      call(make_pagerduty, Kind::pagerduty, "R1", answer(202, R"({"status":"success","dedup_key":"a1"})")).provider_id,
      "a1");
  EXPECT_EQ(seen[0].url.target, "/v2/enqueue");
  EXPECT_EQ(seen[0].body,
            R"({"routing_key":"R1","event_action":"trigger","dedup_key":"a1","payload":{)"
            R"("summary":"Early warning score: high","source":"St Mary","severity":"critical",)"
            R"("timestamp":"2023-11-14T22:13:20.000Z","custom_details":{"contact":"nurse","step":"1"}},)"
            R"("client":"St Mary","links":[{"href":"https://desk.example.org/ack/TOKEN","text":"Acknowledge"}]})");
  message_.purpose = Purpose::acknowledged;
  call(make_pagerduty, Kind::pagerduty, "R1", answer(202));
  EXPECT_EQ(seen[1].body, R"({"routing_key":"R1","event_action":"acknowledge","dedup_key":"a1"})");
  message_.purpose = Purpose::resolved;
  call(make_pagerduty, Kind::pagerduty, "R1", answer(202));
  EXPECT_EQ(seen[2].body, R"({"routing_key":"R1","event_action":"resolve","dedup_key":"a1"})");
  EXPECT_EQ(call(make_pagerduty, Kind::pagerduty, "R1", answer(400)).status, SendStatus::refused);
}

TEST_F(ChannelTest, AVerificationCarriesTheCodeAndNothingElse) {
  message_ = {.delivery_id = "v1", .raised_at = eight_o_clock, .purpose = Purpose::verification, .code = "123456"};
  sms(answer(201));
  EXPECT_EQ(form_of(seen[0])["Body"],
            "St Mary: the code of this address is 123456. If you did not ask for it, do nothing.");
  call(make_voice, Kind::voice, "+15551234567", answer(201));
  EXPECT_NE(form_of(seen[1])["Twiml"].find("1. 2. 3. 4. 5. 6."), std::string::npos);
  call(make_pagerduty, Kind::pagerduty, "R1", answer(202));
  EXPECT_NE(seen[2].body.find("123456"), std::string::npos);
  call(make_chat, Kind::chat, "C1", answer(200, R"({"ok":true,"ts":"1"})"));
  EXPECT_NE(seen[3].body.find("123456"), std::string::npos);
}

TEST_F(ChannelTest, ADisabledAddressIsRefusedAndACallGetsItsToken) {
  asio::io_context context;
  ConsoleHub hub(clock);
  const AckTokens tokens("0123456789abcdef");
  providers.tokens = &tokens;
  // Nothing listens there: what is not refused fails.
  providers.twilio.base_url = "http://127.0.0.1:1";
  const Address address{Kind::sms, "+15551234567", {}};
  const auto attempt = [&] { return send(**make_channel(context, address, providers, hub, clock), message_).status; };
  const auto change = [&](auto what) { ASSERT_TRUE(store.write(RequestClass::urgent, what)); };
  change([&](store::Transaction& transaction) { return book.disable(transaction, address, "left the hospital"); });
  EXPECT_EQ(attempt(), SendStatus::refused);
  change([&](store::Transaction& transaction) { return book.enable(transaction, address); });
  change([&](store::Transaction& transaction) { return book.set_stopped(transaction, "+15551234567", true); });
  EXPECT_EQ(attempt(), SendStatus::refused);
}

// What was entered leads as far as the settings say; what the settings name themselves goes there.
TEST_F(ChannelTest, AnEnteredUrlLeadsNoFurtherThanItMay) {
  providers.addresses = nullptr;
  providers.reach = *net::Reach::parse("public");
  ConsoleHub hub(clock);
  const auto attempt = [&](Kind kind, const std::string& target) {
    asio::io_context context;
    const auto channel = make_channel(context, {kind, target, {}}, providers, hub, clock);
    SendOutcome outcome;
    asio::co_spawn(context, [&]() -> Task<> { outcome = co_await (*channel)->send(message_); }, asio::detached);
    context.run();
    return outcome;
  };
  const std::string inside = "http://127.0.0.1:1/x";  // nothing listens there
  for (const auto kind : {Kind::webhook, Kind::chat}) {
    const auto outcome = attempt(kind, inside);
    EXPECT_EQ(outcome.status, SendStatus::refused);
    EXPECT_NE(outcome.text.find("server.call_networks"), std::string::npos) << outcome.text;
  }
  providers.trusted_targets = {inside};
  EXPECT_EQ(attempt(Kind::webhook, inside).status, SendStatus::failed) << "it was called";
  EXPECT_EQ(attempt(Kind::webhook, inside + "/other").status, SendStatus::refused);
}

TEST(MakeChannel, NamesWhatIsNotConfigured) {
  asio::io_context context;
  const ManualClock clock(eight_o_clock);
  ConsoleHub hub(clock);
  const Providers providers;
  struct Row {
    Address address;
    std::string_view named;
  };
  for (const Row& row :
       {Row{{Kind::email, "a@b.org", {}}, "notify.smtp_host"},
        Row{{Kind::sms, "+15551234567", {}}, "notify.twilio_account"},
        Row{{Kind::voice, "+15551234567", {}}, "notify.twilio_account"},
        Row{{Kind::chat, "C1", {}}, "notify.slack_token_file"}, Row{{Kind::sms, "12", {}}, "telephone number"}}) {
    const auto channel = make_channel(context, row.address, providers, hub, clock);
    ASSERT_FALSE(channel) << row.named;
    EXPECT_NE(channel.error().text.find(row.named), std::string::npos) << channel.error().text;
  }
  const auto refusing = make_refusing_channel(Kind::sms, "there is no SMS gateway");
  EXPECT_EQ(refusing->medium(), "sms");
  EXPECT_EQ(send(*refusing, message()).status, SendStatus::refused);
  EXPECT_EQ(send(*refusing, message()).text, "there is no SMS gateway");
  EXPECT_TRUE(make_channel(context, {}, providers, hub, clock));
  EXPECT_TRUE(make_channel(context, {Kind::pagerduty, "R1", {}}, providers, hub, clock));
  EXPECT_TRUE(make_channel(context, {Kind::chat, "https://x.example/1", {}}, providers, hub, clock));
}

}  // namespace
}  // namespace mydr24::notify
