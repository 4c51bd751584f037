#pragma once

// Reads a walk (README.md) and walks it: settings, then steps, each against the real server in real time.

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/load/webhook.h"
#include "support/live.h"

namespace mydr24::live {

class Walk {
 public:
  explicit Walk(const std::filesystem::path& file);

  // Says what went otherwise than told, with its line; empty when nothing did.
  std::string run();

 private:
  struct Word {
    std::string text;
    bool quoted = false;
  };
  struct Line {
    std::size_t number = 0;
    std::string text;
    std::vector<Word> words;
    bool begins(std::initializer_list<std::string_view> expected) const;
  };
  static Line split(std::size_t number, const std::string& text);

  bool take_setting(const Line& line);
  std::string config() const;
  std::string step(const Line& line);
  std::string request(const Line& line);
  std::string told(const Line& line);
  std::string nobody(const Line& line);
  std::string acknowledge(const Line& line);
  std::string check(const Line& line, std::size_t arrow, const Result<load::Reply>& reply) const;
  std::string body(const std::string& file) const;

  std::filesystem::path folder_;
  std::vector<Line> steps_;
  std::vector<std::string> contacts_;
  std::vector<std::vector<std::string>> policy_;
  std::string escalate_after_s_ = "30";

  load::WebhookReceiver pager_;
  std::unique_ptr<Live> live_;
  std::map<std::string, std::size_t> heard_;  // by contact: calls that a line has told of
  std::chrono::nanoseconds last_{};           // the last request or call
};

}  // namespace mydr24::live
