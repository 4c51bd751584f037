#include "guard/access/guarded_reader.h"

#include <algorithm>

#include "base/core/id.h"
#include "storage/store/search_cursor.h"

namespace mydr24::access {
namespace {

void add_none(std::vector<search::Condition>& conditions, const std::vector<search::Condition>& hidden) {
  if (hidden.empty()) return;
  search::Condition none;
  none.form = search::Condition::Form::none;
  none.parts = hidden;
  conditions.push_back(std::move(none));
}

Error not_for_clients() { return fail(Code::refused, "this is not open to clients"); }

}  // namespace

// ---- what was seen

void Seen::note_patient(std::string_view id) {
  if (!is_fhir_id(id) || std::ranges::find(patients_, id) != patients_.end()) return;
  if (patients_.size() == patients_max) {
    complete_ = false;
    return;
  }
  patients_.emplace_back(id);
}

// Every reference to a Patient, by the text: parsing each resource again would cost more than reading it did.
void Seen::note(std::string_view type, std::string_view id, std::string_view body, const search::Catalogue* catalogue) {
  ++resources_;
  if (type == "Patient") {
    note_patient(id);
    return;
  }
  constexpr std::string_view mark = "Patient/";
  for (auto at = body.find(mark); at != body.npos; at = body.find(mark, at + 1)) {
    const auto begin = body.rfind('"', at);
    const auto end = body.find('"', at);
    if (begin == body.npos || end == body.npos) return;
    auto reference = search::local_reference(body.substr(begin + 1, end - begin - 1), catalogue);
    if (!reference.starts_with(mark)) continue;
    reference.remove_prefix(mark.size());
    note_patient(reference.substr(0, reference.find('/')));
  }
}

// ---- judging one resource

Result<bool> GuardedReader::holds(std::span<const search::Condition> conditions, json::Value resource, Instant at) {
  std::optional<Error> failure;
  const auto settle = [&failure](Result<bool> answer) {
    if (answer) return *answer;
    failure = std::move(answer).error();
    return false;
  };
  const search::MatchContext context{
      .now = clock_.now(),
      .last_updated = at,
      .catalogue = caller_.catalogue.get(),
      .chain = [&](const search::Condition& chain,
                   std::span<const std::string> targets) { return settle(leads_there(chain, targets)); },
      .has = [&](const search::Condition& has,
                 std::string_view reference) { return settle(is_referred(has, reference)); }};
  for (const auto& condition : conditions) {
    const bool holds = search::matches(condition, resource, context);
    if (failure) return *failure;
    if (!holds) return false;
  }
  return true;
}

Result<bool> GuardedReader::leads_there(const search::Condition& chain, std::span<const std::string> targets) {
  for (const std::string_view target : targets) {
    const auto slash = target.find('/');
    if (slash == target.npos || target.substr(0, slash) != chain.target) continue;
    MYDR24_ASSIGN(const auto found, reader_.current(chain.target, target.substr(slash + 1)));
    if (!found || found->action == store::Action::remove) continue;
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(found->body));
    MYDR24_ASSIGN(const bool good, holds(chain.parts, document.root(), found->at));
    if (good) return true;
  }
  return false;
}

Result<bool> GuardedReader::is_referred(const search::Condition& has, std::string_view reference) {
  search::Query query;
  query.type = has.parameter->type;
  query.count = 1;
  search::Condition refers;
  refers.parameter = has.parameter;
  refers.any_of.push_back({.value = std::string(reference)});
  query.conditions.push_back(std::move(refers));
  query.conditions.insert(query.conditions.end(), has.parts.begin(), has.parts.end());
  MYDR24_ASSIGN(const auto page, reader_.search(query));
  return !page.matches.empty();
}

Result<bool> GuardedReader::sees(const store::Version& version, Permission permission) {
  const auto& reach = sight_.reach(permission, version.type);
  if (reach.extent == Reach::Extent::none) return false;
  if (is_free(permission, version.type)) return true;
  if (version.action == store::Action::remove) return was_visible(version);
  const bool within = reach.extent == Reach::Extent::all || (reach.labels_only && has_no_label(version.body));
  if (within && !concerns_a_consent(version)) return true;
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(version.body));
  if (!within) {
    MYDR24_ASSIGN(const bool reached, holds(reach.conditions, document.root(), version.at));
    if (!reached) return false;
  }
  MYDR24_ASSIGN(const bool denied, is_denied(permission, version.type, document.root(), version.at));
  return !denied;
}

