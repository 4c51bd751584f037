// The Principal of a request, and what runs in the background.

#include "guard/identity/identity.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

#include "base/crypto/base64.h"
#include "base/crypto/jws.h"
#include "base/crypto/password.h"
#include "guard/identity/rows.h"

namespace mydr24::identity {
namespace {

constexpr std::string_view sweep_timer = "identity.sweep";
constexpr std::chrono::seconds sweep_every{30};
constexpr std::uint32_t swept_at_once = 200;
constexpr std::chrono::seconds look_every{1};
constexpr std::chrono::seconds keys_every{60};
constexpr std::chrono::seconds providers_every{60};
constexpr std::chrono::seconds provider_retry{10};
// The use of a session is written down this many times in its idle time: it may end so much too early.
constexpr int touches_per_idle_time = 30;

constexpr std::string_view plain_cookie = "mydr24";
constexpr std::string_view secure_cookie = "__Host-mydr24";  // RFC 6265bis, 4.1.3.2

Error refuse(std::string_view text) { return fail(Code::refused, std::string(text), "invalid_token"); }

// RFC 6750, section 2.1. Nothing when it is another scheme.
std::optional<std::string_view> bearer_of(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  if (authorization.size() <= scheme.size()) return std::nullopt;
  for (std::size_t i = 0; i < scheme.size(); ++i)
    if ((authorization[i] | 0x20) != (scheme[i] | 0x20)) return std::nullopt;
  auto token = authorization.substr(scheme.size());
  while (token.starts_with(' ')) token.remove_prefix(1);
  while (token.ends_with(' ')) token.remove_suffix(1);
  return token;
}

// As Grants::issue() makes them: of a tenant's with its name in front.
bool has_our_form(std::string_view token, std::string_view tenant) {
  if (!tenant.empty() && token.size() > tenant.size() && token.starts_with(tenant) && token[tenant.size()] == '.')
    token.remove_prefix(tenant.size() + 1);
  return token.size() == crypto::token_characters && token.find('.') == token.npos;
}

// By what a browser says of the page that asks: Sec-Fetch-Site, which is not sent over plain HTTP, and Origin, which is sent
// with what changes something and with what a page of another origin wants to read. A link that a person follows has neither
// Origin nor anything to change.
bool is_of_our_page(const net::Request& request, const std::string& own_origin) {
  const auto site = request.header("Sec-Fetch-Site");
  if (site == "same-origin") return true;
  const bool changes = request.method != net::Method::get && request.method != net::Method::head;
  if (changes && !site.empty() && site != "none") return false;
  const auto origin = request.header("Origin");
  if (origin.empty() || origin == own_origin) return true;
  const auto host = request.header("Host");
  return !host.empty() && origin.substr(std::min(origin.size(), origin.find("//") + 2)) == host;
}

access::Principal principal_of(const Standing& standing, const Settings& settings) {
  const auto& [token, session, user] = standing;
  access::Principal principal;
  if (user) {
    principal.kind = access::PrincipalKind::person;
    principal.id = user_id(user->name);
    principal.name = user->display.empty() ? user->name : user->display;
    principal.roles = user->roles;
    principal.fhir_user = user->fhir_user;
  } else {
    principal.kind = access::PrincipalKind::machine;
    principal.id = fmt::format("client/{}", session.client);
    principal.name = session.client;
    principal.roles = session.roles;
  }
  principal.tenant = settings.tenant;
  if (token.kind == TokenKind::access) principal.scopes = access::parse_scopes_leniently(token.scopes);
  principal.client = session.client;
  principal.patient = session.patient;
  principal.encounter = session.encounter;
  principal.session = session.id;
  principal.expires = token.expires;
  if (token.kind == TokenKind::page) principal.expires = std::min(principal.expires, session.used + settings.page_idle);
  return principal;
}

}  // namespace

Identity::Identity(store::Store& store, const Clock& clock, Settings settings, const telemetry::Log& log, Fetch fetch)
    : store_(store),
      clock_(clock),
      settings_(std::move(settings)),
      log_(log),
      vault_(settings_.key),
      grants_(settings_),
      keys_(store, vault_),
      client_keys_(fetch ? fetch : make_fetch(settings_.ca_file, settings_.client_reach)) {
  for (const auto& provider : settings_.providers)
    providers_.push_back(std::make_unique<Provider>(provider, fetch ? fetch : make_fetch(settings_.ca_file)));
}

Identity::~Identity() { stop(); }

void Identity::attach() {
  store_.on_timer(std::string(sweep_timer), [](store::Transaction& transaction, const store::Timer& timer) -> Result<> {
    MYDR24_ASSIGN(const bool more, rows::sweep(transaction, swept_at_once));
    auto next = timer;
    next.due = transaction.now() + (more ? std::chrono::seconds(1) : sweep_every);
    return transaction.set_timer(next);
  });
}

Result<> Identity::start() {
  MYDR24_ASSIGN(nobody_, crypto::hash_password(crypto::random_token()));
  MYDR24_TRY(keys_.refresh(clock_.now()));
  keys_looked_at_ = clock_.steady();
  MYDR24_TRY(store_.write(RequestClass::urgent, [](store::Transaction& transaction) -> Result<> {
    return transaction.set_timer({.key = std::string(sweep_timer),
                                  .due = transaction.now() + sweep_every,
                                  .kind = std::string(sweep_timer),
                                  .payload = {}});
  }));
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "identity");
    run();
  });
  return {};
}

