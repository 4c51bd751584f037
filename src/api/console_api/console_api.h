#pragma once

// The web console (console/): its files as the build embedded them, and the routes that serve them.
//
// Invariants
// - Every answer has a content security policy that allows nothing but this server's own files: no inline script or style,
//   no other host.
// - A file whose name carries the hash of its content may be kept for good; the page itself is asked for each time.
// - What is not a screen (console/screens.json) or a file is answered 404: there is no page for "everything else".

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "api/pipeline/router.h"

namespace mydr24::console_api {

struct Asset {
  std::string_view path;  // "/assets/index-Bx1.js"; "/index.html"
  std::string_view content_type;
  std::string_view etag;  // without quotes; of the content
  std::string_view plain, gzip, brotli;
};

// As the build made them (console/scripts/pack.mjs); they live as long as the program.
std::span<const Asset> embedded_assets();
// Of the screens, as the router writes them: "/patients/{id}".
std::span<const std::string_view> screen_paths();

// How to send it to who accepts that (the header Accept-Encoding).
enum class Coding : std::uint8_t { plain, gzip, brotli };
Coding choose_coding(std::string_view accept_encoding);

// What a console has to know before anybody logged in; public.
struct Config {
  // Whether who asks is logged in; null: nobody logs in.
  std::function<bool(const net::Request&)> is_known;
  bool demo = false;  // nothing that is shown is real
  std::string version;
  std::string site;  // its name; empty: none
  std::string zone;  // IANA time zone that times are shown in; empty: the browser's
};

// GET of each screen and of /assets/{name}; GET /api/v1/config: {"access","logged_in","demo","version","site","zone"}. A page that asks that
// first need not find out by a refusal that nobody is logged in.
void add_routes(pipeline::Router& router, Config config);

}  // namespace mydr24::console_api
