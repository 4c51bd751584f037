// Answers as people and providers give them: over real sockets, with real signatures.

#include "api/notify_api/notify_api.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <mutex>
#include <regex>
#include <sstream>

#include "alerting/notify/twilio.h"
#include "base/crypto/digest.h"
#include "base/json/document.h"
#include "base/net/client.h"
#include "storage/store/fake_store.h"

namespace mydr24::notify_api {
namespace {

using namespace std::chrono_literals;
using net::Method;
using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view number = "+15551234567";

// The SMS gateway: takes every message and keeps its text.
struct Gateway {
  Gateway() {
    auto started = net::serve({}, [this](net::Exchange& exchange) -> Task<> {
      const auto body = co_await exchange.read_body(1U << 16);
      const std::lock_guard lock(mutex);
      if (body) {
        const auto form = net::parse_query(*body);
        texts.push_back(form ? std::string(notify::form_field(*form, "Body")) : *body);
      }
      co_await exchange.respond({.status = 201, .content_type = "application/json", .body = R"({"sid":"SM1"})"});
    });
    EXPECT_TRUE(started);
    if (started) server = std::move(*started);
  }
  std::string last() {
    const std::lock_guard lock(mutex);
    return texts.empty() ? "" : texts.back();
  }
  std::mutex mutex;
  std::vector<std::string> texts;
  std::unique_ptr<net::Server> server;
};

class NotifyApiTest : public testing::Test {
 protected:
  NotifyApiTest() {
    providers.addresses = &addresses;
    providers.tokens = &tokens;
    providers.twilio = {.base_url = fmt::format("http://127.0.0.1:{}", gateway.server->port()),
                        .account = "AC1",
                        .token = "12345",
                        .sms_from = "+15550000001"};
    providers.slack.signing_secret = "slack-secret";
    providers.pagerduty.webhook_secret = "pd-secret";
    add_routes(router, service);
    served = std::make_unique<pipeline::Pipeline>(router, pipeline::PipelineSettings{}, metrics, log, clock);
    auto started = net::serve({}, [this](net::Exchange& exchange) { return served->serve(exchange); });
    EXPECT_TRUE(started);
    if (started) server = std::move(*started);
    // As the world sees it, behind a proxy: another address than the one that is called here.
    providers.link_base = "https://desk.example.org";
  }

  net::ClientResponse ask(Method method, std::string_view path, std::string body = {}, Headers headers = {}) {
    net::ClientRequest request;
    request.method = method;
    request.url = *net::parse_url(fmt::format("http://127.0.0.1:{}{}", server->port(), path));
    request.headers = std::move(headers);
    request.body = std::move(body);
    auto answer = net::send_blocking(std::move(request));
    if (answer) return std::move(*answer);
    ADD_FAILURE() << answer.error().text;
    return {};
  }
  // As the gateway would: signed for the address that the world knows.
  net::ClientResponse twilio(const std::string& path, const net::QueryParameters& form,
                             std::string_view key = "12345") {
    std::string body;
    for (const auto& [name, value] : form)
      body += fmt::format("{}{}={}", body.empty() ? "" : "&", name, net::percent_encode(value));
    return ask(Method::post, path, body,
               {{"Content-Type", "application/x-www-form-urlencoded"},
                {"X-Twilio-Signature", notify::twilio_signature(key, providers.link_base + path, form)}});
  }
  // What is replied to an SMS. `name`: that of an SMS sent before, when somebody sends it again.
  std::string sms(std::string_view text, std::string_view from = number, std::string name = {}) {
    if (name.empty()) name = fmt::format("SM{}", ++messages);
    const auto answer = twilio(
        "/notify/twilio/sms",
        {{"MessageSid", name}, {"From", std::string(from)}, {"To", "+15550000001"}, {"Body", std::string(text)}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    std::smatch found;
    const bool has_message = std::regex_search(answer.body, found, std::regex("<Message>(.*)</Message>"));
    return has_message ? found[1].str() : "";
  }
  net::ClientResponse change(std::string_view what, std::string body) {
    return ask(Method::post, fmt::format("/api/v1/addresses/{}", what), std::move(body),
               {{"Content-Type", "application/json"}});
  }

  std::string raise(std::string_view cause = "c1", alerts::Severity severity = alerts::Severity::emergency) {
    std::string id;
    EXPECT_TRUE(store.write(RequestClass::emergency, [&](store::Transaction& transaction) -> Result<> {
      alerts::Raise raise;
      raise.source = "vitals";
      raise.cause = cause;
      raise.severity = severity;
      raise.patient = "Patient/123";
      raise.title = "Early warning score: high";
      raise.reason = "NEWS2 9";
      MYDR24_ASSIGN(const auto raised, book.raise(transaction, raise));
      id = raised.id;
      return {};
    }));
    return id;
  }
  alerts::Alert alert(const std::string& id) {
    std::optional<alerts::Alert> found;
    EXPECT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(found, alerts::Book::find(reader, id));
      return {};
    }));
    return found.value_or(alerts::Alert{});
  }
  std::string token(const std::string& id, std::string_view contact = "nurse") {
    return tokens.issue(id, id + "-r00000-c00", contact, clock.now() + 1h);
  }
  // Sends an SMS about these alerts, as the channel does.
  int code(std::vector<std::string> about) {
    int made = 0;
    EXPECT_TRUE(store.write(RequestClass::emergency, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(made, notify::AddressBook::new_code(transaction, number, about, "nurse"));
      return {};
    }));
    return made;
  }

