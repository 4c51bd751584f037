#include "guard/identity/user.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/core/id.h"
#include "base/crypto/password.h"
#include "guard/identity/rows.h"

namespace mydr24::identity {
namespace {

constexpr std::string_view name_characters = "abcdefghijklmnopqrstuvwxyz0123456789._@-";
constexpr std::size_t text_bytes_max = 200;

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= user_name_bytes_max &&
         text.find_first_not_of(name_characters) == std::string_view::npos;
}

bool is_plain_text(std::string_view text) {
  return text.size() <= text_bytes_max &&
         std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

// SMART App Launch 2.2.0, fhirUser.
bool is_fhir_user(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos || !is_fhir_id(text.substr(slash + 1))) return false;
  const auto type = text.substr(0, slash);
  return type == "Patient" || type == "Practitioner" || type == "PractitionerRole" || type == "RelatedPerson" ||
         type == "Person";
}

std::string to_row(const User& user) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("name", user.name).field("display", user.display).field("password", user.password);
  rows::write_texts(out, "roles", user.roles);
  out.field("fhir_user", user.fhir_user).field("totp", user.totp);
  out.field("totp_step", user.totp_step).field("generation", user.generation).field("disabled", user.disabled);
  out.field("created", to_us(user.created)).field("last_login", to_us(user.last_login)).end_object();
  return text;
}

Result<User> from_row(std::string_view row) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(row));
  const auto root = document.root();
  User user;
  user.name = root["name"].text();
  user.display = root["display"].text();
  user.password = root["password"].text();
  user.roles = rows::texts_of(root["roles"]);
  user.fhir_user = root["fhir_user"].text();
  user.totp = root["totp"].text();
  user.totp_step = rows::number_of(root["totp_step"]);
  user.generation = rows::number_of(root["generation"]);
  user.disabled = root["disabled"].is_true();
  user.created = rows::time_of(root["created"]);
  user.last_login = rows::time_of(root["last_login"]);
  return user;
}

Result<User> get(store::Reader& reader, std::string_view name) {
  MYDR24_ASSIGN(auto user, users::find(reader, name));
  if (!user)
    return fail(Code::not_found, fmt::format("there is no user \"{}\"", name.substr(0, text_bytes_max)), "name");
  return std::move(*user);
}

}  // namespace

std::string folded_name(std::string_view name) {
  std::string folded(name);
  std::ranges::transform(folded, folded.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return folded;
}

std::string user_id(std::string_view name) { return fmt::format("user/{}", name); }

Result<> check_user(const User& user) {
  if (!is_word(user.name)) return fail(Code::invalid, "a user's name has 1 to 64 of a-z 0-9 . _ @ -", "name");
  if (!is_plain_text(user.display)) return fail(Code::invalid, "the name to show has at most 200 bytes", "display");
  if (user.roles.size() > roles_max || !std::ranges::all_of(user.roles, is_word))
    return fail(Code::invalid, "there are at most 32 roles, each 1 to 64 of a-z 0-9 . _ @ -", "roles");
  if (!user.fhir_user.empty() && !is_fhir_user(user.fhir_user))
    return fail(Code::invalid,
                "a user is a Patient, Practitioner, PractitionerRole, RelatedPerson or Person, as "
                "\"Practitioner/12\"",
                "fhir_user");
  return {};
}

Result<> check_new_password(std::string_view password, std::string_view name) {
  if (password.size() < password_characters_min || password.size() > crypto::password_bytes_max)
    return fail(Code::invalid,
                fmt::format("a password has {} to {} characters", password_characters_min, crypto::password_bytes_max),
                "password");
  if (!name.empty() && folded_name(password).contains(name))
    return fail(Code::invalid, "the password must not contain the user's name", "password");
  if (std::ranges::all_of(password, [&](char c) { return c == password.front(); }))
    return fail(Code::invalid, "the password is one character again and again", "password");
  return {};
}

namespace users {

Result<std::optional<User>> find(store::Reader& reader, std::string_view name) {
  if (name.empty() || name.size() > user_name_bytes_max) return std::optional<User>();
  MYDR24_ASSIGN(const auto row, reader.state(rows::users, folded_name(name)));
  if (!row) return std::optional<User>();
  MYDR24_ASSIGN(auto user, from_row(*row));
  return std::optional(std::move(user));
}

Result<std::vector<User>> list(store::Reader& reader, std::string_view after, std::uint32_t count) {
  MYDR24_ASSIGN(const auto found, reader.states(rows::users, "", after, count));
  std::vector<User> listed;
  for (const auto& row : found) {
    MYDR24_ASSIGN(auto user, from_row(row.value));
    listed.push_back(std::move(user));
  }
  return listed;
}

Result<bool> any(store::Reader& reader) {
  MYDR24_ASSIGN(const auto found, reader.states(rows::users, "", "", 1));
  return !found.empty();
}

Result<> add(store::Transaction& transaction, User user) {
  user.name = folded_name(user.name);
  MYDR24_TRY(check_user(user));
  MYDR24_ASSIGN(const auto there, transaction.state(rows::users, user.name));
  if (there) return fail(Code::conflict, fmt::format("there is a user \"{}\": take another name", user.name), "name");
  user.created = transaction.now();
  return write(transaction, user);
}

Result<> write(store::Transaction& transaction, const User& user) {
  return transaction.set_state(rows::users, user.name, to_row(user));
}

Result<> set_password(store::Transaction& transaction, std::string_view name, std::string phc) {
  MYDR24_ASSIGN(auto user, get(transaction, name));
  user.password = std::move(phc);
  ++user.generation;
  return write(transaction, user);
}

Result<> set_disabled(store::Transaction& transaction, std::string_view name, bool disabled) {
  MYDR24_ASSIGN(auto user, get(transaction, name));
  user.disabled = disabled;
  ++user.generation;
  return write(transaction, user);
}

}  // namespace users
}  // namespace mydr24::identity
