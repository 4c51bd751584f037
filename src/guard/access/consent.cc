#include "guard/access/consent.h"

#include <fmt/format.h>

#include <algorithm>

#include "guard/access/detail/consent_reading.h"
#include "guard/access/in_patient.h"
#include "guard/access/purpose.h"

namespace mydr24::access {
namespace {

using search::Condition;

// ---- what it means: a formula over what is known of the asker and what must hold of a resource

struct Formula {
  enum class Kind : std::uint8_t { no, yes, holds } kind = Kind::no;
  Condition condition;  // holds
};

Formula constant(bool value) { return {value ? Formula::Kind::yes : Formula::Kind::no, {}}; }

Formula negation(Formula formula) {
  if (formula.kind != Formula::Kind::holds) return constant(formula.kind == Formula::Kind::no);
  Condition none;
  none.form = Condition::Form::none;
  none.parts.push_back(std::move(formula.condition));
  return {Formula::Kind::holds, std::move(none)};
}

// All of them, or any of them.
Formula joined(std::vector<Formula> formulas, Condition::Form form) {
  const auto decides = form == Condition::Form::any ? Formula::Kind::yes : Formula::Kind::no;
  Condition condition;
  condition.form = form;
  for (auto& formula : formulas) {
    if (formula.kind == decides) return constant(form == Condition::Form::any);
    if (formula.kind == Formula::Kind::holds) condition.parts.push_back(std::move(formula.condition));
  }
  if (condition.parts.empty()) return constant(form != Condition::Form::any);
  if (condition.parts.size() == 1) return {Formula::Kind::holds, std::move(condition.parts.front())};
  return {Formula::Kind::holds, std::move(condition)};
}

class Meaning {
 public:
  Meaning(const ConsentBook::Asker& asker, Permission permission, std::string_view type)
      : asker_(asker), permission_(permission), type_(type) {}

  // Of the resources of the patient that this Consent denies.
  Formula denied(const Consent& consent) const {
    if ((consent.from && asker_.now < *consent.from) || (consent.until && asker_.now >= *consent.until))
      return constant(false);
    if (!consent.exception) return constant(!consent.permits);
    auto meets = met(*consent.exception);
    auto inside = joined({meets, denied_inside(*consent.exception)}, Condition::Form::all);
    if (consent.permits) return inside;
    return joined({negation(std::move(meets)), std::move(inside)}, Condition::Form::any);
  }

 private:
  Formula denied_inside(const Provision& provision) const {
    std::vector<Formula> exceptions;
    for (const auto& inner : provision.exceptions) {
      if (inner.permits == provision.permits || !is_exception(inner, provision)) continue;
      auto inside = denied_inside(inner);
      exceptions.push_back(
          joined({met(inner), inner.permits ? negation(std::move(inside)) : std::move(inside)}, Condition::Form::all));
    }
    auto any = joined(std::move(exceptions), Condition::Form::any);
    return provision.permits ? any : negation(std::move(any));
  }

  Formula met(const Provision& provision) const {
    if ((provision.from && asker_.now < *provision.from) || (provision.until && asker_.now >= *provision.until))
      return constant(false);
    std::vector<Formula> all;
    if (!provision.actors.empty()) all.push_back(actors(provision));
    const auto narrow = [&](Provision::Criterion criterion, bool says, auto holds) {
      const bool unclear = (provision.unclear & criterion) != 0;
      // What is not understood might well be met by this, too.
      if (unclear && !provision.permits) return;
      if (says) {
        all.push_back(holds());
      } else if (unclear) {
        all.push_back(constant(false));
      }
    };
    narrow(Provision::of_action, !provision.actions.empty(), [&] { return constant(acts(provision.actions)); });
    narrow(Provision::of_purpose, !provision.purposes.empty(), [&] { return constant(has_purpose(provision)); });
    narrow(Provision::of_class, !provision.classes.empty() || !provision.formats.empty(),
           [&] { return of_class(provision); });
    narrow(Provision::of_label, !provision.labels.empty(), [&] { return tokens("_security", provision.labels); });
    narrow(Provision::of_code, !provision.codes.empty(), [&] { return about(provision.codes); });
    narrow(Provision::of_data, !provision.data.empty(), [&] { return data(provision.data); });
    if (provision.data_from || provision.data_until) all.push_back(data_period(provision));
    return joined(std::move(all), Condition::Form::all);
  }

