#include "guard/audit/entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/core/date_time.h"
#include "base/json/writer.h"
#include "guard/audit/detail/crypto.h"

namespace mydr24::audit {
namespace {

constexpr std::array principal_kinds{access::PrincipalKind::anonymous, access::PrincipalKind::person,
                                     access::PrincipalKind::machine, access::PrincipalKind::system};

// At most `bytes`, never ending inside a UTF-8 character.
std::string_view cut(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

// Members that are left out when they are empty. A name comes with its quotes and colon: there are many in every entry.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_ += '{'; }
  void text(std::string_view name, std::string_view value, std::size_t bytes_max = text_bytes_max) {
    if (value.empty()) return;
    key(name);
    json::append_quoted(out_, cut(value, bytes_max));
  }
  void number(std::string_view name, std::int64_t value) {
    if (value == 0) return;
    key(name);
    out_ += std::to_string(value);
  }
  void flag(std::string_view name, bool value) {
    if (!value) return;
    key(name);
    out_ += "true";
  }
  void list(std::string_view name, const std::vector<std::string>& values, std::size_t items_max) {
    if (values.empty()) return;
    key(name);
    for (std::size_t i = 0; i < std::min(values.size(), items_max); ++i) {
      out_ += i == 0 ? '[' : ',';
      json::append_quoted(out_, cut(values[i], text_bytes_max));
    }
    out_ += ']';
  }
  void written(std::string_view member) { key(member); }
  void begin(std::string_view name) {
    key(name);
    out_ += '{';
  }
  void end() { out_ += '}'; }

 private:
  void key(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    out_.append(name);
  }
  std::string& out_;
};

// Reads members into fields; remembers the first that is wrong.
class Fields {
 public:
  explicit Fields(json::Value object) : object_(object) {}

  void text(std::string_view name, std::string& to) {
    const json::Value value = object_[name];
    if (!value) return;
    if (!value.is_string()) return wrong(name);
    to = value.text();
  }
  template <class T>
  void number(std::string_view name, T& to) {
    const json::Value value = object_[name];
    if (!value) return;
    const std::string_view digits = value.text();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), to);
    if (!value.is_number() || error != std::errc{} || end != digits.data() + digits.size()) wrong(name);
  }
  void flag(std::string_view name, bool& to) {
    const json::Value value = object_[name];
    if (value && !value.is_boolean()) return wrong(name);
    to = value.is_true();
  }
  void list(std::string_view name, std::vector<std::string>& to) {
    const json::Value value = object_[name];
    if (!value) return;
    if (!value.is_array()) return wrong(name);
    for (const json::Value item : value) {
      if (!item.is_string()) return wrong(name);
      to.emplace_back(item.text());
    }
  }
  void wrong(std::string_view name) {
    if (wrong_.empty()) wrong_ = name;
  }
  const std::string& wrong() const { return wrong_; }

 private:
  json::Value object_;
  std::string wrong_;
};

void read_principal(json::Value value, Entry& entry, Fields& fields) {
  if (!value) return;
  if (!value.is_object()) return fields.wrong("principal");
  Fields inner(value);
  std::string kind;
  inner.text("kind", kind);
  const auto found =
      std::ranges::find(principal_kinds, kind, [](access::PrincipalKind one) { return access::to_string(one); });
  if (found == principal_kinds.end()) {
    inner.wrong("kind");
  } else {
    entry.principal_kind = *found;
  }
  inner.text("id", entry.principal);
  inner.text("name", entry.name);
  inner.text("client", entry.client);
  inner.list("roles", entry.roles);
  inner.text("session", entry.session);
  inner.text("tenant", entry.tenant);
  inner.text("fhir_user", entry.fhir_user);
  if (!inner.wrong().empty()) fields.wrong("principal." + inner.wrong());
}

void read_resource(json::Value value, Entry& entry, Fields& fields) {
  if (!value) return;
  if (!value.is_object()) return fields.wrong("resource");
  Fields inner(value);
  inner.text("type", entry.resource_type);
  inner.text("id", entry.resource_id);
  inner.text("version", entry.resource_version);
  if (!inner.wrong().empty()) fields.wrong("resource." + inner.wrong());
}

void append_principal(Members& members, const Entry& entry) {
  members.begin(R"("principal":)");
  members.text(R"("kind":)", access::to_string(entry.principal_kind));
  members.text(R"("id":)", entry.principal);
  members.text(R"("name":)", entry.name);
  members.text(R"("client":)", entry.client);
  members.list(R"("roles":)", entry.roles, roles_max);
  members.text(R"("session":)", entry.session);
  members.text(R"("tenant":)", entry.tenant);
  members.text(R"("fhir_user":)", entry.fhir_user);
  members.end();
}

}  // namespace

