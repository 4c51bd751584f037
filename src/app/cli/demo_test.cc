// The show of the demo on a server in this process. The script as a visitor sees it is tests/console/show.test.mjs.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "app/demo/desk.h"
#include "app/demo/drill.h"
#include "app/demo/show.h"
#include "app/demo/staff.h"
#include "app/load/bodies.h"
#include "app/server/server.h"
#include "base/core/date_time.h"

namespace mydr24::cli {
namespace {

using namespace std::chrono_literals;

class DemoShow : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("mydr24-demo-test-{}", ::getpid());
    std::filesystem::remove_all(folder_);
    server::Settings settings;
    settings.server.listen = settings.server.admin = "127.0.0.1:0";
    settings.server.drain_time_max_ms = 500;
    settings.store.path = folder_.string();
    settings.log.level = "error";
    settings.access.mode = "off";
    settings.demo = true;
    settings.alerting.contacts = {{"ward nurse", show_.pager_url("ward nurse"), ""}};
    settings.alerting.steps = {{"ward nurse"}};
    auto started =
        server::start(settings, system_clock(), [this](pipeline::Router& router) { show_.add_routes(router); });
    ASSERT_TRUE(started) << started.error().text;
    system_ = std::move(*started);
    ASSERT_TRUE(show_.begin(system_->base_url(), system_->emergency_url(), {}, [](const std::string&) {}));
  }
  void TearDown() override {
    show_.stop();
    system_.reset();
    std::filesystem::remove_all(folder_);
  }

  load::HttpClient client() const { return load::HttpClient(*load::parse_endpoint(system_->base_url())); }
  demo::Desk desk() const { return demo::Desk(*load::parse_endpoint(system_->base_url())); }
  void measure(std::string_view patient, std::string_view saturation) {
    const std::string body = load::oxygen_saturation().fill({{"patient", fmt::format("Patient/{}", patient)},
                                                             {"value", saturation},
                                                             {"at", format_instant(system_clock().now())}});
    const auto reply = client().send("POST", "/fhir/R4/Observation", body, "Content-Type: application/fhir+json\r\n");
    ASSERT_TRUE(reply);
    ASSERT_EQ(reply->status, 201) << reply->body;
  }
  // Looks again and again, as the show does, until `holds`.
  bool wait(const std::function<bool()>& holds) {
    for (int i = 0; i < 600; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(50ms);
    }
    return false;
  }

  std::filesystem::path folder_;
  demo::Show show_{{.pace = 0, .pager_port = 0, .binary = "/nowhere/mydr24"}, system_clock()};
  std::unique_ptr<server::System> system_;
};

struct DrillCase {
  const char* body;
  int status;
  const char* says;
};

TEST_F(DemoShow, ADrillThatIsNoneIsRefusedWithWhatToDo) {
  const DrillCase cases[] = {
      {R"({"scenario":"flood"})", 400, "there are normal-day, mass-casualty"},
      {R"({})", 400, "there is no scenario"},
      {R"({"scenario":"pandemic","seconds":9})", 400, "from 10 to 120 seconds"},
      {R"({"scenario":"pandemic","seconds":121})", 400, "from 10 to 120 seconds"},
      {R"({"scenario":"pandemic","seconds":"60"})", 400, "a whole number"},
      {R"({"scenario":"pandemic","seconds":1.5})", 400, "a whole number"},
      {R"([])", 400, "JSON object"},
      {"", 400, ""},
  };
  auto http = client();
  for (const DrillCase& each : cases) {
    const auto reply = http.send("POST", "/api/v1/demo/scenarios", each.body, "Content-Type: application/json\r\n");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, each.status) << each.body;
    EXPECT_TRUE(reply->body.contains(each.says)) << each.body << ": " << reply->body;
  }
  const auto other =
      http.send("POST", "/api/v1/demo/scenarios", R"({"scenario":"pandemic"})", "Content-Type: text/plain\r\n");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->status, 400);
  EXPECT_TRUE(show_.to_json().contains(R"("drill":{"phase":"none"})")) << show_.to_json();
}

