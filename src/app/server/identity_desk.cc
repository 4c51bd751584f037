#include "app/server/identity_desk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "app/server/notify.h"
#include "base/core/id.h"
#include "base/crypto/digest.h"
#include "base/net/client.h"
#include "base/net/uri.h"
#include "clinical/records/rewrite.h"
#include "guard/identity/administration.h"

namespace mydr24::server {
namespace {

constexpr std::size_t key_bytes_min = 16;
constexpr int patients_shown = 20;

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

Result<identity::ProviderSettings> provider_settings(const AccessSection& section) {
  identity::ProviderSettings provider{.name = "sso", .issuer = section.oidc_issuer};
  const auto url = net::parse_url(provider.issuer);
  if (!url) return fail(Code::invalid, url.error().text, "access.oidc_issuer");
  provider.audience = list_of(section.oidc_audience);
  if (provider.audience.empty())
    return fail(Code::invalid, "says which tokens are for this server: it must not be empty", "access.oidc_audience");
  provider.roles_claim = section.oidc_roles_claim;
  provider.tenant_claim = section.oidc_tenant_claim;
  provider.uses_scopes = section.oidc_scopes == "on";
  for (const auto& pair : list_of(section.oidc_roles)) {
    const auto equals = pair.find('=');
    if (equals == pair.npos || equals == 0 || equals + 1 == pair.size())
      return fail(Code::invalid, fmt::format("'{}' is not THEIRS=OURS", pair), "access.oidc_roles");
    provider.roles[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return provider;
}

oauth_api::PatientChoice choice_of(const store::Version& version) {
  oauth_api::PatientChoice choice{.id = version.id, .text = version.id};
  const auto document = json::Document::parse_view(version.body);
  if (!document) return choice;
  const auto root = document->root();
  const auto name = root["name"].at(0);
  std::string text(name["text"].text());
  if (text.empty()) {
    for (const auto given : name["given"]) text += fmt::format("{} ", given.text());
    text += name["family"].text();
  }
  choice.text = fmt::format("{} {} ({})", text, root["birthDate"].text(), version.id);
  return choice;
}

}  // namespace

Result<identity::Settings> identity_settings(const Settings& from, const access::Policy& policy) {
  const auto& section = from.access;
  identity::Settings settings;
  settings.tenant = from.tenant;
  settings.access_of_people = std::chrono::minutes(section.token_min);
  settings.page_idle = std::chrono::minutes(section.idle_min);
  settings.page_max = std::chrono::hours(section.session_max_h);
  settings.refresh = std::chrono::days(section.refresh_days);
  settings.totp_roles.clear();
  for (auto& role : list_of(section.totp_roles)) {
    if (role != "privileged") {
      settings.totp_roles.push_back(std::move(role));
      continue;
    }
    for (const auto& each : policy.roles)
      if (each.privileged) settings.totp_roles.push_back(each.name);
  }
  settings.secure_cookies = from.server.base_url.starts_with("https://");
  if (const auto url = net::parse_url(from.server.base_url))
    settings.origin = from.server.base_url.substr(0, from.server.base_url.find('/', url->scheme.size() + 3));
  settings.ca_file = section.ca_file;
  MYDR24_ASSIGN(settings.client_reach, call_reach(from.server, section));
  if (!section.key_file.empty()) {
    MYDR24_ASSIGN(settings.key, read_secret(section.key_file, "access.key_file"));
    if (settings.key.size() < key_bytes_min)
      return fail(Code::invalid,
                  fmt::format("the first line of {} has less than {} bytes", section.key_file, key_bytes_min),
                  "access.key_file");
  }
  if (!section.oidc_issuer.empty()) {
    MYDR24_ASSIGN(auto provider, provider_settings(section));
    provider.tenant = from.tenant;
    settings.providers.push_back(std::move(provider));
  }
  return settings;
}

IdentityDesk::IdentityDesk(Parts parts, identity::Settings settings)
    : parts_(std::move(parts)),
      identity_(parts_.records.store(), parts_.clock, std::move(settings), parts_.log),
      api_{.identity = identity_,
           .workers = parts_.workers,
           .clock = parts_.machine_clock,
           .base_url = [this] { return base_url(); },
           .find_patients = [this](const access::Principal& person,
                                   const std::string& text) { return find_patients(person, text); }} {}

Result<std::unique_ptr<IdentityDesk>> IdentityDesk::make(Parts parts) {
  const auto& server = parts.settings.server;
  // Tokens name who gave them: that cannot be an address which means something else on every machine.
  if (server.base_url.empty() && !is_on_loopback(server.listen))
    return fail(Code::invalid, "must say how clients reach this server when access.mode is on", "server.base_url");
  MYDR24_ASSIGN(auto settings, identity_settings(parts.settings, *parts.policy));
  std::unique_ptr<IdentityDesk> made(new IdentityDesk(std::move(parts), std::move(settings)));
  MYDR24_TRY(made->write_admin_token());
  made->identity_.attach();
  MYDR24_TRY(made->identity_.start());
  MYDR24_TRY(made->add_command_line());
  return made;
}

Result<> IdentityDesk::write_admin_token() {
  if (!parts_.settings.store.url.empty()) return {};
  const auto path = std::filesystem::path(parts_.settings.store.path) / admin_token_file;
  admin_token_ = crypto::random_token();
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const auto bytes = static_cast<ssize_t>(admin_token_.size());
  const bool written = file >= 0 && ::write(file, admin_token_.data(), admin_token_.size()) == bytes;
  if (file >= 0) ::close(file);
  if (!written) return fail(Code::internal, fmt::format("cannot write {}", path.string()), "store.path");
  return {};
}

// A public client: its people prove themselves, to the page.
Result<> IdentityDesk::add_command_line() {
  const auto added =
      parts_.records.store().write(RequestClass::urgent, [](store::Transaction& transaction) -> Result<> {
        MYDR24_ASSIGN(const auto there, identity::clients::find(transaction, command_line_client));
        if (there) return {};
        MYDR24_TRY(
            identity::clients::add(transaction, {.id = std::string(command_line_client),
                                                 .name = "MyDR24 on the command line",
                                                 .redirect_uris = {"http://127.0.0.1/callback"},
                                                 .grant_types = {"authorization_code", "refresh_token"},
                                                 .scopes = "openid fhirUser offline_access user/*.cruds mydr24/desk"}));
        return {};
      });
  // Another server of this store was a moment faster.
  if (!added && added.error().code != Code::conflict) return added;
  return {};
}

Result<std::string> IdentityDesk::administer(const std::string& command) {
  const auto document = json::Document::parse_view(command);
  if (document) {
    auto done = parts_.operate(document->root());
    if (done || done.error().code != Code::unsupported) return done;
  }
  return identity::administer(identity_, command, parts_.clock.now());
}

void IdentityDesk::add_admin_routes(pipeline::Router& router) {
  if (admin_token_.empty()) return;
  router.add({net::Method::post, "/identity", "identity", RequestClass::urgent, [this](pipeline::Call& call) -> Task<> {
                if (!crypto::same_secret(call.request().header("Authorization"), "Bearer " + admin_token_))
                  co_return co_await call.respond(fail(Code::refused, "this is for the owner of the data folder"));
                const auto body = co_await call.exchange().read_body(identity::command_bytes_max);
                if (!body) co_return co_await call.respond(body.error());
                auto answer = co_await parts_.workers.run(RequestClass::urgent, [&] { return administer(*body); });
                if (!answer) co_return co_await call.respond(answer.error());
                net::Response response{.status = 200, .content_type = "application/json"};
                response.headers = {{"Cache-Control", "no-store"}};
                response.body = std::move(*answer);
                co_await call.respond(std::move(response));
              }});
}

std::string IdentityDesk::base_url() const {
  const auto& configured = parts_.settings.server.base_url;
  if (!configured.empty()) return without_slash(configured);
  return listens_.load(std::memory_order_acquire) ? own_url_ : std::string();
}

Result<> IdentityDesk::invite(std::string own_url) {
  own_url_ = std::move(own_url);
  listens_.store(true, std::memory_order_release);
  if (!parts_.settings.invites) return {};
  std::optional<std::string> token;
  MYDR24_TRY(parts_.records.store().write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(token, identity_.make_setup_token(transaction));
    return {};
  }));
  if (token)
    std::cerr
        << fmt::format(
               "There is no user{} yet. The first administrator begins here, once, within an hour:\n{}/setup/{}\n",
               parts_.settings.tenant.empty() ? "" : " of " + parts_.settings.tenant, base_url(), *token)
        << std::flush;
  return {};
}

// Staff only: a relative has no business with the names of other patients.
Result<std::vector<oauth_api::PatientChoice>> IdentityDesk::find_patients(const access::Principal& person,
                                                                          const std::string& text) {
  std::vector<oauth_api::PatientChoice> found;
  if (!person.fhir_user.empty() && !person.fhir_user.starts_with("Practitioner")) return found;
  const auto definitions = parts_.records.definitions();
  MYDR24_ASSIGN(const auto query, records::parse_criteria(fmt::format("Patient?name={}&_count={}",
                                                                      net::percent_encode(text), patients_shown),
                                                          definitions->catalogue));
  MYDR24_ASSIGN(auto caller, parts_.caller_of(person));
  access::Access access(std::move(caller), parts_.clock);
  MYDR24_TRY(access.read(parts_.records.store(), [&](store::Reader& reader) -> Result<> {
    if (is_fhir_id(text)) {
      MYDR24_ASSIGN(const auto patient, reader.current("Patient", text));
      if (patient && patient->action != store::Action::remove) found.push_back(choice_of(*patient));
    }
    MYDR24_ASSIGN(const auto page, reader.search(query));
    for (const auto& match : page.matches)
      if (found.empty() || match.id != found.front().id) found.push_back(choice_of(match));
    return {};
  }));
  return found;
}

}  // namespace mydr24::server