  bool acts(const std::vector<std::string>& actions) const {
    const auto named = [&](std::string_view action) { return std::ranges::find(actions, action) != actions.end(); };
    switch (permission_) {
      case Permission::read:
      case Permission::search: {
        const auto& principal = *asker_.principal;
        const bool leaves = principal.kind == PrincipalKind::machine || !principal.client.empty();
        return named("access") || named("use") || (leaves && named("disclose"));
      }
      case Permission::create:
        return named("collect");
      case Permission::update:
      case Permission::remove:
        return named("correct");
    }
    return false;
  }

  bool has_purpose(const Provision& provision) const {
    // For what it is asked is not known.
    if (!is_purpose(asker_.purpose)) return !provision.permits;
    return std::ranges::any_of(provision.purposes,
                               [&](std::string_view purpose) { return is_kind_of_purpose(asker_.purpose, purpose); });
  }

  // Documents have formats, other resources have none.
  Formula of_class(const Provision& provision) const {
    if (std::ranges::find(provision.classes, type_) != provision.classes.end()) return constant(true);
    if (provision.formats.empty() || type_ != "DocumentReference") return constant(false);
    std::vector<Coded> formats;
    for (const auto& format : provision.formats) formats.push_back({{}, format});
    return tokens("contenttype", formats);
  }

  // Whether it names who asks, as far as that is known: of an account without a FHIR user nobody knows which person it is,
  // and of a person not every group.
  bool names_asker(const Provision::Actor& actor, bool permits) const {
    const auto& principal = *asker_.principal;
    if (actor.elsewhere && permits) return false;
    if (actor.reference == principal.fhir_user ||
        std::ranges::find(principal.member_of, actor.reference) != principal.member_of.end())
      return true;
    if (permits) return false;
    const auto type = std::string_view(actor.reference).substr(0, actor.reference.find('/'));
    const bool is_one = type == "Practitioner" || type == "Patient" || type == "RelatedPerson" || type == "Device";
    if (is_one) return principal.kind == PrincipalKind::person && principal.fhir_user.empty();
    return std::ranges::none_of(principal.member_of, [&](std::string_view group) {
      return group.starts_with(type) && group.substr(type.size()).starts_with('/');
    });
  }

  Formula actors(const Provision& provision) const {
    std::set<std::string_view> roles;
    for (const auto& actor : provision.actors) roles.insert(actor.role);
    std::vector<Formula> all;
    for (const auto role : roles) {
      std::vector<Formula> any;
      for (const auto& actor : provision.actors) {
        if (actor.role != role) continue;
        if (actor.reference.empty()) {
          any.push_back(constant(!provision.permits));
        } else if (role == "CST") {
          any.push_back(constant(asker_.organization.empty() || asker_.organization == actor.reference));
        } else if (role == "AUT") {
          any.push_back(author(actor.reference));
        } else {
          any.push_back(constant(names_asker(actor, provision.permits)));
        }
      }
      all.push_back(joined(std::move(any), Condition::Form::any));
    }
    return joined(std::move(all), Condition::Form::all);
  }

  Formula match(std::string_view code, std::vector<search::Term> terms) const {
    const auto* parameter = search::find_parameter(type_, code);
    if (parameter == nullptr) return constant(false);
    Condition condition;
    condition.parameter = parameter;
    condition.any_of = std::move(terms);
    return {Formula::Kind::holds, std::move(condition)};
  }

