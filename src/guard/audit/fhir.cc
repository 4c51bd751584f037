#include "guard/audit/fhir.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::audit {
namespace {

constexpr std::string_view dicom = "http://dicom.nema.org/resources/ontology/DCM";
constexpr std::string_view restful = "http://hl7.org/fhir/restful-interaction";
constexpr std::string_view participation = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
constexpr std::string_view entity_type = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
constexpr std::string_view entity_role = "http://terminology.hl7.org/CodeSystem/object-role";
constexpr std::string_view balp_entity_type = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";
constexpr std::string_view profile_base = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";

struct Code {
  std::string_view system;
  std::string_view code;
  std::string_view display;
};

constexpr Code source_role{dicom, "110153", "Source Role ID"};
constexpr Code destination_role{dicom, "110152", "Destination Role ID"};
constexpr Code application{dicom, "110150", "Application"};
constexpr Code custodian{"http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian", "Custodian"};
constexpr Code recipient{participation, "IRCP", "information recipient"};
constexpr Code author{participation, "AUT", "author (originator)"};

// FHIR's restful-interaction codes, and of those that BALP has a profile for, which.
struct Interaction {
  std::string_view code;
  std::string_view profile;
  Action action;
};
constexpr std::array interactions{
    Interaction{"read", "Read", Action::read},
    Interaction{"vread", "Read", Action::read},
    Interaction{"create", "Create", Action::create},
    Interaction{"update", "Update", Action::update},
    Interaction{"patch", "Update", Action::update},
    Interaction{"delete", "Delete", Action::remove},
    Interaction{"search", "Query", Action::execute},
    Interaction{"search-type", "Query", Action::execute},
    Interaction{"search-system", "Query", Action::execute},
    Interaction{"history", "", Action::read},
    Interaction{"history-instance", "", Action::read},
    Interaction{"history-type", "", Action::read},
    Interaction{"history-system", "", Action::read},
    Interaction{"capabilities", "", Action::read},
    Interaction{"transaction", "", Action::execute},
    Interaction{"batch", "", Action::execute},
    Interaction{"operation", "", Action::execute},
};

const Interaction* find_interaction(const Entry& entry) {
  const auto found = std::ranges::find(interactions, entry.interaction, &Interaction::code);
  return found == interactions.end() ? nullptr : found;
}

bool is_query(const Entry& entry) {
  const Interaction* known = find_interaction(entry);
  return known != nullptr && known->profile == "Query";
}

// What a search is recorded as whatever it was told to be: BALP's query has no other action.
Action action_of(const Entry& entry) { return is_query(entry) ? Action::execute : entry.action; }

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                                       reinterpret_cast<const unsigned char*>(bytes.data()),
                                                       static_cast<int>(bytes.size()))));
  return text;
}

// R4 has neither empty strings nor blanks alone.
bool is_text(std::string_view text) { return text.find_first_not_of(" \t\r\n") != std::string_view::npos; }

class Event {
 public:
  Event(const Entry& entry, const Observer& observer, std::string& out)
      : entry_(entry), observer_(observer), writer_(out) {}

  void write(const std::string& id, const std::string* patient) {
    writer_.begin_object().field("resourceType", "AuditEvent").field("id", id);
    if (const std::string profile = balp_profile(entry_); !profile.empty()) {
      writer_.key("meta").begin_object().key("profile").begin_array().string(profile).end_array().end_object();
    }
    write_kind();
    const char action = static_cast<char>(action_of(entry_));
    writer_.field("action", std::string_view(&action, 1)).field("recorded", format_instant(entry_.at));
    writer_.field("outcome", std::to_string(static_cast<int>(entry_.outcome)));
    if (is_text(entry_.rule)) writer_.field("outcomeDesc", entry_.rule);
    if (is_text(entry_.purpose)) {
      writer_.key("purposeOfEvent").begin_array();
      concept_of(purpose());
      writer_.end_array();
    }
    write_agents();
    write_source();
    write_entities(patient);
    writer_.end_object();
  }

