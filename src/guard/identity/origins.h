#pragma once

// Which pages of other sites may read answers: those of an application that is registered here, at the origins of its
// redirect URIs, and those that the settings name (WHATWG Fetch, CORS protocol; RFC 6454).

#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "storage/store/store.h"

namespace mydr24::identity {

// Code::invalid unless it is "https://host", "http://host", each with or without a port: lower case, no slash at the
// end, no "*" and no "null".
Result<> check_origin(std::string_view origin);

class Origins {
 public:
  // `store`: null: of no client. Both must outlive it.
  Origins(store::Store* store, const Clock& clock, std::vector<std::string> configured);
  // Reads the store at most every 2 s. An application that was removed counts no more after that. Thread-safe.
  bool has(std::string_view origin);

 private:
  void read();

  static constexpr std::chrono::seconds valid{2};
  store::Store* const store_;
  const Clock& clock_;
  const std::set<std::string, std::less<>> configured_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> of_clients_;
  std::chrono::nanoseconds read_at_{};  // steady
  bool was_read_ = false;
};

}  // namespace mydr24::identity
