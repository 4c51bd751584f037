#pragma once

// The real server in a folder of its own, for the tests of the whole system. With MYDR24_TEST_STORE=postgres in the
// environment each keeps its records in a database of its own, on a PostgreSQL server that ends with the test program.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "app/load/http.h"
#include "app/load/process.h"
#include "base/json/document.h"

namespace mydr24::live {

// The program under test: $MYDR24_BINARY, else beside the folder of the test program.
std::filesystem::path binary();

class Live {
 public:
  // Starts it; a failure is a std::runtime_error with the end of the server's log. `config`: TOML, without [store].
  explicit Live(std::string config = {});

  load::HttpClient& http() { return *client_; }
  load::Server& server() { return *server_; }
  std::filesystem::path data() const { return folder_.path() / "data"; }
  std::filesystem::path folder() const { return folder_.path(); }

  // Stops it and starts it again on the same data and configuration.
  void restart();
  int stop();
  // Does what it stored verify? (mydr24 doctor) It must be stopped.
  testing::AssertionResult verifies() const;

 private:
  void start();

  load::TempFolder folder_;
  std::string config_;
  std::optional<load::Server> server_;
  std::unique_ptr<load::HttpClient> client_;
};

// Bundle.total of GET /fhir/R4/Type?_summary=count; -1 when the answer is another.
std::int64_t count(load::HttpClient& http, std::string_view type);

// The first place where two JSON values differ in keys, order, numbers as written or strings; empty when they are the
// same. meta.versionId and meta.lastUpdated of the root are the server's, and so is a meta that holds nothing else.
std::string difference(json::Value sent, json::Value got);

// Does the data folder verify? (mydr24 doctor)
testing::AssertionResult verifies(const std::filesystem::path& data);

}  // namespace mydr24::live
