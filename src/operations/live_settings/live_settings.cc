#include "operations/live_settings/live_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::live_settings {
namespace {

constexpr std::string_view space = "live_settings";
constexpr std::array<std::string_view, 6> kinds{"lab", "non-clinical", "ward", "region", "tenant", everywhere};
constexpr std::size_t name_bytes_max = 64;

std::string now_key(std::string_view setting) { return fmt::format("now/{}", setting); }
std::string past_prefix(std::string_view setting) { return fmt::format("past/{}/", setting); }
std::string past_key(std::string_view setting, int version) {
  return fmt::format("{}{:08}", past_prefix(setting), version);
}

bool is_word(std::string_view text, std::string_view more) {
  return !text.empty() && text.size() <= name_bytes_max && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || more.contains(c);
  });
}

std::string_view kind_of(std::string_view scope) { return scope.substr(0, scope.find('/')); }

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Error not_a(const Definition& definition) {
  switch (definition.type) {
    case Type::boolean:
      return fail(Code::invalid, "true or false", definition.name);
    case Type::word:
      return fail(Code::invalid, fmt::format("one of {}", fmt::join(definition.words, ", ")), definition.name);
    case Type::integer:
    case Type::number:
      break;
  }
  return fail(Code::invalid,
              fmt::format("{} from {} to {}{}{}", definition.type == Type::integer ? "a whole number" : "a number",
                          definition.low, definition.high, definition.unit.empty() ? "" : " ", definition.unit),
              definition.name);
}

Result<std::string> checked(const Definition& definition, std::string_view value) {
  const auto within = [&](double number) {
    return std::isfinite(number) && number >= definition.low && number <= definition.high;
  };
  switch (definition.type) {
    case Type::integer:
      if (const auto number = number_of<std::int64_t>(value); number && within(static_cast<double>(*number)))
        return fmt::format("{}", *number);
      break;
    case Type::number:
      if (const auto number = number_of<double>(value); number && within(*number)) return fmt::format("{}", *number);
      break;
    case Type::boolean:
      if (value == "true" || value == "false") return std::string(value);
      break;
    case Type::word:
      if (std::ranges::find(definition.words, value) != definition.words.end()) return std::string(value);
      break;
  }
  return not_a(definition);
}

Result<Version> parse(std::string_view text) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
  const auto root = document.root();
  Version version;
  version.setting = root["setting"].text();
  version.version = number_of<int>(root["version"].text()).value_or(0);
  for (const auto value : root["values"]) version.values.emplace(value.key(), value.text());
  version.by = root["by"].text();
  version.why = root["why"].text();
  version.change = root["change"].text();
  if (const auto at = parse_date_time(root["at"].text())) version.at = at->low;
  return version;
}

Result<> check_text(std::string_view text, std::string_view where, bool needed) {
  if (needed && text.empty()) return fail(Code::invalid, "is missing", std::string(where));
  if (text.size() > text_bytes_max)
    return fail(Code::too_large, fmt::format("has at most {} bytes", text_bytes_max), std::string(where));
  return {};
}

}  // namespace

std::string_view to_string(Type type) {
  switch (type) {
    case Type::integer:
      return "integer";
    case Type::number:
      return "number";
    case Type::boolean:
      return "boolean";
    case Type::word:
      return "word";
  }
  return {};
}

int exposure_of(std::string_view scope) {
  return static_cast<int>(std::ranges::find(kinds, kind_of(scope)) - kinds.begin());
}

bool is_scope(std::string_view text) {
  const auto kind = kind_of(text);
  if (std::ranges::find(kinds, kind) == kinds.end()) return false;
  const bool named = kind == "ward" || kind == "region" || kind == "tenant";
  if (!named) return text == kind;
  return text.size() > kind.size() && is_word(text.substr(kind.size() + 1), "-_.");
}

std::string to_json(const Version& version) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("setting", version.setting).field("version", version.version).key("values").begin_object();
  for (const auto& [scope, value] : version.values) out.field(scope, value);
  out.end_object().field("by", version.by).field("why", version.why).field("change", version.change);
  if (version.version > 0) out.field("at", format_instant(version.at));
  out.end_object();
  return text;
}

