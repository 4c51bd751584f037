// From a Consent resource to what it says. What is not understood refuses where it stands, and is named.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/core/date_time.h"
#include "base/core/id.h"
#include "fhir/model/definitions.h"
#include "guard/access/detail/consent_reading.h"
#include "guard/access/purpose.h"

namespace mydr24::access {
namespace {

// "Practitioner/1" of that, of a URL, or of one of its versions; empty: it names no resource that way.
std::string resource_reference(std::string_view text) {
  if (const auto history = text.find("/_history/"); history != text.npos) text = text.substr(0, history);
  const auto slash = text.rfind('/');
  if (slash == text.npos || !is_fhir_id(text.substr(slash + 1))) return {};
  const auto before = text.substr(0, slash);
  const auto type_at = before.rfind('/');
  const auto type = type_at == before.npos ? before : before.substr(type_at + 1);
  return model::find_resource(type) == nullptr ? std::string() : fmt::format("{}/{}", type, text.substr(slash + 1));
}

// The codes of Codings or CodeableConcepts that `is_known` knows; of a concept without one it says so.
template <class IsKnown>
std::vector<std::string> known_codes(json::Value list, bool& unclear, IsKnown is_known) {
  std::vector<std::string> codes;
  const auto take = [&](std::string_view code) {
    if (is_known(code)) codes.emplace_back(code);
    return is_known(code);
  };
  for (const auto concept_or_coding : list) {
    bool known = false;
    if (const auto codings = concept_or_coding["coding"]) {
      for (const auto coding : codings) known = take(coding["code"].text()) || known;
    } else {
      known = take(concept_or_coding["code"].text());
    }
    unclear = unclear || !known;
  }
  return codes;
}

bool is_action(std::string_view code) {
  constexpr std::array<std::string_view, 5> actions{"collect", "access", "use", "disclose", "correct"};
  return std::ranges::find(actions, code) != actions.end();
}

// Roles of v3-ParticipationType that say to whom something goes, and those of a CST and AUT, which are about what is kept.
bool is_understood_role(std::string_view code) {
  constexpr std::array<std::string_view, 6> roles{"", "PRCP", "IRCP", "TRC", "CST", "AUT"};
  return std::ranges::find(roles, code) != roles.end();
}

void read_period(json::Value period, std::optional<Instant>& from, std::optional<Instant>& until) {
  if (const auto start = parse_date_time(period["start"].text())) from = start->low;
  if (const auto end = parse_date_time(period["end"].text())) until = end->high;
}

struct Reading {
  std::size_t provisions = 0;
  bool too_much = false;
  std::set<std::string> unclear;

