#pragma once

// What an organization decides about changes: who may approve what, when nothing is changed, which commands may be
// run, and which settings a standard change may touch. Values; a policy that exists can be satisfied by its
// members.

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/zone/zone.h"
#include "operations/changes/plan.h"

namespace mydr24::changes {

// The seed's approval authorities.
enum class Authority : std::uint8_t { technical, clinical, security, compliance, executive, emergency };
std::string_view to_string(Authority authority);
std::optional<Authority> parse_authority(std::string_view text);

// By which a person is known here: "user/cto" is "cto". An application stays "client/ID".
std::string_view login_of(std::string_view identity);

struct Member {
  std::string name;  // as they log in: "cto" is also "user/cto"
  std::string role;
  std::set<Authority> authorities;
};

// One approval that is needed: by whom with one of these; empty: of any member.
using Slot = std::set<Authority>;

// What a change needs: by its level, or as an emergency.
struct Requirement {
  std::string name;  // "low" ... "critical", "emergency"
  std::vector<Slot> slots;
};

// How many of the slots distinct members of `present` can fill, by bipartite matching; and the slots left over.
struct Matching {
  std::size_t filled = 0;
  std::vector<Slot> open;
};
Matching match(std::span<const Slot> slots, std::span<const Member* const> present);
std::string describe(const Slot& slot);  // "executive or emergency"; "any member"

class Board {
 public:
  // The seed's numbers: low 1 (technical), medium 2 (technical and one other), high 3 (technical, clinical,
  // security), critical 4 (these and compliance or executive), emergency 2 (executive or emergency each).
  static std::vector<Requirement> standard_requirements();
  // Code::invalid when a requirement cannot be satisfied by distinct members: names it and the authority that is
  // missing.
  static Result<Board> make(std::vector<Member> members, std::vector<Requirement> requirements);

  std::span<const Member> members() const { return members_; }
  const Member* find(std::string_view identity) const;
  const Requirement& requirement(Type type, Level level) const;
  Matching approved(const Requirement& requirement, const std::set<std::string>& approvers) const;
  // Whether it can be satisfied at all when this person is the one who asks. The error names what is missing.
  Result<> satisfiable_without(const Requirement& requirement, std::string_view requester) const;

 private:
  std::vector<Member> members_;
  std::vector<Requirement> requirements_;  // by Level, then emergency
};

// Times at which load is high: changes of this level and above are not started, emergencies excepted.
struct LoadWindow {
  std::string name;
  int from_min = 0, to_min = 0;  // of the day, on the wall clock of Policy::zone
  bool weekdays_only = true;
  Level from_level = Level::high;
  double load = 1;  // share of the peak, for the risk
};

// Nothing but emergencies is changed.
struct Freeze {
  std::string id, why, by;
  Instant begin, end;
  std::set<std::string> services;  // empty: all
  bool covers(Instant at, std::span<const std::string> touched) const;
};
std::string to_json(const Freeze& freeze);

// A program that steps may run, by absolute path, with these arguments and no others; no shell.
struct Command {
  std::string name, path;
  std::vector<std::string> arguments;
};

// What checks show to be let in. The operator's, and named by plans, which never hold it; neither do answers, logs and the store.
struct Credential {
  std::string name;
  // What it is shown to: this URL, or path of this server, and what lies below it.
  std::string url;
  // One of both: the file whose first line is the secret, read each time; or roles of this server, which a machine,
  // "service/change-checks", has for the one request.
  std::string file;
  std::vector<std::string> roles;
  std::string header = "Authorization";  // there as a bearer token, unless a scheme stands before it
};
// Whether it may be shown to that URL or path.
bool is_for(const Credential& credential, std::string_view url);

// A number of something outside that plans may set: how many servers, workers, replicas. How it is read and how it is set is the
// operator's; a plan names it and says the number.
struct Scale {
  std::string name;
  std::int64_t low = 0, high = 0;  // what plans may set it to
  // Where it is read, one of these: the output of a command; a metric; the JSON that a URL answers with.
  struct Read {
    std::string command, metric, url;
    std::string credential;  // for the URL; empty: none
    std::string member;      // of the answer, as "status.replicas"; empty: the answer is the number
  } read;
  // How it is set, one of these: a command, which has the number as its last argument; a request, whose body has the number
  // where {number} stands.
  struct Set {
    std::string command, url;
    std::string credential, method = "POST", body = "{number}", content_type = "application/json";
  } set;
};

inline constexpr std::string_view number_place = "{number}";

struct Policy {
  Board board;
  zone::Zone zone;
  std::vector<LoadWindow> windows;
  std::vector<Freeze> freezes;  // beside those that people add
  std::map<std::string, Command, std::less<>> commands;
  std::map<std::string, Credential, std::less<>> credentials;
  std::map<std::string, Scale, std::less<>> scales;
  std::set<std::string, std::less<>> routine;  // settings that standard changes may touch beside routine ones
  std::chrono::hours review_within{24};        // of an emergency change
  std::chrono::hours window_max{24};           // of an emergency change
  std::chrono::hours rollback_window{24};      // how long a successful change may be rolled back at once
  std::chrono::hours rehearsed_within = std::chrono::days(7);

  const LoadWindow* window_at(Instant at) const;
};

// Five members as the seed has them, and a deputy with emergency authority, without whom no emergency change could
// ever be approved.
Policy standard_policy();
// {"members"?, "requirements"?, "zone"?, "load_windows"?, "freezes"?, "commands"?, "credentials"?, "scales"?, "routine"?,
// "review_hours"?, "window_hours"?, "rollback_hours"?, "rehearsal_days"?}; what is left out is as standard_policy() has it.
// Code::invalid names the member.
Result<Policy> parse_policy(std::string_view text);
// All of it, as parse_policy() takes it.
std::string to_json(const Policy& policy);

}  // namespace mydr24::changes