Registry::Registry(store::Store& store, std::set<std::string> scopes,
                   std::function<void(std::string_view, const Error&)> failed)
    : store_(store), scopes_(std::move(scopes)), failed_(std::move(failed)) {}

Result<> Registry::add(Definition definition) {
  if (!is_word(definition.name, "_.")) return fail(Code::invalid, "a setting needs a name", definition.name);
  if (definitions_.contains(definition.name)) return fail(Code::invalid, "there is one of that name", definition.name);
  if (!definition.apply && !definition.within) return fail(Code::invalid, "nobody applies it", definition.name);
  MYDR24_ASSIGN(definition.standard, checked(definition, definition.standard));
  applied_[definition.name] = {.version = -1, .value = definition.standard};
  definitions_.emplace(definition.name, std::move(definition));
  return {};
}

const Definition* Registry::find(std::string_view setting) const {
  const auto found = definitions_.find(setting);
  return found == definitions_.end() ? nullptr : &found->second;
}

Result<std::string> Registry::check(std::string_view setting, std::string_view scope, std::string_view value) const {
  const auto* definition = find(setting);
  if (definition == nullptr)
    return fail(Code::not_found, fmt::format("there is no live setting {}", setting.substr(0, name_bytes_max)));
  if (!is_scope(scope))
    return fail(Code::invalid, "a scope is all, lab, non-clinical, ward/NAME, region/NAME or tenant/NAME", "scope");
  if (definition->within && scope != everywhere)
    return fail(Code::invalid, fmt::format("{} is the same everywhere: its scope is all", setting), "scope");
  return checked(*definition, value);
}

Result<Version> Registry::kept(store::Reader& reader, std::string_view setting) const {
  if (find(setting) == nullptr)
    return fail(Code::not_found, fmt::format("there is no live setting {}", setting.substr(0, name_bytes_max)));
  MYDR24_ASSIGN(const auto row, reader.state(space, now_key(setting)));
  if (row) return parse(*row);
  Version none;
  none.setting = setting;
  return none;
}

Result<Version> Registry::current(store::Reader& reader, std::string_view setting) const {
  MYDR24_ASSIGN(auto version, kept(reader, setting));
  const auto& definition = *find(setting);
  if (!definition.read) return version;
  MYDR24_ASSIGN(const auto value, definition.read(reader));
  if (value != value_of(definition, version.values)) version.values.insert_or_assign(std::string(everywhere), value);
  return version;
}

Result<Version> Registry::settled(store::Transaction& transaction, std::string_view setting) const {
  MYDR24_ASSIGN(auto version, current(transaction, setting));
  MYDR24_ASSIGN(const auto before, kept(transaction, setting));
  if (version.values == before.values) return version;
  version.by = "outside";
  version.why = "it was changed where it is kept";
  version.change.clear();
  return record(transaction, std::move(version));
}

Result<Version> Registry::record(store::Transaction& transaction, Version next) const {
  ++next.version;
  next.at = transaction.now();
  const auto text = to_json(next);
  MYDR24_TRY(transaction.set_state(space, now_key(next.setting), text));
  MYDR24_TRY(transaction.set_state(space, past_key(next.setting, next.version), text));
  MYDR24_TRY(transaction.note("setting.changed", text));
  return next;
}

Result<Version> Registry::write(store::Transaction& transaction, const Definition& definition, Version next) const {
  MYDR24_TRY(check_text(next.by, "by", true));
  MYDR24_TRY(check_text(next.why, "why", true));
  if (next.values.size() > scopes_max)
    return fail(Code::too_large, fmt::format("a setting has values for at most {} scopes", scopes_max), "scope");
  if (definition.within) {
    const auto value = next.values.find(everywhere);
    MYDR24_TRY(
        definition.within(transaction, value == next.values.end() ? definition.standard : value->second, next.by));
  }
  return record(transaction, std::move(next));
}

