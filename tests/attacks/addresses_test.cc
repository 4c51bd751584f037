// API7:2023 Server Side Request Forgery: targets that people enter lead to nothing inside, whatever their form.

#include <fmt/format.h>

#include <atomic>
#include <functional>
#include <thread>

#include "hospital.h"

namespace mydr24::attacks {
namespace {

// Something inside that must not be called; it counts who calls, and sends who asks for /away elsewhere.
class Inside {
 public:
  explicit Inside(const std::string& address = "127.0.0.1") {
    auto server = net::serve({.address = address}, [this](net::Exchange& exchange) -> Task<> {
      ++calls_;
      net::Response response;
      if (exchange.request().path == "/away") response = {.status = 307, .headers = {{"Location", to}}};
      co_await exchange.respond(std::move(response));
    });
    if (!server) throw std::runtime_error(server.error().text);
    server_ = std::move(*server);
  }
  std::uint16_t port() const { return server_->port(); }
  int calls() const { return calls_; }
  std::string to;

 private:
  std::atomic<int> calls_ = 0;
  std::unique_ptr<net::Server> server_;
};

std::string verification(std::string_view target) {
  return fmt::format(R"({{"kind":"webhook","target":"{}"}})", target);
}

// A contact with that webhook, and one call of it: how both were answered.
std::pair<int, int> page_a_contact(const std::string& target, const std::function<int(Request)>& answer_to) {
  const int put = answer_to({.method = "PUT",
                             .target = "/api/v1/oncall/parts/contact/mallory",
                             .headers = {{"Content-Type", "application/json"}},
                             .body = fmt::format(R"({{"methods":[{{"kind":"webhook","target":"{}"}}]}})", target)});
  const int paged = answer_to({.method = "POST",
                               .target = "/api/v1/oncall/test-page",
                               .headers = {{"Content-Type", "application/json"}},
                               .body = R"({"contacts":["mallory"],"by":"mallory"})"});
  return {put, paged};
}

TEST(Addresses, OfWebhooksLeadNowhereInside) {
  auto& hospital = Hospital::get();
  const Inside inside;
  const auto copy = hospital.live().folder() / "stolen.db";
  const auto port = inside.port();
  std::vector<std::string> targets{
      // The admin listener asks for no login: this would copy the whole store.
      fmt::format("http://{}:{}/backup?to={}", hospital.admin().host, hospital.admin().port, copy.string()),
      fmt::format("http://localhost:{}/backup?to={}", hospital.admin().port, copy.string()),
      "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
      "http://[fd00:ec2::254]/latest/meta-data/",
      "http://[::ffff:169.254.169.254]/",
      "http://100.100.100.200/",

      "https://10.0.0.1/",
      "https://172.16.0.1/",
      "https://192.168.0.1/",
      "http://[fe80::1]/",
      "http://[fc00::1]/",
      "http://224.0.0.1/",
      "http://255.255.255.255/",
      "file:///etc/passwd",
      "gopher://127.0.0.1:6379/_FLUSHALL",
      "ftp://127.0.0.1/",
      "dict://127.0.0.1:11211/stats",
      "ldap://127.0.0.1/",
      "javascript:alert(1)",
      "//127.0.0.1/",
      "http:///x",
      "http://user@127.0.0.1/",
      "http://127.0.0.1:0/",
      "http://127.0.0.1:99999/",
      "http://127.0.0.1/\\r\\nX: y"};
  for (const std::string host :
       {"127.0.0.1",  "localhost",  "LOCALHOST",          "127.1",           "127.0.1",           "0",
        "0.0.0.0",    "2130706433", "0x7f000001",         "0x7f.0.0.1",      "0177.0.0.1",        "127.0.0.1.",
        "[::1]",      "[::]",       "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]",
        "[::1%25lo]", "127.9.9.9"})
    targets.push_back(fmt::format("http://{}:{}/x", host, port));
  for (const auto& target : targets) {
    const auto answer =
        hospital.ask("nurse", {.method = "POST", .target = "/api/v1/addresses/verify", .body = verification(target)});
    EXPECT_TRUE(answer.status == 400 || answer.status == 422 || answer.status == 503)
        << target << ": " << answer.status;
    // Nothing tells what is there and what is not.
    for (const std::string_view told : {"refused\"", "Connection refused", "timed out", "answered 2", "answered 4"})
      EXPECT_FALSE(answer.body.contains(told)) << target << ": " << answer.body;
  }
  EXPECT_EQ(inside.calls(), 0);
  EXPECT_FALSE(std::filesystem::exists(copy)) << "a nurse copied the store";
  EXPECT_GE(targets.size(), 40U);
  hospital.check_service();
  hospital.check_trail();
}

// The plan may hold such a target; a call of it goes nowhere.
TEST(Addresses, OfContactsInThePlanLeadNowhereInside) {
  auto& hospital = Hospital::get();
  const Inside inside;
  const auto answers = page_a_contact(fmt::format("http://127.0.0.1:{}/x", inside.port()), [&](Request request) {
    return hospital.ask("on-call-engineer", std::move(request)).status;
  });
  EXPECT_EQ(answers, (std::pair{200, 200}));
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  EXPECT_EQ(inside.calls(), 0);
  hospital.check_trail();
}

// A client's key set, which the server would fetch when the client shows an assertion.
TEST(Addresses, OfKeySetsLeadNowhereInside) {
  auto& hospital = Hospital::get();
  const Inside inside;
  int number = 0;
  const auto key = crypto::Key::generate(crypto::Algorithm::es384);
  for (const std::string& url :
       {fmt::format("http://127.0.0.1:{}/keys", inside.port()), fmt::format("https://127.0.0.1:{}/keys", inside.port()),
        fmt::format("https://localhost:{}/keys", inside.port()), std::string("https://169.254.169.254/keys"),
        std::string("https://10.0.0.1/keys"), std::string("http://127.evil.example/keys"),
        std::string("http://evil.example/keys"), std::string("file:///etc/passwd"),
        std::string("https://[::1]/keys")}) {
    const auto id = fmt::format("inside-{}", ++number);
    // An administrator registers it: as they come, key sets of the loopback may be named, never fetched.
    try {
      hospital.administer(
          fmt::format(R"({{"do":"client.add","client_id":"{}","client_name":"x","grant_types":["client_credentials"],)"
                      R"("scope":"system/*.rs","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"{}"}})",
                      id, url));
    } catch (const std::runtime_error&) {
      continue;
    }
    const auto assertion =
        signed_by(key, crypto::Algorithm::es384, R"({"alg":"ES384"})",
                  fmt::format(R"({{"iss":"{0}","sub":"{0}","aud":"{1}/oauth/token","exp":9999999999,"jti":"1"}})", id,
                              hospital.base_url()));
    const auto answer = hospital.ask(
        "nobody", {.method = "POST",
                   .target = "/oauth/token",
                   .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                   .body = form({{"grant_type", "client_credentials"},
                                 {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
                                 {"client_assertion", assertion}})});
    EXPECT_TRUE(answer.status == 401 || answer.status == 503) << url << answer.status << answer.body;
    EXPECT_FALSE(answer.body.contains("Connection refused")) << answer.body;
    EXPECT_TRUE(answer.body.contains("the client's key set cannot be had")) << "one answer for all: " << answer.body;
  }
  EXPECT_EQ(inside.calls(), 0);
  hospital.check_service();
  hospital.check_trail();
}

// Who needs receivers of their own network says so: these are called, and lead no further.
TEST(Addresses, OfAllowedNetworksAreCalledAndNotFollowed) {
  Inside allowed("127.0.0.2");
  const Inside inside;
  allowed.to = fmt::format("http://127.0.0.1:{}/x", inside.port());
  live::Live live("[server]\ncall_networks = \"127.0.0.2/32\"\n");
  const auto verify = [&](const std::string& target) {
    return ask(live.server().endpoint(), text_of({.method = "POST",
                                                  .target = "/api/v1/addresses/verify",
                                                  .headers = {{"Content-Type", "application/json"}},
                                                  .body = verification(target)}))
        .status;
  };
  EXPECT_EQ(verify(fmt::format("http://127.0.0.2:{}/ok", allowed.port())), 200);
  EXPECT_EQ(allowed.calls(), 1);
  EXPECT_NE(verify(fmt::format("http://127.0.0.2:{}/away", allowed.port())), 200);
  EXPECT_EQ(allowed.calls(), 2);
  EXPECT_NE(verify(fmt::format("http://127.0.0.1:{}/x", inside.port())), 200);
  EXPECT_EQ(inside.calls(), 0);
  EXPECT_EQ(
      page_a_contact(fmt::format("http://127.0.0.2:{}/page", allowed.port()),
                     [&](const Request& request) { return ask(live.server().endpoint(), text_of(request)).status; }),
      (std::pair{200, 200}));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (allowed.calls() == 2 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_GE(allowed.calls(), 3) << "the control: a contact is called";
  EXPECT_EQ(live.stop(), 0);
}

}  // namespace
}  // namespace mydr24::attacks
