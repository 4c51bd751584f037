#include "alerting/notify/address_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/crypto/digest.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "base/net/client.h"

namespace mydr24::notify {
namespace {

// notify_addresses  KIND/TARGET -> Row
// notify_codes      NUMBER/CODE -> CodeUse
// notify_chats      ALERT/TARGET -> ChatMessage
constexpr std::string_view addresses_space = "notify_addresses";
constexpr std::string_view codes_space = "notify_codes";
constexpr std::string_view chats_space = "notify_chats";

struct Row {
  Standing standing;
  // Verification.
  std::string code_mac;
  std::optional<Instant> code_expires;
  int tries = 0;
  std::optional<Instant> hour_begun;
  int codes_this_hour = 0;
  // SMS.
  int last_code = 0;
  int useless = 0;
};

std::string row_key(const Address& address) { return fmt::format("{}/{}", to_string(address.kind), address.target); }
std::string chat_key(std::string_view alert_id, const Address& address) {
  return fmt::format("{}/{}", alert_id, address.target);
}
std::string code_key(std::string_view number, int code) { return fmt::format("{}/{:03}", number, code); }

int read_int(json::Value value) {
  int number = 0;
  const std::string_view text = value.text();
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::optional<Instant> read_instant(json::Value value) {
  const auto range = parse_date_time(value.text());
  return range ? std::optional(range->low) : std::nullopt;
}

Result<Row> parse_row(std::string_view text) {
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(text));
  const json::Value value = document.root();
  return Row{.standing = {.verified_at = read_instant(value["verified_at"]),
                          .disabled_at = read_instant(value["disabled_at"]),
                          .disabled_why = std::string(value["disabled_why"].text()),
                          .stopped = value["stopped"].is_true()},
             .code_mac = std::string(value["code_mac"].text()),
             .code_expires = read_instant(value["code_expires"]),
             .tries = read_int(value["tries"]),
             .hour_begun = read_instant(value["hour_begun"]),
             .codes_this_hour = read_int(value["codes_this_hour"]),
             .last_code = read_int(value["last_code"]),
             .useless = read_int(value["useless"])};
}

Result<Row> read_row(store::Reader& reader, const Address& address) {
  MYDR24_ASSIGN(const auto text, reader.state(addresses_space, row_key(address)));
  if (!text) return Row{};
  return parse_row(*text);
}

Result<> write_row(store::Transaction& transaction, const Address& address, const Row& row) {
  std::string text;
  json::Writer out(text);
  const auto instant = [&](std::string_view name, std::optional<Instant> at) {
    if (at) out.field(name, format_instant(*at));
  };
  out.begin_object();
  instant("verified_at", row.standing.verified_at);
  instant("disabled_at", row.standing.disabled_at);
  if (row.standing.disabled_at) out.field("disabled_why", row.standing.disabled_why);
  out.field("stopped", row.standing.stopped);
  if (!row.code_mac.empty()) out.field("code_mac", row.code_mac);
  instant("code_expires", row.code_expires);
  out.field("tries", row.tries);
  instant("hour_begun", row.hour_begun);
  out.field("codes_this_hour", row.codes_this_hour)
      .field("last_code", row.last_code)
      .field("useless", row.useless)
      .end_object();
  return transaction.set_state(addresses_space, row_key(address), text);
}

Result<> note(store::Transaction& transaction, std::string_view kind, const Address& address) {
  std::string payload;
  json::Writer(payload)
      .begin_object()
      .field("kind", to_string(address.kind))
      .field("target", shown_target(address))
      .end_object();
  MYDR24_TRY(transaction.note(kind, payload));
  return {};
}

std::string new_digits() {
  std::uint64_t number = 0;
  const std::string random = make_secret();
  std::from_chars(random.data(), random.data() + 15, number, 16);
  return fmt::format("{:06}", number % 1'000'000);
}

Result<std::optional<CodeUse>> read_code(store::Reader& reader, std::string_view number, int code) {
  MYDR24_ASSIGN(const auto text, reader.state(codes_space, code_key(number, code)));
  if (!text) return std::optional<CodeUse>();
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(*text));
  const json::Value value = document.root();
  CodeUse use{.code = code, .alerts = {}, .contact = std::string(value["contact"].text())};
  for (const json::Value alert : value["alerts"]) use.alerts.emplace_back(alert.text());
  use.sent_at = read_instant(value["sent_at"]).value_or(Instant{});
  use.acknowledged = value["acknowledged"].is_true();
  use.closed = value["closed"].is_true();
  return std::optional(std::move(use));
}

}  // namespace

