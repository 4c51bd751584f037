#include "api/oauth_api/detail/texts.h"

#include <algorithm>
#include <optional>

#include "api/oauth_api/detail/exchange.h"

namespace mydr24::oauth_api {
namespace {

constexpr std::string_view english = "en";

std::string_view known_language(std::string_view tag) {
  const auto primary = tag.substr(0, tag.find_first_of("-;, "));
  const auto messages = page_messages();
  const auto found = std::ranges::find(messages, primary, &Message::language);
  return found == messages.end() ? std::string_view() : found->language;
}

// The first that we have: browsers send them in the order in which their person wants them.
std::string_view accepted_language(std::string_view header) {
  while (!header.empty()) {
    const auto comma = std::min(header.find(','), header.size());
    auto tag = header.substr(0, comma);
    while (tag.starts_with(' ')) tag.remove_prefix(1);
    if (const auto language = known_language(tag); !language.empty()) return language;
    header.remove_prefix(std::min(comma + 1, header.size()));
  }
  return english;
}

std::string_view find(std::string_view language, std::string_view id) {
  const auto messages = page_messages();
  const auto found = std::ranges::find_if(
      messages, [&](const Message& message) { return message.language == language && message.id == id; });
  return found == messages.end() ? std::string_view() : found->text;
}

// The values with which a text says that; nothing: it says something else.
std::optional<Texts::Values> values_of(std::string_view text, std::string_view said) {
  Texts::Values values;
  while (true) {
    const auto open = text.find('{');
    const auto before = text.substr(0, open);
    if (open == text.npos) return said == before ? std::optional(std::move(values)) : std::nullopt;
    if (!said.starts_with(before)) return std::nullopt;
    said.remove_prefix(before.size());
    const auto close = text.find('}', open);
    const auto name = text.substr(open + 1, close - open - 1);
    text.remove_prefix(close + 1);
    const auto next = text.substr(0, text.find('{'));
    const auto end = next.empty() ? said.size() : said.find(next);
    if (end == said.npos) return std::nullopt;
    values.emplace_back(name, said.substr(0, end));
    said.remove_prefix(end);
  }
}

}  // namespace

Texts Texts::of(const net::Request& request) {
  const auto chosen = known_language(cookie_value(request, language_cookie));
  return Texts(chosen.empty() ? accepted_language(request.header("Accept-Language")) : chosen);
}

std::string Texts::operator()(std::string_view id, const Values& values) const {
  std::string text(find(language_, id));
  for (const auto& [name, value] : values) {
    const auto mark = "{" + std::string(name) + "}";
    if (const auto at = text.find(mark); at != text.npos) text.replace(at, mark.size(), value);
  }
  return text;
}

std::string Texts::error(std::string_view said) const {
  for (const Message& message : page_messages()) {
    if (message.language != english || !message.id.starts_with("page.error.")) continue;
    if (const auto values = values_of(message.text, said)) return (*this)(message.id, *values);
  }
  return std::string(said);
}

}  // namespace mydr24::oauth_api
