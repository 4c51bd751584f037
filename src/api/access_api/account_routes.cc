// Who has an account, and what administrators do with one.

#include <fmt/format.h>

#include <algorithm>

#include "api/access_api/access_api.h"
#include "api/pipeline/json_body.h"
#include "api/pipeline/query.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"
#include "base/net/uri.h"
#include "guard/audit/writes.h"
#include "guard/identity/account.h"

namespace mydr24::access_api {
namespace {

constexpr std::int64_t users_max = 500;  // of one answer
constexpr std::size_t account_bytes_max = 16U << 10;

void write_user(json::Writer& out, Service& service, const identity::User& user) {
  out.begin_object().field("name", user.name);
  if (!user.display.empty()) out.field("display", user.display);
  out.key("roles").begin_array();
  for (const auto& role : user.roles) out.string(role);
  out.end_array();
  if (!user.fhir_user.empty()) out.field("fhirUser", user.fhir_user);
  out.field("disabled", user.disabled).field("has_password", !user.password.empty());
  out.field("second_factor", !user.totp.empty()).field("needs_second_factor", service.identity.needs_totp(user));
  if (const auto wait = service.identity.throttle().wait(user.name, service.clock.now()); wait.count() > 0)
    out.field("locked_s", wait.count());
  out.field("created", format_instant(user.created));
  if (user.last_login > Instant()) out.field("last_login", format_instant(user.last_login));
  out.field("version", identity::version_of(user)).end_object();
}

Result<std::string> users(Service& service, std::string_view text) {
  MYDR24_ASSIGN(const auto query, pipeline::Query::parse(text, {"after", "count"}));
  MYDR24_ASSIGN(const auto count, query.number("count", users_max, 1, users_max));
  std::string body;
  json::Writer out(body);
  out.begin_object().key("users").begin_array();
  std::string next;
  MYDR24_TRY(service.store.read([&](store::Reader& reader) -> Result<> {
    // One more: whether there are more.
    MYDR24_ASSIGN(auto page, identity::users::list(reader, query.text("after"), static_cast<std::uint32_t>(count) + 1));
    if (std::ssize(page) > count) {
      page.pop_back();
      next = page.back().name;
    }
    for (const auto& user : page) write_user(out, service, user);
    return {};
  }));
  out.end_array();
  if (!next.empty()) out.field("next", next);
  out.end_object();
  return body;
}

// What was done, and the invitation that came of it.
struct Done {
  identity::User user;
  std::optional<identity::Invitation> invitation;
  std::string told;  // more of it, for the trail; may be empty
};

Done with_invitation(identity::Invited invited) {
  return {.user = std::move(invited.user), .invitation = std::move(invited.invitation), .told = {}};
}

std::string difference(const identity::User& before, const identity::User& after) {
  std::string text;
  const auto tell = [&text](std::string_view name, const std::string& from, const std::string& to) {
    if (from != to) text += fmt::format("{}{} \"{}\" to \"{}\"", text.empty() ? "" : ", ", name, from, to);
  };
  tell("display", before.display, after.display);
  tell("roles", fmt::format("{}", fmt::join(before.roles, " ")), fmt::format("{}", fmt::join(after.roles, " ")));
  tell("fhirUser", before.fhir_user, after.fhir_user);
  return text;
}

std::string to_json(Service& service, const Done& done) {
  std::string text;
  json::Writer out(text);
  out.begin_object().key("user");
  write_user(out, service, done.user);
  if (done.invitation) {
    out.key("invitation").begin_object();
    out.field("url", fmt::format("{}/setup/{}", service.base_url(), done.invitation->token));
    out.field("expires", format_instant(done.invitation->expires)).end_object();
  }
  out.end_object();
  return text;
}

// On whom, in the transaction of what is done; the request has an entry of its own, as every one has.
Result<> note(store::Transaction& transaction, pipeline::Call& call, std::string_view event, const Done& done) {
  audit::Entry entry;
  entry.at = transaction.now();
  entry.action = audit::Action::execute;
  entry.interaction = event;
  audit::set_principal(entry, call.access().principal());
  const auto remote = call.request().remote;
  entry.address = remote.substr(0, remote.rfind(':'));
  entry.rule = identity::user_id(done.user.name) + (done.told.empty() ? "" : ": ") + done.told;
  MYDR24_TRY(audit::note_write(transaction, std::move(entry)));
  return {};
}

// The names of members are those of the request.
Error as_asked(Error error) {
  if (error.where == "fhir_user") error.where = "fhirUser";
  return error;
}

Task<> carry_out(Service& service, pipeline::Call& call, int status, std::string_view event,
                 std::function<Result<Done>(store::Transaction&)> step) {
  Done made;
  const auto committed = co_await async_call<Result<>>([&](auto finish) {
    service.store.submit(
        RequestClass::urgent,
        [&](store::Transaction& transaction) -> Result<> {
          MYDR24_ASSIGN(made, step(transaction));
          return note(transaction, call, event, made);
        },
        std::move(finish));
  });
  service.identity.forget();
  if (!committed) co_return co_await call.respond(as_asked(committed.error()));
  co_await pipeline::send_json(call, status, to_json(service, made));
}

// Its members, which are no others than `known`.
Result<identity::User> user_of(json::Value body, std::initializer_list<std::string_view> known) {
  identity::User user;
  for (const auto member : body) {
    const auto name = member.key();
    if (std::ranges::find(known, name) == known.end())
      return fail(Code::invalid, fmt::format("there are {}", fmt::join(known, ", ")), std::string(name.substr(0, 64)));
    if (name == "roles") {
      if (!member.is_array()) return fail(Code::invalid, "send a list of roles: [\"nurse\"]", "roles");
      for (const auto role : member) {
        if (!role.is_string()) return fail(Code::invalid, "a role is a text: [\"nurse\"]", "roles");
        if (std::ranges::find(user.roles, role.text()) == user.roles.end()) user.roles.emplace_back(role.text());
      }
      continue;
    }
    if (!member.is_string()) return fail(Code::invalid, "send a text", std::string(name));
    (name == "name" ? user.name : name == "display" ? user.display : user.fhir_user) = member.text();
  }
  if (!body["roles"].exists()) return fail(Code::invalid, "say which roles: [] for none", "roles");
  return user;
}

// "3f..." or W/"3f..."; RFC 9110, 13.1.1.
Result<std::string> version_seen(pipeline::Call& call) {
  auto text = call.request().header("If-Match");
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) text = text.substr(1, text.size() - 2);
  if (text.empty())
    return fail(Code::invalid,
                "say which version of the account was seen: If-Match: \"VERSION\", of GET /api/v1/access/users",
                "If-Match");
  return std::string(text);
}

// An Order whose texts are its own.
struct Asked {
  std::string name, seen;
  std::shared_ptr<const access::Policy> policy;
  identity::Order order(pipeline::Call& call) const {
    return {.by = call.access().principal().id, .policy = *policy, .name = name, .seen = seen};
  }
};
Result<Asked> asked(Service& service, pipeline::Call& call) {
  auto name = net::percent_decode(call.capture(0));
  if (!name) return fail(Code::invalid, "the path is not percent-encoded as it should be");
  MYDR24_ASSIGN(auto seen, version_seen(call));
  return Asked{.name = std::move(*name), .seen = std::move(seen), .policy = service.policy()};
}

Task<> add(Service& service, pipeline::Call& call) {
  const auto document = co_await pipeline::take_object(call, account_bytes_max);
  if (!document) co_return co_await call.respond(document.error());
  const auto user = user_of(document->root(), {"name", "display", "roles", "fhirUser"});
  if (!user) co_return co_await call.respond(user.error());
  const auto policy = service.policy();
  co_await carry_out(service, call, 201, "account.added", [&](store::Transaction& transaction) -> Result<Done> {
    MYDR24_ASSIGN(auto invited, identity::accounts::add(transaction, service.identity, *policy, *user));
    auto made = with_invitation(std::move(invited));
    made.told = difference({}, *user);
    return made;
  });
}

Task<> change(Service& service, pipeline::Call& call) {
  const auto on = asked(service, call);
  if (!on) co_return co_await call.respond(on.error());
  const auto document = co_await pipeline::take_object(call, account_bytes_max);
  if (!document) co_return co_await call.respond(document.error());
  const auto next = user_of(document->root(), {"display", "roles", "fhirUser"});
  if (!next) co_return co_await call.respond(next.error());
  co_await carry_out(service, call, 200, "account.changed", [&](store::Transaction& transaction) -> Result<Done> {
    std::string told;
    MYDR24_ASSIGN(auto user,
                  identity::accounts::change(transaction, service.identity, on->order(call), [&](identity::User& user) {
                    told = difference(user, *next);
                    user.display = next->display;
                    user.roles = next->roles;
                    user.fhir_user = next->fhir_user;
                  }));
    return Done{.user = std::move(user), .invitation = {}, .told = std::move(told)};
  });
}

// What needs no more than to be asked for.
Task<> decide(Service& service, pipeline::Call& call, std::string_view event,
              std::function<Result<Done>(store::Transaction&, const identity::Order&)> step) {
  const auto on = asked(service, call);
  if (!on) co_return co_await call.respond(on.error());
  co_await carry_out(service, call, 200, event,
                     [&](store::Transaction& transaction) { return step(transaction, on->order(call)); });
}

}  // namespace

