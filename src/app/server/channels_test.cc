// The whole way: a number is verified, vital signs raise an alert, an SMS goes to a gateway, and the reply acknowledges.

#include <fstream>
#include <mutex>
#include <regex>
#include <thread>

#include "alerting/notify/twilio.h"
#include "app/server/server_fixture.h"
#include "base/core/date_time.h"
#include "base/net/http.h"

namespace mydr24::server {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view phone = "+15551234567";
constexpr std::string_view public_base = "https://desk.example.org";

// The gateway: keeps the texts it was given.
class Gateway {
 public:
  Gateway() {
    auto started = net::serve({}, [this](net::Exchange& exchange) -> Task<> {
      const auto body = co_await exchange.read_body(1U << 16);
      if (const auto form = net::parse_query(body ? *body : "")) {
        const std::lock_guard lock(mutex_);
        texts_.emplace_back(notify::form_field(*form, "Body"));
      }
      co_await exchange.respond({.status = 201, .content_type = "application/json", .body = R"({"sid":"SM1"})"});
    });
    EXPECT_TRUE(started);
    if (started) server_ = std::move(*started);
  }
  std::uint16_t port() const { return server_->port(); }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return texts_.size();
  }
  std::string text(std::size_t index) const {
    const std::lock_guard lock(mutex_);
    return index < texts_.size() ? texts_[index] : "";
  }
  bool wait_for(std::size_t count) const {
    for (int i = 0; i < 2000 && this->count() < count; ++i) std::this_thread::sleep_for(5ms);
    return this->count() >= count;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> texts_;
  std::unique_ptr<net::Server> server_;
};

class ChannelsTest : public ServerTest {
 protected:
  static void SetUpTestSuite() {
    gateway_ = new Gateway;
    folder_ = std::filesystem::temp_directory_path() / fmt::format("mydr24-channels-test-{}", getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    const std::string token_file = (folder_ / "twilio.token").string();
    std::ofstream(token_file) << "12345\n";
    Settings settings;
    settings.server.listen = "127.0.0.1:0";
    settings.server.admin = "127.0.0.1:0";
    settings.server.drain_time_max_ms = 500;
    settings.store.path = (folder_ / "data").string();
    settings.log.level = "error";
    settings.access.mode = "off";
    settings.notify.twilio_url = fmt::format("http://127.0.0.1:{}", gateway_->port());
    settings.notify.twilio_account = "AC1";
    settings.notify.twilio_token_file = token_file;
    settings.notify.twilio_from = "+15550000001";
    settings.notify.link_base = public_base;
    auto started = start(settings, system_clock());
    ASSERT_TRUE(started) << started.error().text;
    system_ = std::move(*started).release();
  }
  static void TearDownTestSuite() {
    ServerTest::TearDownTestSuite();
    delete gateway_;
  }

  static Answer json(Method method, std::string_view path, std::string body) {
    return send(method, path, std::move(body), {{"Content-Type", "application/json"}});
  }
  // An SMS from the phone, as the gateway hands it on.
  static std::string reply(std::string_view text) {
    static int messages = 0;
    const std::string name = fmt::format("SM{}", ++messages);
    const net::QueryParameters form{{"MessageSid", name}, {"From", std::string(phone)}, {"Body", std::string(text)}};
    const std::string path = "/notify/twilio/sms";
    return send(Method::post, path,
                fmt::format("MessageSid={}&From={}&Body={}", name, net::percent_encode(phone),
                            net::percent_encode(text)),
                {{"Content-Type", "application/x-www-form-urlencoded"},
                 {"X-Twilio-Signature", notify::twilio_signature("12345", std::string(public_base) + path, form)}})
        .raw.body;
  }

  static inline Gateway* gateway_ = nullptr;
};

TEST_F(ChannelsTest, AnSmsGoesToAVerifiedNumberAndItsReplyAcknowledges) {
  const auto changed = json(
      Method::put, "/api/v1/oncall/plan",
      R"({"by":"test","parts":{"contact/ann":{"methods":[{"kind":"console"},{"kind":"sms","target":"+15551234567"}]},)"
      R"("policy/default":{"steps":[{"targets":["contact:ann"],"delay_s":600}]}}})");
  ASSERT_EQ(changed.status, 200) << changed.raw.body;
  const std::string address = R"({"kind":"sms","target":"+15551234567")";
  ASSERT_EQ(json(Method::post, "/api/v1/addresses/verify", address + "}").status, 200);
  std::smatch found;
  const std::string first = gateway_->text(0);
  ASSERT_TRUE(std::regex_search(first, found, std::regex("is ([0-9]{6})\\."))) << first;
  const auto confirmed =
      json(Method::post, "/api/v1/addresses/confirm", fmt::format(R"({},"code":"{}"}})", address, found[1].str()));
  ASSERT_EQ(confirmed.status, 200) << confirmed.raw.body;

  send(Method::put, "/fhir/R4/Patient/phone-1",
       R"({"resourceType":"Patient","id":"phone-1","birthDate":"1950-01-01"})");
  const auto stored = send(
      Method::post, "/fhir/R4/Observation",
      fmt::format(
          R"({{"resourceType":"Observation","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"2708-6"}}]}},)"
          R"("subject":{{"reference":"Patient/phone-1"}},"effectiveDateTime":"{}",)"
          R"("valueQuantity":{{"value":82,"system":"http://unitsofmeasure.org","code":"%","unit":"%"}}}})",
          format_instant(system_clock().now())));
  ASSERT_EQ(stored.status, 201) << stored.raw.body;
  ASSERT_TRUE(gateway_->wait_for(2));
  const std::string text = gateway_->text(1);
  EXPECT_EQ(text.find("phone-1"), std::string::npos) << text;
  ASSERT_NE(text.find("Reply 1a to acknowledge"), std::string::npos) << text;
  EXPECT_NE(reply("1a").find("Acknowledged by ann."), std::string::npos);
  const auto alerts = send(Method::get, "/api/v1/alerts");
  EXPECT_EQ(alerts.body.root()["alerts"].at(0)["acknowledged_by"].text(), "ann") << alerts.raw.body;
  EXPECT_NE(reply("1a").find("Already acknowledged by ann"), std::string::npos);
}

TEST_F(ChannelsTest, ATemplateThatNamesAPatientStopsTheStart) {
  Settings settings;
  settings.store.path = (folder_ / "other").string();
  settings.server.listen = settings.server.admin = "127.0.0.1:0";
  settings.log.level = "error";
  settings.notify.template_sms = "{{title}} of {{patient.name}}";
  const auto started = start(settings, system_clock());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().where, "notify.template_sms");
  EXPECT_NE(started.error().text.find("patient.name"), std::string::npos);
}

}  // namespace
}  // namespace mydr24::server