  int messages = 0;
  ManualClock clock{from_us(1'700'000'000'000'000)};
  store::FakeStore store{clock};
  oncall::Directory directory = *oncall::Directory::make({});
  alerts::Book book{directory};
  notify::ConsoleHub hub{clock};
  notify::AddressBook addresses{store, "0123456789abcdef"};
  notify::AckTokens tokens{"0123456789abcdef"};
  Gateway gateway;
  notify::Providers providers;
  Service service{store, book, addresses, tokens, providers, hub, clock};
  pipeline::Router router;
  telemetry::Metrics metrics;
  std::ostringstream lines;
  telemetry::Log log{telemetry::log_settings("error", "json"), clock, lines};
  std::unique_ptr<pipeline::Pipeline> served;
  std::unique_ptr<net::Server> server;
};

TEST_F(NotifyApiTest, FollowingALinkShowsTheAlertAndOnlyItsButtonAcknowledges) {
  const auto id = raise();
  const std::string path = "/ack/" + token(id);
  for (int i = 0; i < 3; ++i) {
    const auto shown = ask(Method::get, path);
    EXPECT_EQ(shown.status, 200);
    EXPECT_NE(shown.body.find("<form method=\"post\">"), std::string::npos);
    EXPECT_NE(shown.body.find("Early warning score: high"), std::string::npos);
    EXPECT_EQ(shown.body.find("Patient"), std::string::npos);
    EXPECT_EQ(shown.body.find("NEWS2"), std::string::npos);
    EXPECT_EQ(shown.header("Referrer-Policy"), "no-referrer");
    EXPECT_EQ(shown.header("Cache-Control"), "no-store");
  }
  EXPECT_EQ(ask(Method::head, path).status, 200);
  EXPECT_EQ(alert(id).state, alerts::State::open);

  const auto pressed = ask(Method::post, path);
  EXPECT_EQ(pressed.status, 200);
  EXPECT_NE(pressed.body.find("Acknowledged by nurse."), std::string::npos);
  EXPECT_EQ(alert(id).state, alerts::State::acknowledged);
  EXPECT_EQ(alert(id).acknowledged_by, "nurse");

  // Used: it says by whom and when, and no form is offered.
  clock.advance(10min);
  const auto again = ask(Method::post, path);
  EXPECT_EQ(again.status, 200);
  EXPECT_NE(again.body.find("Already acknowledged by nurse at 2023-11-14T22:13:20.000Z."), std::string::npos);
  EXPECT_EQ(ask(Method::get, path).body.find("<form"), std::string::npos);
}

TEST_F(NotifyApiTest, AUsedLinkDoesNotAcknowledgeWhatWasRaisedAgainSince) {
  const auto id = raise("c1", alerts::Severity::urgent);
  const std::string path = "/ack/" + token(id);
  EXPECT_EQ(ask(Method::post, path).status, 200);
  EXPECT_EQ(raise("c1", alerts::Severity::emergency), id);
  EXPECT_EQ(alert(id).state, alerts::State::open);
  EXPECT_NE(ask(Method::post, path).body.find("Already acknowledged"), std::string::npos);
  EXPECT_EQ(alert(id).state, alerts::State::open);
  // The call of the new round brought a link of its own.
  EXPECT_EQ(ask(Method::post, "/ack/" + tokens.issue(id, id + "-r00001-c00", "nurse", clock.now() + 1h)).status, 200);
  EXPECT_EQ(alert(id).state, alerts::State::acknowledged);
}

TEST_F(NotifyApiTest, ALinkThatIsForgedExpiredOrAboutNothingSaysSo) {
  const auto id = raise();
  const std::string good = token(id);
  EXPECT_EQ(ask(Method::post, "/ack/" + good + "x").status, 403);
  EXPECT_EQ(ask(Method::get, "/ack/nonsense").status, 403);
  EXPECT_EQ(ask(Method::post, "/ack/" + notify::AckTokens("another key of us").issue(id, "d", "eve", clock.now() + 1h))
                .status,
            403);
  EXPECT_EQ(ask(Method::post, "/ack/" + token("01a2")).status, 404);
  clock.advance(1h);
  EXPECT_EQ(ask(Method::post, "/ack/" + good).status, 410);
  EXPECT_EQ(alert(id).state, alerts::State::open);
}

// PR-05.
TEST_F(NotifyApiTest, AWrongSignatureIs403WhateverComes) {
  const auto id = raise();
  EXPECT_EQ(twilio("/notify/twilio/sms", {{"From", std::string(number)}, {"Body", "1a"}}, "wrong").status, 403);
  EXPECT_EQ(twilio("/notify/twilio/voice/" + token(id), {{"Digits", "4"}}, "wrong").status, 403);
  EXPECT_EQ(twilio("/notify/twilio/status?delivery=x", {{"MessageStatus", "failed"}}, "wrong").status, 403);
  EXPECT_EQ(ask(Method::post, "/notify/twilio/sms", "From=%2B1&Body=a").status, 403);
  EXPECT_EQ(ask(Method::post, "/notify/slack/action", "payload=%7B%7D").status, 403);
  EXPECT_EQ(ask(Method::post, "/notify/pagerduty", "{}", {{"X-PagerDuty-Signature", "v1=00"}}).status, 403);
  EXPECT_EQ(alert(id).state, alerts::State::open);
}

// ON-15.
TEST_F(NotifyApiTest, AnSmsReplyAcknowledgesAndClosesByItsNumber) {
  const auto first = raise("c1");
  const auto second = raise("c2");
  EXPECT_EQ(code({first}), 1);
  EXPECT_EQ(code({second}), 2);
  EXPECT_EQ(sms("1 a"), "Acknowledged by nurse. Early warning score: high");
  EXPECT_EQ(alert(first).acknowledged_by, "nurse");
  EXPECT_EQ(alert(second).state, alerts::State::open);
  EXPECT_EQ(sms("ack1"), "Already acknowledged by nurse at 2023-11-14T22:13:20.000Z. Early warning score: high");
  EXPECT_EQ(sms("a"), "Acknowledged by nurse. Early warning score: high") << "without a number: the newest";
  EXPECT_EQ(alert(second).state, alerts::State::acknowledged);
  EXPECT_EQ(sms("'1c'"), "Closed. Early warning score: high");
  EXPECT_EQ(alert(first).state, alerts::State::resolved);
}

TEST_F(NotifyApiTest, AnSmsThatStoodForSeveralIsAnsweredForAll) {
  const auto first = raise("c1", alerts::Severity::urgent);
  const auto second = raise("c2", alerts::Severity::urgent);
  code({first, second});
  EXPECT_EQ(sms("1aa"), "Acknowledged 2 of 2 alerts.");
  EXPECT_EQ(alert(first).state, alerts::State::acknowledged);
  EXPECT_EQ(alert(second).state, alerts::State::acknowledged);
}

TEST_F(NotifyApiTest, AUsedCodeDoesNotAcknowledgeWhatWasRaisedAgainSince) {
  const auto id = raise("c1", alerts::Severity::urgent);
  code({id});
  sms("1a");
  raise("c1", alerts::Severity::emergency);
  EXPECT_EQ(sms("1a"), "1 was used before; the alert was raised again. Answer its newest message.");
  EXPECT_EQ(alert(id).state, alerts::State::open);
}

TEST_F(NotifyApiTest, NumbersThatAreUnknownOrDisabledAreIgnored) {
  const auto id = raise();
  code({id});
  EXPECT_EQ(sms("1a", "+15559999999"), "");
  EXPECT_EQ(change("disable", R"({"kind":"sms","target":"+15551234567","why":"left"})").status, 200);
  EXPECT_EQ(sms("1a"), "");
  EXPECT_EQ(alert(id).state, alerts::State::open);
  EXPECT_EQ(change("enable", R"({"kind":"sms","target":"+15551234567"})").status, 200);
  EXPECT_NE(sms("1a"), "");
}

TEST_F(NotifyApiTest, AfterFiveUselessAnswersNothingIsRepliedUntilOneIsUseful) {
  const auto id = raise();
  code({id});
  for (int i = 0; i < 5; ++i) EXPECT_NE(sms("what is this"), "") << i;
  EXPECT_EQ(sms("what is this"), "");
  EXPECT_EQ(sms("77a"), "");
  EXPECT_NE(sms("1a"), "");
  EXPECT_NE(sms("what is this"), "");
}

TEST_F(NotifyApiTest, StopSwitchesSmsOffAndStartOn) {
  code({raise()});
  const notify::Address phone{notify::Kind::sms, std::string(number), {}};
  EXPECT_NE(sms("STOP"), "");
  EXPECT_TRUE(addresses.standing(phone)->stopped);
  EXPECT_TRUE(addresses.standing({notify::Kind::voice, std::string(number), {}})->may_send());
  EXPECT_NE(sms("start"), "");
  EXPECT_FALSE(addresses.standing(phone)->stopped);
}

TEST_F(NotifyApiTest, AKeyPressedInACallAcknowledgesOrCloses) {
  const auto id = raise();
  const std::string path = "/notify/twilio/voice/" + token(id);
  EXPECT_NE(twilio(path, {{"Digits", "1"}}).body.find("<Gather"), std::string::npos) << "said again";
  EXPECT_NE(twilio(path, {{"Digits", "9"}}).body.find("<Gather"), std::string::npos);
  EXPECT_EQ(alert(id).state, alerts::State::open);
  EXPECT_NE(twilio(path, {{"CallSid", "CA1"}, {"Digits", "4"}}).body.find("Acknowledged by nurse."), std::string::npos);
  EXPECT_EQ(alert(id).state, alerts::State::acknowledged);
  EXPECT_NE(twilio(path, {{"CallSid", "CA1"}, {"Digits", "6"}}).body.find("Closed."), std::string::npos);
  EXPECT_EQ(alert(id).state, alerts::State::resolved);
  EXPECT_NE(twilio("/notify/twilio/voice/" + token("01a2"), {{"CallSid", "CA1"}, {"Digits", "4"}})
                .body.find("can not be answered"),
            std::string::npos);
}

TEST_F(NotifyApiTest, WhatTheNetworkDidNotDeliverIsWrittenDown) {
  const auto id = raise();
  const auto deliveries = [&] {
    std::vector<alerts::Delivery> all;
    EXPECT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(all, alerts::Book::deliveries(reader, id));
      return {};
    }));
    return all;
  };
  ASSERT_EQ(deliveries().size(), 1U);
  alerts::Delivery delivery = deliveries()[0];
  delivery.state = alerts::DeliveryState::delivered;
  EXPECT_TRUE(store.write(RequestClass::emergency, [&](store::Transaction& transaction) {
    return transaction.set_state("alert_deliveries", delivery.id, alerts::to_json(delivery));
  }));
  const std::string path = "/notify/twilio/status?delivery=" + delivery.id;
  EXPECT_EQ(twilio(path, {{"MessageStatus", "delivered"}}).status, 204);
  EXPECT_EQ(deliveries()[0].state, alerts::DeliveryState::delivered);
  EXPECT_EQ(twilio(path, {{"MessageStatus", "undelivered"}}).status, 204);
  EXPECT_EQ(deliveries()[0].state, alerts::DeliveryState::failed);
  EXPECT_EQ(deliveries()[0].text, "the telephone network: undelivered");
  EXPECT_EQ(store.events_of("alert.delivery_failed").size(), 1U);
  EXPECT_EQ(twilio(path, {{"CallStatus", "busy"}}).status, 204);
  EXPECT_EQ(store.events_of("alert.delivery_failed").size(), 1U) << "told twice, written once";
  EXPECT_EQ(twilio("/notify/twilio/status?delivery=nothing", {{"CallStatus", "busy"}}).status, 204);
}

