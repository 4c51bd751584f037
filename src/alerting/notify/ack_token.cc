#include "alerting/notify/ack_token.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <fstream>

#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/crypto/base64.h"
#include "base/crypto/digest.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::notify {
namespace {

constexpr std::string_view space = "notify_tokens";
constexpr std::string_view key_space = "notify";
constexpr std::string_view key_row = "ack_key";
constexpr std::size_t key_bytes_min = 16;
constexpr std::size_t mac_bytes = 16;
constexpr std::uint32_t forgotten_at_once = 8;

std::int64_t seconds_of(Instant at) { return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count(); }

std::string mac(std::string_view key, std::string_view text) {
  return crypto::hmac_sha256(key, text).substr(0, mac_bytes);
}

// In the order of their end, so that what has expired stands first.
std::string use_key(const Claims& claims, std::string_view action) {
  return fmt::format("{:012}/{}/{}", seconds_of(claims.expires), claims.delivery_id, action);
}

std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return line;
}

Error not_ours() { return fail(Code::refused, "this link was not made by this server, or was changed on its way"); }

}  // namespace

std::string AckTokens::issue(std::string_view alert_id, std::string_view delivery_id, std::string_view contact,
                             Instant expires) const {
  // A delivery's id begins with its alert's: said once.
  const bool is_part = delivery_id.starts_with(alert_id);
  const std::string claims = fmt::format("1{}\n{}\n{}{}\n{}", seconds_of(expires), alert_id, is_part ? "+" : "=",
                                         is_part ? delivery_id.substr(alert_id.size()) : delivery_id, contact);
  return crypto::base64_url(claims) + "." + crypto::base64_url(mac(key_, claims));
}

Result<Claims> AckTokens::verify(std::string_view token, Instant now) const {
  const std::size_t dot = token.find('.');
  if (token.size() > token_bytes_max || dot == token.npos) return not_ours();
  const auto text = crypto::base64_url_decode(token.substr(0, dot));
  const auto given = crypto::base64_url_decode(token.substr(dot + 1));
  if (!text || !given || !crypto::same_secret(*given, mac(key_, *text))) return not_ours();

  std::string_view rest = *text;
  const std::string_view first = next_line(rest);
  const std::string_view alert_id = next_line(rest);
  const std::string_view delivery = next_line(rest);
  std::int64_t expires = 0;
  const auto [end, error] = std::from_chars(first.data() + 1, first.data() + first.size(), expires);
  if (!first.starts_with('1') || error != std::errc{} || end != first.data() + first.size() || delivery.empty())
    return not_ours();
  Claims claims{.alert_id = std::string(alert_id),
                .delivery_id = std::string(delivery.starts_with('+') ? alert_id : "") + std::string(delivery.substr(1)),
                .contact = std::string(rest),
                .expires = Instant(std::chrono::seconds(expires))};
  if (now >= claims.expires)
    return fail(Code::gone, fmt::format("this link could be used until {}", format_instant(claims.expires)));
  return claims;
}

Result<std::string> ack_key(store::Store& store) {
  std::string key;
  const auto read = [&key](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto row, reader.state(key_space, key_row));
    key = row.value_or("");
    return {};
  };
  MYDR24_TRY(store.read(read));
  if (!key.empty()) return key;
  MYDR24_TRY(store.write(RequestClass::emergency, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(read(transaction));  // another server may have been first
    if (!key.empty()) return {};
    key = make_secret() + make_secret();
    return transaction.set_state(key_space, key_row, key);
  }));
  return key;
}

Result<std::string> ack_key(const std::string& file) {
  std::ifstream in(file);
  std::string key;
  if (!in || !std::getline(in, key) || key.size() < key_bytes_min)
    return fail(Code::invalid,
                fmt::format("the first line of \"{}\" must be a key of at least {} bytes", file, key_bytes_min));
  return key;
}

namespace token_uses {

Result<std::optional<TokenUse>> find(store::Reader& reader, const Claims& claims, std::string_view action) {
  MYDR24_ASSIGN(const auto row, reader.state(space, use_key(claims, action)));
  if (!row) return std::optional<TokenUse>();
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(*row));
  const auto at = parse_date_time(document.root()["at"].text());
  return std::optional(TokenUse{std::string(document.root()["by"].text()), at ? at->low : Instant{}});
}

Result<> record(store::Transaction& transaction, const Claims& claims, std::string_view action, std::string_view by) {
  MYDR24_ASSIGN(const auto oldest, transaction.states(space, "", "", forgotten_at_once));
  const std::string now = fmt::format("{:012}", seconds_of(transaction.now()));
  for (const store::StateRow& row : oldest)
    if (row.key < now) MYDR24_TRY(transaction.erase_state(space, row.key));
  std::string value;
  json::Writer(value).begin_object().field("by", by).field("at", format_instant(transaction.now())).end_object();
  return transaction.set_state(space, use_key(claims, action), value);
}

}  // namespace token_uses
}  // namespace mydr24::notify