  // By whatever the type calls who made it.
  Formula author(const std::string& reference) const {
    std::vector<Formula> any;
    for (const auto* code : {"author", "performer", "recorder", "asserter", "requester", "practitioner"}) {
      const auto* parameter = search::find_parameter(type_, code);
      if (parameter != nullptr && parameter->kind == search::Kind::reference)
        any.push_back(match(code, {{.value = reference}}));
    }
    return joined(std::move(any), Condition::Form::any);
  }

  Formula tokens(std::string_view code, const std::vector<Coded>& codes) const {
    const auto* parameter = search::find_parameter(type_, code);
    if (parameter == nullptr || parameter->kind != search::Kind::token) return constant(false);
    std::vector<search::Term> terms;
    for (const auto& one : codes) {
      search::Term term;
      term.value = one.code;
      term.system = one.system;
      term.system_is = one.system.empty() ? search::Term::System::any : search::Term::System::named;
      terms.push_back(std::move(term));
    }
    return match(code, std::move(terms));
  }

  // By whatever the type calls what it is about.
  Formula about(const std::vector<Coded>& codes) const {
    std::vector<Formula> any;
    for (const auto* code : {"code", "type", "vaccine-code"}) {
      const auto* parameter = search::find_parameter(type_, code);
      if (parameter != nullptr && parameter->kind == search::Kind::token) any.push_back(tokens(code, codes));
    }
    return joined(std::move(any), Condition::Form::any);
  }

  Formula data(const std::vector<std::string>& references) const {
    std::vector<search::Term> terms;
    for (const auto& reference : references) {
      if (auto id = local_reference(reference, type_); !id.empty()) terms.push_back({.value = std::move(id)});
    }
    return terms.empty() ? constant(false) : match("_id", std::move(terms));
  }

  // By the date that the type is searched by. What has none may be of that time as well: it is denied, and not permitted;
  // so is what lies in it only in part.
  Formula data_period(const Provision& provision) const {
    const auto* parameter = search::find_parameter(type_, "date");
    if (parameter == nullptr || parameter->kind != search::Kind::date) return constant(!provision.permits);
    const auto bound = [&](search::Prefix prefix, Instant at) {
      search::Term term;
      term.prefix = prefix;
      term.low = to_us(at);
      term.high = to_us(at) + 1;
      return match("date", {std::move(term)});
    };
    std::vector<Formula> all;
    if (!provision.permits) {
      if (provision.data_from) all.push_back(negation(bound(search::Prefix::eb, *provision.data_from)));
      if (provision.data_until)
        all.push_back(negation(bound(search::Prefix::sa, *provision.data_until - std::chrono::microseconds(1))));
      return joined(std::move(all), Condition::Form::all);
    }
    if (provision.data_from) {
      all.push_back(bound(search::Prefix::ge, *provision.data_from));
      all.push_back(negation(bound(search::Prefix::lt, *provision.data_from)));
    }
    if (provision.data_until) {
      all.push_back(bound(search::Prefix::lt, *provision.data_until));
      all.push_back(negation(bound(search::Prefix::gt, *provision.data_until)));
    }
    return joined(std::move(all), Condition::Form::all);
  }

  const ConsentBook::Asker& asker_;
  Permission permission_;
  std::string_view type_;
};

}  // namespace

void ConsentBook::put(Consent consent) {
  erase(consent.id);
  const std::lock_guard lock(mutex_);
  ++version_;
  patient_of_[consent.id] = consent.patient;
  auto& list = by_patient_[consent.patient];
  list.push_back(std::make_shared<const Consent>(std::move(consent)));
}

void ConsentBook::erase(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto found = patient_of_.find(std::string(id));
  if (found == patient_of_.end()) return;
  ++version_;
  const auto list = by_patient_.find(found->second);
  std::erase_if(list->second, [&](const auto& consent) { return consent->id == id; });
  if (list->second.empty()) by_patient_.erase(list);
  patient_of_.erase(found);
}

void ConsentBook::assign(std::vector<Consent> consents) {
  {
    const std::lock_guard lock(mutex_);
    ++version_;
    by_patient_.clear();
    patient_of_.clear();
  }
  for (auto& consent : consents) put(std::move(consent));
}

bool ConsentBook::empty() const {
  const std::lock_guard lock(mutex_);
  return by_patient_.empty();
}

bool ConsentBook::has(std::string_view patient) const {
  const std::lock_guard lock(mutex_);
  return by_patient_.contains(std::string(patient));
}

std::size_t ConsentBook::unclear() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& [patient, consents] : by_patient_)
    count += static_cast<std::size_t>(
        std::ranges::count_if(consents, [](const auto& each) { return !each->unclear.empty(); }));
  return count;
}