TEST_F(NotifyApiTest, AButtonInTheChatAcknowledgesInTheNameOfWhoPressedIt) {
  const auto id = raise();
  const auto press = [&](std::string_view action) {
    const std::string payload = fmt::format(
        R"({{"type":"block_actions","user":{{"id":"U1","name":"ada"}},"actions":[{{"action_id":"{}","value":"{}"}}]}})",
        action, token(id, "ward channel"));
    const std::string body = "payload=" + net::percent_encode(payload);
    const std::string at =
        fmt::to_string(std::chrono::floor<std::chrono::seconds>(clock.now()).time_since_epoch().count());
    return ask(
        Method::post, "/notify/slack/action", body,
        {{"X-Slack-Request-Timestamp", at},
         {"X-Slack-Signature", "v0=" + crypto::hmac_sha256_hex("slack-secret", fmt::format("v0:{}:{}", at, body))}});
  };
  EXPECT_EQ(press("ack").status, 200);
  EXPECT_EQ(alert(id).acknowledged_by, "ada");
  EXPECT_EQ(press("close").status, 200);
  EXPECT_EQ(alert(id).state, alerts::State::resolved);
  EXPECT_EQ(press("open").status, 400);
}

TEST_F(NotifyApiTest, OnePersonWhoAnswersByChatByTelephoneAndByNameIsOnePerson) {
  oncall::PlanPointer plan;
  ASSERT_TRUE(store.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
    oncall::Change change{.parts = {}, .by = "test"};
    change.parts["contact/ann"] =
        R"({"known_as":["U1","Ann Smith"],"methods":[{"kind":"console"},{"kind":"email","target":"ann@example.org"}]})";
    change.parts["contact/bob"] = R"({"methods":[{"kind":"console"}]})";
    change.parts["policy/pair"] = R"({"steps":[{"targets":["contact:ann","contact:bob"],"acks":2}]})";
    change.parts["defaults/main"] = R"({"policy":{"emergency":"pair","urgent":"pair","advisory":"pair"}})";
    MYDR24_ASSIGN(plan, directory.change(transaction, change));
    return {};
  }));
  directory.publish(plan);
  const auto id = raise();
  const auto by = [&](std::string_view identity) {
    std::string known;
    EXPECT_TRUE(store.write(RequestClass::emergency, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(const auto after, book.acknowledge(transaction, id, identity));
      known = after.acks.back().by;
      return {};
    }));
    return known;
  };
  EXPECT_EQ(by("ann"), "ann");
  const std::string payload = fmt::format(
      R"({{"user":{{"id":"U1","name":"annie"}},"actions":[{{"action_id":"ack","value":"{}"}}]}})", token(id, "ward"));
  const std::string body = "payload=" + net::percent_encode(payload);
  const std::string at =
      fmt::to_string(std::chrono::floor<std::chrono::seconds>(clock.now()).time_since_epoch().count());
  EXPECT_EQ(
      ask(Method::post, "/notify/slack/action", body,
          {{"X-Slack-Request-Timestamp", at},
           {"X-Slack-Signature", "v0=" + crypto::hmac_sha256_hex("slack-secret", fmt::format("v0:{}:{}", at, body))}})
          .status,
      200);
  EXPECT_EQ(by("Ann Smith"), "ann");
  EXPECT_EQ(by("Ann@Example.org"), "ann");
  EXPECT_EQ(alert(id).state, alerts::State::open) << "two people must answer";
  EXPECT_EQ(alert(id).acks.size(), 1U);
  EXPECT_EQ(by("bob"), "bob");
  EXPECT_EQ(alert(id).state, alerts::State::acknowledged);
}

