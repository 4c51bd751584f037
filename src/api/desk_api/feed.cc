// GET /api/v1/events: the console's feed as server-sent events (HTML standard, section 9.2). The id of each event is
// the hub's sequence number: a browser that reconnects sends the last one it saw and misses nothing; when the ring no
// longer holds what it missed, it is told to read everything again ("reset").

#include <fmt/format.h>

#include <charconv>

#include "api/desk_api/desk_api.h"
#include "base/core/date_time.h"

namespace mydr24::desk_api {
namespace {

constexpr std::chrono::milliseconds look_every{100};
// A console strikes out what it shows after five seconds of silence.
constexpr std::chrono::milliseconds beat_every{2'000};
constexpr std::size_t entries_at_once = 256;

std::int64_t begin_at(const pipeline::Call& call, const notify::ConsoleHub& hub) {
  const auto text = call.request().header("Last-Event-ID");
  std::int64_t sequence = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), sequence);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? sequence : hub.last();
}

// The server's time: a console shows ages by it, and not by the clock of the machine that it runs on.
std::string beat(const Desk& desk, std::string_view kind) {
  return fmt::format("event: {}\ndata: {{\"at\":\"{}\"}}\n\n", kind, format_instant(desk.clock.now()));
}

Task<> stream(Desk& desk, pipeline::Call& call) {
  auto& exchange = call.exchange();
  net::Response head;
  head.content_type = "text/event-stream";
  head.headers.emplace_back("Cache-Control", "no-store");
  head.headers.emplace_back("X-Accel-Buffering", "no");
  if (!co_await call.begin_stream(std::move(head))) co_return;
  auto seen = begin_at(call, desk.hub);
  if (!co_await exchange.write(fmt::format("retry: 1000\nid: {}\n{}", seen, beat(desk, "hello")))) co_return;
  auto quiet = std::chrono::milliseconds(0);
  while (!exchange.draining() && call.is_still_allowed()) {
    const auto page = desk.hub.after(seen, entries_at_once);
    std::string text;
    if (page.missed) {
      seen = desk.hub.last();
      text = fmt::format("id: {}\nevent: reset\ndata: {{}}\n\n", seen);
    }
    for (const auto& entry : page.entries) {
      if (page.missed) break;
      seen = entry.sequence;
      text += fmt::format("id: {}\nevent: {}\ndata: {}\n\n", entry.sequence, entry.kind, entry.payload);
    }
    if (text.empty() && quiet >= beat_every) text = beat(desk, "beat");
    if (!text.empty()) {
      quiet = std::chrono::milliseconds(0);
      if (!co_await exchange.write(text)) co_return;
    }
    co_await exchange.sleep(look_every);
    quiet += look_every;
  }
  (void)co_await exchange.finish();
}

}  // namespace

void add_feed_routes(pipeline::Router& router, Desk& desk) {
  router.add({net::Method::get, "/api/v1/events", "events", RequestClass::emergency,
              [&desk](pipeline::Call& call) -> Task<> { co_await stream(desk, call); }});
}

}  // namespace mydr24::desk_api
