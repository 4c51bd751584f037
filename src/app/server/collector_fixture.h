#pragma once

// An OpenTelemetry collector for tests: takes traces in OTLP's JSON and keeps them.

#include <gtest/gtest.h>

#include <charconv>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "app/server/server_fixture.h"
#include "base/net/http.h"

namespace mydr24::server {

class Collector {
 public:
  struct Span {
    std::string trace;
    std::string id;
    std::string parent;
    std::string name;
    std::int64_t begin = 0;  // ns
    std::int64_t end = 0;
    std::map<std::string, std::string> attributes;
  };

  Collector() {
    auto started = net::serve({}, [this](net::Exchange& exchange) { return serve(exchange); });
    EXPECT_TRUE(started);
    if (started) server_ = std::move(*started);
  }
  std::string url() const { return fmt::format("http://127.0.0.1:{}/v1/traces", server_->port()); }

  // The spans of the trace that has one of that name, when there is one; a minute is waited for it.
  std::map<std::string, Span> wait_for(std::string_view name) {
    std::unique_lock lock(mutex_);
    const auto is_it = [&](const Span& span) { return span.name == name; };
    changed_.wait_for(lock, std::chrono::minutes(1), [&] { return std::ranges::any_of(spans_, is_it); });
    std::map<std::string, Span> found;
    const auto own = std::ranges::find_if(spans_, is_it);
    if (own == spans_.end()) return found;
    for (const Span& span : spans_)
      if (span.id == own->id || (span.trace == own->trace && span.parent == own->id)) found.emplace(span.name, span);
    return found;
  }
  std::ptrdiff_t count(std::string_view name) {
    const std::lock_guard lock(mutex_);
    return std::ranges::count(spans_, name, &Span::name);
  }
  std::string resource(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return resource_[name];
  }
  // What came, as it came.
  std::string all() {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    spans_.clear();
    all_.clear();
  }
  void answer_with(int status) {
    const std::lock_guard lock(mutex_);
    status_ = status;
  }

 private:
  static std::map<std::string, std::string> attributes_of(json::Value value) {
    std::map<std::string, std::string> read;
    for (const auto each : value["attributes"]) {
      const auto text = each["value"]["stringValue"].text();
      read.emplace(each["key"].text(), text.empty() ? each["value"]["intValue"].text() : text);
    }
    return read;
  }
  static std::int64_t number(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  void keep(const std::string& body) {
    const auto document = json::Document::parse(body);
    ASSERT_TRUE(document) << body;
    all_ += body;
    for (const auto resource : document->root()["resourceSpans"]) {
      resource_ = attributes_of(resource["resource"]);
      for (const auto scope : resource["scopeSpans"]) {
        for (const auto span : scope["spans"]) {
          spans_.push_back({.trace = std::string(span["traceId"].text()),
                            .id = std::string(span["spanId"].text()),
                            .parent = std::string(span["parentSpanId"].text()),
                            .name = std::string(span["name"].text()),
                            .begin = number(span["startTimeUnixNano"].text()),
                            .end = number(span["endTimeUnixNano"].text()),
                            .attributes = attributes_of(span)});
        }
      }
    }
  }
  Task<> serve(net::Exchange& exchange) {
    const auto body = co_await exchange.read_body(16U << 20);
    int status = 0;
    {
      const std::lock_guard lock(mutex_);
      keep(body ? *body : "");
      status = status_;
    }
    changed_.notify_all();
    co_await exchange.respond({.status = status});
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Span> spans_;
  std::map<std::string, std::string> resource_;
  std::string all_;
  int status_ = 200;
  std::unique_ptr<net::Server> server_;
};

}  // namespace mydr24::server
