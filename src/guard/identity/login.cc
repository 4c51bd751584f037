// People: passwords, one-time codes, invitations.

#include <fmt/format.h>

#include <algorithm>

#include "base/crypto/base64.h"
#include "base/crypto/password.h"
#include "base/crypto/totp.h"
#include "base/net/uri.h"
#include "guard/identity/identity.h"
#include "guard/identity/rows.h"

namespace mydr24::identity {
namespace {

constexpr int passwords_in_work_max = 4;  // 19 MiB each
constexpr std::chrono::minutes enrolment_valid{10};
constexpr std::chrono::hours setup_valid{1};
constexpr std::chrono::hours invitation_valid{72};
constexpr std::string_view issuer_name = "MyDR24";

// The same words for all that can be wrong: they tell nothing of who there is.
Error wrong() { return fail(Code::refused, "the name, the password or the one-time code is wrong"); }
Error used_link() { return fail(Code::gone, "this link was used, or has expired: ask an administrator for a new one"); }

std::string context_of(std::string_view name) { return fmt::format("{}/{}/totp", rows::users, name); }

}  // namespace

Result<CheckedUser> Identity::check_password(const Credentials& credentials, Instant now) {
  const auto name = folded_name(std::string_view(credentials.name).substr(0, user_name_bytes_max + 1));
  MYDR24_TRY(throttle_.attempt(name, credentials.address, now));
  struct Seat {
    std::atomic<int>& taken;
    const bool free = taken.fetch_add(1) < passwords_in_work_max;
    ~Seat() { --taken; }
  } seat{passwords_in_work_};
  if (!seat.free) return fail(Code::busy, "many people log in just now: try again in a moment");
  std::optional<User> user;
  MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(user, users::find(reader, name));
    return {};
  }));
  const bool may = user && !user->disabled && !user->password.empty();
  const auto check = crypto::check_password(may ? user->password : nobody_, credentials.password);
  if (!may || !check.matches) return wrong();
  CheckedUser checked{std::move(*user), {}};
  if (check.rehash_due) {
    MYDR24_ASSIGN(checked.rehashed, crypto::hash_password(credentials.password));
  }
  // One who has a one-time code has shown only half of what it takes.
  if (checked.user.totp.empty()) throttle_.succeed(name, credentials.address);
  return checked;
}

bool Identity::needs_totp(const User& user) const {
  return std::ranges::any_of(user.roles, [&](const std::string& role) {
    return std::ranges::find(settings_.totp_roles, role) != settings_.totp_roles.end();
  });
}

// Whether it is right; the step it was of is then noted in `user`.
Result<bool> Identity::check_code(User& user, std::string_view code, Instant now) const {
  MYDR24_ASSIGN(const auto secret, vault_.open(user.totp, context_of(user.name)));
  const auto step = crypto::check_totp(secret, code, now, user.totp_step);
  if (!step) return false;
  user.totp_step = *step;
  return true;
}

Result<Issued> Identity::log_in(store::Transaction& transaction, const CheckedUser& checked,
                                const Credentials& credentials, Instant now) {
  MYDR24_ASSIGN(auto user, users::find(transaction, checked.user.name));
  // It may have been changed since its password was checked.
  if (!user || user->disabled || user->password != checked.user.password) return wrong();
  if (user->totp.empty() && needs_totp(*user))
    return fail(Code::refused, "your role needs one-time codes, and you have no app for them yet", "totp_enrolment");
  if (!user->totp.empty()) {
    MYDR24_ASSIGN(const bool right, check_code(*user, credentials.code, now));
    if (!right) return wrong();
    throttle_.succeed(user->name, credentials.address);
  }
  if (!checked.rehashed.empty()) user->password = checked.rehashed;
  user->last_login = transaction.now();
  MYDR24_TRY(users::write(transaction, *user));
  return grants_.open_page(transaction, *user, credentials.address);
}

