#include "clinical/erasure/erasure.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <span>

#include "base/core/date_time.h"
#include "base/core/id.h"
#include "fhir/model/definitions.h"
#include "storage/store/erasure.h"

namespace mydr24::erasure {
namespace {

constexpr std::uint32_t page = 500;
constexpr std::uint32_t versions_max = 1'000;  // of one resource
constexpr std::size_t slice = 16;              // small enough not to stand in front of an emergency
constexpr std::string_view kept_person = "other records of this person are kept";

// Every "Patient/ID" that the text refers to.
std::set<std::string> patients_in(std::string_view body, const search::Catalogue* catalogue) {
  access::Seen seen;
  seen.note("", "", body, catalogue);
  return {seen.patients().begin(), seen.patients().end()};
}

class Planner {
 public:
  Planner(const records::Records& records, std::string_view patient, const Rules& rules, Instant now)
      : records_(records), patient_(patient), rules_(rules), now_(now), definitions_(records.definitions()) {}

  Result<Plan> run() {
    MYDR24_TRY(find());
    if (found_.empty()) return fail(Code::not_found, fmt::format("nothing here names Patient/{}", patient_));
    Plan plan{.patient = patient_, .decisions = {}};
    bool all_go = true;
    std::optional<Decision> person;
    for (const auto& [type, id] : found_) {
      MYDR24_ASSIGN(auto decision, decide(type, id));
      if (type == "Patient" && id == patient_) {
        person = std::move(decision);
        continue;
      }
      all_go = all_go && decision.erase;
      plan.decisions.push_back(std::move(decision));
    }
    if (!person) return plan;
    if (!all_go && person->erase) {
      person->erase = false;
      person->reason = kept_person;
    }
    plan.decisions.push_back(std::move(*person));
    return plan;
  }

 private:
  // All that ever named the person: deleted resources have no index, and older versions may name another one.
  Result<> find() {
    store::Sequence after = 0;
    for (bool more = true; more;) {
      MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
        MYDR24_ASSIGN(const auto lines, reader.journal(after, page));
        more = lines.size() == page;
        for (const auto& line : lines) {
          after = line.version.type.empty() ? line.event.sequence : line.version.sequence;
          const auto& version = line.version;
          if (version.type.empty() || version.body.empty()) continue;
          const bool is_person = version.type == "Patient" && version.id == patient_;
          if (!is_person && (!version.body.contains(patient_) ||
                             !patients_in(version.body, definitions_->catalogue.get()).contains(patient_)))
            continue;
          found_.emplace(version.type, version.id);
        }
        return {};
      }));
    }
    return {};
  }

  Result<Decision> decide(const std::string& type, const std::string& id) {
    Decision decision{.type = type, .id = id, .erase = false, .reason = {}};
    if (rules_.held) {
      decision.reason = "a legal hold is on this person: GDPR 17(3)(e)";
      return decision;
    }
    const bool is_person = type == "Patient" && id == patient_;
    if (type == "Patient" && !is_person) {
      decision.reason = "it is about other people, too";
      return decision;
    }
    std::vector<store::Version> versions;
    MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(versions, reader.history({.type = type, .id = id, .count = versions_max}));
      return {};
    }));
    // Nobody has looked at whom the others name.
    if (versions.size() == versions_max) {
      decision.reason = fmt::format("it has {} versions or more: look at it yourself", versions_max);
      return decision;
    }
    Instant changed;
    for (const auto& version : versions) {
      if (version.action != store::Action::remove) changed = std::max(changed, version.at);
      if (is_person || version.body.empty()) continue;
      auto others = patients_in(version.body, definitions_->catalogue.get());
      others.erase(patient_);
      if (!others.empty()) {
        decision.reason = "it is about other people, too";
        return decision;
      }
    }
    const bool is_clinical = std::ranges::find(rules_.not_retained, type) == rules_.not_retained.end();
    const auto until = changed + std::chrono::years(rules_.retention_years);
    if (is_clinical && rules_.retention_years > 0 && until > now_) {
      decision.reason =
          fmt::format("clinical records are kept for {} years: GDPR 17(3)(b) and (c)", rules_.retention_years);
      return decision;
    }
    decision.erase = true;
    return decision;
  }

  const records::Records& records_;
  const std::string patient_;
  const Rules& rules_;
  const Instant now_;
  const std::shared_ptr<const records::Definitions> definitions_;
  std::set<std::pair<std::string, std::string>> found_;  // type and id
};

Result<> erase(const records::Records& records, store::Transaction& transaction, std::string_view type,
               std::string_view id) {
  MYDR24_TRY(records.remove(transaction, type, id));
  MYDR24_TRY(store::erase_bodies(transaction, type, id));
  return {};
}

}  // namespace

std::int64_t Plan::erased() const { return std::ranges::count_if(decisions, &Decision::erase); }

std::map<std::string, std::int64_t> Plan::kept() const {
  std::map<std::string, std::int64_t> reasons;
  for (const auto& decision : decisions)
    if (!decision.erase) ++reasons[decision.reason];
  return reasons;
}

Result<Plan> plan(const records::Records& records, std::string_view patient, const Rules& rules, Instant now) {
  if (!is_fhir_id(patient)) return fail(Code::invalid, "is no id of a patient", "patient");
  return Planner(records, patient, rules, now).run();
}

Result<> carry_out(const records::Records& records, const Plan& plan, std::string_view request, Ledger& ledger) {
  std::vector<const Decision*> going;
  for (const auto& decision : plan.decisions)
    if (decision.erase) going.push_back(&decision);
  for (std::size_t begin = 0; begin < going.size(); begin += slice) {
    const auto part = std::span(going).subspan(begin, std::min(slice, going.size() - begin));
    std::vector<Ledger::Line> lines;
    MYDR24_TRY(records.store().read([&](store::Reader& reader) -> Result<> {
      for (const auto* decision : part) {
        MYDR24_ASSIGN(const auto head, reader.current_head(decision->type, decision->id));
        // Later than what is there: a store that has something newer got it after the erasure.
        auto at = records.clock().now();
        if (head) at = std::max(at, head->at + std::chrono::milliseconds(1));
        lines.push_back({at, std::string(request), decision->type, decision->id});
      }
      return {};
    }));
    MYDR24_TRY(ledger.append(lines));
    MYDR24_TRY(records.store().write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(store::begin_erasing(transaction));
      for (const auto* decision : part) MYDR24_TRY(erase(records, transaction, decision->type, decision->id));
      return {};
    }));
  }
  return {};
}

Result<std::int64_t> replay(const records::Records& records, const Ledger& ledger) {
  MYDR24_ASSIGN(const auto lines, ledger.lines());
  std::int64_t erased = 0;
  for (const auto& line : lines) {
    bool is_there = false;
    MYDR24_TRY(records.store().read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto versions, reader.history({.type = line.type, .id = line.id, .count = versions_max}));
      if (versions.empty() || versions.front().at >= line.at) return {};
      is_there = std::ranges::any_of(versions, [](const auto& version) { return !version.body.empty(); });
      return {};
    }));
    if (!is_there) continue;
    MYDR24_TRY(records.store().write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(store::begin_erasing(transaction));
      return erase(records, transaction, line.type, line.id);
    }));
    ++erased;
  }
  return erased;
}

}  // namespace mydr24::erasure
