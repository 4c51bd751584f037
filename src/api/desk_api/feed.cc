// GET /api/v1/events: the console's feed as server-sent events (HTML standard, section 9.2). The id of each event is
// the hub's sequence number: a browser that reconnects sends the last one it saw and misses nothing; when the ring no
// longer holds what it missed, it is told to read everything again ("reset").

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "api/desk_api/desk_api.h"
#include "base/core/date_time.h"

namespace mydr24::desk_api {
namespace {

constexpr std::chrono::milliseconds look_every{100};
// A console strikes out what it shows after five seconds of silence.
constexpr std::chrono::milliseconds beat_every{2'000};
constexpr std::size_t entries_at_once = 256;

// What is said to whoever has seen all up to `from`.
struct News {
  std::int64_t from = 0;
  std::int64_t last = 0;  // the hub's, when this was made
  std::int64_t to = 0;
  std::string text;
};

// The streams of one I/O thread, which alone touches it. Timers are most of what a thousand open streams would cost: only
// the first stream has a short one, and wakes the others when there is something to say.
class Audience {
 public:
  void join(net::Exchange& stream) { streams_.push_back(&stream); }
  void leave(net::Exchange& stream) {
    std::erase(streams_, &stream);
    wake_first();
  }
  bool is_first(const net::Exchange& stream) const { return streams_.front() == &stream; }
  // A stream that writes may wait for its peer: another one looks meanwhile.
  void step_back(net::Exchange& stream) {
    if (!is_first(stream)) return;
    std::ranges::rotate(streams_, streams_.begin() + 1);
    wake_first();
  }

  // By the first, every `look_every`.
  void look(const notify::ConsoleHub& hub) {
    const auto last = hub.last();
    quiet_ += look_every;
    if (last == told_ && quiet_ < beat_every) return;
    if (last == told_) ++beats_;
    told_ = last;
    quiet_ = std::chrono::milliseconds(0);
    for (auto* stream : streams_) stream->end_sleep();
  }
  std::uint64_t beats() const { return beats_; }

  // Made once for all who are equally far.
  std::shared_ptr<const News> after(const notify::ConsoleHub& hub, std::int64_t seen) {
    const auto last = hub.last();
    if (news_ != nullptr && news_->from == seen && news_->last == last) return news_;
    auto news = std::make_shared<News>(News{.from = seen, .last = last, .to = seen, .text = {}});
    const auto page = hub.after(seen, entries_at_once);
    if (page.missed) {
      news->to = last;
      news->text = fmt::format("id: {}\nevent: reset\ndata: {{}}\n\n", last);
    } else {
      for (const auto& entry : page.entries) {
        news->to = entry.sequence;
        fmt::format_to(std::back_inserter(news->text), "id: {}\nevent: {}\ndata: {}\n\n", entry.sequence, entry.kind,
                       entry.payload);
      }
    }
    return news_ = std::move(news);
  }

 private:
  void wake_first() {
    if (!streams_.empty()) streams_.front()->end_sleep();
  }

  std::vector<net::Exchange*> streams_;
  std::int64_t told_ = 0;  // the hub's last when everybody was woken
  std::uint64_t beats_ = 0;
  std::chrono::milliseconds quiet_{0};
  std::shared_ptr<const News> news_;
};

class Audiences {
 public:
  Audience& of_this_thread() {
    const std::lock_guard lock(mutex_);
    return by_thread_[std::this_thread::get_id()];
  }

 private:
  std::mutex mutex_;
  std::map<std::thread::id, Audience> by_thread_;
};

class Seat {
 public:
  Seat(Audience& audience, net::Exchange& stream) : audience_(audience), stream_(stream) { audience_.join(stream_); }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() { audience_.leave(stream_); }

 private:
  Audience& audience_;
  net::Exchange& stream_;
};

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

Task<> stream(Desk& desk, Audience& audience, pipeline::Call& call) {
  auto& exchange = call.exchange();
  net::Response head;
  head.content_type = "text/event-stream";
  head.headers.emplace_back("Cache-Control", "no-store");
  head.headers.emplace_back("X-Accel-Buffering", "no");
  if (!co_await call.begin_stream(std::move(head))) co_return;
  auto seen = begin_at(call, desk.hub);
  if (!co_await exchange.write(fmt::format("retry: 1000\nid: {}\n{}", seen, beat(desk, "hello")))) co_return;
  const Seat seat(audience, exchange);
  auto beats = audience.beats();
  while (!exchange.draining() && !exchange.peer_gone() && call.is_still_allowed()) {
    const auto news = audience.after(desk.hub, seen);
    const bool is_beat = news->text.empty() && beats != audience.beats();
    beats = audience.beats();
    if (is_beat || !news->text.empty()) {
      audience.step_back(exchange);
      if (!co_await exchange.write(is_beat ? beat(desk, "beat") : news->text)) co_return;
      seen = news->to;
      if (seen != news->last) continue;  // there was more than goes at once
    }
    const bool looks = audience.is_first(exchange);
    co_await exchange.sleep(looks ? look_every : beat_every);
    if (looks && audience.is_first(exchange)) audience.look(desk.hub);
  }
  (void)co_await exchange.finish();
}

}  // namespace

void add_feed_routes(pipeline::Router& router, Desk& desk) {
  router.add({net::Method::get, "/api/v1/events", "events", RequestClass::emergency,
              [&desk, audiences = std::make_shared<Audiences>()](pipeline::Call& call) -> Task<> {
                co_await stream(desk, audiences->of_this_thread(), call);
              }});
}

}  // namespace mydr24::desk_api