Result<Enrolment> Identity::begin_enrolment(store::Transaction& transaction, const CheckedUser& checked) {
  Enrolment enrolment{.token = crypto::random_token(), .secret = crypto::make_totp_secret()};
  std::string value;
  json::Writer out(value);
  out.begin_object().field("name", checked.user.name).field("generation", checked.user.generation);
  out.field("totp", vault_.close(enrolment.secret, context_of(checked.user.name))).end_object();
  MYDR24_TRY(once::put(transaction, "enrolment", enrolment.token, value, transaction.now() + enrolment_valid));
  return enrolment;
}

Result<Issued> Identity::finish_enrolment(store::Transaction& transaction, const Credentials& credentials,
                                          std::string_view token, Instant now) {
  MYDR24_ASSIGN(const auto value, once::find(transaction, "enrolment", token, transaction.now()));
  if (!value) return fail(Code::gone, "this took too long: log in again");
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(*value));
  const auto root = document.root();
  const auto name = root["name"].text();
  MYDR24_TRY(throttle_.attempt(name, credentials.address, now));
  MYDR24_ASSIGN(auto user, users::find(transaction, name));
  if (!user || user->disabled || user->generation != rows::number_of(root["generation"]) || !user->totp.empty())
    return fail(Code::gone, "this took too long: log in again");
  user->totp = root["totp"].text();
  MYDR24_ASSIGN(const bool right, check_code(*user, credentials.code, now));
  if (!right) return fail(Code::refused, "the one-time code is wrong: is the clock of the app right?");
  throttle_.succeed(name, credentials.address);
  MYDR24_TRY(once::erase(transaction, "enrolment", token));
  user->last_login = transaction.now();
  MYDR24_TRY(users::write(transaction, *user));
  return grants_.open_page(transaction, *user, credentials.address);
}

Result<std::string> Identity::set_totp(store::Transaction& transaction, std::string_view name) {
  MYDR24_ASSIGN(auto user, users::find(transaction, name));
  if (!user) return fail(Code::not_found, "there is no such user", "name");
  const auto secret = crypto::make_totp_secret();
  user->totp = vault_.close(secret, context_of(user->name));
  user->totp_step = 0;
  MYDR24_TRY(users::write(transaction, *user));
  return crypto::totp_uri(secret, issuer_name, net::percent_encode(user->name));
}

Result<std::optional<std::string>> Identity::make_setup_token(store::Transaction& transaction) {
  MYDR24_ASSIGN(const bool has_users, users::any(transaction));
  if (has_users) return std::optional<std::string>();
  auto token = crypto::random_token();
  MYDR24_TRY(once::put(transaction, "setup", token, "", transaction.now() + setup_valid));
  return std::optional(std::move(token));
}

Result<Invitation> Identity::invite(store::Transaction& transaction, const User& user) const {
  Invitation invitation{.token = crypto::random_token(), .expires = transaction.now() + invitation_valid};
  std::string value;
  json::Writer(value).begin_object().field("name", user.name).field("generation", user.generation).end_object();
  MYDR24_TRY(once::put(transaction, "setup", invitation.token, value, invitation.expires));
  return invitation;
}

Result<std::string> Identity::check_setup_token(store::Reader& reader, std::string_view token, Instant now) const {
  MYDR24_ASSIGN(const auto found, once::find(reader, "setup", token, now));
  if (!found) return used_link();
  if (found->empty()) {
    MYDR24_ASSIGN(const bool has_users, users::any(reader));
    return has_users ? Result<std::string>(used_link()) : std::string();
  }
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(*found));
  MYDR24_ASSIGN(const auto user, users::find(reader, document.root()["name"].text()));
  if (!user || user->disabled || user->generation != rows::number_of(document.root()["generation"])) return used_link();
  return user->name;
}

Result<> Identity::finish_setup(store::Transaction& transaction, std::string_view token, std::string_view name,
                                std::string phc) {
  MYDR24_ASSIGN(const auto invited, check_setup_token(transaction, token, transaction.now()));
  MYDR24_TRY(once::erase(transaction, "setup", token));
  if (!invited.empty()) return users::set_password(transaction, invited, std::move(phc));
  return users::add(transaction, {.name = std::string(name), .password = std::move(phc), .roles = {"administrator"}});
}

}  // namespace mydr24::identity
