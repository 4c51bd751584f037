// The whole way on a small disk that fills up: the answer is 507, people are called, and the alert is written down when there
// is room again.

#include <sys/mount.h>

#include <mutex>
#include <thread>

#include "app/server/server_fixture.h"
#include "base/core/date_time.h"
#include "base/net/http.h"

namespace mydr24::server {
namespace {

using namespace std::chrono_literals;

// Somebody's pager: keeps what it was posted.
class Pager {
 public:
  Pager() {
    auto started = net::serve({}, [this](net::Exchange& exchange) -> Task<> {
      auto body = co_await exchange.read_body(1U << 16);
      {
        const std::lock_guard lock(mutex_);
        bodies_.push_back(body ? std::move(*body) : "");
      }
      co_await exchange.respond({.status = 200, .content_type = "text/plain", .body = "ok"});
    });
    EXPECT_TRUE(started);
    if (started) server_ = std::move(*started);
  }
  std::string url() const { return fmt::format("http://127.0.0.1:{}/page", server_->port()); }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return bodies_.size();
  }
  std::string last() const {
    const std::lock_guard lock(mutex_);
    return bodies_.empty() ? "" : bodies_.back();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> bodies_;
  std::unique_ptr<net::Server> server_;
};

class FullDiskTest : public ServerTest {
 protected:
  static void SetUpTestSuite() {
    pager_ = new Pager;
    folder_ = std::filesystem::temp_directory_path() / fmt::format("mydr24-full-disk-test-{}", getpid());
    std::filesystem::create_directories(folder_);
    is_mounted_ = mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=8m") == 0;
    if (!is_mounted_) return;
    settings_ = {};
    settings_.server.listen = "127.0.0.1:0";
    settings_.server.admin = "127.0.0.1:0";
    settings_.server.drain_time_max_ms = 500;
    settings_.store.path = (folder_ / "data").string();
    settings_.log.level = "error";
    settings_.access.mode = "off";
    settings_.alerting.contacts = {{.name = "nurse", .webhook_url = pager_->url(), .webhook_secret_file = ""}};
    auto started = start(settings_, system_clock());
    ASSERT_TRUE(started) << started.error().text;
    system_ = std::move(*started).release();
  }
  static void TearDownTestSuite() {
    delete std::exchange(system_, nullptr);
    if (is_mounted_) umount(folder_.c_str());
    std::filesystem::remove_all(folder_);
    delete std::exchange(pager_, nullptr);
  }
  void SetUp() override {
    if (!is_mounted_) GTEST_SKIP() << "mounting a small disk needs root";
  }

  static std::string saturation(int value) {
    return fmt::format(R"({{"resourceType":"Observation","status":"final","code":{{"coding":[{{"system":)"
                       R"("http://loinc.org","code":"2708-6"}}]}},"subject":{{"reference":"Patient/p1"}},)"
                       R"("effectiveDateTime":"{}","valueQuantity":{{"value":{},"unit":"%","system":)"
                       R"("http://unitsofmeasure.org","code":"%"}}}})",
                       format_instant(system_clock().now()), value);
  }
  static void fill() {
    const std::string ballast(100'000, 'x');
    Result<> outcome;
    for (int i = 0; outcome && i < 1'000; ++i)
      outcome = system_->store().write(RequestClass::routine, [&](store::Transaction& transaction) {
        return transaction.set_state("ballast", fmt::format("{}", i), ballast);
      });
    ASSERT_FALSE(outcome);
    ASSERT_EQ(outcome.error().code, Code::full) << outcome.error().text;
    // What is left of the room is less than any write needs.
    for (int i = 0; i < 1'000; ++i)
      if (!system_->store().write(RequestClass::routine, [&](store::Transaction& transaction) {
            return transaction.set_state("grains", fmt::format("{}", i), std::string(2'000, 'y'));
          }))
        return;
  }
  template <class Condition>
  static bool soon(Condition condition) {
    for (int tried = 0; tried < 1'000; ++tried) {
      if (condition()) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }
  static std::string unrecorded() {
    return std::string(send(Method::get, "/api/v1/status").body.root()["alerts"]["unrecorded"].text());
  }

  static inline Pager* pager_ = nullptr;
  static inline bool is_mounted_ = false;
};

TEST_F(FullDiskTest, AnEmergencyThatCannotBeStoredIsAnswered507AndPagesAndIsWrittenDownWhenThereIsRoom) {
  fill();
  EXPECT_EQ(send(Method::post, "/fhir/R4/Observation", saturation(97)).status, 507);
  EXPECT_EQ(pager_->count(), 0U) << "nothing is wrong with this one";
  const auto refused = send(Method::post, "/fhir/R4/Observation", saturation(78));
  EXPECT_EQ(refused.status, 507) << refused.raw.body;
  ASSERT_TRUE(soon([] { return pager_->count() == 1; }));
  EXPECT_FALSE(pager_->last().contains("Patient/p1")) << "what leaves the building says nothing of the patient";
  EXPECT_EQ(unrecorded(), "1");

  ASSERT_EQ(mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT, "size=60m"), 0);
  EXPECT_TRUE(soon([] { return unrecorded() == "0"; }));
  ASSERT_TRUE(soon([] { return pager_->count() >= 2; })) << "now by the Book";
  const auto open = send(Method::get, "/api/v1/alerts");
  EXPECT_TRUE(open.raw.body.contains("\"patient\":\"Patient/p1\"")) << open.raw.body;
  EXPECT_EQ(send(Method::post, "/fhir/R4/Observation", saturation(78)).status, 201);
  std::size_t of_patient = 0;
  const auto now_open = send(Method::get, "/api/v1/alerts");
  for (const auto alert : now_open.body.root()["alerts"]) of_patient += alert["patient"].text() == "Patient/p1" ? 1 : 0;
  EXPECT_EQ(of_patient, 1U);
}

}  // namespace
}  // namespace mydr24::server