std::uint64_t ConsentBook::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

std::vector<Condition> ConsentBook::hidden(const Asker& asker, Permission permission, std::string_view type) const {
  std::vector<Condition> hidden;
  std::vector<std::string_view> denied;  // patients all of whose resources of the type are
  const Meaning meaning(asker, permission, type);
  const auto own = local_reference(asker.principal->fhir_user, "Patient");
  const auto& overrides = asker.principal->overrides;
  const std::lock_guard lock(mutex_);
  for (const auto& [patient, consents] : by_patient_) {
    std::vector<Formula> any;
    for (const auto& consent : consents) any.push_back(meaning.denied(*consent));
    auto formula = joined(std::move(any), Condition::Form::any);
    if (formula.kind == Formula::Kind::no || own == patient) continue;
    const bool overridden = std::ranges::any_of(
        overrides, [&](const Override& override) { return override.patient.empty() || override.patient == patient; });
    if (overridden) continue;
    if (formula.kind == Formula::Kind::yes) {
      denied.push_back(patient);
      continue;
    }
    const std::string_view one[]{patient};
    auto inside = in_patients(one, type);
    if (!inside) continue;
    Condition both;
    both.form = Condition::Form::all;
    both.parts.push_back(std::move(*inside));
    both.parts.push_back(std::move(formula.condition));
    hidden.push_back(std::move(both));
  }
  if (!denied.empty()) {
    if (auto inside = in_patients(denied, type)) hidden.push_back(std::move(*inside));
  }
  return hidden;
}

std::optional<Instant> ConsentBook::changes_after(Instant now) const {
  std::optional<Instant> next;
  const auto consider = [&](const std::optional<Instant>& at) {
    if (at && *at > now && (!next || *at < *next)) next = at;
  };
  const auto walk = [&](const auto& self, const Provision& provision) -> void {
    consider(provision.from);
    consider(provision.until);
    for (const auto& inner : provision.exceptions) self(self, inner);
  };
  const std::lock_guard lock(mutex_);
  for (const auto& [patient, consents] : by_patient_) {
    for (const auto& consent : consents) {
      consider(consent->from);
      consider(consent->until);
      if (consent->exception) walk(walk, *consent->exception);
    }
  }
  return next;
}

Denials::Conditions Denials::of(Permission permission, std::string_view type, Instant now) {
  static const auto nothing = std::make_shared<const std::vector<Condition>>();
  if (book_.empty()) return nothing;
  const std::lock_guard lock(mutex_);
  const auto version = book_.version();
  if (version != version_ || now >= valid_until_) {
    worked_out_.clear();
    version_ = version;
    valid_until_ = book_.changes_after(now).value_or(Instant::max());
  }
  const auto key = std::pair(permission, std::string(type));
  const auto found = worked_out_.find(key);
  if (found != worked_out_.end()) return found->second;
  const ConsentBook::Asker asker{
      .principal = &principal_, .purpose = purpose_, .organization = organization_, .now = now};
  auto hidden = book_.hidden(asker, permission, type);
  auto made = hidden.empty() ? nothing : std::make_shared<const std::vector<Condition>>(std::move(hidden));
  worked_out_.emplace(key, made);
  return made;
}

}  // namespace mydr24::access
