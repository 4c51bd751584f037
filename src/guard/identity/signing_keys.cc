#include "guard/identity/signing_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/crypto/digest.h"
#include "base/crypto/jws.h"
#include "guard/identity/rows.h"

namespace mydr24::identity {
namespace {

constexpr std::string_view form_row = "form";
constexpr std::uint32_t rows_max = 64;
constexpr std::array algorithms{crypto::Algorithm::rs256, crypto::Algorithm::es256};

std::string context_of(std::string_view row) { return fmt::format("{}/{}", rows::keys, row); }

}  // namespace

Result<SigningKeys::State> SigningKeys::read(Instant now) const {
  std::vector<store::StateRow> found;
  MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(found, reader.states(rows::keys, "", "", rows_max));
    return {};
  }));
  State state;
  for (const auto& [name, row] : found) {
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(row));
    const auto root = document.root();
    MYDR24_ASSIGN(const auto secret, vault_.open(root["secret"].text(), context_of(name)));
    if (name == form_row) {
      state.form_key = secret;
      continue;
    }
    const Instant created = rows::time_of(root["created"]);
    if (now >= created + forgotten_after) continue;
    MYDR24_ASSIGN(const auto jwk, json::Document::parse_view(secret));
    MYDR24_ASSIGN(auto key, crypto::Key::from_jwk(jwk.root(), true));
    state.keys.push_back({std::move(key), created});
  }
  std::ranges::sort(state.keys, {}, &Dated::created);
  return state;
}

Result<> SigningKeys::refresh(Instant now) {
  MYDR24_ASSIGN(auto state, read(now));
  std::vector<std::pair<std::string, std::string>> made;  // by row
  const auto make = [&](std::string row, std::string_view secret, Instant expires) {
    std::string text;
    json::Writer out(text);
    out.begin_object().field("secret", vault_.close(secret, context_of(row))).field("created", to_us(now));
    out.field("expires", to_us(expires)).end_object();
    made.emplace_back(std::move(row), std::move(text));
  };
  if (state.form_key.empty()) make(std::string(form_row), crypto::random_bytes(32), Instant::max());
  for (const auto algorithm : algorithms) {
    const auto is_current = [&](const Dated& each) {
      return each.key.is_for(algorithm) && now < each.created + renewed_after;
    };
    if (std::ranges::any_of(state.keys, is_current)) continue;
    // Another server on the same store that does the same in the same period writes the same row: the first one stays.
    const auto period = now.time_since_epoch() / std::chrono::duration_cast<Microseconds>(renewed_after);
    make(fmt::format("{}.{}", crypto::to_string(algorithm), period), crypto::Key::generate(algorithm).private_jwk(),
         now + forgotten_after);
  }
  if (!made.empty()) {
    MYDR24_TRY(store_.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
      for (const auto& [row, text] : made) {
        MYDR24_ASSIGN(const auto there, transaction.state(rows::keys, row));
        if (there) continue;
        MYDR24_TRY(transaction.set_state(rows::keys, row, text));
        if (row != form_row) MYDR24_TRY(rows::expire_at(transaction, rows::keys, row, now + forgotten_after));
      }
      return {};
    }));
    MYDR24_ASSIGN(state, read(now));
  }
  auto fresh = std::make_shared<const State>(std::move(state));
  const std::lock_guard lock(mutex_);
  state_ = std::move(fresh);
  return {};
}

Result<std::string> SigningKeys::sign(std::string_view payload, std::string_view algorithm, Instant now) const {
  std::shared_ptr<const State> state;
  {
    const std::lock_guard lock(mutex_);
    state = state_;
  }
  const auto wanted = crypto::parse_algorithm(algorithm);
  const Dated* chosen = nullptr;
  for (const auto& each : state->keys)
    if (wanted && each.key.is_for(*wanted) && (chosen == nullptr || now >= each.created + published_before))
      chosen = &each;
  if (chosen == nullptr) return fail(Code::internal, fmt::format("there is no key to sign with {}", algorithm));
  return crypto::sign_jws(chosen->key, payload);
}

std::string SigningKeys::published() const {
  const std::lock_guard lock(mutex_);
  crypto::KeySet keys;
  for (const auto& each : state_->keys) keys.push_back(each.key);
  return crypto::print_key_set(keys);
}

std::string SigningKeys::form_key() const {
  const std::lock_guard lock(mutex_);
  return state_->form_key;
}

}  // namespace mydr24::identity