std::string shown_target(const Address& address) {
  if (address.kind == Kind::pagerduty) return "...";
  const auto url = net::parse_url(address.target);
  return url ? fmt::format("{}://{}", url->scheme, url->host) : address.target;
}

std::string Standing::why_not() const {
  if (disabled_at) return fmt::format("this address was disabled: {}", disabled_why);
  if (stopped) return "the person answered STOP: no SMS to this number until START";
  return {};
}

Result<Standing> AddressBook::standing(store::Reader& reader, const Address& address) {
  MYDR24_ASSIGN(Row row, read_row(reader, address));
  return std::move(row.standing);
}

Result<Standing> AddressBook::standing(const Address& address) const {
  Standing found;
  MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(found, standing(reader, address));
    return {};
  }));
  return found;
}

Result<bool> AddressBook::knows(store::Reader& reader, const Address& address) {
  MYDR24_ASSIGN(const auto row, reader.state(addresses_space, row_key(address)));
  return row.has_value();
}

Result<std::vector<KnownAddress>> AddressBook::list(store::Reader& reader, std::string_view after,
                                                    std::uint32_t count) {
  MYDR24_ASSIGN(const auto rows,
                reader.states(addresses_space, "", after, std::clamp(count, 1U, addresses_per_page_max)));
  std::vector<KnownAddress> known;
  for (const store::StateRow& state : rows) {
    const std::size_t slash = state.key.find('/');
    const auto kind = parse_kind(std::string_view(state.key).substr(0, slash));
    if (!kind) continue;
    MYDR24_ASSIGN(Row row, parse_row(state.value));
    known.push_back({{*kind, state.key.substr(slash + 1), {}}, std::move(row.standing)});
  }
  return known;
}

Result<std::string> AddressBook::begin_verification(store::Transaction& transaction, const Address& address) const {
  MYDR24_TRY(check_address(address));
  MYDR24_ASSIGN(Row row, read_row(transaction, address));
  const Instant now = transaction.now();
  if (!row.hour_begun || now - *row.hour_begun >= std::chrono::hours(1)) {
    row.hour_begun = now;
    row.codes_this_hour = 0;
  }
  if (row.codes_this_hour >= verifications_per_hour_max)
    return fail(Code::busy,
                fmt::format("{} codes were sent to this address within an hour: wait", row.codes_this_hour));
  const std::string code = new_digits();
  row.codes_this_hour += 1;
  row.tries = 0;
  row.code_expires = now + verification_valid;
  row.code_mac = crypto::hmac_sha256_hex(key_, row_key(address) + "\n" + code);
  MYDR24_TRY(write_row(transaction, address, row));
  MYDR24_TRY(note(transaction, "contact.code_sent", address));
  return code;
}

Result<Confirmation> AddressBook::confirm(store::Transaction& transaction, const Address& address,
                                          std::string_view code) const {
  MYDR24_ASSIGN(Row row, read_row(transaction, address));
  if (row.code_mac.empty() || !row.code_expires || transaction.now() >= *row.code_expires ||
      row.tries >= verification_tries_max)
    return fail(Code::gone, "no code is waiting for this address: ask for a new one");
  if (!crypto::same_secret(row.code_mac, crypto::hmac_sha256_hex(key_, row_key(address) + "\n" + std::string(code)))) {
    row.tries += 1;
    MYDR24_TRY(write_row(transaction, address, row));
    return Confirmation{false, verification_tries_max - row.tries};
  }
  row.standing.verified_at = transaction.now();
  row.code_mac.clear();
  row.code_expires.reset();
  row.tries = 0;
  MYDR24_TRY(write_row(transaction, address, row));
  MYDR24_TRY(note(transaction, "contact.verified", address));
  return Confirmation{true, 0};
}

Result<> AddressBook::disable(store::Transaction& transaction, const Address& address, std::string_view why) const {
  MYDR24_TRY(check_address(address));
  MYDR24_ASSIGN(Row row, read_row(transaction, address));
  if (row.standing.disabled_at) return {};
  row.standing.disabled_at = transaction.now();
  row.standing.disabled_why = why;
  MYDR24_TRY(write_row(transaction, address, row));
  return note(transaction, "contact.disabled", address);
}

Result<> AddressBook::enable(store::Transaction& transaction, const Address& address) const {
  MYDR24_ASSIGN(Row row, read_row(transaction, address));
  if (!row.standing.disabled_at) return {};
  row.standing.disabled_at.reset();
  row.standing.disabled_why.clear();
  MYDR24_TRY(write_row(transaction, address, row));
  return note(transaction, "contact.enabled", address);
}