std::optional<Action> parse_action(std::string_view letter) {
  constexpr std::string_view letters = "CRUDE";
  if (letter.size() != 1 || !letters.contains(letter[0])) return std::nullopt;
  return static_cast<Action>(letter[0]);
}

std::optional<Outcome> parse_outcome(std::string_view number) {
  for (const Outcome one : {Outcome::success, Outcome::minor_failure, Outcome::serious_failure, Outcome::major_failure})
    if (number == std::to_string(static_cast<int>(one))) return one;
  return std::nullopt;
}

Outcome outcome_of_status(int http_status) {
  if (http_status < 400) return Outcome::success;
  return http_status < 500 ? Outcome::minor_failure : Outcome::serious_failure;
}

void set_principal(Entry& entry, const access::Principal& principal) {
  entry.principal_kind = principal.kind;
  entry.principal = principal.id;
  entry.name = principal.name;
  entry.client = principal.client;
  entry.roles = principal.roles;
  entry.session = principal.session;
  entry.tenant = principal.tenant;
  entry.fhir_user = principal.fhir_user;
  entry.purpose = principal.purpose;
  if (!principal.overrides.empty()) entry.override_id = principal.overrides.front().id;
}

std::string principal_text(const access::Principal& principal) {
  Entry entry;
  set_principal(entry, principal);
  std::string object;
  Members members(object);
  append_principal(members, entry);
  return object.substr(1);  // without the brace that Members begins with
}

std::string token_trace(std::string_view token) {
  constexpr std::size_t digits = 32;
  const Digest digest = sha256(token);
  std::string hex;
  for (const unsigned char byte : std::span(digest).last(digits / 2))
    fmt::format_to(std::back_inserter(hex), "{:02x}", byte);
  return hex;
}

void append_json(std::string& out, const Entry& entry) {
  Members members(out);
  members.text(R"("id":)", entry.id);
  members.text(R"("at":)", format_instant(entry.at));
  members.text(R"("request":)", entry.request_id);
  const char action = static_cast<char>(entry.action);
  members.text(R"("action":)", {&action, 1});
  members.text(R"("interaction":)", entry.interaction);
  members.number(R"("outcome":)", static_cast<int>(entry.outcome));
  members.number(R"("status":)", entry.http_status);
  if (entry.principal_text != nullptr) {
    members.written(*entry.principal_text);
  } else {
    append_principal(members, entry);
  }
  members.text(R"("address":)", entry.address);
  members.text(R"("purpose":)", entry.purpose);
  if (!entry.resource_type.empty()) {
    members.begin(R"("resource":)");
    members.text(R"("type":)", entry.resource_type);
    members.text(R"("id":)", entry.resource_id);
    members.text(R"("version":)", entry.resource_version);
    members.end();
  }
  members.list(R"("patients":)", entry.patients, patients_max);
  members.flag(R"("patients_cut":)", entry.patients_cut || entry.patients.size() > patients_max);
  members.text(R"("query":)", entry.query, query_bytes_max);
  members.flag(R"("query_cut":)", entry.query_cut || entry.query.size() > query_bytes_max);
  members.text(R"("rule":)", entry.rule, rule_bytes_max);
  members.text(R"("override":)", entry.override_id);
  members.number(R"("store_sequence":)", entry.store_sequence);
  members.end();
}

std::string to_json(const Entry& entry) {
  std::string out;
  append_json(out, entry);
  return out;
}

Result<Entry> entry_of(json::Value value) {
  if (!value.is_object()) return fail(Code::invalid, "an entry is an object");
  Entry entry;
  Fields fields(value);
  std::string at, action;
  int outcome = 0;
  fields.text("id", entry.id);
  fields.text("at", at);
  if (const auto time = parse_date_time(at)) {
    entry.at = time->low;
  } else {
    fields.wrong("at");
  }
  fields.text("request", entry.request_id);
  fields.text("action", action);
  if (const auto known = parse_action(action)) {
    entry.action = *known;
  } else {
    fields.wrong("action");
  }
  fields.text("interaction", entry.interaction);
  fields.number("outcome", outcome);
  if (const auto known = parse_outcome(std::to_string(outcome))) {
    entry.outcome = *known;
  } else {
    fields.wrong("outcome");
  }
  fields.number("status", entry.http_status);
  read_principal(value["principal"], entry, fields);
  fields.text("address", entry.address);
  fields.text("purpose", entry.purpose);
  read_resource(value["resource"], entry, fields);
  fields.list("patients", entry.patients);
  fields.flag("patients_cut", entry.patients_cut);
  fields.text("query", entry.query);
  fields.flag("query_cut", entry.query_cut);
  fields.text("rule", entry.rule);
  fields.text("override", entry.override_id);
  fields.number("store_sequence", entry.store_sequence);
  if (!fields.wrong().empty()) return fail(Code::invalid, "is not what an entry has there", fields.wrong());
  return entry;
}

}  // namespace mydr24::audit