Result<Version> Registry::set(store::Transaction& transaction, const Set& set) const {
  const auto* definition = find(set.setting);
  const auto wanted = set.value ? *set.value : definition != nullptr ? definition->standard : std::string();
  MYDR24_ASSIGN(auto value, check(set.setting, set.scope, wanted));
  MYDR24_ASSIGN(auto next, settled(transaction, set.setting));
  if (set.value)
    next.values.insert_or_assign(set.scope, std::move(value));
  else
    next.values.erase(set.scope);
  next.by = set.by;
  next.why = set.why;
  next.change = set.change;
  return write(transaction, *definition, std::move(next));
}

Result<Version> Registry::put_back(store::Transaction& transaction, std::string_view setting, int version,
                                   std::string_view by, std::string_view why, std::string_view change) const {
  MYDR24_ASSIGN(auto next, settled(transaction, setting));
  Values values;
  if (version != 0) {
    MYDR24_ASSIGN(const auto row, transaction.state(space, past_key(setting, version)));
    if (!row) return fail(Code::not_found, fmt::format("{} has no version {}", setting, version));
    MYDR24_ASSIGN(auto past, parse(*row));
    values = std::move(past.values);
  }
  // A definition may have become narrower since.
  for (const auto& [scope, value] : values) MYDR24_TRY(check(setting, scope, value));
  next.values = std::move(values);
  next.by = by;
  next.why = why;
  next.change = change;
  return write(transaction, *find(setting), std::move(next));
}

Result<std::vector<Version>> Registry::history(store::Reader& reader, std::string_view setting,
                                               std::uint32_t count) const {
  MYDR24_ASSIGN(const auto newest, current(reader, setting));
  std::vector<Version> found;
  for (int version = newest.version; version > 0 && found.size() < count; --version) {
    MYDR24_ASSIGN(const auto row, reader.state(space, past_key(setting, version)));
    if (!row) break;
    MYDR24_ASSIGN(auto past, parse(*row));
    found.push_back(std::move(past));
  }
  return found;
}

std::string Registry::value_of(const Definition& definition, const Values& values) const {
  const std::string* narrowest = nullptr;
  int exposure = static_cast<int>(kinds.size());
  for (const auto& [scope, value] : values) {
    if (scope != everywhere && !scopes_.contains(scope)) continue;
    if (exposure_of(scope) < exposure) {
      exposure = exposure_of(scope);
      narrowest = &value;
    }
  }
  return narrowest != nullptr ? *narrowest : definition.standard;
}

void Registry::apply(const Definition& definition, const Version& version) {
  const std::lock_guard one_at_a_time(applying_);
  const auto value = value_of(definition, version.values);
  {
    const std::lock_guard lock(mutex_);
    const auto& applied = applied_[definition.name];
    if (applied.version >= version.version) return;
  }
  if (definition.apply) {
    if (const auto done = definition.apply(value); !done && failed_) failed_(definition.name, done.error());
  }
  const std::lock_guard lock(mutex_);
  applied_[definition.name] = {.version = version.version, .value = value};
}

Result<> Registry::load() {
  std::vector<Version> versions;
  MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
    versions.clear();
    for (const auto& [name, definition] : definitions_) {
      MYDR24_ASSIGN(auto version, current(reader, name));
      versions.push_back(std::move(version));
    }
    return {};
  }));
  for (const auto& version : versions) apply(*find(version.setting), version);
  return {};
}

Result<> Registry::follow(std::span<const store::Event> events) {
  const bool changed =
      std::ranges::any_of(events, [](const store::Event& event) { return event.kind == "setting.changed"; });
  return changed ? load() : Result<>();
}

std::string Registry::value(std::string_view setting) const {
  const std::lock_guard lock(mutex_);
  const auto found = applied_.find(setting);
  return found == applied_.end() ? std::string() : found->second.value;
}

int Registry::applied_version(std::string_view setting) const {
  const std::lock_guard lock(mutex_);
  const auto found = applied_.find(setting);
  return found == applied_.end() ? -1 : found->second.version;
}

}  // namespace mydr24::live_settings
