#include "app/cli/login.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>

#include "app/server/identity_desk.h"
#include "base/crypto/base64.h"
#include "base/crypto/digest.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "base/net/http.h"
#include "base/net/uri.h"

namespace mydr24::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes person_time_max{10};
constexpr std::chrono::seconds renewed_before{60};
constexpr std::string_view scopes = "openid fhirUser offline_access user/*.cruds mydr24/desk";

struct Kept {
  std::string token;
  std::string refresh;  // may be empty
  std::string token_endpoint;
  std::string revocation_endpoint;
  Instant expires;
};
using AllKept = std::map<std::string, Kept>;  // by origin of the server

std::string origin_of(const net::Url& url) { return fmt::format("{}://{}:{}", url.scheme, url.host, url.port); }

Result<fs::path> kept_file() {
  const char* const folder = std::getenv("XDG_CONFIG_HOME");
  if (folder != nullptr && *folder == '/') return fs::path(folder) / "mydr24" / "login.json";
  const char* const home = std::getenv("HOME");
  if (home == nullptr || *home != '/')
    return fail(Code::not_found, "neither XDG_CONFIG_HOME nor HOME names a folder: set MYDR24_TOKEN instead");
  return fs::path(home) / ".config" / "mydr24" / "login.json";
}

Result<AllKept> read_kept(const fs::path& file) {
  AllKept all;
  std::ifstream in(file, std::ios::binary);
  if (!in) return all;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto document = json::Document::parse_view(text);
  if (!document) return fail(Code::invalid, "is damaged: remove it and log in again", file.string());
  for (const auto each : document->root()) {
    const auto expires = std::atoll(std::string(each["expires"].text()).c_str());
    all.emplace(each.key(), Kept{.token = std::string(each["token"].text()),
                                 .refresh = std::string(each["refresh"].text()),
                                 .token_endpoint = std::string(each["token_endpoint"].text()),
                                 .revocation_endpoint = std::string(each["revocation_endpoint"].text()),
                                 .expires = Instant(std::chrono::seconds(expires))});
  }
  return all;
}

// Whole or not at all, and never readable by others.
Result<> write_kept(const fs::path& file, const AllKept& all) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  for (const auto& [origin, kept] : all) {
    out.key(origin).begin_object().field("token", kept.token).field("refresh", kept.refresh);
    out.field("token_endpoint", kept.token_endpoint).field("revocation_endpoint", kept.revocation_endpoint);
    const auto expires = std::chrono::floor<std::chrono::seconds>(kept.expires.time_since_epoch());
    out.field("expires", expires.count()).end_object();
  }
  out.end_object();
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  const fs::path part = file.string() + "." + std::to_string(::getpid());
  const int handle = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = handle >= 0 && ::write(handle, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(handle) == 0;
  if (handle >= 0) ::close(handle);
  if (!written || ::rename(part.c_str(), file.c_str()) != 0) {
    ::unlink(part.c_str());
    return fail(Code::internal, "cannot be written", file.string());
  }
  return {};
}

std::string form_of(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string text;
  for (const auto& [name, value] : fields)
    text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, net::percent_encode(value));
  return text;
}

Result<json::Document> post_form(const std::string& endpoint, std::string form) {
  net::ClientRequest request{.method = net::Method::post};
  MYDR24_ASSIGN(request.url, net::parse_url(endpoint));
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = std::move(form);
  MYDR24_ASSIGN(const auto answer, net::send_blocking(std::move(request)));
  if (answer.body.empty() && answer.status < 300) return json::Document::parse("{}");
  auto document = json::Document::parse(answer.body);
  if (answer.status < 300) return document;
  const auto said = document ? document->root()["error_description"].text() : std::string_view();
  return fail(answer.status >= 500 ? Code::internal : Code::refused,
              said.empty() ? fmt::format("the server answered {}", answer.status) : std::string(said), endpoint);
}

Result<> take(Kept& kept, json::Value given, const Clock& clock) {
  kept.token = given["access_token"].text();
  if (kept.token.empty()) return fail(Code::invalid, "the server gave no token", kept.token_endpoint);
  if (const auto refresh = given["refresh_token"].text(); !refresh.empty()) kept.refresh = refresh;
  const auto seconds = std::atoll(std::string(given["expires_in"].text()).c_str());
  kept.expires = clock.now() + std::chrono::seconds(std::clamp<long long>(seconds, 0, 1LL << 31));
  return {};
}

