#include "alerting/notify/heard.h"

#include <charconv>

#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::notify {
namespace {

constexpr std::string_view space = "notify_heard";
constexpr std::uint32_t looked_at_once = 8;

struct Row {
  Instant at;
  std::string answer;
};

Result<Row> parse_row(std::string_view text) {
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(text));
  std::int64_t us = 0;
  const std::string_view at = document.root()["at"].text();
  std::from_chars(at.data(), at.data() + at.size(), us);
  return Row{from_us(us), std::string(document.root()["answer"].text())};
}

// No control characters in keys.
std::string row_key(std::string_view message) {
  std::string key;
  json::append_quoted(key, message);
  return key;
}

}  // namespace

Result<std::optional<std::string>> heard(store::Reader& reader, std::string_view message) {
  MYDR24_ASSIGN(const auto text, reader.state(space, row_key(message)));
  if (!text) return std::optional<std::string>();
  MYDR24_ASSIGN(Row row, parse_row(*text));
  return std::optional(std::move(row.answer));
}

Result<> remember_heard(store::Transaction& transaction, std::string_view message, std::string_view answer) {
  const std::string key = row_key(message);
  // Names of messages are random, so looking behind each new one comes to all of them.
  MYDR24_ASSIGN(const auto behind, transaction.states(space, "", key, looked_at_once));
  for (const store::StateRow& row : behind) {
    MYDR24_ASSIGN(const Row old, parse_row(row.value));
    if (old.at + heard_kept < transaction.now()) MYDR24_TRY(transaction.erase_state(space, row.key));
  }
  std::string value;
  json::Writer(value).begin_object().field("at", to_us(transaction.now())).field("answer", answer).end_object();
  return transaction.set_state(space, key, value);
}

}  // namespace mydr24::notify