const std::vector<search::Condition>& GuardedReader::denied(Permission permission, std::string_view type) {
  static const std::vector<search::Condition> nothing;
  if (caller_.denials == nullptr || caller_.denials->book().empty()) return nothing;
  auto& conditions = denials_[{permission, std::string(type)}];
  if (conditions == nullptr) conditions = caller_.denials->of(permission, type, clock_.now());
  return *conditions;
}

bool GuardedReader::is_free(Permission permission, std::string_view type) {
  return sight_.reach(permission, type).extent == Reach::Extent::all && denied(permission, type).empty();
}

// Told by the text: whether any of the patients it is about has a Consent.
bool GuardedReader::concerns_a_consent(const store::Version& version) const {
  if (caller_.denials == nullptr || caller_.denials->book().empty()) return false;
  if (version.body.find("\\") != version.body.npos) return true;  // a reference may be written with escapes
  Seen about;
  about.note(version.type, version.id, version.body, caller_.catalogue.get());
  return !about.complete() || std::ranges::any_of(about.patients(), [this](const std::string& patient) {
    return caller_.denials->book().has(patient);
  });
}

void GuardedReader::note(const store::Version& version) {
  if (seen_ != nullptr) seen_->note(version.type, version.id, version.body, caller_.catalogue.get());
}

Result<bool> GuardedReader::is_denied(Permission permission, std::string_view type, json::Value resource, Instant at) {
  for (const auto& condition : denied(permission, type)) {
    MYDR24_ASSIGN(const bool hides, holds(std::span(&condition, 1), resource, at));
    if (hides) return true;
  }
  return false;
}

Result<bool> GuardedReader::may_write(Permission permission, std::string_view type, json::Value resource) {
  const auto& reach = sight_.reach(permission, type);
  if (reach.extent == Reach::Extent::none) return false;
  MYDR24_ASSIGN(const bool reached, holds(reach.conditions_of_new, resource, clock_.now()));
  if (!reached) return false;
  MYDR24_ASSIGN(const bool denied, is_denied(permission, type, resource, clock_.now()));
  return !denied;
}

Result<bool> GuardedReader::was_visible(const store::Version& removal) {
  for (auto number = removal.version - 1; number > 0; --number) {
    MYDR24_ASSIGN(const auto before, reader_.version(removal.type, removal.id, number));
    if (!before) return false;
    if (before->action != store::Action::remove) return sees(*before);
  }
  return false;
}

Result<std::optional<store::Version>> GuardedReader::if_visible(std::optional<store::Version> version) {
  if (!version) return version;
  MYDR24_ASSIGN(const bool visible, sees(*version));
  if (!visible) return std::optional<store::Version>();
  note(*version);
  return version;
}

// ---- reading

Result<std::optional<store::Version>> GuardedReader::current(std::string_view type, std::string_view id) {
  MYDR24_ASSIGN(auto found, reader_.current(type, id));
  return if_visible(std::move(found));
}

Result<std::optional<store::Version>> GuardedReader::current_head(std::string_view type, std::string_view id) {
  if (is_free(Permission::read, type)) return reader_.current_head(type, id);
  MYDR24_ASSIGN(auto found, current(type, id));
  if (found) found->body.clear();
  return found;
}

Result<std::optional<store::Version>> GuardedReader::version(std::string_view type, std::string_view id,
                                                             std::int64_t version) {
  MYDR24_ASSIGN(auto found, reader_.version(type, id, version));
  MYDR24_ASSIGN(auto visible, if_visible(std::move(found)));
  if (!visible || is_free(Permission::read, type)) return visible;
  // What was open once and is hidden now stays hidden.
  MYDR24_ASSIGN(const auto now, reader_.current(type, id));
  if (!now) return std::optional<store::Version>();
  MYDR24_ASSIGN(const bool still, sees(*now));
  return still ? std::move(visible) : std::nullopt;
}