// With an icon of its own: the listener is gone before a browser asks for one.
constexpr std::string_view done_page =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>MyDR24</title>"
    "<link rel=\"icon\" href=\"data:,\"></head>\n"
    "<body><p>Done. You may close this page and go back to the terminal.</p></body></html>\n";

// Waits for the browser to come back to a listener of our own.
class Callback {
 public:
  Result<std::uint16_t> open() {
    MYDR24_ASSIGN(server_, net::serve({.address = "127.0.0.1", .drain_time_max = std::chrono::milliseconds(500)},
                                      [this](net::Exchange& exchange) { return take(exchange); }));
    return server_->port();
  }
  // The query it came back with; nothing: nobody came in time.
  std::optional<std::string> wait() {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, person_time_max, [this] { return query_.has_value(); });
    lock.unlock();
    server_->drain();
    return query_;
  }

 private:
  Task<> take(net::Exchange& exchange) {
    if (exchange.request().path != "/callback") {
      co_await exchange.respond(net::Response{.status = 404, .content_type = "text/plain", .body = "not here\n"});
      co_return;
    }
    co_await exchange.respond(net::Response{.status = 200,
                                            .content_type = "text/html; charset=utf-8",
                                            .headers = {{"Cache-Control", "no-store"}},
                                            .body = std::string(done_page)});
    const std::lock_guard lock(mutex_);
    if (!query_) query_ = exchange.request().query;
    came_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable came_;
  std::optional<std::string> query_;
  std::unique_ptr<net::Server> server_;
};

std::string parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto field = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(field.size() + 1, query.size()));
    if (field.substr(0, field.find('=')) != name) continue;
    auto value = net::percent_decode(field.substr(std::min(field.size(), field.find('=') + 1)), true);
    return value ? std::move(*value) : std::string();
  }
  return {};
}

Result<json::Document> discover(const std::string& server) {
  net::ClientRequest request;
  MYDR24_ASSIGN(request.url, net::parse_url(server + "/fhir/R4/.well-known/smart-configuration"));
  const auto answer = net::send_blocking(std::move(request));
  if (!answer) return fail(Code::busy, answer.error().text, server);
  if (answer->status != 200)
    return fail(Code::unsupported, "nobody logs in at this server: its access.mode is off", server);
  return json::Document::parse(answer->body);
}

Result<std::string> log_in(const LoginOptions& options, const Terminal& terminal) {
  std::string server = options.server;
  while (server.ends_with('/')) server.pop_back();
  MYDR24_ASSIGN(const auto url, net::parse_url(server));
  MYDR24_ASSIGN(const auto file, kept_file());
  MYDR24_ASSIGN(auto all, read_kept(file));
  MYDR24_ASSIGN(const auto found, discover(server));
  const auto endpoints = found.root();
  const auto verifier = crypto::random_token();
  const auto state = crypto::random_token();
  Callback callback;
  std::uint16_t port = 1;  // nobody listens there: the address is pasted
  if (!options.paste) {
    MYDR24_ASSIGN(port, callback.open());
  }
  const auto redirect_uri = fmt::format("http://127.0.0.1:{}/callback", port);
  const auto challenge = crypto::base64_url(crypto::bytes_of(crypto::sha256(verifier)));
  terminal.err << "Open this in a browser:\n"
               << endpoints["authorization_endpoint"].text() << '?'
               << form_of({{"response_type", "code"},
                           {"client_id", server::command_line_client},
                           {"redirect_uri", redirect_uri},
                           {"scope", scopes},
                           {"state", state},
                           {"aud", std::string(endpoints["issuer"].text()) + "/fhir/R4"},
                           {"code_challenge", challenge},
                           {"code_challenge_method", "S256"}})
               << '\n'
               << (options.paste ? "and paste the address it ends at: " : "") << std::flush;
  std::optional<std::string> query;
  if (options.paste) {
    std::string line;
    std::getline(std::cin, line);
    while (!line.empty() && static_cast<unsigned char>(line.back()) <= ' ') line.pop_back();
    query = line.substr(std::min(line.size(), line.find('?') + 1));
  } else {
    query = callback.wait();
  }
  if (!query) return fail(Code::busy, "nobody logged in within ten minutes", server);
  if (!crypto::same_secret(parameter(*query, "state"), state))
    return fail(Code::refused, "the answer is not one to this request: begin again", server);
  if (const auto error = parameter(*query, "error"); !error.empty())
    return fail(Code::refused, error + ": " + parameter(*query, "error_description"), server);
  Kept kept{.token_endpoint = std::string(endpoints["token_endpoint"].text()),
            .revocation_endpoint = std::string(endpoints["revocation_endpoint"].text())};
  MYDR24_ASSIGN(const auto given, post_form(kept.token_endpoint, form_of({{"grant_type", "authorization_code"},
                                                                          {"client_id", server::command_line_client},
                                                                          {"code", parameter(*query, "code")},
                                                                          {"redirect_uri", redirect_uri},
                                                                          {"code_verifier", verifier}})));
  MYDR24_TRY(take(kept, given.root(), terminal.clock));
  all[origin_of(url)] = std::move(kept);
  MYDR24_TRY(write_kept(file, all));
  return origin_of(url);
}

}  // namespace

