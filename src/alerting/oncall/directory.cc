#include "alerting/oncall/directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "alerting/oncall/proposal.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::oncall {
namespace {

constexpr std::string_view space = "oncall";
constexpr std::string_view revision_key = "revision";
constexpr std::string_view part_prefix = "part/";
constexpr std::string_view mask = "***";
constexpr std::uint32_t page = 1000;

bool is_secret(std::string_view member) { return member == "secret"; }

// Writes `value` again with `change` in place of its secrets; `before` is the same place of an earlier document.
template <class Change>
void rewrite(json::Writer& writer, json::Value value, json::Value before, const Change& change) {
  if (value.is_object()) {
    writer.begin_object();
    for (const json::Value member : value) {
      writer.key(member.key());
      if (is_secret(member.key()) && member.is_string())
        writer.string(change(member.text(), before[member.key()].text()));
      else
        rewrite(writer, member, before[member.key()], change);
    }
    writer.end_object();
  } else if (value.is_array()) {
    writer.begin_array();
    std::size_t index = 0;
    for (const json::Value item : value) rewrite(writer, item, before.at(index++), change);
    writer.end_array();
  } else {
    writer.raw(value.raw());
  }
}

// What was shown comes back as it is: "***" means the secret that was there.
std::string with_secrets_of(std::string_view document, std::string_view before) {
  const auto now = json::Document::parse_view(document);
  const auto then = json::Document::parse_view(before);
  if (!now || !then || document.find(mask) == document.npos) return std::string(document);
  std::string out;
  json::Writer writer(out);
  rewrite(writer, now->root(), then->root(),
          [](std::string_view text, std::string_view old) { return text == mask ? old : text; });
  return out;
}

struct Kept {
  std::int64_t revision = 0;
  Documents documents;
};

Result<std::optional<Kept>> read_kept(store::Reader& reader) {
  MYDR24_ASSIGN(const auto revision, reader.state(space, revision_key));
  if (!revision) return std::optional<Kept>();
  Kept kept;
  std::from_chars(revision->data(), revision->data() + revision->size(), kept.revision);
  std::string after;
  for (bool more = true; more;) {
    MYDR24_ASSIGN(const auto rows, reader.states(space, part_prefix, after, page));
    for (const store::StateRow& row : rows) kept.documents[row.key.substr(part_prefix.size())] = row.value;
    more = rows.size() == page;
    if (more) after = rows.back().key;
  }
  return std::optional(std::move(kept));
}

std::map<std::string, int, std::less<>> count_by_kind(const Documents& documents) {
  std::map<std::string, int, std::less<>> counts;
  for (const auto& [key, document] : documents) ++counts[key.substr(0, key.find('/'))];
  return counts;
}

// A kind may not grow beyond its limit; what is above it already may shrink.
Result<> check_limits(const Plan& plan, const Documents& before) {
  const auto counts = count_by_kind(plan.documents()), counts_before = count_by_kind(before);
  for (const auto& [kind, most] : plan.defaults().limits) {
    const auto now = counts.find(kind), then = counts_before.find(kind);
    const int count = now == counts.end() ? 0 : now->second;
    if (most >= 0 && count > most && count > (then == counts_before.end() ? 0 : then->second))
      return fail(Code::too_large,
                  fmt::format("there may be at most {} of this kind, and there would be {}", most, count), kind);
  }
  return {};
}

// A change worked out against what the store keeps.
struct WorkedOut {
  Kept kept;
  bool first = false;  // the store keeps no plan yet
  Proposal proposal;
};

Result<WorkedOut> work_out(store::Reader& reader, const Plan& in_force, const Change& change) {
  MYDR24_ASSIGN(std::optional<Kept> stored, read_kept(reader));
  WorkedOut made{.kept = {}, .first = !stored, .proposal = {}};
  made.kept = stored ? std::move(*stored) : Kept{0, in_force.documents()};
  const Kept& kept = made.kept;
  if (change.revision && *change.revision != kept.revision)
    return fail(Code::stale, fmt::format("the plan has changed meanwhile: revision {} is in force", kept.revision),
                "revision");
  Documents next = change.replace_all ? Documents() : kept.documents;
  for (const auto& [key, document] : change.parts) {
    const auto before = kept.documents.find(key);
    if (document)
      next[key] = before == kept.documents.end() ? *document : with_secrets_of(*document, before->second);
    else if (next.erase(key) == 0)
      return fail(Code::not_found, fmt::format("there is no {}", key), key);
  }
  Proposal& outcome = made.proposal;
  for (const auto& [key, document] : next) {
    const auto before = kept.documents.find(key);
    if (before == kept.documents.end())
      outcome.added.push_back(key);
    else if (before->second != document)
      outcome.changed.push_back(key);
  }
  for (const auto& [key, document] : kept.documents)
    if (!next.contains(key)) outcome.removed.push_back(key);
  const std::int64_t revision = outcome.is_same() && !made.first ? kept.revision : kept.revision + 1;
  MYDR24_ASSIGN(Plan plan, Plan::make(std::move(next), revision, &reader));
  MYDR24_TRY(check_limits(plan, kept.documents));
  outcome.plan = std::make_shared<const Plan>(std::move(plan));
  return made;
}

}  // namespace

