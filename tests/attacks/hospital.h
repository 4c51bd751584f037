#pragma once

// The real server with access control on, people and machines of every role who are logged in, and records of which
// each sees a part. Every request has an X-Request-Id of its own, so that its entry in the audit can be asked for.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "provider.h"
#include "support/live.h"
#include "wire.h"

namespace mydr24::attacks {

// In everything that nurses must not see, and nowhere else; in everything of the patient p2, and nowhere else.
inline constexpr std::string_view hidden_mark = "Zq7Verborgen";
inline constexpr std::string_view foreign_mark = "Zq8Fremd";
inline constexpr std::string_view password = "correct horse battery";
inline constexpr std::string_view redirect_uri = "https://app.example/back";

// A browser: it keeps cookies and the last page, and follows nothing by itself.
class Browser {
 public:
  explicit Browser(const load::Endpoint& server, std::string from = {}) : server_(server), from_(std::move(from)) {}
  Answer get(const std::string& path) { return keep({.target = path}); }
  // A form of the last page, with what the person fills in.
  Answer post(const std::string& path, Headers fields);
  Answer post_as_is(const std::string& path, const Headers& fields, Headers headers = {});
  // The value of a hidden field of the last page.
  std::string hidden(std::string_view name) const;
  std::string cookies() const;
  void set(const std::string& cookie, const std::string& value) { jar_[cookie] = value; }
  std::string get_cookie(const std::string& name) const { return jar_.contains(name) ? jar_.at(name) : std::string(); }

 private:
  Answer keep(Request request);
  load::Endpoint server_;
  std::string from_;
  std::map<std::string, std::string> jar_;
  std::string page_;
};

// Who asks: what is shown, and what the audit calls them.
struct Who {
  Headers shows;
  std::string id;
};

// One entry of the audit.
struct Entry {
  std::string interaction, principal, rule, query;
  std::string resource, version;  // Type/id
  int status = 0;
};

class Hospital {
 public:
  // One for all tests of the program, made by the first that asks.
  static Hospital& get();
  // Stops the server and says whether it ended well and what it stored verifies.
  static void close();

  const load::Endpoint& server() { return live_.server().endpoint(); }
  const load::Endpoint& admin() { return live_.server().admin(); }
  std::string base_url();
  live::Live& live() { return live_; }
  const Provider& provider() const { return provider_; }

  // By name: a role, "patient" (Patient/p1), "service", "nobody", "nonsense" (a token that never was).
  const Who& who(const std::string& name) const;
  // Asks as that one, with a new X-Request-Id unless the request has one; remembers it for check_trail().
  Answer ask(const std::string& name, Request request);
  Answer ask(const Who& who, Request request);
  Answer get(const std::string& name, std::string target) { return ask(name, {.target = std::move(target)}); }
  const std::string& last_id() const { return last_id_; }

  // What the operator of the machine may: POST /identity on the admin listener.
  std::string administer(const std::string& command);
  // The sum of a metric's samples whose line has that text.
  double metric(std::string_view name, std::string_view having = {});

  // A person of those roles, logged in by the page.
  Who add_person(const std::string& name, const std::vector<std::string>& roles, const std::string& fhir_user = {});
  Browser log_in(const std::string& name);
  // A machine of that role, with a token.
  Who add_machine(const std::string& name, const std::string& role, const std::string& scopes);

  std::multimap<std::string, Entry> trail();
  // Every request since the last call has its entry, with who asked and what was answered; those that never reached a
  // route without a caller, and reads of what is open to anybody, have none.
  void check_trail();
  // The server still serves what it should.
  void check_service();

 private:
  struct Sent {
    std::string what, principal;
    int status = 0;
    bool unrouted = false, open = false, malformed = false, refused_at_the_door = false;
  };
  Hospital();
  void seed();

  Provider provider_;
  live::Live live_;
  std::map<std::string, Who> staff_;
  std::map<std::string, std::string> totp_;  // by name
  std::map<std::string, Sent> sent_;         // by request id
  std::string last_id_;
  int next_ = 0;
};

// What the operator of the machine may, on any server: POST /identity with the token in the data folder.
std::string administer(const load::Endpoint& admin, const std::filesystem::path& data, const std::string& command);
// A machine of that role, with a token of those scopes.
Who add_machine(const load::Endpoint& server, const load::Endpoint& admin, const std::filesystem::path& data,
                const std::string& name, const std::string& role, const std::string& scopes);
// The sum of a metric's samples whose line has that text.
double metric(const load::Endpoint& admin, std::string_view name, std::string_view having = {});
// Entries of the trail in that data folder by request id, in order. The server may run.
std::multimap<std::string, Entry> read_trail(const std::filesystem::path& data);

std::string text_in(const std::string& json, std::string_view member);

}  // namespace mydr24::attacks
