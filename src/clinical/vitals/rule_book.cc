#include "clinical/vitals/rule_book.h"

#include <fmt/format.h>

#include <charconv>

#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::vitals {
namespace {

constexpr std::string_view active_key = "active";
constexpr std::string_view version_prefix = "version/";
constexpr std::string_view figures_prefix = "figures/";
constexpr std::uint32_t rows_max = 10'000;

std::string version_key(int version) { return fmt::format("{}{:04}", version_prefix, version); }

template <class Number>
Number read(json::Value value) {
  Number number = 0;
  const std::string_view text = value.text();
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Result<RuleFigures> figures_of(std::string rule, std::string_view text) {
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(text));
  const json::Value root = document.root();
  return RuleFigures{.rule = std::move(rule),
                     .fired = read<std::int64_t>(root["fired"]),
                     .suppressed = read<std::int64_t>(root["suppressed"]),
                     .acknowledged = read<std::int64_t>(root["acknowledged"]),
                     .acted_on = read<std::int64_t>(root["acted_on"]),
                     .not_acted_on = read<std::int64_t>(root["not_acted_on"]),
                     .auto_resolved = read<std::int64_t>(root["auto_resolved"])};
}

Result<int> active_version(store::Reader& reader) {
  MYDR24_ASSIGN(const std::optional<std::string> row, reader.state(rules_space, active_key));
  if (!row) return 0;
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(*row));
  return read<int>(document.root()["version"]);
}

Result<RuleVersion> version_of(const store::StateRow& row) {
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(row.value));
  RuleVersion version;
  version.version = read<int>(document.root()["version"]);
  version.name = document.root()["name"].text();
  version.by = document.root()["by"].text();
  version.at = from_us(read<std::int64_t>(document.root()["at"]));
  version.text = document.root()["text"].text();
  return version;
}

RuleVersion built_in() {
  return {.version = 0,
          .name = default_rules().name,
          .by = {},
          .at = {},
          .in_force = false,
          .text = std::string(default_rules_text())};
}

Error no_version(int version) {
  return fail(Code::not_found, fmt::format("there is no version {} of the rules", version));
}

}  // namespace

Result<std::shared_ptr<const RuleSet>> RuleBook::in_force(store::Reader& reader) const {
  MYDR24_ASSIGN(const int version, active_version(reader));
  {
    const std::lock_guard lock(mutex_);
    if (cached_ && cached_->version == version) return cached_;
  }
  MYDR24_ASSIGN(RuleSet set, load(reader, version));
  auto parsed = std::make_shared<const RuleSet>(std::move(set));
  const std::lock_guard lock(mutex_);
  cached_ = parsed;
  return parsed;
}

Result<RuleSet> RuleBook::load(store::Reader& reader, int version) {
  if (version == 0) return default_rules();
  MYDR24_ASSIGN(const RuleVersion found, show(reader, version));
  MYDR24_ASSIGN(RuleSet set, parse_rules(found.text));
  set.version = version;
  return set;
}

Result<int> RuleBook::add(store::Transaction& transaction, std::string_view text, std::string_view by) {
  if (by.empty()) return fail(Code::invalid, "who adds these rules? by is missing", "by");
  MYDR24_ASSIGN(const RuleSet set, parse_rules(text));
  MYDR24_ASSIGN(const auto rows, transaction.states(rules_space, version_prefix, "", versions_max + 1));
  const int version = static_cast<int>(rows.size()) + 1;
  if (version > versions_max) return fail(Code::full, fmt::format("there are {} versions of the rules", versions_max));
  std::string row;
  json::Writer(row)
      .begin_object()
      .field("version", version)
      .field("name", set.name)
      .field("by", by)
      .field("at", to_us(transaction.now()))
      .field("text", text)
      .end_object();
  MYDR24_TRY(transaction.set_state(rules_space, version_key(version), row));
  return version;
}