Result<> authorize(net::ClientRequest& request, const Clock& clock) {
  if (const char* const token = std::getenv("MYDR24_TOKEN"); token != nullptr && *token != '\0') {
    request.headers.emplace_back("Authorization", fmt::format("Bearer {}", token));
    return {};
  }
  const auto file = kept_file();
  if (!file) return {};
  MYDR24_ASSIGN(auto all, read_kept(*file));
  const auto found = all.find(origin_of(request.url));
  if (found == all.end()) return {};
  auto& kept = found->second;
  if (kept.expires - clock.now() < renewed_before) {
    const auto given = kept.refresh.empty()
                           ? Result<json::Document>(fail(Code::refused, "the token has expired"))
                           : post_form(kept.token_endpoint, form_of({{"grant_type", "refresh_token"},
                                                                     {"client_id", server::command_line_client},
                                                                     {"refresh_token", kept.refresh}}));
    if (!given)
      return fail(Code::refused,
                  fmt::format("{}: log in again: mydr24 login --server {}", given.error().text, found->first),
                  found->first);
    MYDR24_TRY(take(kept, given->root(), clock));
    MYDR24_TRY(write_kept(*file, all));
  }
  request.headers.emplace_back("Authorization", "Bearer " + kept.token);
  return {};
}

int run_login(const LoginOptions& options, const Terminal& terminal) {
  const auto done = log_in(options, terminal);
  if (!done)
    return terminal.fail(done.error().code == Code::busy ? Exit::unreachable : exit_of(done.error().code),
                         done.error());
  terminal.err << fmt::format("Logged in at {}. Commands that ask this server use it; mydr24 logout ends it.\n", *done);
  return static_cast<int>(Exit::ok);
}

int run_logout(const LoginOptions& options, const Terminal& terminal) {
  const auto done = [&]() -> Result<> {
    MYDR24_ASSIGN(const auto url, net::parse_url(options.server));
    MYDR24_ASSIGN(const auto file, kept_file());
    MYDR24_ASSIGN(auto all, read_kept(file));
    const auto found = all.find(origin_of(url));
    if (found == all.end()) return fail(Code::not_found, "nobody is logged in there", origin_of(url));
    const Kept kept = found->second;
    // What is kept goes first: it is of no use to anybody who revokes it or cannot.
    all.erase(found);
    MYDR24_TRY(write_kept(file, all));
    const auto& token = kept.refresh.empty() ? kept.token : kept.refresh;
    MYDR24_TRY(
        post_form(kept.revocation_endpoint, form_of({{"token", token}, {"client_id", server::command_line_client}})));
    return {};
  }();
  if (!done) return terminal.fail(done.error());
  terminal.err << "Logged out.\n";
  return static_cast<int>(Exit::ok);
}

}  // namespace mydr24::cli
