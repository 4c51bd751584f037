#include "clinical/records/include.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/core/id.h"
#include "fhir/model/definitions.h"

namespace mydr24::records {
namespace {

using search::Include;
using search::Kind;
using search::Parameter;

struct Target {
  std::string_view type;
  std::string_view id;
};

// Of "Patient/1" and "Patient/1/_history/2"; nothing for what is not kept here.
std::optional<Target> local(std::string_view reference) {
  const auto slash = reference.find('/');
  if (slash == reference.npos) return std::nullopt;
  const auto type = reference.substr(0, slash);
  auto id = reference.substr(slash + 1);
  id = id.substr(0, id.find('/'));
  if (model::find_resource(type) == nullptr || !is_fhir_id(id)) return std::nullopt;
  return Target{type, id};
}

class Gatherer {
 public:
  Gatherer(store::Reader& reader, const search::Query& query) : reader_(reader), query_(query) {}

  Result<Included> run(const std::vector<store::Version>& matches) {
    for (const auto& match : matches) seen_.insert(match.type + "/" + match.id);
    std::vector<store::Version> sources = matches;
    for (int round = 0; !sources.empty(); ++round) {
      if (round == include_rounds_max) {
        included_.complete = false;
        break;
      }
      found_.clear();
      for (const auto& one : query_.includes) {
        if (round > 0 && !one.iterate) continue;
        MYDR24_TRY(one.reverse ? referrers(one, sources) : references(one, sources));
      }
      included_.resources.insert(included_.resources.end(), found_.begin(), found_.end());
      sources = std::move(found_);
      found_ = {};
    }
    return std::move(included_);
  }

 private:
  const search::Catalogue* catalogue() const { return query_.catalogue.get(); }

  bool full() {
    if (seen_.size() < included_max + search::count_max && included_.resources.size() + found_.size() < included_max) {
      return false;
    }
    included_.complete = false;
    return true;
  }

  Result<> references(const Include& include, const std::vector<store::Version>& sources) {
    for (const auto& source : sources) {
      if (!include.source.empty() && include.source != source.type) continue;
      MYDR24_ASSIGN(const auto document, json::Document::parse_view(source.body));
      for (const auto& parameter : search::parameters_of(source.type, catalogue())) {
        if (parameter.kind != Kind::reference) continue;
        if (include.parameter != nullptr && include.parameter->code != parameter.code) continue;
        for (const auto& entry : search::extract(document.root(), parameter, catalogue())) {
          const auto target = local(entry.value);
          if (target && (include.target.empty() || include.target == target->type)) MYDR24_TRY(fetch(*target));
          if (full()) return {};
        }
      }
    }
    return {};
  }

  Result<> fetch(const Target& target) {
    if (!seen_.insert(fmt::format("{}/{}", target.type, target.id)).second) return {};
    MYDR24_ASSIGN(auto version, reader_.current(target.type, target.id));
    if (version && version->action != store::Action::remove) found_.push_back(std::move(*version));
    return {};
  }

  Result<> referrers(const Include& include, const std::vector<store::Version>& sources) {
    std::set<std::string_view> types;
    for (const auto& source : sources) {
      if (include.target.empty() || include.target == source.type) types.insert(source.type);
    }
    for (const auto type : types) {
      std::vector<search::Term> targets;
      for (const auto& source : sources) {
        if (source.type == type) targets.push_back({.value = source.type + "/" + source.id});
      }
      for (const auto& parameter : search::parameters(catalogue())) {
        if (parameter.kind != Kind::reference) continue;
        if (!include.source.empty() && include.source != parameter.type) continue;
        if (include.parameter != nullptr && include.parameter->code != parameter.code) continue;
        const bool fits =
            parameter.targets.empty() || std::ranges::find(parameter.targets, type) != parameter.targets.end();
        if (fits) MYDR24_TRY(find_referrers(parameter, targets));
        if (full()) return {};
      }
    }
    return {};
  }

  Result<> find_referrers(const Parameter& parameter, const std::vector<search::Term>& targets) {
    for (std::size_t from = 0; from < targets.size(); from += search::terms_max) {
      const auto to = std::min(targets.size(), from + search::terms_max);
      search::Query query;
      query.type = parameter.type;
      query.catalogue = query_.catalogue;
      query.count = search::count_max;
      search::Condition condition;
      condition.parameter = &parameter;
      condition.any_of.assign(targets.begin() + static_cast<std::ptrdiff_t>(from),
                              targets.begin() + static_cast<std::ptrdiff_t>(to));
      query.conditions.push_back(std::move(condition));
      do {
        MYDR24_ASSIGN(auto page, reader_.search(query));
        for (auto& match : page.matches) {
          if (full()) return {};
          if (seen_.insert(match.type + "/" + match.id).second) found_.push_back(std::move(match));
        }
        query.cursor = page.next_cursor;
      } while (!query.cursor.empty());
    }
    return {};
  }

  store::Reader& reader_;
  const search::Query& query_;
  Included included_;
  std::vector<store::Version> found_;
  std::set<std::string> seen_;
};

}  // namespace

Result<Included> include(store::Reader& reader, const search::Query& query,
                         const std::vector<store::Version>& matches) {
  if (query.includes.empty()) return Included{};
  return Gatherer(reader, query).run(matches);
}

}  // namespace mydr24::records
