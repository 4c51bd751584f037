// A person logs in on the command line, through the pages of a real server.

#include "app/cli/login.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

#include "app/cli/cli.h"
#include "app/server/server.h"
#include "base/crypto/password.h"
#include "base/net/client.h"
#include "base/net/uri.h"
#include "guard/identity/user.h"

namespace mydr24::cli {
namespace {

constexpr const char* password = "correct horse battery";

// Hands over what was written when it is flushed for the first time.
class FirstFlush : public std::stringbuf {
 public:
  std::future<std::string> text() { return promise_.get_future(); }

 protected:
  int sync() override {
    if (!std::exchange(done_, true)) promise_.set_value(str());
    return 0;
  }

 private:
  std::promise<std::string> promise_;
  bool done_ = false;
};

std::string between(const std::string& text, std::string_view before, std::string_view after) {
  const auto at = text.find(before);
  if (at == text.npos) return {};
  const auto begin = at + before.size();
  return text.substr(begin, text.find(after, begin) - begin);
}

class LoginCommand : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = (std::filesystem::temp_directory_path() / fmt::format("mydr24-login-test-{}", ::getpid())).string();
    std::filesystem::remove_all(folder_);
    ::setenv("XDG_CONFIG_HOME", (folder_ + "/config").c_str(), 1);
    ::unsetenv("MYDR24_TOKEN");
    server::Settings settings;
    settings.server.listen = settings.server.admin = "127.0.0.1:0";
    settings.server.drain_time_max_ms = 500;
    settings.store.path = folder_ + "/data";
    settings.log.level = "error";
    testing::internal::CaptureStderr();
    auto started = server::start(settings, system_clock());
    testing::internal::GetCapturedStderr();
    ASSERT_TRUE(started) << started.error().text;
    system_ = std::move(*started);
    identity::User user{.name = "anna", .display = "Anna", .roles = {"emergency-clinician"}};
    user.password = *crypto::hash_password(password);
    ASSERT_TRUE(system_->store().write(RequestClass::routine, [&](store::Transaction& transaction) {
      return identity::users::add(transaction, user);
    }));
  }
  void TearDown() override {
    system_.reset();
    ::unsetenv("XDG_CONFIG_HOME");
    std::filesystem::remove_all(folder_);
  }

  int run_with(std::vector<std::string> words, std::string* out = nullptr) const {
    std::vector<const char*> arguments{"mydr24"};
    words.insert(words.end(), {"--server", system_->base_url()});
    for (const auto& word : words) arguments.push_back(word.c_str());
    std::ostringstream data, talk;
    const int exit = run(static_cast<int>(arguments.size()), arguments.data(), data, talk);
    if (out != nullptr) *out = data.str() + talk.str();
    return exit;
  }

  net::ClientResponse send(net::Method method, const std::string& url, std::string form = {}) {
    net::ClientRequest request{.method = method};
    request.url = *net::parse_url(url);
    if (!cookies_.empty()) request.headers.emplace_back("Cookie", cookies_);
    if (method == net::Method::post) request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    request.body = std::move(form);
    auto answer = net::send_blocking(std::move(request));
    EXPECT_TRUE(answer) << url;
    for (const auto& [name, value] : answer->headers)
      if (name == "Set-Cookie") cookies_ += (cookies_.empty() ? "" : "; ") + value.substr(0, value.find(';'));
    return std::move(*answer);
  }
  // A form of that page, with what the person fills in.
  net::ClientResponse fill_in(const std::string& page, const std::string& fields) {
    auto form = fields;
    for (const std::string name : {"csrf", "request"}) {
      auto value = between(page, fmt::format("name=\"{}\" value=\"", name), "\"");
      for (std::size_t at = 0; (at = value.find("&amp;", at)) != value.npos; ++at) value.replace(at, 5, "&");
      form += "&" + name + "=" + net::percent_encode(value);
    }
    return send(net::Method::post, system_->base_url() + "/oauth/authorize", form);
  }
  // What a person does in the browser; ends at the command's own address.
  void log_in_at(const std::string& address) {
    const auto page = send(net::Method::get, address);
    const auto entered = fill_in(page.body, "user=anna&code=&password=" + net::percent_encode(password));
    ASSERT_EQ(entered.status, 303) << entered.body;
    const auto where = std::string(entered.header("Location"));
    const auto consent = send(net::Method::get, where.starts_with('/') ? system_->base_url() + where : where);
    EXPECT_TRUE(consent.body.contains("MyDR24 on the command line")) << consent.body;
    const auto agreed = fill_in(consent.body, "decision=approve");
    ASSERT_EQ(agreed.status, 303) << agreed.body;
    const auto back = std::string(agreed.header("Location"));
    ASSERT_TRUE(back.starts_with("http://127.0.0.1:")) << back;
    EXPECT_TRUE(send(net::Method::get, back).body.contains("close this page"));
  }

  std::string folder_;
  std::string cookies_;
  std::unique_ptr<server::System> system_;
};

TEST_F(LoginCommand, GetsATokenThatCommandsUseUntilItIsGivenBack) {
  std::string said;
  EXPECT_EQ(run_with({"alert", "list"}, &said), static_cast<int>(Exit::not_allowed)) << said;

  FirstFlush talk;
  auto first = talk.text();
  auto ended = std::async(std::launch::async, [&] {
    std::ostream err(&talk);
    std::ostringstream out;
    const auto url = system_->base_url();
    const std::array<const char*, 4> arguments{"mydr24", "login", "--server", url.c_str()};
    return run(static_cast<int>(arguments.size()), arguments.data(), out, err);
  });
  ASSERT_EQ(first.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  log_in_at(between(first.get(), "browser:\n", "\n"));
  ASSERT_EQ(ended.get(), 0) << talk.str();

  const auto kept = std::filesystem::path(folder_) / "config/mydr24/login.json";
  EXPECT_EQ(std::filesystem::status(kept).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(run_with({"alert", "list"}, &said), 0) << said;

  // One that has expired is renewed.
  std::ifstream in(kept);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto at = text.find("\"expires\":") + 10;
  text.replace(at, text.find('}', at) - at, "1");
  std::ofstream(kept) << text;
  EXPECT_EQ(run_with({"alert", "list"}, &said), 0) << said;
  std::ifstream again(kept);
  EXPECT_FALSE(std::string(std::istreambuf_iterator<char>(again), {}).contains("\"expires\":1}"));

  EXPECT_EQ(run_with({"logout"}, &said), 0) << said;
  EXPECT_EQ(run_with({"alert", "list"}, &said), static_cast<int>(Exit::not_allowed)) << said;
  EXPECT_EQ(run_with({"logout"}, &said), static_cast<int>(Exit::not_found));
}

TEST_F(LoginCommand, ATokenOfTheEnvironmentGoesFirstAndADamagedFileIsNamed) {
  ::setenv("MYDR24_TOKEN", "nobody's", 1);
  net::ClientRequest request;
  request.url = *net::parse_url(system_->base_url());
  ASSERT_TRUE(authorize(request));
  EXPECT_EQ(request.headers.back().second, "Bearer nobody's");
  ::unsetenv("MYDR24_TOKEN");
  std::filesystem::create_directories(folder_ + "/config/mydr24");
  std::ofstream(folder_ + "/config/mydr24/login.json") << "{";
  const auto refused = authorize(request);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().where.ends_with("login.json"));
}

}  // namespace
}  // namespace mydr24::cli
