#include "guard/access/scope.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/net/uri.h"
#include "guard/access/principal.h"

namespace mydr24::access {
namespace {

constexpr std::array<std::pair<char, Permission>, 5> letters{{{'c', Permission::create},
                                                              {'r', Permission::read},
                                                              {'u', Permission::update},
                                                              {'d', Permission::remove},
                                                              {'s', Permission::search}}};
constexpr std::uint8_t reading = Permission::read | Permission::search;
constexpr std::uint8_t writing =
    static_cast<std::uint8_t>((Permission::create | Permission::update) | static_cast<unsigned>(Permission::remove));

bool is_type(std::string_view text) {
  if (text == "*") return true;
  if (text.empty() || text.size() > 64 || text[0] < 'A' || text[0] > 'Z') return false;
  return std::ranges::all_of(text, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
}

// 0: not permissions.
std::uint8_t parse_permissions(std::string_view text) {
  if (text == "read") return reading;
  if (text == "write") return writing;
  if (text == "*") return reading | writing;
  std::uint8_t permissions = 0;
  std::size_t at = 0;
  for (const auto& [letter, permission] : letters)
    if (at < text.size() && text[at] == letter) {
      permissions |= static_cast<std::uint8_t>(permission);
      ++at;
    }
  return at == text.size() ? permissions : 0;
}

std::string_view context_text(Scope::Context context) {
  switch (context) {
    case Scope::Context::patient:
      return "patient";
    case Scope::Context::user:
      return "user";
    case Scope::Context::system:
      return "system";
  }
  return {};
}

Error malformed(std::string_view word, std::string_view what) {
  return fail(
      Code::invalid,
      fmt::format(
          "The scope {} {}. Write (patient|user|system)/(Type|*).cruds, for example \"patient/Observation.rs\".",
          word.substr(0, 200), what),
      "scope");
}

// Whether the word is meant as a resource scope at all.
bool is_resource_scope(std::string_view word) {
  return word.starts_with("patient/") || word.starts_with("user/") || word.starts_with("system/");
}

Result<Scope> parse_scope(std::string_view word) {
  Scope scope;
  const auto slash = word.find('/');
  const auto context = word.substr(0, slash);
  scope.context = context == "patient" ? Scope::Context::patient
                  : context == "user"  ? Scope::Context::user
                                       : Scope::Context::system;
  auto rest = word.substr(slash + 1);
  if (const auto query = rest.find('?'); query != std::string_view::npos) {
    auto criteria = net::parse_query(rest.substr(query + 1));
    if (!criteria || criteria->empty()) return malformed(word, "has no criteria after '?'");
    scope.criteria = std::move(*criteria);
    rest = rest.substr(0, query);
  }
  const auto dot = rest.find('.');
  if (dot == std::string_view::npos) return malformed(word, "does not say what may be done");
  scope.type = rest.substr(0, dot);
  if (!is_type(scope.type)) return malformed(word, "does not name a resource type");
  scope.permissions = parse_permissions(rest.substr(dot + 1));
  if (scope.permissions == 0) return malformed(word, "has permissions that are not of \"cruds\", in this order");
  return scope;
}

template <class Take>
Result<> each_word(std::string_view text, Take take) {
  if (text.size() > scope_bytes_max)
    return fail(Code::too_large, fmt::format("The scopes are longer than {} bytes.", scope_bytes_max), "scope");
  std::size_t count = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (const auto word = text.substr(0, end); !word.empty()) {
      if (++count > scopes_max)
        return fail(Code::too_large, fmt::format("There are more than {} scopes.", scopes_max), "scope");
      MYDR24_TRY(take(word));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

}  // namespace

std::string_view to_string(PrincipalKind kind) {
  switch (kind) {
    case PrincipalKind::anonymous:
      return "anonymous";
    case PrincipalKind::person:
      return "person";
    case PrincipalKind::machine:
      return "machine";
    case PrincipalKind::system:
      return "system";
  }
  return {};
}

bool Principal::has_role(std::string_view role) const { return std::ranges::find(roles, role) != roles.end(); }

bool Scopes::has(std::string_view other) const { return std::ranges::find(others, other) != others.end(); }

Result<Scopes> parse_scopes(std::string_view text) {
  Scopes scopes;
  MYDR24_TRY(each_word(text, [&](std::string_view word) -> Result<> {
    if (!is_resource_scope(word)) {
      scopes.others.emplace_back(word);
      return {};
    }
    auto scope = parse_scope(word);
    if (!scope) return scope.error();
    scopes.resources.push_back(std::move(*scope));
    return {};
  }));
  return scopes;
}

Scopes parse_scopes_leniently(std::string_view text) {
  Scopes scopes;
  const auto done = each_word(text, [&](std::string_view word) -> Result<> {
    if (!is_resource_scope(word)) {
      scopes.others.emplace_back(word);
    } else if (auto scope = parse_scope(word)) {
      scopes.resources.push_back(std::move(*scope));
    }
    return {};
  });
  if (!done) return {};
  return scopes;
}

std::string to_string(const Scope& scope) {
  std::string text = fmt::format("{}/{}.", context_text(scope.context), scope.type);
  for (const auto& [letter, permission] : letters)
    if (scope.allows(permission)) text += letter;
  char separator = '?';
  for (const auto& [name, value] : scope.criteria) {
    text += separator;
    text += net::percent_encode(name);
    text += '=';
    text += net::percent_encode(value);
    separator = '&';
  }
  return text;
}

std::string to_string(const Scopes& scopes) {
  std::string text;
  const auto append = [&](std::string_view word) {
    if (!text.empty()) text += ' ';
    text += word;
  };
  for (const auto& scope : scopes.resources) append(to_string(scope));
  for (const auto& other : scopes.others) append(other);
  return text;
}

Scopes granted(const Scopes& asked, const Scopes& allowed) {
  Scopes result;
  for (const auto& scope : asked.resources) {
    Scope cut = scope;
    cut.permissions = 0;
    for (const auto& by : allowed.resources) {
      const bool covers = by.context == scope.context && (by.type == "*" || by.type == scope.type) &&
                          (by.criteria.empty() || by.criteria == scope.criteria);
      if (covers) cut.permissions |= scope.permissions & by.permissions;
    }
    if (cut.permissions != 0) result.resources.push_back(std::move(cut));
    // A wildcard that is asked for means each type that is allowed.
    if (scope.type != "*") continue;
    for (const auto& by : allowed.resources) {
      if (by.context != scope.context || by.type == "*") continue;
      Scope narrow = by;
      narrow.permissions &= scope.permissions;
      if (!scope.criteria.empty() && by.criteria != scope.criteria) {
        if (!by.criteria.empty()) continue;
        narrow.criteria = scope.criteria;
      }
      if (narrow.permissions != 0) result.resources.push_back(std::move(narrow));
    }
  }
  for (const auto& other : asked.others)
    if (allowed.has(other)) result.others.push_back(other);
  return result;
}

}  // namespace mydr24::access