Result<std::vector<store::Version>> GuardedReader::history(const store::HistoryQuery& query) {
  std::vector<store::Version> visible;
  auto further = query;
  while (visible.size() < query.count) {
    MYDR24_ASSIGN(auto versions, reader_.history(further));
    for (auto& version : versions) {
      further.before_sequence = version.sequence;
      MYDR24_ASSIGN(bool seen, sees(version));
      if (seen && !is_free(Permission::read, version.type)) {
        MYDR24_ASSIGN(const auto now, reader_.current(version.type, version.id));
        if (now) {
          MYDR24_ASSIGN(seen, sees(*now));
        }
      }
      if (!seen || visible.size() == query.count) continue;
      note(version);
      visible.push_back(std::move(version));
    }
    if (versions.size() < query.count) break;
  }
  return visible;
}

// Adds to chains and _has what of their resources is visible.
void GuardedReader::narrow(search::Condition& condition) {
  using Form = search::Condition::Form;
  for (auto& part : condition.parts) narrow(part);
  if (condition.form != Form::chain && condition.form != Form::has) return;
  const auto type = touched_type(condition);
  const auto& reach = sight_.reach(Permission::search, type);
  condition.parts.insert(condition.parts.end(), reach.conditions.begin(), reach.conditions.end());
  add_none(condition.parts, denied(Permission::search, type));
}

Result<search::Query> GuardedReader::narrowed(const search::Query& query) {
  MYDR24_TRY(sight_.check(query));
  auto narrowed = query;
  for (auto& condition : narrowed.conditions) narrow(condition);
  const auto& own = sight_.reach(Permission::search, query.type);
  narrowed.conditions.insert(narrowed.conditions.end(), own.conditions.begin(), own.conditions.end());
  add_none(narrowed.conditions, denied(Permission::search, query.type));
  return narrowed;
}

Result<store::SearchPage> GuardedReader::search(const search::Query& query) {
  if (sight_.is_unlimited()) {
    MYDR24_ASSIGN(auto page, reader_.search(query));
    for (const auto& match : page.matches) note(match);
    return page;
  }
  // Of a type that is brought along ($everything, _revinclude) and hidden as a whole there is nothing.
  if (!sight_.may(Permission::search, query.type)) {
    store::SearchPage nothing;
    if (query.total != search::Total::none || query.count == 0) nothing.total = 0;
    return nothing;
  }
  MYDR24_ASSIGN(auto narrowed, this->narrowed(query));
  // A cursor belongs to its query: to the client, the one that was asked; to the store, the narrowed one.
  if (!query.cursor.empty()) {
    MYDR24_ASSIGN(const auto cursor, store::read_cursor(query));
    if (cursor) narrowed.cursor = store::make_cursor(narrowed, *cursor);
  }
  MYDR24_ASSIGN(auto page, reader_.search(narrowed));
  if (!page.next_cursor.empty()) {
    narrowed.cursor = page.next_cursor;
    MYDR24_ASSIGN(const auto cursor, store::read_cursor(narrowed));
    if (cursor) page.next_cursor = store::make_cursor(query, *cursor);
  }
  if (query.contained != search::Contained::no) {
    // Containers are found by what they contain: each is judged by itself, and how many there are is not told.
    std::vector<store::Version> visible;
    for (auto& match : page.matches) {
      MYDR24_ASSIGN(const bool seen, sees(match));
      if (seen) visible.push_back(std::move(match));
    }
    page.matches = std::move(visible);
    page.total.reset();
  }
  for (const auto& match : page.matches) note(match);
  return page;
}

Result<std::vector<store::ParameterValue>> GuardedReader::values(const search::Parameter& parameter,
                                                                 std::uint32_t count) {
  if (!is_free(Permission::search, parameter.type))
    return fail(Code::refused, "the values of a parameter are only told to who may see every resource that has one");
  return reader_.values(parameter, count);
}

Result<std::int64_t> GuardedReader::count_resources(std::string_view type) {
  if (!type.empty() && !sight_.may(Permission::search, type)) return 0;
  return reader_.count_resources(type);
}

Result<std::optional<std::string>> GuardedReader::state(std::string_view /*space*/, std::string_view /*key*/) {
  return not_for_clients();
}

Result<std::vector<store::StateRow>> GuardedReader::states(std::string_view /*space*/, std::string_view /*prefix*/,
                                                           std::string_view /*after*/, std::uint32_t /*count*/) {
  return not_for_clients();
}

Result<std::vector<store::Event>> GuardedReader::events(store::Sequence /*after*/, std::uint32_t /*count*/) {
  return not_for_clients();
}

}  // namespace mydr24::access