 private:
  void coding(const Code& code) {
    writer_.begin_object().field("system", code.system).field("code", code.code);
    if (!code.display.empty()) writer_.field("display", code.display);
    writer_.end_object();
  }
  void concept_of(const Code& code) {
    writer_.begin_object().key("coding").begin_array();
    coding(code);
    writer_.end_array().end_object();
  }
  Code purpose() const { return {"http://terminology.hl7.org/CodeSystem/v3-ActReason", entry_.purpose, {}}; }

  void write_kind() {
    Code type{"http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "RESTful Operation"};
    Code subtype{interaction_system, entry_.interaction, {}};
    if (entry_.interaction == override_started || entry_.interaction == override_stopped) {
      type = {dicom, "110113", "Security Alert"};
      subtype = entry_.interaction == override_started ? Code{dicom, "110127", "Emergency Override Started"}
                                                       : Code{dicom, "110138", "Emergency Override Stopped"};
    } else if (entry_.interaction == login || entry_.interaction == logout) {
      type = {dicom, "110114", "User Authentication"};
      subtype = entry_.interaction == login ? Code{dicom, "110122", "Login"} : Code{dicom, "110123", "Logout"};
    } else if (entry_.http_status == 0) {
      type = {dicom, "110100", "Application Activity"};
    } else if (find_interaction(entry_) != nullptr) {
      subtype.system = restful;
      subtype.display = entry_.interaction;
    }
    writer_.key("type");
    coding(type);
    if (!is_text(subtype.code)) return;
    writer_.key("subtype").begin_array();
    coding(subtype);
    writer_.end_array();
  }

  void network(std::string_view address, std::string_view type) {
    if (!is_text(address)) return;
    writer_.key("network").begin_object().field("address", address).field("type", type).end_object();
  }

  bool has_user() const { return entry_.principal_kind == access::PrincipalKind::person && is_text(entry_.principal); }

  // The client sends what is created, changed or asked; it receives what is read. BALP names its part in a delete
  // otherwise.
  void write_agents() {
    const Action action = action_of(entry_);
    const Code client = action == Action::remove ? application
                        : action == Action::read ? destination_role
                                                 : source_role;
    const Code server = action == Action::remove ? custodian : action == Action::read ? source_role : destination_role;
    writer_.key("agent").begin_array();
    write_client(client);
    writer_.begin_object().key("type");
    concept_of(server);
    writer_.key("who").begin_object().field("display", observer_.name).end_object().field("requestor", false);
    if (is_text(observer_.url)) {
      network(observer_.url, "5");
    } else {
      network(observer_.name, "1");
    }
    writer_.end_object();
    if (has_user()) write_user(action);
    writer_.end_array();
  }

  void write_client(const Code& role) {
    writer_.begin_object().key("type");
    concept_of(role);
    writer_.key("who").begin_object();
    if (is_text(entry_.client)) {
      identifier(entry_.client);
    } else if (!has_user() && is_text(entry_.principal)) {
      identifier(entry_.principal);
    } else {
      writer_.field("display", is_text(entry_.address) ? entry_.address : access::to_string(entry_.principal_kind));
    }
    writer_.end_object();
    if (!has_user() && is_text(entry_.principal)) writer_.field("altId", entry_.principal);
    writer_.field("requestor", !has_user());
    if (is_text(entry_.address)) {
      network(entry_.address, "2");
    } else {
      network("localhost", "1");
    }
    writer_.end_object();
  }

  void identifier(std::string_view value) {
    writer_.key("identifier").begin_object().field("value", value).end_object();
  }

  void write_user(Action action) {
    writer_.begin_object().key("type");
    concept_of(action == Action::create || action == Action::update || action == Action::remove ? author : recipient);
    const bool has_role = std::ranges::any_of(entry_.roles, is_text);
    if (has_role) {
      writer_.key("role").begin_array();
      for (const std::string& role : entry_.roles)
        if (is_text(role)) writer_.begin_object().field("text", role).end_object();
      writer_.end_array();
    }
    writer_.key("who").begin_object();
    if (is_text(entry_.fhir_user)) writer_.field("reference", entry_.fhir_user);
    identifier(entry_.principal);
    writer_.end_object().field("altId", entry_.principal);
    if (is_text(entry_.name)) writer_.field("name", entry_.name);
    writer_.field("requestor", true);
    // Names the session, as BALP has the id of a token here; not in a delete, where it has nothing.
    if (is_text(entry_.session) && action != Action::remove)
      writer_.key("policy").begin_array().string("urn:mydr24:session:" + entry_.session).end_array();
    if (is_text(entry_.purpose)) {
      writer_.key("purposeOfUse").begin_array();
      concept_of(purpose());
      writer_.end_array();
    }
    writer_.end_object();
  }

  void write_source() {
    writer_.key("source").begin_object().field("site", observer_.name);
    writer_.key("observer").begin_object().field("display", observer_.name).end_object();
    writer_.key("type").begin_array();
    coding({"http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server"});
    writer_.end_array().end_object();
  }

  void begin_entity(const Code& type, const Code& role) {
    writer_.begin_object().key("type");
    coding(type);
    if (role.code.empty()) return;
    writer_.key("role");
    coding(role);
  }

  void write_entities(const std::string* patient) {
    const Code system_object{entity_type, "2", "System Object"};
    const bool has_data = is_text(entry_.resource_type) && !is_query(entry_);
    // BALP has one system object: beside data a query is a part of it (and of a delete it is left out, as BALP says).
    const bool has_query = !has_data && (is_query(entry_) || is_text(entry_.query));
    if (patient == nullptr && !has_data && !has_query && entry_.request_id.empty() && entry_.override_id.empty())
      return;
    writer_.key("entity").begin_array();
    if (patient != nullptr) {
      begin_entity({entity_type, "1", "Person"}, {entity_role, "1", "Patient"});
      writer_.key("what").begin_object().field("reference", "Patient/" + *patient).end_object().end_object();
    }
    if (has_data) {
      begin_entity(system_object, {entity_role, "4", "Domain Resource"});
      writer_.key("what").begin_object();
      if (is_text(entry_.resource_id)) writer_.field("reference", reference());
      writer_.field("type", entry_.resource_type).end_object();
      if (is_text(entry_.query) && action_of(entry_) != Action::remove) writer_.field("query", base64(entry_.query));
      writer_.end_object();
    }
    if (has_query) {
      begin_entity(system_object, {entity_role, "24", "Query"});
      // Of a search without parameters the path is what was asked.
      const std::string asked =
          fmt::format("{}{}{}", entry_.resource_type, is_text(entry_.query) ? "?" : "", entry_.query);
      writer_.field("query", base64(is_text(asked) ? asked : "?")).end_object();
    }
    if (is_text(entry_.request_id)) {
      begin_entity({balp_entity_type, "XrequestId", {}}, {});
      writer_.key("what").begin_object();
      identifier(entry_.request_id);
      writer_.end_object().end_object();
    }
    if (is_text(entry_.override_id)) {
      begin_entity({entity_type, "4", "Other"}, {});
      writer_.key("what").begin_object().key("identifier").begin_object();
      writer_.field("system", override_system).field("value", entry_.override_id);
      writer_.end_object().end_object().end_object();
    }
    writer_.end_array();
  }

  std::string reference() const {
    std::string text = entry_.resource_type + "/" + entry_.resource_id;
    if (is_text(entry_.resource_version)) text += "/_history/" + entry_.resource_version;
    return text;
  }

  const Entry& entry_;
  const Observer& observer_;
  json::Writer writer_;
};

}  // namespace

std::string balp_profile(const Entry& entry) {
  const Interaction* known = find_interaction(entry);
  if (known == nullptr || known->profile.empty() || entry.outcome != Outcome::success ||
      known->action != action_of(entry) || (known->profile != "Query" && !is_text(entry.resource_id)))
    return {};
  return fmt::format("{}{}{}", profile_base, entry.patients.empty() ? "" : "Patient", known->profile);
}

std::vector<std::string> to_audit_events(const Entry& entry, const Observer& observer) {
  std::vector<std::string> events;
  for (std::size_t i = 0; i < std::max<std::size_t>(1, entry.patients.size()); ++i) {
    const std::string* patient = entry.patients.empty() ? nullptr : &entry.patients[i];
    Event(entry, observer, events.emplace_back())
        .write(i == 0 ? entry.id : fmt::format("{}.{}", entry.id, i + 1), patient);
  }
  return events;
}

}  // namespace mydr24::audit