Result<> AddressBook::set_stopped(store::Transaction& transaction, std::string_view number, bool stopped) const {
  const Address address{Kind::sms, std::string(number), {}};
  MYDR24_ASSIGN(Row row, read_row(transaction, address));
  if (row.standing.stopped == stopped) return {};
  row.standing.stopped = stopped;
  MYDR24_TRY(write_row(transaction, address, row));
  return note(transaction, stopped ? "contact.stopped" : "contact.started", address);
}

Result<int> AddressBook::new_code(store::Transaction& transaction, std::string_view number,
                                  const std::vector<std::string>& alerts, std::string_view contact) {
  const Address address{Kind::sms, std::string(number), {}};
  MYDR24_ASSIGN(Row row, read_row(transaction, address));
  row.last_code = row.last_code % sms_code_max + 1;
  MYDR24_TRY(write_row(transaction, address, row));
  MYDR24_TRY(mark_code(
      transaction, number,
      {.code = row.last_code, .alerts = alerts, .contact = std::string(contact), .sent_at = transaction.now()}));
  return row.last_code;
}

Task<Result<int>> AddressBook::new_code(std::string number, std::vector<std::string> alerts,
                                        std::string contact) const {
  int code = 0;
  const auto done = co_await async_call<Result<>>([&](auto finish) {
    store_.submit(
        RequestClass::emergency,
        [&](store::Transaction& transaction) -> Result<> {
          MYDR24_ASSIGN(code, new_code(transaction, number, alerts, contact));
          return {};
        },
        std::move(finish));
  });
  if (!done) co_return done.error();
  co_return code;
}

Result<std::optional<CodeUse>> AddressBook::find_code(store::Reader& reader, std::string_view number, int code) {
  if (code != 0) return read_code(reader, number, code);
  MYDR24_ASSIGN(const Row row, read_row(reader, {Kind::sms, std::string(number), {}}));
  if (row.last_code == 0) return std::optional<CodeUse>();
  return read_code(reader, number, row.last_code);
}

Result<> AddressBook::mark_code(store::Transaction& transaction, std::string_view number, const CodeUse& use) {
  std::string text;
  json::Writer out(text);
  out.begin_object().key("alerts").begin_array();
  for (const std::string& alert : use.alerts) out.string(alert);
  out.end_array()
      .field("contact", use.contact)
      .field("sent_at", format_instant(use.sent_at))
      .field("acknowledged", use.acknowledged)
      .field("closed", use.closed)
      .end_object();
  return transaction.set_state(codes_space, code_key(number, use.code), text);
}

Result<int> AddressBook::count_useless(store::Transaction& transaction, std::string_view number, bool useful) {
  const Address address{Kind::sms, std::string(number), {}};
  MYDR24_ASSIGN(Row row, read_row(transaction, address));
  const int before = row.useless;
  row.useless = useful ? 0 : std::min(before + 1, useless_answers_max + 1);
  if (row.useless != before) MYDR24_TRY(write_row(transaction, address, row));
  return row.useless;
}

Result<std::optional<ChatMessage>> AddressBook::chat_message(std::string_view alert_id, const Address& address) const {
  std::optional<std::string> text;
  MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(text, reader.state(chats_space, chat_key(alert_id, address)));
    return {};
  }));
  if (!text) return std::optional<ChatMessage>();
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(*text));
  return std::optional(
      ChatMessage{std::string(document.root()["channel"].text()), std::string(document.root()["ts"].text())});
}

Task<Result<>> AddressBook::keep_chat_message(std::string alert_id, Address address, ChatMessage message) const {
  co_return co_await async_call<Result<>>([&](auto finish) {
    store_.submit(
        RequestClass::urgent,
        [&](store::Transaction& transaction) -> Result<> {
          std::string text;
          json::Writer(text).begin_object().field("channel", message.channel).field("ts", message.ts).end_object();
          return transaction.set_state(chats_space, chat_key(alert_id, address), text);
        },
        std::move(finish));
  });
}

Task<Result<>> AddressBook::forget_chat_message(std::string alert_id, Address address) const {
  co_return co_await async_call<Result<>>([&](auto finish) {
    store_.submit(
        RequestClass::routine,
        [&](store::Transaction& transaction) {
          return transaction.erase_state(chats_space, chat_key(alert_id, address));
        },
        std::move(finish));
  });
}

}  // namespace mydr24::notify
