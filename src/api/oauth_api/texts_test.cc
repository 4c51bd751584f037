#include "api/oauth_api/detail/texts.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "base/net/headers_fixture.h"
#include "guard/identity/user.h"

namespace mydr24::oauth_api {
namespace {

std::string_view language_of(std::string accepted, std::string cookie = {}) {
  const net::SentHeaders headers({{"Accept-Language", std::move(accepted)}, {"Cookie", std::move(cookie)}});
  return Texts::of({.path = "/login", .headers = &headers}).language();
}

TEST(Texts, EveryLanguageHasEveryMessage) {
  std::map<std::string_view, std::set<std::string_view>> ids;
  for (const Message& message : page_messages()) ids[message.language].insert(message.id);
  ASSERT_EQ(ids.size(), 5U);
  for (const auto& [language, all] : ids) EXPECT_EQ(all, ids["en"]) << language;
}

TEST(Texts, ALanguageIsThatOfTheConsoleElseThatOfTheBrowserElseEnglish) {
  EXPECT_EQ(language_of(""), "en");
  EXPECT_EQ(language_of("de-AT,de;q=0.9,en;q=0.8"), "de");
  EXPECT_EQ(language_of("pt-BR, pt;q=0.9, es;q=0.8"), "es");
  EXPECT_EQ(language_of("pt"), "en");
  EXPECT_EQ(language_of("de", "mydr24-language=ar"), "ar");
  EXPECT_EQ(language_of("de", "mydr24-language=<script>"), "de");
  EXPECT_EQ(language_of(std::string(10'000, ',')), "en");
  EXPECT_EQ(Texts("ar").direction(), "rtl");
  EXPECT_EQ(Texts("fr").direction(), "ltr");
}

TEST(Texts, ValuesStandInTheirPlace) {
  EXPECT_EQ(Texts("de")("page.logout.who", {{"who", "Ada"}}), "Sie sind angemeldet als Ada.");
  EXPECT_EQ(Texts("de")("page.none"), "");
}

TEST(Texts, AnErrorIsToldInThatLanguageWithItsValues) {
  EXPECT_EQ(Texts("de").error("too many attempts to log in: try again in 17 s"),
            "zu viele Anmeldeversuche: versuchen Sie es in 17 s noch einmal");
  EXPECT_EQ(Texts("en").error("the two passwords are not the same"), "the two passwords are not the same");
  EXPECT_EQ(Texts("de").error("the disk is full"), "the disk is full") << "what no catalog has stays as it is";
}

TEST(Texts, WhatIsSaidOfANewPasswordIsInTheCatalogs) {
  for (const auto& [password, name] : std::map<std::string, std::string>{
           {"short", "ada"}, {"ada-and-more-than-twelve", "ada"}, {"aaaaaaaaaaaaaaaa", "bob"}}) {
    const auto wrong = identity::check_new_password(password, name);
    ASSERT_FALSE(wrong) << password;
    EXPECT_NE(Texts("es").error(wrong.error().text), wrong.error().text) << wrong.error().text;
  }
}

}  // namespace
}  // namespace mydr24::oauth_api
