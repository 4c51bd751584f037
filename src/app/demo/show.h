#pragma once

// The show of `mydr24 demo`: the script and the people of app/demo on a thread of their own, the pager that records, drills, and
// the routes by which the console sees and begins them. Only the demo has these routes; elsewhere they are 404.
//
//   GET    /api/v1/demo              the scene, the pages that came, the drill
//   POST   /api/v1/demo/scenarios    {"scenario":"mass-casualty","seconds":60}: begins a drill
//   DELETE /api/v1/demo/scenarios    ends it

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "api/pipeline/router.h"
#include "app/demo/drill.h"
#include "app/demo/story.h"
#include "app/load/webhook.h"
#include "base/core/clock.h"

namespace mydr24::demo {

struct ShowSettings {
  double pace = 1;               // how many times faster than written; 0: no script and no people, drills only
  std::uint16_t pager_port = 0;  // 0: any. With a fixed one, an on-call plan that names it holds after a restart
  std::filesystem::path binary;  // this program, for drills
};

class Show {
 public:
  // The pager listens from now on. Throws as WebhookReceiver does.
  Show(const ShowSettings& settings, const Clock& clock);
  ~Show() { stop(); }
  Show(const Show&) = delete;
  Show& operator=(const Show&) = delete;

  // Where a contact of that name is paged.
  std::string pager_url(std::string_view contact) const;
  // Before the server starts; it must end before this does.
  void add_routes(pipeline::Router& router);
  // When the server answers. `said` is told of each page and scene, on the show's thread. Code::invalid: an address is none.
  Result<> begin(const std::string& server, const std::string& emergency, Ward ward,
                 std::function<void(std::string)> said);
  // Waits for what is under way.
  void stop();

  // What GET /api/v1/demo answers.
  std::string to_json() const;

 private:
  void run(load::Endpoint server);
  void tell();

  const ShowSettings settings_;
  const Clock& clock_;
  load::WebhookReceiver pager_;
  Drill drill_;
  std::unique_ptr<Story> story_;
  std::function<void(std::string)> said_;
  std::chrono::nanoseconds told_until_{};  // pages that came until then (steady) were said
  std::string_view told_scene_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  StoryState scene_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mydr24::demo
