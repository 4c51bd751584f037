#include "guard/identity/remote_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/net/client.h"

namespace mydr24::identity {
namespace {

constexpr std::chrono::milliseconds fetch_time_max{5'000};

std::optional<std::chrono::seconds> max_age_of(std::string_view cache_control) {
  if (cache_control.contains("no-store") || cache_control.contains("no-cache")) return std::chrono::seconds(0);
  constexpr std::string_view name = "max-age=";
  const auto at = cache_control.find(name);
  if (at == cache_control.npos) return std::nullopt;
  std::int32_t seconds = 0;
  const auto digits = cache_control.substr(at + name.size());
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  if (error != std::errc() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace

Fetch make_fetch(std::string ca_file, net::Reach reach) {
  return [ca_file = std::move(ca_file), reach = std::move(reach)](const std::string& url) -> Result<Fetched> {
    net::ClientRequest request;
    MYDR24_ASSIGN(request.url, net::parse_url(url));
    if (request.url.scheme != "https" && !net::is_loopback_host(request.url.host))
      return fail(Code::invalid, fmt::format("{} is not https", url), "url");
    request.headers = {{"Accept", "application/json"}};
    request.time_max = fetch_time_max;
    request.answer_bytes_max = crypto::key_set_bytes_max;
    MYDR24_ASSIGN(auto answer, net::send_blocking(std::move(request), {.ca_file = ca_file, .reach = reach}));
    if (answer.status != 200) return fail(Code::busy, fmt::format("{} answered {}", url, answer.status));
    const auto max_age = max_age_of(answer.header("Cache-Control"));
    return Fetched{std::move(answer.body), max_age};
  };
}

KeySetPtr RemoteKeys::peek(const std::string& url) const {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(url);
  return found == kept_.end() ? nullptr : found->second.keys;
}

Result<KeySetPtr> RemoteKeys::get(const std::string& url, Instant now, bool is_unknown) {
  KeySetPtr old;
  {
    const std::lock_guard lock(mutex_);
    Kept& kept = kept_[url];
    old = kept.keys;
    const bool is_fresh = now < kept.until && now >= kept.fetched;
    const bool was_just_fetched = now < kept.fetched + fetched_again_after && now >= kept.fetched;
    if (old && (was_just_fetched ? is_fresh || is_unknown : is_fresh && !is_unknown)) return old;
    if (!old && was_just_fetched) return fail(Code::busy, fmt::format("the keys at {} cannot be had", url));
    kept.fetched = now;  // also when it fails: the other side is left alone for a while
    while (kept_.size() > sets_max) kept_.erase(kept_.begin()->first == url ? std::next(kept_.begin()) : kept_.begin());
  }
  auto fetched = fetch_(url);
  auto keys = fetched ? crypto::parse_key_set(fetched->body) : Result<crypto::KeySet>(fetched.error());
  if (!keys) {
    if (old) return old;
    return fail(Code::busy, fmt::format("the keys at {} cannot be had: {}", url, keys.error().text));
  }
  const auto fresh = std::make_shared<const crypto::KeySet>(std::move(*keys));
  const std::lock_guard lock(mutex_);
  kept_[url] = {fresh, now, now + std::min(fetched->max_age.value_or(kept_max), kept_max)};
  return fresh;
}

}  // namespace mydr24::identity
