#pragma once

// What people read on our pages, in their language: the messages page.* of the console's catalogs (console/src/i18n), of which every
// language has all. Private to api/oauth_api.

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/net/http.h"

namespace mydr24::oauth_api {

struct Message {
  std::string_view language;  // "en", "de", "fr", "es", "ar"
  std::string_view id;        // "page.login"
  std::string_view text;      // with values as {who}
};
std::span<const Message> page_messages();

// In which the console keeps what a person chose there.
inline constexpr std::string_view language_cookie = "mydr24-language";

class Texts {
 public:
  using Values = std::vector<std::pair<std::string_view, std::string>>;

  // By that cookie, else by Accept-Language (RFC 9110, 12.5.4), else English.
  static Texts of(const net::Request& request);
  explicit Texts(std::string_view language) : language_(language) {}

  std::string_view language() const { return language_; }
  std::string_view direction() const { return language_ == "ar" ? "rtl" : "ltr"; }

  // HTML may go in as a value: nothing is escaped. Empty: there is no such message.
  std::string operator()(std::string_view id, const Values& values = {}) const;
  // What the server says in English, as page.error.* have it; else as it is.
  std::string error(std::string_view english) const;

 private:
  std::string_view language_;
};

}  // namespace mydr24::oauth_api