TEST_F(DemoShow, ADrillWhoseGeneratorsCannotRunSaysSoAndTheNextOneMayBegin) {
  auto http = client();
  for (int i = 0; i < 2; ++i) {
    const auto begun = http.send("POST", "/api/v1/demo/scenarios", R"({"scenario":"mass-casualty","seconds":10})",
                                 "Content-Type: application/json\r\n");
    ASSERT_TRUE(begun);
    EXPECT_EQ(begun->status, 202) << begun->body;
    ASSERT_TRUE(wait([&] { return show_.to_json().contains(R"("phase":"over")"); })) << show_.to_json();
    EXPECT_TRUE(show_.to_json().contains(R"("problem":")")) << show_.to_json();
  }
}

TEST_F(DemoShow, OnlyADemoHasItsRoutes) {
  server::Settings settings;
  settings.server.listen = settings.server.admin = "127.0.0.1:0";
  settings.store.path = (folder_ / "other").string();
  settings.log.level = "error";
  settings.access.mode = "off";
  const auto other = server::start(settings, system_clock());
  ASSERT_TRUE(other) << other.error().text;
  load::HttpClient http(*load::parse_endpoint((*other)->base_url()));
  EXPECT_EQ(http.get("/api/v1/demo")->status, 404);
  EXPECT_EQ(http.send("POST", "/api/v1/demo/scenarios", "{}", "Content-Type: application/json\r\n")->status, 404);
}

TEST_F(DemoShow, WhatNobodyAnswersIsAnsweredAndBroughtToItsEnd) {
  auto people = desk();
  demo::Staff staff({.answers_after = 0ms, .resolves_after = 0ms}, system_clock());
  ASSERT_TRUE(client().send("PUT", "/fhir/R4/Patient/p1", R"({"resourceType":"Patient","id":"p1"})",
                            "Content-Type: application/fhir+json\r\n"));
  measure("p1", "75");
  // The page reached the pager, and the incident opened itself.
  ASSERT_TRUE(wait([&] { return show_.to_json().contains(R"("contact":"ward nurse")"); })) << show_.to_json();
  const auto first = [&](const std::string& path, const char* list) {
    const auto answer = people.get(path);
    return answer ? std::string(answer->root()[list].at(0)["state"].text()) : std::string("?");
  };
  ASSERT_TRUE(wait([&] { return first("/api/v1/incidents?state=open", "incidents") == "open"; }));
  ASSERT_TRUE(wait([&] {
    const auto looked = staff.look(people);
    EXPECT_TRUE(looked) << looked.error().text << " " << looked.error().where;
    return first("/api/v1/incidents?state=open", "incidents") == "acknowledged";
  }));
  EXPECT_EQ(first("/api/v1/alerts?state=open", "alerts"), "acknowledged");
  // While the patient is not well it is not over.
  ASSERT_TRUE(staff.look(people));
  EXPECT_EQ(first("/api/v1/incidents?state=open", "incidents"), "acknowledged");
  measure("p1", "98");
  ASSERT_TRUE(wait([&] {
    const auto looked = staff.look(people);
    EXPECT_TRUE(looked) << looked.error().text << " " << looked.error().where;
    return first("/api/v1/incidents?state=over", "incidents") == "closed";
  }));
}

TEST_F(DemoShow, WhatAVisitorHasTakenIsTheVisitors) {
  auto people = desk();
  demo::Staff staff({.answers_after = 0ms, .resolves_after = 0ms}, system_clock());
  const auto opened = people.post("/api/v1/incidents", R"({"title":"The printer is away","by":"Ada"})");
  ASSERT_TRUE(opened) << opened.error().text;
  const std::string id(opened->root()["id"].text());
  ASSERT_TRUE(people.post(fmt::format("/api/v1/incidents/{}/ack", id), demo::body_by("Ada", "note", "mine")));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(staff.look(people));
  const auto shown = people.get("/api/v1/incidents/" + id);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->root()["state"].text(), "acknowledged");
  EXPECT_EQ(shown->root()["acknowledged_by"].text(), "Ada");
}

}  // namespace
}  // namespace mydr24::cli
