#pragma once

// Behaviours of search and validation as data: one line each in *.tsv (README.md has the format), told to the real
// server. Invariant: every line ends as passed or as a sentence that says what came instead; none is left out.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/json/document.h"
#include "support/live.h"

namespace mydr24::live {

struct Behaviour {
  std::size_t line = 0;
  std::string what;
  std::string request;   // one or more, separated by " && "; what comes back is that of the last
  std::string expected;  // clauses, separated by "; "
};

// A file of behaviours: a world of its own, with the resources it names.
struct Group {
  std::string name;
  std::vector<std::string> fixtures;  // files of the folder fixtures/
  std::vector<Behaviour> behaviours;
};

// A file that does not follow README.md is a std::runtime_error with its place.
Group read_group(const std::filesystem::path& file);

class Told {
 public:
  // Starts a server and stores the fixtures, a transaction each; std::runtime_error when that fails.
  Told(const Group& group, const std::filesystem::path& fixtures);

  // What came instead; empty when the behaviour is there.
  std::string run(const Behaviour& behaviour);

 private:
  struct Request {
    std::string method = "GET";
    std::string target;
    std::string body;
    std::string headers;
    bool pages = false;   // follow the next links and take all entries together
    std::string between;  // a request sent after each page
  };
  Result<load::Reply> send(const Request& request);
  Request parse(std::string_view text) const;
  std::string check(const load::Reply& reply, std::string_view expected) const;

  Live live_;
  std::string base_;  // absolute URL
  std::string created_;
  std::vector<std::string> pages_;  // bodies of all pages of the last request
};

// Checks one clause on an answer; says what came instead, or nothing.
std::string check_clause(std::string_view clause, const load::Reply& reply, json::Value body,
                         const std::vector<json::Value>& entries);

// "404", "4xx"
bool is_status(std::string_view clause);

// As it may stand in a request target: what is not allowed there percent-encoded, percent codes left as they are.
std::string encode_target(std::string_view text);

}  // namespace mydr24::live
