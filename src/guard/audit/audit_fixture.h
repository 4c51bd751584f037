#pragma once

// A trail in a folder of its own, for tests.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "guard/audit/log.h"
#include "guard/audit/verify.h"

namespace mydr24::audit {

class AuditTest : public testing::Test {
 protected:
  AuditTest() {
    std::string pattern = testing::TempDir() + "/audit-XXXXXX";
    root_ = mkdtemp(pattern.data());
    settings_.folder = root_ / "audit";
    // Tests sync and make checkpoints when they want to.
    settings_.sync_interval = std::chrono::hours(1);
  }
  ~AuditTest() override {
    log_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  void open() {
    auto opened = Log::open(settings_, clock_, metrics_);
    ASSERT_TRUE(opened) << opened.error().where << ": " << opened.error().text;
    log_ = std::move(*opened);
  }
  void reopen() {
    log_.reset();
    open();
  }

  Entry entry(const std::string& patient = "p1") const {
    Entry made{.at = clock_.now(), .request_id = "r-1", .interaction = "read", .http_status = 200};
    made.principal_kind = access::PrincipalKind::person;
    made.principal = "user/anna";
    made.resource_type = "Observation";
    made.resource_id = "o1";
    made.patients = {patient};
    return made;
  }
  std::int64_t append(const std::string& patient = "p1") { return append(entry(patient)); }
  std::int64_t append(Entry one) {
    const auto number = log_->append(std::move(one));
    EXPECT_TRUE(number) << (number ? "" : number.error().text);
    return number ? *number : 0;
  }

  Verification verified(std::filesystem::path folder = {}) const {
    auto done = verify({.folder = folder.empty() ? settings_.folder : folder});
    EXPECT_TRUE(done) << (done ? "" : done.error().text);
    return done ? std::move(*done) : Verification{.findings = {{.text = "not verified"}}};
  }
  static std::string told(const Verification& done) {
    std::string text;
    for (const Finding& one : done.findings)
      text += std::string(to_string(one.problem)) + " " + std::to_string(one.number) + " " + one.text + "\n";
    return text;
  }

  static std::string read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void write(const std::filesystem::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  }

  ManualClock clock_{from_us(1'767'225'600'000'000)};  // 2026-01-01
  std::filesystem::path root_;
  Settings settings_;
  telemetry::Metrics* metrics_ = nullptr;
  std::unique_ptr<Log> log_;
};

}  // namespace mydr24::audit