Result<> RuleBook::activate(store::Transaction& transaction, int version, std::string_view by) {
  if (by.empty()) return fail(Code::invalid, "who activates these rules? by is missing", "by");
  MYDR24_ASSIGN(const RuleVersion found, show(transaction, version));
  std::string row;
  json::Writer(row)
      .begin_object()
      .field("version", version)
      .field("by", by)
      .field("at", to_us(transaction.now()))
      .end_object();
  MYDR24_TRY(transaction.set_state(rules_space, active_key, row));
  std::string payload;
  json::Writer(payload).begin_object().field("version", version).field("name", found.name).field("by", by).end_object();
  MYDR24_TRY(transaction.note("vitals.rules", payload));
  return {};
}

Result<std::vector<RuleVersion>> RuleBook::list(store::Reader& reader) {
  MYDR24_ASSIGN(const int active, active_version(reader));
  MYDR24_ASSIGN(const auto rows, reader.states(rules_space, version_prefix, "", versions_max));
  std::vector<RuleVersion> versions{built_in()};
  for (const store::StateRow& row : rows) {
    MYDR24_ASSIGN(RuleVersion version, version_of(row));
    versions.push_back(std::move(version));
  }
  for (RuleVersion& version : versions) {
    version.in_force = version.version == active;
    version.text.clear();
  }
  return versions;
}

Result<RuleVersion> RuleBook::show(store::Reader& reader, int version) {
  MYDR24_ASSIGN(const int active, active_version(reader));
  RuleVersion found = built_in();
  if (version != 0) {
    if (version < 0 || version > versions_max) return no_version(version);
    MYDR24_ASSIGN(const std::optional<std::string> row, reader.state(rules_space, version_key(version)));
    if (!row) return no_version(version);
    MYDR24_ASSIGN(found, version_of({version_key(version), *row}));
  }
  found.in_force = version == active;
  return found;
}

Result<std::vector<RuleFigures>> RuleBook::figures(store::Reader& reader) {
  MYDR24_ASSIGN(const auto rows, reader.states(rules_space, figures_prefix, "", rows_max));
  std::vector<RuleFigures> all;
  for (const store::StateRow& row : rows) {
    MYDR24_ASSIGN(RuleFigures each, figures_of(row.key.substr(figures_prefix.size()), row.value));
    all.push_back(std::move(each));
  }
  return all;
}

Result<> RuleBook::count(store::Transaction& transaction, std::string_view rule, const RuleFigures& more) {
  const std::string key = fmt::format("{}{}", figures_prefix, rule);
  RuleFigures sum{.rule = std::string(rule)};
  MYDR24_ASSIGN(const std::optional<std::string> row, transaction.state(rules_space, key));
  if (row) {
    MYDR24_ASSIGN(sum, figures_of(std::string(rule), *row));
  }
  sum.fired += more.fired;
  sum.suppressed += more.suppressed;
  sum.acknowledged += more.acknowledged;
  sum.acted_on += more.acted_on;
  sum.not_acted_on += more.not_acted_on;
  sum.auto_resolved += more.auto_resolved;
  return transaction.set_state(rules_space, key, to_json(sum));
}

std::string to_json(const RuleVersion& version) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("version", version.version).field("name", version.name);
  writer.field("in_force", version.in_force);
  if (version.version != 0) writer.field("by", version.by).field("at", format_instant(version.at));
  if (!version.text.empty()) writer.key("rules").raw(version.text);
  writer.end_object();
  return out;
}

std::string to_json(const RuleFigures& figures) {
  std::string out;
  json::Writer(out)
      .begin_object()
      .field("rule", figures.rule)
      .field("fired", figures.fired)
      .field("suppressed", figures.suppressed)
      .field("acknowledged", figures.acknowledged)
      .field("acted_on", figures.acted_on)
      .field("not_acted_on", figures.not_acted_on)
      .field("auto_resolved", figures.auto_resolved)
      .end_object();
  return out;
}

}  // namespace mydr24::vitals
