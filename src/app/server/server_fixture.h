#pragma once

// The whole system in one process for tests: real sockets, a real store in a folder of its own, one for each test suite.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app/server/server.h"
#include "base/json/document.h"
#include "base/net/client.h"

namespace mydr24::server {

using net::Method;
using Headers = std::vector<std::pair<std::string, std::string>>;

struct Answer {
  int status = 0;
  json::Document body;
  net::ClientResponse raw;
};

// With that Content-Type, unless the headers have one.
inline Headers with_type(Headers headers, std::string_view type) {
  if (std::ranges::none_of(headers, [](const auto& h) { return h.first == "Content-Type"; }))
    headers.emplace_back("Content-Type", type);
  return headers;
}

inline Answer send_to(const std::string& url, Method method, std::string body = {}, Headers headers = {}) {
  net::ClientRequest request;
  request.method = method;
  request.url = *net::parse_url(url);
  request.headers = std::move(headers);
  request.body = std::move(body);
  auto response = net::send_blocking(std::move(request));
  Answer answer;
  if (!response) {
    ADD_FAILURE() << response.error().text;
    return answer;
  }
  answer.raw = std::move(*response);
  answer.status = answer.raw.status;
  if (auto parsed = json::Document::parse(answer.raw.body)) answer.body = std::move(*parsed);
  return answer;
}

// As a client does that is told to come again, for what is not about admission: a slow machine may be overloaded.
template <class Send>
Answer until_admitted(Send send) {
  Answer answer;
  for (int tried = 0; tried < 120; ++tried) {
    answer = send();
    if (answer.status != 429 && answer.status != 503) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  return answer;
}

class ServerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("mydr24-server-test-{}", getpid());
    std::filesystem::remove_all(folder_);
    Settings& settings = settings_;
    settings = {};
    settings.server.listen = "127.0.0.1:0";
    settings.server.admin = "127.0.0.1:0";
    settings.server.body_bytes_max = 1 << 20;
    settings.server.drain_time_max_ms = 500;
    settings.store.path = folder_.string();
    settings.log.level = "error";
    settings.access.mode = "off";
    auto started = start(settings, system_clock());
    ASSERT_TRUE(started) << started.error().text;
    system_ = std::move(*started).release();
  }
  // The same folder, after `change` of the settings.
  static void restart(const std::function<void(Settings&)>& change) {
    change(settings_);
    delete std::exchange(system_, nullptr);
    auto started = start(settings_, system_clock());
    ASSERT_TRUE(started) << started.error().text;
    system_ = std::move(*started).release();
  }
  static void TearDownTestSuite() {
    delete system_;
    std::filesystem::remove_all(folder_);
  }

  static Answer send(Method method, std::string_view path, std::string body = {}, Headers headers = {}) {
    if (!body.empty()) headers = with_type(std::move(headers), "application/fhir+json");
    return send_to(system_->base_url() + std::string(path), method, std::move(body), std::move(headers));
  }
  static std::string issue(const Answer& answer, std::string_view member) {
    const auto first = answer.body.root()["issue"].at(0);
    return std::string(member == "expression" ? first["expression"].at(0).text() : first[member].text());
  }

  static inline std::filesystem::path folder_;
  static inline Settings settings_;
  static inline System* system_ = nullptr;
};

inline std::string patient(std::string_view family, std::string_view identifier) {
  return fmt::format(R"({{"resourceType":"Patient","identifier":[{{"system":"urn:mrn","value":"{}"}}],)"
                     R"("name":[{{"family":"{}","given":["Ada"]}}],"gender":"female","birthDate":"1950-03-01"}})",
                     identifier, family);
}

}  // namespace mydr24::server