TEST_F(NotifyApiTest, PagerDutysWebhookAcknowledgesAndCloses) {
  const auto id = raise();
  const auto tell = [&](std::string_view type, std::string_view key) {
    const std::string body = fmt::format(
        R"({{"event":{{"id":"{}","event_type":"{}","agent":{{"summary":"Bob"}},"data":{{"incident_key":"{}"}}}}}})",
        ++messages, type, key);
    return ask(Method::post, "/notify/pagerduty", body,
               {{"X-PagerDuty-Signature", "v1=00, v1=" + crypto::hmac_sha256_hex("pd-secret", body)}})
        .status;
  };
  EXPECT_EQ(tell("incident.triggered", id), 204);
  EXPECT_EQ(tell("incident.acknowledged", "not ours"), 204);
  EXPECT_EQ(alert(id).state, alerts::State::open);
  EXPECT_EQ(tell("incident.acknowledged", id), 204);
  EXPECT_EQ(alert(id).acknowledged_by, "Bob");
  EXPECT_EQ(tell("incident.resolved", id), 204);
  EXPECT_EQ(alert(id).state, alerts::State::resolved);
}

TEST_F(NotifyApiTest, AnSmsThatSomebodyCapturedAndSendsAgainHasNoEffect) {
  const auto first = raise("c1");
  code({first});
  EXPECT_EQ(sms("a", number, "SM-a"), "Acknowledged by nurse. Early warning score: high");
  const auto second = raise("c2");
  code({second});
  EXPECT_EQ(sms("a", number, "SM-a"), "Acknowledged by nurse. Early warning score: high") << "the answer of then";
  EXPECT_EQ(alert(second).state, alerts::State::open);

  const notify::Address phone{notify::Kind::sms, std::string(number), {}};
  sms("STOP", number, "SM-stop");
  sms("START", number, "SM-start");
  sms("STOP", number, "SM-stop");
  EXPECT_FALSE(addresses.standing(phone)->stopped);
  clock.advance(std::chrono::days(29));
  sms("STOP", number, "SM-stop");
  EXPECT_FALSE(addresses.standing(phone)->stopped);
  EXPECT_EQ(twilio("/notify/twilio/sms", {{"From", std::string(number)}, {"Body", "a"}}).status, 400)
      << "without a name it could be sent again";
}