void add_account_routes(pipeline::Router& router, Service& service) {
  using net::Method;
  const auto serve = [&](Method method, const char* pattern, const char* name, const char* summary,
                         std::function<Task<>(pipeline::Call&)> handler) {
    router.add({method, pattern, name, method == Method::get ? RequestClass::routine : RequestClass::urgent,
                std::move(handler), admission::Cost::by_method, summary});
  };
  const auto decides = [&](Method method, const char* pattern, const char* name, const char* summary, const char* event,
                           std::function<Result<Done>(store::Transaction&, const identity::Order&)> step) {
    serve(method, pattern, name, summary, [&service, event, step = std::move(step)](pipeline::Call& call) -> Task<> {
      co_await decide(service, call, event, step);
    });
  };
  const auto sets_disabled = [&service](bool disabled) {
    return [&service, disabled](store::Transaction& transaction, const identity::Order& order) -> Result<Done> {
      MYDR24_ASSIGN(auto user, identity::accounts::set_disabled(transaction, service.identity, order, disabled));
      return Done{.user = std::move(user), .invitation = {}, .told = {}};
    };
  };
  serve(Method::get, "/api/v1/access/users", "access-users", "Who has an account, with roles and second factor",
        [&service](pipeline::Call& call) -> Task<> {
          auto found = users(service, call.request().query);
          if (!found) co_return co_await call.respond(found.error());
          co_await pipeline::send_json(call, 200, std::move(*found));
        });
  serve(Method::post, "/api/v1/access/users", "account-add",
        "An account; answers the invitation by which its person chooses a password, once",
        [&service](pipeline::Call& call) -> Task<> { co_await add(service, call); });
  serve(Method::put, "/api/v1/access/users/{id}", "account-change",
        "The name to show, the roles and the FHIR user of an account",
        [&service](pipeline::Call& call) -> Task<> { co_await change(service, call); });
  decides(Method::post, "/api/v1/access/users/{id}/disable", "account-disable",
          "Nobody logs in with the account, and what it was given is void", "account.disabled", sets_disabled(true));
  decides(Method::post, "/api/v1/access/users/{id}/enable", "account-enable", "The account counts again",
          "account.enabled", sets_disabled(false));
  decides(Method::post, "/api/v1/access/users/{id}/invitation", "account-invite",
          "Password and sessions are void; answers an invitation to choose another password, once", "account.invited",
          [&service](store::Transaction& transaction, const identity::Order& order) -> Result<Done> {
            MYDR24_ASSIGN(auto invited, identity::accounts::invite(transaction, service.identity, order));
            return with_invitation(std::move(invited));
          });
  decides(Method::del, "/api/v1/access/users/{id}/second-factor", "account-second-factor",
          "The app for one-time codes counts no more", "account.second-factor-removed",
          [&service](store::Transaction& transaction, const identity::Order& order) -> Result<Done> {
            MYDR24_ASSIGN(auto user, identity::accounts::remove_second_factor(transaction, service.identity, order));
            return Done{.user = std::move(user), .invitation = {}, .told = {}};
          });
}

}  // namespace mydr24::access_api
