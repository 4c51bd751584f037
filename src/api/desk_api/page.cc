// GET /desk, the board on one page without a build, and its style and script.

#include "api/desk_api/page.h"

#include <memory>

#include "api/desk_api/desk_api.h"

namespace mydr24::desk_api {
namespace {

void add_text(pipeline::Router& router, const char* path, const char* content_type, std::string_view text) {
  auto shared = std::make_shared<const std::string>(text);
  router.add_open(
      {net::Method::get, path, "page", RequestClass::urgent, [shared, content_type](pipeline::Call& call) -> Task<> {
         net::Response response;
         response.content_type = content_type;
         response.headers.emplace_back("Cache-Control", "no-cache");
         response.headers.emplace_back("Referrer-Policy", "same-origin");
         response.headers.emplace_back(
             "Content-Security-Policy",
             "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'");
         response.shared_body = shared;
         co_await call.respond(std::move(response));
       }});
}

}  // namespace

void add_page_routes(pipeline::Router& router, Desk&) {
  add_text(router, "/desk", "text/html; charset=utf-8", page_html);
  add_text(router, "/desk.css", "text/css; charset=utf-8", page_css);
  add_text(router, "/desk.js", "text/javascript; charset=utf-8", page_js);
}

}  // namespace mydr24::desk_api
