#include "guard/identity/origins.h"

#include "guard/identity/detail/fixture.h"

namespace mydr24::identity {
namespace {

class OriginsOf : public IdentityTest {
 protected:
  void add(std::string id, std::vector<std::string> redirect_uris) {
    ASSERT_TRUE(write([&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(clients::add(
          transaction,
          {.id = id, .name = id, .redirect_uris = std::move(redirect_uris), .grant_types = {"authorization_code"}}));
      return {};
    }));
  }
};

TEST_F(OriginsOf, AreThoseOfRedirectUrisAsABrowserWritesThem) {
  add("one", {"https://App.Example:443/cb", "http://localhost:3000/cb?x=1", "com.example.app:/cb"});
  add("two", {"http://127.0.0.1:80/", "https://two.example:8443/a/b"});
  Origins origins(&store, clock, {"https://set.example"});
  for (const char* origin : {"https://app.example", "http://localhost:3000", "http://127.0.0.1",
                             "https://two.example:8443", "https://set.example"})
    EXPECT_TRUE(origins.has(origin)) << origin;
  for (const char* origin :
       {"http://app.example", "https://app.example:443", "https://app.example.evil.example", "https://app.example/",
        "com.example.app:", "null", "*", "", "https://", "http://localhost", "http://localhost:3001", "file://"})
    EXPECT_FALSE(origins.has(origin)) << origin;
  EXPECT_FALSE(origins.has("https://" + std::string(100'000, 'a')));
}

TEST_F(OriginsOf, ChangeWithTheClientsWithinTwoSeconds) {
  Origins origins(&store, clock, {});
  EXPECT_FALSE(origins.has("https://app.example"));
  add("one", {"https://app.example/cb"});
  clock.advance(std::chrono::seconds(2));
  EXPECT_TRUE(origins.has("https://app.example"));
  ASSERT_TRUE(write([](store::Transaction& transaction) { return clients::remove(transaction, "one"); }));
  EXPECT_TRUE(origins.has("https://app.example"));
  clock.advance(std::chrono::seconds(2));
  EXPECT_FALSE(origins.has("https://app.example"));
}

TEST_F(OriginsOf, WithoutAStoreAreThoseOfTheSettings) {
  Origins origins(nullptr, clock, {"https://set.example"});
  EXPECT_TRUE(origins.has("https://set.example"));
  EXPECT_FALSE(origins.has("https://app.example"));
}

TEST_F(OriginsOf, SettingsAreChecked) {
  for (const char* good : {"https://app.example", "http://localhost:3000", "https://[::1]:8443"})
    EXPECT_TRUE(check_origin(good)) << good;
  for (const char* bad :
       {"*", "null", "", "https://", "https://:443", "app.example", "https://app.example/", "https://App.example",
        "https://*.example", "https://a.example, https://b.example", "javascript:x", "https://app.example:"})
    EXPECT_FALSE(check_origin(bad)) << bad;
}

}  // namespace
}  // namespace mydr24::identity
