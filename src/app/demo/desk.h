#pragma once

// The server's own interface, asked as everybody asks it: over HTTP, one request after the other, from one thread.

#include <chrono>
#include <string>
#include <string_view>

#include "app/load/http.h"
#include "base/json/document.h"

namespace mydr24::demo {

class Desk {
 public:
  explicit Desk(load::Endpoint endpoint) : http_(std::move(endpoint), answer_max) {}

  // The answer's JSON. An answer of 400 and more is an Error with what it says; Code::busy: there was none.
  Result<json::Document> get(const std::string& path);
  Result<json::Document> post(const std::string& path, std::string_view body);

 private:
  static constexpr std::chrono::milliseconds answer_max{5'000};
  Result<json::Document> read(const Result<load::Reply>& reply, const std::string& path);
  load::HttpClient http_;
};

// {"by": by, name: text}; without a name: {"by": by}.
std::string body_by(std::string_view by, std::string_view name = {}, std::string_view text = {});

}  // namespace mydr24::demo
