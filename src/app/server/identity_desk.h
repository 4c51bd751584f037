#pragma once

// Who gets in, as a part of the running server: identity, and the authorization server in front of it.

#include <atomic>
#include <memory>
#include <string>

#include "api/oauth_api/oauth_api.h"
#include "app/server/settings.h"
#include "base/telemetry/log.h"
#include "clinical/records/records.h"
#include "guard/access/access.h"
#include "guard/identity/identity.h"

namespace mydr24::server {

// Identity as the settings say. Code::invalid names the setting that is wrong. `policy`: which roles are privileged.
Result<identity::Settings> identity_settings(const Settings& from, const access::Policy& policy);

// In the data folder, for its owner only, made anew at each start.
inline constexpr std::string_view admin_token_file = "admin.token";

// By which people get tokens for `mydr24` as a command: registered at the first start.
inline constexpr std::string_view command_line_client = "mydr24-cli";

class IdentityDesk {
 public:
  struct Parts {
    const Settings& settings;
    records::Records& records;
    WorkerPool& workers;
    const Clock& clock;          // the server's
    const Clock& machine_clock;  // what others compare with
    const telemetry::Log& log;
    std::shared_ptr<const access::Policy> policy;
    // What a person may see, by the gatekeeper; set before the first request.
    std::function<Result<std::shared_ptr<const access::Caller>>(const access::Principal&)> caller_of;
    // Commands of the operator that are not about identities: {"do": "access.explain", "as", "method", "path"} and others,
    // see AccessControl. Code::unsupported: it is none of those.
    std::function<Result<std::string>(json::Value command)> operate;
  };
  // All parts must outlive it. Before the store's first tick.
  static Result<std::unique_ptr<IdentityDesk>> make(Parts parts);

  identity::Identity& identity() { return identity_; }
  void add_routes(pipeline::Router& router) { oauth_api::add_routes(router, api_); }
  // POST /identity: commands of the operator (guard/identity/administration.h, and Parts::operate), for whoever can read the
  // token in the data folder. Without a folder there is none: the command line opens the database itself.
  void add_admin_routes(pipeline::Router& router);
  // When requests are answered, at `own_url`: says on standard error how the first administrator gets in, when there is
  // no user yet.
  Result<> invite(std::string own_url);
  // Of the authorization server; empty for the moment in which a listener answers and does not know yet that it does.
  std::string base_url() const;
  void stop() { identity_.stop(); }

 private:
  IdentityDesk(Parts parts, identity::Settings settings);
  Result<> write_admin_token();
  Result<> add_command_line();
  Result<std::string> administer(const std::string& command);
  Result<std::vector<oauth_api::PatientChoice>> find_patients(const access::Principal& person, const std::string& text);

  const Parts parts_;
  std::string admin_token_;  // empty: no data folder
  std::string own_url_;
  std::atomic<bool> listens_ = false;  // own_url_ is there
  identity::Identity identity_;
  oauth_api::Service api_;
};

}  // namespace mydr24::server
