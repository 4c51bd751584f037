#include "guard/identity/origins.h"

#include <fmt/format.h>

#include <algorithm>

#include "guard/identity/client.h"

namespace mydr24::identity {
namespace {

constexpr std::size_t origin_bytes_max = 300;
constexpr std::uint32_t clients_at_once = 500;
constexpr std::size_t clients_max = 10'000;

bool is_web(std::string_view origin) { return origin.starts_with("https://") || origin.starts_with("http://"); }

// As a browser writes it (RFC 6454, section 4): lower case, and no port that is the scheme's own.
std::string origin_of(std::string_view redirect_uri) {
  auto origin = redirect_source(redirect_uri);
  std::ranges::transform(origin, origin.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  const std::string_view own_port = origin.starts_with("https:") ? ":443" : ":80";
  if (origin.ends_with(own_port)) origin.resize(origin.size() - own_port.size());
  return origin;
}

}  // namespace

Result<> check_origin(std::string_view origin) {
  constexpr std::string_view characters = "abcdefghijklmnopqrstuvwxyz0123456789.-:[]";
  const auto host = origin.substr(std::min(origin.size(), origin.find("//") + 2));
  const bool good = is_web(origin) && origin.size() <= origin_bytes_max && !host.empty() && !host.starts_with(':') &&
                    !host.ends_with(':') && host.find_first_not_of(characters) == host.npos;
  if (good) return {};
  return fail(Code::invalid, fmt::format("'{}' is no origin: write https://app.example or http://localhost:3000",
                                         origin.substr(0, origin_bytes_max)));
}

Origins::Origins(store::Store* store, const Clock& clock, std::vector<std::string> configured)
    : store_(store), clock_(clock), configured_(configured.begin(), configured.end()) {}

bool Origins::has(std::string_view origin) {
  if (origin.size() > origin_bytes_max) return false;
  if (configured_.contains(origin)) return true;
  if (store_ == nullptr || !is_web(origin)) return false;
  const std::lock_guard lock(mutex_);
  if (!was_read_ || clock_.steady() - read_at_ >= valid) read();
  return of_clients_.contains(origin);
}

// When it cannot be read, nobody is let in who is not known already.
void Origins::read() {
  std::set<std::string, std::less<>> found;
  const auto done = store_->read([&](store::Reader& reader) -> Result<> {
    std::string after;
    for (std::size_t seen = 0; seen < clients_max;) {
      MYDR24_ASSIGN(const auto some, clients::list(reader, after, clients_at_once));
      for (const auto& client : some) {
        for (const auto& uri : client.redirect_uris)
          if (is_web(uri)) found.insert(origin_of(uri));
      }
      if (some.size() < clients_at_once) break;
      seen += some.size();
      after = some.back().id;
    }
    return {};
  });
  read_at_ = clock_.steady();
  was_read_ = true;
  if (done) of_clients_ = std::move(found);
}

}  // namespace mydr24::identity