Result<Proposal> propose(store::Reader& reader, const Plan& in_force, const Change& change) {
  MYDR24_ASSIGN(WorkedOut made, work_out(reader, in_force, change));
  return std::move(made.proposal);
}

Result<Directory> Directory::make(const Settings& settings) {
  MYDR24_ASSIGN(Documents documents, documents_of(settings));
  documents.merge(operations_desk());
  MYDR24_ASSIGN(Plan plan, Plan::make(std::move(documents)));
  return Directory(std::move(plan));
}

Directory::Directory(Plan plan) : held_(std::make_shared<Held>()) {
  held_->plan = std::make_shared<const Plan>(std::move(plan));
}

PlanPointer Directory::plan() const {
  const std::lock_guard lock(held_->mutex);
  return held_->plan;
}

void Directory::publish(PlanPointer plan) const {
  const std::lock_guard lock(held_->mutex);
  if (plan->revision() >= held_->plan->revision()) held_->plan.swap(plan);
}

Result<> Directory::refresh(store::Store& store) const {
  std::int64_t kept = 0;
  MYDR24_TRY(store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto revision, reader.state(space, revision_key));
    if (revision) std::from_chars(revision->data(), revision->data() + revision->size(), kept);
    return {};
  }));
  return kept > plan()->revision() ? load(store) : Result<>();
}

Result<> Directory::load(store::Store& store) const {
  const PlanPointer now = plan();
  std::optional<Plan> next;
  MYDR24_TRY(store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(std::optional<Kept> kept, read_kept(reader));
    if (!kept) kept = Kept{now->revision(), now->documents()};
    MYDR24_ASSIGN(Plan made, Plan::make(std::move(kept->documents), kept->revision, &reader));
    next.emplace(std::move(made));
    return {};
  }));
  publish(std::make_shared<const Plan>(std::move(*next)));
  return {};
}

Result<PlanPointer> Directory::change(store::Transaction& transaction, const Change& change) const {
  MYDR24_ASSIGN(WorkedOut made, work_out(transaction, *plan(), change));
  const Plan& plan = *made.proposal.plan;
  if (plan.revision() == made.kept.revision) return std::move(made.proposal.plan);
  std::string payload;
  json::Writer writer(payload);
  writer.begin_object().field("revision", plan.revision()).field("by", change.by).key("parts").begin_array();
  for (const auto& [key, document] : plan.documents()) {
    const auto before = made.kept.documents.find(key);
    const bool same = before != made.kept.documents.end() && before->second == document;
    if (!same) writer.string(key);
    if (made.first || !same) MYDR24_TRY(transaction.set_state(space, fmt::format("{}{}", part_prefix, key), document));
  }
  for (const std::string& key : made.proposal.removed) {
    writer.string(key);
    MYDR24_TRY(transaction.erase_state(space, fmt::format("{}{}", part_prefix, key)));
  }
  writer.end_array().end_object();
  MYDR24_TRY(transaction.set_state(space, revision_key, std::to_string(plan.revision())));
  MYDR24_TRY(transaction.note("oncall.changed", payload));
  return std::move(made.proposal.plan);
}

std::string shown(std::string_view text) {
  const auto document = json::Document::parse_view(text);
  if (!document) return "{}";
  std::string out;
  json::Writer writer(out);
  rewrite(writer, document->root(), {}, [](std::string_view, std::string_view) { return mask; });
  return out;
}

}  // namespace mydr24::oncall