TEST_F(NotifyApiTest, AKeyPressThatSomebodyCapturedDoesNotAcknowledgeWhatWasRaisedAgain) {
  const auto id = raise("c1", alerts::Severity::urgent);
  const std::string path = "/notify/twilio/voice/" + token(id);
  ASSERT_EQ(ask(Method::post, "/ack/" + tokens.issue(id, id + "-r00000-c01", "bob", clock.now() + 1h)).status, 200);
  const auto press = [&](std::string name) { return twilio(path, {{"CallSid", name}, {"Digits", "4"}}).body; };
  EXPECT_NE(press("CA7").find("Already acknowledged by bob"), std::string::npos);
  raise("c1", alerts::Severity::emergency);
  EXPECT_NE(press("CA7").find("Already acknowledged by bob"), std::string::npos);
  EXPECT_EQ(alert(id).state, alerts::State::open);
  EXPECT_NE(press("CA8").find("Acknowledged by nurse"), std::string::npos) << "that is the nurse herself";
}

TEST_F(NotifyApiTest, AWebhookOfPagerDutyThatSomebodyCapturedDoesNotAcknowledgeWhatWasRaisedAgain) {
  const auto id = raise("c1", alerts::Severity::urgent);
  const std::string body = fmt::format(
      R"({{"event":{{"id":"01E","event_type":"incident.acknowledged","agent":{{"summary":"Bob"}},"data":{{"incident_key":"{}"}}}}}})",
      id);
  const auto send = [&] {
    return ask(Method::post, "/notify/pagerduty", body,
               {{"X-PagerDuty-Signature", "v1=" + crypto::hmac_sha256_hex("pd-secret", body)}})
        .status;
  };
  EXPECT_EQ(send(), 204);
  EXPECT_EQ(alert(id).acknowledged_by, "Bob");
  raise("c1", alerts::Severity::emergency);
  EXPECT_EQ(send(), 204);
  EXPECT_EQ(alert(id).state, alerts::State::open);
}

