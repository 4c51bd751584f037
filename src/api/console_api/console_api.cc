#include "api/console_api/console_api.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <memory>
#include <string>

#include "api/pipeline/pipeline.h"
#include "base/json/writer.h"

namespace mydr24::console_api {
namespace {

constexpr std::string_view index_path = "/index.html";
constexpr std::string_view policy =
    "default-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
constexpr std::array<std::string_view, 3> coding_names{"", "gzip", "br"};

// A file with its bodies as answers share them.
struct Shared {
  const Asset* asset = nullptr;
  std::array<std::shared_ptr<const std::string>, coding_names.size()> bodies;
};

using Files = std::map<std::string_view, Shared, std::less<>>;

// One copy for all tenants.
const Files& files() {
  static const Files made = [] {
    Files all;
    for (const Asset& asset : embedded_assets()) {
      Shared& shared = all[asset.path];
      shared.asset = &asset;
      shared.bodies = {std::make_shared<const std::string>(asset.plain),
                       std::make_shared<const std::string>(asset.gzip),
                       std::make_shared<const std::string>(asset.brotli)};
    }
    return all;
  }();
  return made;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// "0", "0.0", "0.000"
bool is_zero(std::string_view quality) { return !quality.empty() && quality.find_first_not_of("0.") == quality.npos; }

// Whether a list of If-None-Match names the tag, weak or strong.
bool names_tag(std::string_view header, std::string_view quoted) { return header == "*" || header.contains(quoted); }

Task<> send(pipeline::Call& call, const Shared& file, bool keeps) {
  const Coding coding = choose_coding(call.request().header("Accept-Encoding"));
  const auto place = static_cast<std::size_t>(coding);
  const std::string tag = fmt::format("\"{}{}{}\"", file.asset->etag, place == 0 ? "" : "-", coding_names[place]);
  net::Response response;
  response.headers = {{"Cache-Control", keeps ? "public, max-age=31536000, immutable" : "no-cache"},
                      {"Content-Security-Policy", std::string(policy)},
                      {"Referrer-Policy", "same-origin"},
                      {"X-Frame-Options", "DENY"},
                      {"Vary", "Accept-Encoding"},
                      {"ETag", tag}};
  if (names_tag(call.request().header("If-None-Match"), tag)) {
    response.status = 304;
  } else {
    response.content_type = file.asset->content_type;
    if (place > 0) response.headers.emplace_back("Content-Encoding", coding_names[place]);
    response.shared_body = file.bodies[place];
  }
  co_await call.respond(std::move(response));
}

Task<> send_asset(pipeline::Call& call) {
  const auto found = files().find(call.request().path);
  if (found == files().end()) {
    co_await call.respond(fail(Code::not_found, "the console has no such file: it may be of another version"));
  } else {
    co_await send(call, found->second, true);
  }
}

}  // namespace

Coding choose_coding(std::string_view accept_encoding) {
  bool gzip = false;
  bool brotli = false;
  while (!accept_encoding.empty()) {
    const auto comma = accept_encoding.find(',');
    const auto item = accept_encoding.substr(0, comma);
    accept_encoding.remove_prefix(comma == accept_encoding.npos ? accept_encoding.size() : comma + 1);
    const auto semicolon = item.find(';');
    const auto name = trimmed(item.substr(0, semicolon));
    const auto parameter = semicolon == item.npos ? std::string_view() : trimmed(item.substr(semicolon + 1));
    if (parameter.starts_with("q=") && is_zero(trimmed(parameter.substr(2)))) continue;
    if (name == "gzip") gzip = true;
    if (name == "br") brotli = true;
  }
  return brotli ? Coding::brotli : gzip ? Coding::gzip : Coding::plain;
}

void add_routes(pipeline::Router& router, Config config) {
  router.add_open({net::Method::get, "/api/v1/config", "console-config", RequestClass::urgent,
                   [config = std::move(config)](pipeline::Call& call) -> Task<> {
                     net::Response response{.content_type = "application/json"};
                     response.headers = {{"Cache-Control", "no-store"}};
                     json::Writer out(response.body);
                     out.begin_object().field("access", config.is_known ? "on" : "off");
                     if (config.is_known) out.field("logged_in", config.is_known(call.request()));
                     out.field("demo", config.demo).field("version", config.version);
                     if (!config.site.empty()) out.field("site", config.site);
                     if (!config.zone.empty()) out.field("zone", config.zone);
                     out.end_object();
                     co_await call.respond(std::move(response));
                   },
                   admission::Cost::quick, "What a console has to know before anybody logged in"});
  for (const std::string_view path : screen_paths()) {
    router.add_open({net::Method::get, std::string(path), "page", RequestClass::urgent,
                     [](pipeline::Call& call) -> Task<> { co_await send(call, files().at(index_path), false); },
                     admission::Cost::quick, "The console"});
  }
  router.add_open({net::Method::get, "/assets/{name}", "page", RequestClass::urgent, send_asset, admission::Cost::quick,
                   "A file of the console"});
}

}  // namespace mydr24::console_api