  void note(Provision& provision, Provision::Criterion criterion, std::string_view element) {
    provision.unclear = static_cast<std::uint8_t>(provision.unclear | criterion);
    unclear.insert(fmt::format("provision.{}", element));
  }
};

void read_actors(json::Value value, Provision& provision, Reading& reading) {
  for (const auto actor : value) {
    const auto reference = actor["reference"]["reference"].text();
    Provision::Actor read{.role = std::string(actor["role"]["coding"].at(0)["code"].text()),
                          .reference = resource_reference(reference),
                          .elsewhere = reference.contains("://")};
    if (!is_understood_role(read.role)) read.reference.clear();
    if (read.reference.empty()) reading.note(provision, Provision::of_actor, "actor");
    provision.actors.push_back(std::move(read));
  }
}

void read_classes(json::Value value, Provision& provision, Reading& reading) {
  constexpr std::string_view definitions = "http://hl7.org/fhir/StructureDefinition/";
  for (const auto coding : value) {
    auto code = coding["code"].text();
    if (code.starts_with(definitions)) code.remove_prefix(definitions.size());
    if (model::find_resource(code) != nullptr) {
      provision.classes.emplace_back(code);
    } else if (coding["system"].text() == "urn:ietf:bcp:13" && code.contains('/')) {
      provision.formats.emplace_back(code);
    } else {
      reading.note(provision, Provision::of_class, "class");
    }
  }
}

void read_data(json::Value value, Provision& provision, Reading& reading) {
  for (const auto data : value) {
    const auto reference = resource_reference(data["reference"]["reference"].text());
    const auto meaning = data["meaning"].text();
    // Of what is related to it, or depends on it, the resource itself is at least one.
    if (!reference.empty() && meaning != "authoredby") provision.data.push_back(reference);
    if (reference.empty() || meaning != "instance") reading.note(provision, Provision::of_data, "data");
  }
}

std::vector<Coded> read_codings(json::Value codings, bool& unclear) {
  std::vector<Coded> read;
  for (const auto coding : codings) {
    if (!coding["code"].text().empty())
      read.push_back({std::string(coding["system"].text()), std::string(coding["code"].text())});
  }
  unclear = unclear || read.empty();
  return read;
}

void read_coded(json::Value value, Provision& provision, Reading& reading) {
  bool unclear = false;
  provision.actions = known_codes(value["action"], unclear, is_action);
  if (unclear) reading.note(provision, Provision::of_action, "action");
  unclear = false;
  provision.purposes = known_codes(value["purpose"], unclear, is_purpose);
  if (unclear) reading.note(provision, Provision::of_purpose, "purpose");
  unclear = false;
  if (value["securityLabel"]) provision.labels = read_codings(value["securityLabel"], unclear);
  if (unclear) reading.note(provision, Provision::of_label, "securityLabel");
  unclear = false;
  for (const auto code : value["code"])
    for (auto& coded : read_codings(code["coding"], unclear)) provision.codes.push_back(std::move(coded));
  if (unclear) reading.note(provision, Provision::of_code, "code");
}

Provision read_provision(json::Value value, bool outer_permits, int depth, Reading& reading) {
  Provision provision;
  const auto type = value["type"].text();
  provision.permits = type.empty() ? !outer_permits : type == "permit";
  if (++reading.provisions > provisions_max || depth > provision_depth_max || value["modifierExtension"]) {
    reading.too_much = true;
    reading.unclear.insert("provision");
    return provision;
  }
  read_period(value["period"], provision.from, provision.until);
  read_actors(value["actor"], provision, reading);
  read_coded(value, provision, reading);
  read_classes(value["class"], provision, reading);
  read_data(value["data"], provision, reading);
  read_period(value["dataPeriod"], provision.data_from, provision.data_until);
  for (const auto inner : value["provision"])
    provision.exceptions.push_back(read_provision(inner, provision.permits, depth + 1, reading));
  return provision;
}

template <class T>
bool adds(const std::vector<T>& inner, const std::vector<T>& outer) {
  return !inner.empty() && inner != outer;
}

bool says_something(const Provision& provision) {
  Provision nothing;
  nothing.from = provision.from;
  nothing.until = provision.until;
  return is_exception(provision, nothing);
}

}  // namespace

std::string local_reference(std::string_view text, std::string_view type) {
  const auto slash = text.rfind('/');
  if (slash == text.npos) return {};
  const auto id = text.substr(slash + 1);
  const auto before = text.substr(0, slash);
  if (!is_fhir_id(id) || (before != type && !before.ends_with(fmt::format("/{}", type)))) return {};
  return std::string(id);
}

bool is_exception(const Provision& inner, const Provision& outer) {
  return (inner.from && inner.from != outer.from) || (inner.until && inner.until != outer.until) ||
         adds(inner.actors, outer.actors) || adds(inner.actions, outer.actions) ||
         adds(inner.purposes, outer.purposes) || adds(inner.labels, outer.labels) ||
         adds(inner.classes, outer.classes) || adds(inner.formats, outer.formats) || adds(inner.codes, outer.codes) ||
         adds(inner.data, outer.data) || inner.unclear != 0 ||
         (inner.data_from && inner.data_from != outer.data_from) ||
         (inner.data_until && inner.data_until != outer.data_until);
}

std::optional<Consent> parse_consent(json::Value value) {
  if (value["status"].text() != "active") return std::nullopt;
  if (value["scope"]["coding"]) {
    bool privacy = false;
    for (const auto coding : value["scope"]["coding"]) privacy = privacy || coding["code"].text() == "patient-privacy";
    if (!privacy) return std::nullopt;
  }
  Consent consent;
  consent.id = value["id"].text();
  consent.patient = local_reference(value["patient"]["reference"].text(), "Patient");
  if (consent.patient.empty()) return std::nullopt;
  Reading reading;
  const bool has_rule = value["policyRule"].exists();
  bool known = !has_rule;
  for (const auto coding : value["policyRule"]["coding"]) {
    const auto code = coding["code"].text();
    known = known || code.starts_with("OPTIN") || code.starts_with("OPTOUT");
    if (code.starts_with("OPTOUT")) consent.permits = false;
  }
  if (!known) reading.unclear.insert("policyRule");
  for (const auto* element : {"modifierExtension", "implicitRules"})
    if (value[element]) reading.unclear.insert(element);
  const bool denies_wholly = !reading.unclear.empty();
  const auto provision = value["provision"];
  Provision exception;
  if (provision) {
    read_period(provision["period"], consent.from, consent.until);
    exception = read_provision(provision, consent.permits, 0, reading);
  }
  consent.unclear.assign(reading.unclear.begin(), reading.unclear.end());
  if (reading.too_much || denies_wholly) {
    consent.permits = false;
    return consent;
  }
  if (!provision) return consent.permits ? std::nullopt : std::optional(std::move(consent));
  exception.from.reset();
  exception.until.reset();
  if (says_something(exception) || provision["type"]) {
    consent.exception = std::move(exception);
  } else if (!exception.exceptions.empty()) {
    // A frame around others: they are exceptions to the base itself.
    exception.permits = consent.permits;
    consent.exception = std::move(exception);
  }
  if (consent.permits && !consent.exception) return std::nullopt;
  return consent;
}

}  // namespace mydr24::access