void Identity::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Identity::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    look();
    lock.lock();
    wake_.wait_for(lock, look_every, [this] { return stopping_; });
  }
}

void Identity::look() {
  const auto steady = clock_.steady();
  if (steady - keys_looked_at_ >= keys_every) {
    keys_looked_at_ = steady;
    if (const auto done = keys_.refresh(clock_.now()); !done)
      log_.warn("signing keys", {{"detail", done.error().text}});
  }
  const bool wanted = std::ranges::any_of(providers_, [](const auto& each) { return each->wants_keys(); });
  if (providers_.empty() || (steady < providers_due_ && !wanted)) return;
  bool failed = false;
  for (const auto& provider : providers_) {
    if (const auto done = provider->refresh(clock_.now()); !done) {
      failed = true;
      log_.warn("the keys of an OpenID provider cannot be fetched",
                {{"issuer", provider->issuer()}, {"detail", done.error().text}});
    }
  }
  providers_due_ = steady + (failed ? provider_retry : providers_every);
}

std::string_view Identity::cookie_name(bool secure) const {
  return secure || settings_.secure_cookies ? secure_cookie : plain_cookie;
}

std::string_view Identity::cookie_of(const net::Request& request) const {
  const auto name = cookie_name(request.secure);
  for (std::string_view rest = request.header("Cookie"); !rest.empty();) {
    auto pair = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
      return pair.substr(name.size() + 1);
  }
  return {};
}

Result<access::Principal> Identity::authenticate(const net::Request& request, Instant now) {
  MYDR24_ASSIGN(const PrincipalPtr principal, find_principal(request, now));
  return *principal;
}

Result<Identity::PrincipalPtr> Identity::find_principal(const net::Request& request, Instant now) {
  const auto authorization = request.header("Authorization");
  if (!authorization.empty()) {
    const auto token = bearer_of(authorization);
    if (!token) return refuse("send Authorization: Bearer and an access token");
    return find_principal(*token, now);
  }
  const auto cookie = cookie_of(request);
  if (cookie.empty()) {
    static const PrincipalPtr nobody = [] {
      access::Principal made;
      made.expires = Instant::max();
      return std::make_shared<const access::Principal>(std::move(made));
    }();
    return nobody;
  }
  // A page of another site may make a browser send a request, and with some browsers the cookie goes with it.
  if (!is_of_our_page(request, settings_.origin)) return refuse("the request comes from a page of another site");
  // A page without its person: it says so, or only listens (WHATWG HTML, server-sent events).
  const bool attended =
      request.header("X-MyDR24-Unattended").empty() && request.header("Accept") != "text/event-stream";
  return look_up(cookie, TokenKind::page, attended, now);
}

Result<Identity::PrincipalPtr> Identity::find_principal(std::string_view token, Instant now) {
  return look_up(token, TokenKind::access, true, now);
}

Result<Identity::PrincipalPtr> Identity::look_up(std::string_view token, TokenKind kind, bool attended, Instant now) {
  const bool is_ours = has_our_form(token, settings_.tenant);
  const bool is_jwt = !is_ours && kind == TokenKind::access && token.find('.') != token.npos && !providers_.empty();
  if (!is_jwt && !is_ours) return refuse("the token is not known");
  if (token.size() > crypto::jws_bytes_max) return refuse("the token is too long");
  const auto digest = crypto::sha256(token);
  if (auto known = cache_.find(digest, now, attended)) {
    // The cache does not tell a cookie from a bearer token: the one has no scopes, the other has.
    if (known->scopes.has_value() == (kind == TokenKind::access) || is_jwt) return known;
    return refuse("the token is not known");
  }
  const auto age = cache_.age();
  Instant touch_due = Instant::max();
  auto principal = is_jwt ? ask_provider(token, now) : read_token(digest, kind, attended, now, touch_due);
  if (!principal) {
    cache_.erase(digest);
    return std::move(principal).error();
  }
  auto found = std::make_shared<const access::Principal>(std::move(*principal));
  cache_.put(digest, {found, now, touch_due, age});
  return found;
}

Result<access::Principal> Identity::read_token(const crypto::Sha256& digest, TokenKind kind, bool attended, Instant now,
                                               Instant& touch_due) {
  std::optional<Standing> standing;
  MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(standing, look_up_token(reader, crypto::hex(crypto::bytes_of(digest)), settings_, now));
    return {};
  }));
  if (standing->token.kind != kind) return refuse("the token is not known");
  if (kind != TokenKind::page) return principal_of(*standing, settings_);
  auto& session = standing->session;
  const auto touch_every = settings_.page_idle / touches_per_idle_time;
  if (attended && now >= session.used + touch_every) {
    store_.submit(
        RequestClass::background,
        [id = session.id, now](store::Transaction& transaction) -> Result<> {
          return sessions::touch(transaction, id, now);
        },
        [](const Result<>&) {});  // what was not written now is with the next request
    session.used = now;
  }
  touch_due = session.used + touch_every;
  return principal_of(*standing, settings_);
}

Result<access::Principal> Identity::ask_provider(std::string_view token, Instant now) {
  const auto issuer = claimed_issuer(token);
  for (const auto& provider : providers_)
    if (provider->issuer() == issuer) return provider->verify(token, now);
  return refuse("the token's issuer is not known");
}

}  // namespace mydr24::identity
