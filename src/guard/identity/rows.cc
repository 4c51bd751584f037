#include "guard/identity/rows.h"

#include <fmt/format.h>

#include <charconv>

namespace mydr24::identity::rows {
namespace {

std::int64_t seconds_of(Instant at) { return std::chrono::ceil<std::chrono::seconds>(at.time_since_epoch()).count(); }

}  // namespace

std::int64_t number_of(json::Value value) {
  std::int64_t number = 0;
  const auto text = value.text();
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Instant time_of(json::Value value) { return from_us(number_of(value)); }

std::vector<std::string> texts_of(json::Value value) {
  std::vector<std::string> texts;
  for (const auto each : value) texts.emplace_back(each.text());
  return texts;
}

void write_texts(json::Writer& out, std::string_view name, const std::vector<std::string>& texts) {
  out.key(name).begin_array();
  for (const auto& text : texts) out.string(text);
  out.end_array();
}

Result<> expire_at(store::Transaction& transaction, std::string_view space, std::string_view key, Instant when) {
  return transaction.set_state(expiry, fmt::format("{:012}/{}/{}", seconds_of(when), space, key), "");
}

Result<bool> sweep(store::Transaction& transaction, std::uint32_t count) {
  MYDR24_ASSIGN(const auto due, transaction.states(expiry, "", "", count));
  const std::string now = fmt::format("{:012}", seconds_of(transaction.now()));
  for (const auto& [name, unused] : due) {
    if (name.substr(0, now.size()) >= now) return false;
    MYDR24_TRY(transaction.erase_state(expiry, name));
    const auto slash = name.find('/', now.size() + 1);
    const auto space = std::string_view(name).substr(now.size() + 1, slash - now.size() - 1);
    const auto key = std::string_view(name).substr(slash + 1);
    MYDR24_ASSIGN(const auto row, transaction.state(space, key));
    if (!row) continue;
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(*row));
    const Instant expires = time_of(document.root()["expires"]);
    if (expires > transaction.now()) {
      MYDR24_TRY(expire_at(transaction, space, key, expires));
    } else {
      MYDR24_TRY(transaction.erase_state(space, key));
    }
  }
  return due.size() == count;
}

}  // namespace mydr24::identity::rows
