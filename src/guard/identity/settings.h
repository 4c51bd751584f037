#pragma once

// What a deployment decides about who gets in, and for how long.

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/net/reach.h"

namespace mydr24::identity {

// An OpenID provider whose access tokens are accepted (OpenID Connect Discovery 1.0; RFC 9068 for the claims).
struct ProviderSettings {
  std::string name;                   // in ids of its people: "oidc/NAME/SUBJECT"
  std::string issuer;                 // https://...; http for the loopback only
  std::vector<std::string> audience;  // one of them must be in aud; at least one
  std::string roles_claim = "roles";  // a list, or words in a string; dots lead into objects: "realm_access.roles"
  std::map<std::string, std::string> roles;  // what the claim says to a role here; what is not in it gives none
  // Of a provider that several tenants share: the claim that must be, or list, `tenant`. Empty `tenant`: nothing is asked.
  std::string tenant_claim = "tenant";
  std::string tenant;
  // Whether the claim `scope` bounds a token. Where it does not, the roles alone do.
  bool uses_scopes = true;
};

struct Settings {
  std::chrono::seconds access_of_machines{300};
  std::chrono::seconds access_of_people{3'600};
  std::chrono::seconds code{60};
  std::chrono::seconds refresh = std::chrono::days(90);
  std::chrono::seconds page_idle{900};  // a session of our own page without a request of a person
  std::chrono::seconds page_max = std::chrono::hours(12);
  // Whose people and clients these are, where a server has several tenants: tokens begin with it and a dot, so that a request
  // says by its token alone which tenant it is for. Empty: the only one's.
  std::string tenant;
  std::vector<std::string> totp_roles{"administrator"};  // who has one of them logs in with a one-time code only
  std::string key;              // seals what is secret in the store; empty: it is kept as it is
  bool secure_cookies = false;  // people reach us over HTTPS, whatever the listener speaks
  std::string origin;           // of our own pages: "https://ehr.example"; empty: what the Host header says
  std::vector<ProviderSettings> providers;
  net::Reach client_reach;  // where key sets that clients name may lie
  std::string ca_file;      // in place of the system's certificates, for providers and key sets of clients
};

}  // namespace mydr24::identity
