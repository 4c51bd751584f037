#include "api/pipeline/recorder.h"

#include <algorithm>

#include "base/core/id.h"
#include "base/crypto/digest.h"
#include "guard/audit/writes.h"

namespace mydr24::pipeline {
namespace {

constexpr std::size_t request_id_bytes_max = 64;
constexpr std::string_view no_route = "none";  // as in http_requests_total

bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= request_id_bytes_max &&
         std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

bool only_reads(net::Method method) { return method == net::Method::get || method == net::Method::head; }

audit::Action action_of(const Route& route) {
  const std::string_view name = route.interaction;
  if (route.pattern.starts_with("/fhir") &&
      (name.starts_with("search") || name.starts_with('$') || name == "transaction"))
    return audit::Action::execute;
  switch (route.method) {
    case net::Method::get:
    case net::Method::head:
      return audit::Action::read;
    case net::Method::put:
    case net::Method::patch:
      return audit::Action::update;
    case net::Method::del:
      return audit::Action::remove;
    default:
      return name == "create" ? audit::Action::create : audit::Action::execute;
  }
}

audit::Action action_of(access::Permission permission) {
  switch (permission) {
    case access::Permission::create:
      return audit::Action::create;
    case access::Permission::update:
      return audit::Action::update;
    case access::Permission::remove:
      return audit::Action::remove;
    case access::Permission::read:
    case access::Permission::search:
      break;
  }
  return audit::Action::read;
}

// A write of one resource, which is told of where it is made.
bool is_plain_write(std::string_view interaction) {
  return interaction == "create" || interaction.ends_with("update") || interaction.ends_with("patch") ||
         interaction.ends_with("delete") || interaction == "$meta-add";
}

std::string_view captured(const Match& match, std::string_view name) {
  const std::string_view pattern = match.route->pattern;
  std::size_t index = 0;
  for (auto at = pattern.find('{'); at != pattern.npos; at = pattern.find('{', at + 1), ++index)
    if (pattern.substr(at).starts_with(name)) return match.captures[index];
  return {};
}

// What is not in the table may be a link with a slip in it, or asked for by another method: the token that it holds is for one
// person alone.
std::string without_tokens(std::string_view target) {
  constexpr std::string_view characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  while (!target.empty()) {
    const auto run = std::min(target.find_first_not_of(characters), target.size());
    text += run < crypto::token_characters ? target.substr(0, run) : "*";
    text += target.substr(run, 1);
    target.remove_prefix(std::min(run + 1, target.size()));
  }
  return text;
}

// The override under which these patients were seen.
std::string override_of(const access::Principal& principal, const std::vector<std::string>& patients) {
  for (const auto& override : principal.overrides)
    if (override.patient.empty() || std::ranges::find(patients, override.patient) != patients.end()) return override.id;
  return {};
}

}  // namespace

std::string_view type_of(const Match& match) {
  constexpr std::string_view base = "/fhir/";
  const std::string_view pattern = match.route->pattern;
  if (!pattern.starts_with(base)) return {};
  const auto segment = pattern.substr(base.size(), pattern.find('/', base.size()) - base.size());
  if (segment == "{type}") return match.captures[0];
  return segment.starts_with('$') || segment.starts_with('_') ? std::string_view() : segment;
}

Recorder::Recorder(audit::Log& log, const Clock& clock, const net::Request& request, const Match& match,
                   access::Access& access, std::string rule)
    : log_(log), clock_(clock), request_(request), match_(match), access_(access), rule_(std::move(rule)) {
  const auto given = request.header("X-Request-Id");
  names_itself_ = is_plain(given);
  request_id_ = names_itself_ ? std::string(given) : make_uuid7(clock.now());
}

audit::Entry Recorder::entry() const {
  audit::Entry entry;
  entry.at = clock_.now();
  entry.request_id = request_id_;
  if (const auto& caller = access_.caller(); caller.audited != nullptr) {
    entry.principal_text = caller.audited;
    entry.purpose = caller.principal.purpose;
  } else {
    audit::set_principal(entry, caller.principal);
  }
  entry.address = request_.remote.substr(0, request_.remote.rfind(':'));
  entry.rule = rule_;
  if (match_.route == nullptr) {
    entry.action = only_reads(request_.method) ? audit::Action::read : audit::Action::execute;
    entry.interaction = no_route;
    entry.query = without_tokens(request_.target);
    return entry;
  }
  entry.action = action_of(*match_.route);
  entry.interaction = match_.route->interaction;
  entry.resource_type = type_of(match_);
  entry.resource_id = captured(match_, "{id}");
  entry.resource_version = captured(match_, "{vid}");
  entry.query = query_.empty() ? std::string(request_.query) : query_;
  return entry;
}

void Recorder::record_writes() {
  access_.note_writes_by(
      [this](store::Transaction& transaction, std::span<const access::Access::Written> written) -> Result<> {
        auto one = entry();
        one.query.clear();
        one.http_status = 200;
        for (const auto& each : written) {
          one.action = action_of(each.action);
          one.resource_type = each.type;
          one.resource_id = each.id;
          one.resource_version = std::to_string(each.version);
          one.patients = each.patients;
          one.override_id = override_of(access_.principal(), one.patients);
          MYDR24_TRY(audit::note_write(transaction, one));
        }
        return {};
      });
}

Result<> Recorder::record(int status) {
  if (status < 400 && match_.route != nullptr && match_.route->unrecorded) return {};
  if (status < 400 && access_.has_noted() && is_plain_write(match_.route->interaction)) return {};
  auto one = entry();
  if (!names_itself_) one.id = request_id_;
  one.http_status = status;
  one.outcome = audit::outcome_of_status(status);
  one.patients = access_.patients();
  one.patients_cut = !access_.patients_complete();
  // Who tried and saw nothing is found by the patient, too.
  if (one.resource_type == "Patient" && is_fhir_id(one.resource_id) &&
      std::ranges::find(one.patients, one.resource_id) == one.patients.end())
    one.patients.push_back(one.resource_id);
  one.override_id = override_of(access_.principal(), one.patients);
  const auto appended = log_.append(std::move(one));
  return appended ? Result<>() : Result<>(appended.error());
}

}  // namespace mydr24::pipeline