TEST_F(NotifyApiTest, AnAddressIsVerifiedByTheCodeSentToIt) {
  const std::string phone = R"("kind":"sms","target":"+15551234567")";
  EXPECT_EQ(change("verify", "{" + phone + "}").status, 200);
  std::smatch found;
  const std::string text = gateway.last();
  ASSERT_TRUE(std::regex_search(text, found, std::regex("is ([0-9]{6})\\."))) << text;
  const std::string right = found[1].str();
  const std::string wrong = right == "000000" ? "000001" : "000000";
  const auto refused = change("confirm", fmt::format(R"({{{},"code":"{}"}})", phone, wrong));
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find("4 tries left"), std::string::npos);
  EXPECT_EQ(change("confirm", fmt::format(R"({{{},"code":"{}"}})", phone, right)).status, 200);
  const auto listed = json::Document::parse(ask(Method::get, "/api/v1/addresses").body);
  ASSERT_TRUE(listed);
  EXPECT_TRUE(listed->root()["addresses"].at(0)["verified"].is_true());
}

TEST_F(NotifyApiTest, AVerifiedAddressCountsInThePlan) {
  oncall::PlanPointer plan;
  ASSERT_TRUE(store.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
    oncall::Change change{.parts = {}, .by = "test"};
    change.parts["contact/ann"] = R"({"methods":[{"kind":"console"},{"kind":"sms","target":"+15551234567"}]})";
    MYDR24_ASSIGN(plan, directory.change(transaction, change));
    return {};
  }));
  directory.publish(plan);
  EXPECT_FALSE(directory.plan()->contact("ann")->methods[1].usable());
  EXPECT_EQ(change("verify", R"({"kind":"sms","target":"+15551234567"})").status, 200);
  std::smatch found;
  const std::string text = gateway.last();
  ASSERT_TRUE(std::regex_search(text, found, std::regex("is ([0-9]{6})\\.")));
  EXPECT_EQ(
      change("confirm", fmt::format(R"({{"kind":"sms","target":"+15551234567","code":"{}"}})", found[1].str())).status,
      200);
  EXPECT_TRUE(directory.plan()->contact("ann")->methods[1].usable());
}

TEST_F(NotifyApiTest, AnAddressThatIsNoneIsNamed) {
  struct Row {
    std::string_view body;
    std::string_view named;
  };
  for (const Row& row :
       {Row{R"({"kind":"pigeon","target":"x"})", "kind"}, Row{R"({"target":"x"})", "kind"},
        Row{R"({"kind":"sms","target":"12"})", "target"}, Row{R"({"kind":"sms","tarjet":"x"})", "tarjet"},
        Row{R"({"kind":"sms","target":5})", "target"}}) {
    const auto answer = change("verify", std::string(row.body));
    EXPECT_EQ(answer.status, 400) << row.body;
    EXPECT_NE(answer.body.find(row.named), std::string::npos);
  }
  EXPECT_EQ(ask(Method::post, "/api/v1/addresses/verify", "{}", {{"Content-Type", "text/plain"}}).status, 400);
  EXPECT_EQ(change("verify", R"({"kind":"email","target":"a@b.org"})").status, 400) << "no mail server";
}

}  // namespace
}  // namespace mydr24::notify_api
