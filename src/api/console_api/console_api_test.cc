#include "api/console_api/console_api.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio.hpp>
#include <regex>
#include <set>

#include "api/pipeline/pipeline.h"
#include "base/net/headers_fixture.h"

namespace mydr24::console_api {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;
using testing::Not;

// One request without a socket.
class LocalExchange : public net::Exchange {
 public:
  explicit LocalExchange(net::Request request) : request_(request) {}
  const net::Request& request() const override { return request_; }
  Task<Result<std::string>> read_body(std::size_t) override { co_return std::string(); }
  Task<Result<std::string_view>> read_some() override { co_return std::string_view(); }
  Task<> respond(net::Response response) override {
    answer = std::move(response);
    co_return;
  }
  Task<Result<>> begin_stream(net::Response) override { co_return Result<>(); }
  Task<Result<>> write(std::string_view) override { co_return Result<>(); }
  Task<Result<>> finish() override { co_return Result<>(); }
  bool draining() const override { return true; }
  Task<> sleep(std::chrono::milliseconds) override { co_return; }
  net::Response answer{.status = 0};

 private:
  net::Request request_;
};

class Console : public testing::Test {
 protected:
  Console() { add_routes(router, {.is_known = {}, .demo = true, .version = "1.2.3"}); }
  net::Response ask(std::string_view path) {
    LocalExchange exchange({.method = net::Method::get, .path = path, .headers = &headers});
    const auto match = router.match(net::Method::get, path);
    if (match.route == nullptr) return {.status = 404};
    pipeline::Call call(exchange, match, match.route->request_class, "http://h", access::Access::server());
    asio::io_context context;
    asio::co_spawn(context.get_executor(), match.route->handler(call), asio::detached);
    context.run();
    return exchange.answer;
  }
  static std::string header(const net::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
      if (key == name) return value;
    return {};
  }
  static const Asset& script() {
    static const auto found = std::ranges::find_if(
        embedded_assets(), [](const Asset& asset) { return asset.content_type.starts_with("text/javascript"); });
    return *found;
  }
  net::SentHeaders headers;
  pipeline::Router router;
};

TEST_F(Console, EveryScreenIsThePageAndNothingElseIs) {
  ASSERT_FALSE(screen_paths().empty());
  for (const std::string_view path : {"/", "/board", "/patients", "/patients/ada", "/alerts"}) {
    const auto answer = ask(path);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_TRUE(answer.content_type.starts_with("text/html")) << path;
    EXPECT_THAT(std::string(answer.content()), HasSubstr("<div id=\"root\">")) << path;
  }
  for (const std::string_view path : {"/boards", "/patients/ada/x", "/index.html", "/assets", "/favicon.ico"})
    EXPECT_EQ(ask(path).status, 404) << path;
}

TEST_F(Console, ThePageIsAskedForEachTimeAndItsFilesAreKept) {
  EXPECT_EQ(header(ask("/"), "Cache-Control"), "no-cache");
  EXPECT_EQ(header(ask(script().path), "Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(ask("/assets/of-another-version.js").status, 404);
}

TEST_F(Console, EveryAnswerForbidsWhatIsNotItsOwn) {
  for (const std::string_view path : {std::string_view("/"), std::string_view("/board"), script().path}) {
    const auto policy = header(ask(path), "Content-Security-Policy");
    EXPECT_THAT(policy, HasSubstr("default-src 'self'")) << path;
    EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'")) << path;
    EXPECT_THAT(policy, Not(HasSubstr("unsafe"))) << path;
    EXPECT_THAT(policy, Not(HasSubstr("http"))) << path;
  }
}

TEST_F(Console, IsSentInTheShortestFormThatIsAccepted) {
  struct Row {
    const char* accept;
    const char* coding;
    std::string_view body;
  };
  const Row rows[] = {{"", "", script().plain},
                      {"gzip", "gzip", script().gzip},
                      {"gzip, deflate, br, zstd", "br", script().brotli},
                      {"br;q=0, gzip;q=0.5", "gzip", script().gzip},
                      {"br;q=0.000, gzip;q=0.0", "", script().plain},
                      {"identity", "", script().plain},
                      {" gzip ; q=1.0 ", "gzip", script().gzip}};
  for (const auto& row : rows) {
    headers.sent["Accept-Encoding"] = row.accept;
    const auto answer = ask(script().path);
    EXPECT_EQ(header(answer, "Content-Encoding"), row.coding) << row.accept;
    EXPECT_TRUE(answer.content() == row.body) << row.accept;
    EXPECT_EQ(header(answer, "Vary"), "Accept-Encoding") << row.accept;
  }
  EXPECT_LT(script().brotli.size(), script().plain.size());
  EXPECT_LT(script().gzip.size(), script().plain.size());
}

TEST_F(Console, WhoHasItAlreadyIsSentNothing) {
  headers.sent["Accept-Encoding"] = "br";
  const auto tag = header(ask("/"), "ETag");
  ASSERT_FALSE(tag.empty());
  headers.sent["If-None-Match"] = tag;
  const auto answer = ask("/");
  EXPECT_EQ(answer.status, 304);
  EXPECT_TRUE(answer.content().empty());
  EXPECT_EQ(header(answer, "ETag"), tag);
  // Another coding is another representation.
  headers.sent["Accept-Encoding"] = "gzip";
  EXPECT_EQ(ask("/").status, 200);
}

TEST_F(Console, AConsoleLearnsWhetherPeopleLogIn) {
  const auto answer = ask("/api/v1/config");
  EXPECT_EQ(answer.body, R"({"access":"off","demo":true,"version":"1.2.3"})");
  EXPECT_EQ(header(answer, "Cache-Control"), "no-store");
}

TEST_F(Console, AConsoleLearnsWhereItStands) {
  pipeline::Router other;
  add_routes(other, {.version = "1", .site = "St. Elsewhere", .zone = "Europe/Berlin"});
  router = std::move(other);
  EXPECT_EQ(ask("/api/v1/config").body,
            R"({"access":"off","demo":false,"version":"1","site":"St. Elsewhere","zone":"Europe/Berlin"})");
}

TEST_F(Console, AConsoleLearnsWhetherSomebodyIsLoggedInWithoutBeingRefused) {
  for (const bool known : {false, true}) {
    pipeline::Router other;
    add_routes(other, {.is_known = [known](const net::Request&) { return known; }, .version = "1"});
    router = std::move(other);
    EXPECT_EQ(ask("/api/v1/config").body,
              fmt::format(R"({{"access":"on","logged_in":{},"demo":false,"version":"1"}})", known));
  }
}

TEST(ConsoleFiles, LoadNothingFromElsewhereAndHaveNothingInline) {
  const std::regex forbidden(R"re(\sstyle=|\son[a-z]+=|<style|<script>|(src|href)="(https?:)?//)re", std::regex::icase);
  std::set<std::string_view> paths;
  for (const Asset& asset : embedded_assets()) {
    EXPECT_TRUE(paths.insert(asset.path).second) << asset.path;
    EXPECT_FALSE(asset.plain.empty()) << asset.path;
    if (!asset.content_type.starts_with("text/html")) continue;
    std::match_results<std::string_view::const_iterator> found;
    EXPECT_FALSE(std::regex_search(asset.plain.begin(), asset.plain.end(), found, forbidden)) << found.str();
  }
  EXPECT_TRUE(paths.contains("/index.html"));
}

}  // namespace
}  // namespace mydr24::console_api
