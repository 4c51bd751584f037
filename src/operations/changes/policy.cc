#include "operations/changes/policy.h"

#include <algorithm>
#include <functional>

#include "base/net/client.h"
#include "base/net/reach.h"
#include "operations/changes/detail/members.h"

namespace mydr24::changes {
namespace {

constexpr std::array authorities{"technical", "clinical", "security", "compliance", "executive", "emergency"};
constexpr std::string_view emergency_name = "emergency";
constexpr std::size_t members_max = 200;

bool can_fill(const Member& member, const Slot& slot) {
  return slot.empty() ? !member.authorities.empty()
                      : std::ranges::any_of(slot, [&](Authority each) { return member.authorities.contains(each); });
}

std::string open_slots(const Matching& matching) {
  std::vector<std::string> names;
  for (const auto& slot : matching.open) names.push_back(describe(slot));
  return fmt::format("{}", fmt::join(names, ", "));
}

Result<int> minute_of(const Members& members, std::string_view name) {
  MYDR24_ASSIGN(const auto text, members.text(name, true));
  int hour = 0, minute = 0;
  const bool shaped = text.size() == 5 && text[2] == ':';
  if (!shaped || std::from_chars(text.data(), text.data() + 2, hour).ec != std::errc() ||
      std::from_chars(text.data() + 3, text.data() + 5, minute).ec != std::errc() || hour > 24 || minute > 59)
    return fail(Code::invalid, "must be a time of day as 08:00", members.path(name));
  return hour * 60 + minute;
}

Result<std::vector<Member>> read_members(const Members& root) {
  std::vector<Member> found;
  MYDR24_TRY(root.objects("members", members_max, [&](const Members& each) -> Result<> {
    MYDR24_TRY(each.only({"name", "role", "authorities"}));
    Member member;
    MYDR24_ASSIGN(member.name, each.text("name", true, 200));
    MYDR24_ASSIGN(member.role, each.text("role", false, 200));
    MYDR24_ASSIGN(const auto words, each.texts("authorities"));
    for (const auto& text : words) {
      const auto authority = parse_authority(text);
      if (!authority)
        return fail(Code::invalid, fmt::format("there are: {}", fmt::join(authorities, ", ")),
                    each.path("authorities"));
      member.authorities.insert(*authority);
    }
    if (std::ranges::any_of(found, [&](const Member& other) { return login_of(other.name) == login_of(member.name); }))
      return fail(Code::invalid, "is there twice", each.path("name"));
    found.push_back(std::move(member));
    return {};
  }));
  return found;
}

// {"low": [["technical"]], ...}: those that are named replace the standard ones.
Result<std::vector<Requirement>> read_requirements(json::Value root) {
  auto found = Board::standard_requirements();
  for (const auto member : root["requirements"]) {
    const auto where = fmt::format("requirements.{}", member.key());
    const auto known = std::ranges::find(found, member.key(), &Requirement::name);
    if (known == found.end()) return fail(Code::invalid, "there are low, medium, high, critical, emergency", where);
    if (!member.is_array() || member.size() == 0 || member.size() > 10)
      return fail(Code::invalid, "must be a list of 1 to 10 lists of authorities", where);
    known->slots.clear();
    for (const auto item : member) {
      Slot slot;
      if (!item.is_array()) return fail(Code::invalid, "each approval is a list of authorities; []: any member", where);
      for (const auto text : item) {
        const auto authority = text.is_string() ? parse_authority(text.text()) : std::nullopt;
        if (!authority) return fail(Code::invalid, fmt::format("there are: {}", fmt::join(authorities, ", ")), where);
        slot.insert(*authority);
      }
      known->slots.push_back(std::move(slot));
    }
  }
  return found;
}

Result<> read_calendar(const Members& root, Policy& policy) {
  if (root["load_windows"]) policy.windows.clear();
  MYDR24_TRY(root.objects("load_windows", 100, [&](const Members& each) -> Result<> {
    MYDR24_TRY(each.only({"name", "from", "to", "weekdays_only", "from_level", "load"}));
    LoadWindow window;
    MYDR24_ASSIGN(window.name, each.text("name", true, 100));
    MYDR24_ASSIGN(window.from_min, minute_of(each, "from"));
    MYDR24_ASSIGN(window.to_min, minute_of(each, "to"));
    MYDR24_ASSIGN(window.weekdays_only, each.flag("weekdays_only", true));
    MYDR24_ASSIGN(const auto load, each.number("load", 0, 1));
    window.load = load.value_or(1);
    MYDR24_ASSIGN(const auto level, each.text("from_level"));
    if (!level.empty()) {
      const auto parsed = parse_level(level);
      if (!parsed) return fail(Code::invalid, "there are low, medium, high, critical", each.path("from_level"));
      window.from_level = *parsed;
    }
    policy.windows.push_back(std::move(window));
    return {};
  }));
  return root.objects("freezes", 1000, [&](const Members& each) -> Result<> {
    MYDR24_TRY(each.only({"id", "why", "begin", "end", "services"}));
    Freeze freeze;
    MYDR24_ASSIGN(freeze.id, each.text("id", true, 100));
    MYDR24_ASSIGN(freeze.why, each.text("why", true, 500));
    MYDR24_ASSIGN(const auto begin, each.instant("begin"));
    MYDR24_ASSIGN(const auto end, each.instant("end"));
    if (!begin || !end || *end <= *begin) return fail(Code::invalid, "needs begin and a later end", each.path("begin"));
    freeze.begin = *begin;
    freeze.end = *end;
    freeze.by = "policy";
    MYDR24_ASSIGN(const auto services, each.texts("services"));
    freeze.services.insert(services.begin(), services.end());
    policy.freezes.push_back(std::move(freeze));
    return {};
  });
}

Result<> read_commands(const Members& root, Policy& policy) {
  return root.objects("commands", 100, [&](const Members& each) -> Result<> {
    MYDR24_TRY(each.only({"name", "path", "arguments"}));
    Command command;
    MYDR24_ASSIGN(command.name, each.text("name", true, 100));
    MYDR24_ASSIGN(command.path, each.text("path", true, 1000));
    MYDR24_ASSIGN(command.arguments, each.texts("arguments"));
    if (!command.path.starts_with('/')) return fail(Code::invalid, "must be an absolute path", each.path("path"));
    if (!policy.commands.emplace(command.name, command).second)
      return fail(Code::invalid, "is there twice", each.path("name"));
    return {};
  });
}

// A secret goes over the network only where it is encrypted.
Result<> check_credential_url(const std::string& url, const std::string& where) {
  if (url.contains('?') || url.contains('#')) return fail(Code::invalid, "must end with its path", where);
  if (url.starts_with('/')) return {};
  const auto parsed = net::parse_url(url);
  if (!parsed) return fail(Code::invalid, parsed.error().text, where);
  if (parsed->scheme != "https" && !net::is_loopback_host(parsed->host))
    return fail(Code::invalid, "must be https, or a path of this server", where);
  return {};
}

bool is_header_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
  });
}

Result<> read_credentials(const Members& root, Policy& policy) {
  return root.objects("credentials", 100, [&](const Members& each) -> Result<> {
    MYDR24_TRY(each.only({"name", "url", "file", "roles", "header"}));
    Credential credential;
    MYDR24_ASSIGN(credential.name, each.text("name", true, 100));
    MYDR24_ASSIGN(credential.url, each.text("url", true, 1000));
    MYDR24_TRY(check_credential_url(credential.url, each.path("url")));
    MYDR24_ASSIGN(credential.file, each.text("file", false, 1000));
    MYDR24_ASSIGN(credential.roles, each.texts("roles"));
    if (credential.file.empty() == credential.roles.empty())
      return fail(Code::invalid, "has a file, or roles of this server", each.path("file"));
    if (!credential.file.empty() && !credential.file.starts_with('/'))
      return fail(Code::invalid, "must be an absolute path", each.path("file"));
    if (!credential.roles.empty() && !credential.url.starts_with('/'))
      return fail(Code::invalid, "are for paths of this server only", each.path("roles"));
    MYDR24_ASSIGN(const auto header, each.text("header", false, 100));
    if (!header.empty() && !is_header_name(header))
      return fail(Code::invalid, "is no name of a header", each.path("header"));
    if (!header.empty() && !credential.roles.empty())
      return fail(Code::invalid, "is Authorization where there are roles: leave it out", each.path("header"));
    if (!header.empty()) credential.header = header;
    if (!policy.credentials.emplace(credential.name, credential).second)
      return fail(Code::invalid, "is there twice", each.path("name"));
    return {};
  });
}

Result<> check_scale_url(const std::string& url, const std::string& credential, const Policy& policy,
                         const std::string& where) {
  if (const auto parsed = net::parse_url(url); !parsed) return fail(Code::invalid, parsed.error().text, where);
  if (credential.empty()) return {};
  const auto found = policy.credentials.find(credential);
  if (found == policy.credentials.end())
    return fail(Code::invalid, fmt::format("there is no credential {}", credential), where);
  if (!is_for(found->second, url))
    return fail(Code::invalid,
                fmt::format("the credential {} is for what lies below {}", credential, found->second.url), where);
  return {};
}

Result<> check_command(const std::string& command, const Policy& policy, const std::string& where) {
  if (command.empty() || policy.commands.contains(command)) return {};
  return fail(Code::invalid, fmt::format("there is no command {}", command), where);
}

Result<Scale::Read> read_scale_read(const Members& members, const Policy& policy) {
  MYDR24_TRY(members.only({"command", "metric", "url", "credential", "member"}));
  Scale::Read read;
  MYDR24_ASSIGN(read.command, members.text("command", false, 100));
  MYDR24_ASSIGN(read.metric, members.text("metric", false, 200));
  MYDR24_ASSIGN(read.url, members.text("url", false, 1000));
  MYDR24_ASSIGN(read.credential, members.text("credential", false, 100));
  MYDR24_ASSIGN(read.member, members.text("member", false, 200));
  if (!read.command.empty() + !read.metric.empty() + !read.url.empty() != 1)
    return fail(Code::invalid, "needs one of command, metric and url", members.path("url"));
  MYDR24_TRY(check_command(read.command, policy, members.path("command")));
  if (!read.url.empty()) MYDR24_TRY(check_scale_url(read.url, read.credential, policy, members.path("url")));
  return read;
}

Result<Scale::Set> read_scale_set(const Members& members, const Policy& policy) {
  MYDR24_TRY(members.only({"command", "url", "credential", "method", "body", "content_type"}));
  Scale::Set set;
  MYDR24_ASSIGN(set.command, members.text("command", false, 100));
  MYDR24_ASSIGN(set.url, members.text("url", false, 1000));
  MYDR24_ASSIGN(set.credential, members.text("credential", false, 100));
  if (set.command.empty() == set.url.empty())
    return fail(Code::invalid, "needs a command or a url", members.path("url"));
  MYDR24_TRY(check_command(set.command, policy, members.path("command")));
  if (!set.url.empty()) MYDR24_TRY(check_scale_url(set.url, set.credential, policy, members.path("url")));
  MYDR24_ASSIGN(const auto method, members.text("method"));
  if (!method.empty()) set.method = method;
  if (set.method != "POST" && set.method != "PUT" && set.method != "PATCH")
    return fail(Code::invalid, "must be one of POST, PUT, PATCH", members.path("method"));
  MYDR24_ASSIGN(const auto body, members.text("body", false, 10'000));
  if (!body.empty()) set.body = body;
  if (!set.body.contains(number_place))
    return fail(Code::invalid, fmt::format("must have {} where the number belongs", number_place),
                members.path("body"));
  MYDR24_ASSIGN(const auto content_type, members.text("content_type", false, 200));
  if (!content_type.empty()) set.content_type = content_type;
  return set;
}

Result<> read_scales(const Members& root, Policy& policy) {
  return root.objects("scales", 100, [&](const Members& each) -> Result<> {
    MYDR24_TRY(each.only({"name", "low", "high", "read", "set"}));
    Scale scale;
    MYDR24_ASSIGN(scale.name, each.text("name", true, 100));
    MYDR24_ASSIGN(scale.low, each.integer("low", 0, 0, scale_max));
    MYDR24_ASSIGN(scale.high, each.integer("high", -1, 0, scale_max));
    if (scale.high < scale.low) return fail(Code::invalid, "must be at least low", each.path("high"));
    MYDR24_ASSIGN(scale.read, read_scale_read(Members(each["read"], each.path("read")), policy));
    MYDR24_ASSIGN(scale.set, read_scale_set(Members(each["set"], each.path("set")), policy));
    if (!policy.scales.emplace(scale.name, scale).second)
      return fail(Code::invalid, "is there twice", each.path("name"));
    return {};
  });
}

Result<std::chrono::hours> hours_in(const Members& root, std::string_view name, std::chrono::hours otherwise,
                                    int each) {
  MYDR24_ASSIGN(const auto found, root.integer(name, otherwise.count() / each, 1, 24 * 90 / each));
  return std::chrono::hours(found * each);
}

}  // namespace

std::string_view login_of(std::string_view identity) {
  return identity.starts_with("user/") ? identity.substr(5) : identity;
}

// What a receiver may take for a way up, or for another place, is not below.
bool is_for(const Credential& credential, std::string_view url) {
  if (!url.starts_with(credential.url)) return false;
  const auto rest = url.substr(credential.url.size());
  if (!rest.empty() && !credential.url.ends_with('/') && rest.front() != '/' && rest.front() != '?') return false;
  const auto path = rest.substr(0, rest.find('?'));
  return !path.contains("..") && path.find_first_of("%\\#@") == path.npos;
}

std::string_view to_string(Authority authority) { return authorities[static_cast<std::size_t>(authority)]; }

std::optional<Authority> parse_authority(std::string_view text) {
  const auto found = std::ranges::find(authorities, text);
  return found == authorities.end() ? std::nullopt : std::optional(static_cast<Authority>(found - authorities.begin()));
}

std::string describe(const Slot& slot) {
  if (slot.empty()) return "any member";
  std::vector<std::string_view> names;
  for (const auto each : slot) names.push_back(to_string(each));
  return fmt::format("{}", fmt::join(names, " or "));
}

// Augmenting paths (Kuhn 1955).
Matching match(std::span<const Slot> slots, std::span<const Member* const> present) {
  constexpr auto nobody = static_cast<std::size_t>(-1);
  std::vector<std::size_t> slot_of(present.size(), nobody);
  std::vector<bool> seen;
  const std::function<bool(std::size_t)> place = [&](std::size_t slot) {
    for (std::size_t i = 0; i < present.size(); ++i) {
      if (seen[i] || !can_fill(*present[i], slots[slot])) continue;
      seen[i] = true;
      if (slot_of[i] != nobody && !place(slot_of[i])) continue;
      slot_of[i] = slot;
      return true;
    }
    return false;
  };
  Matching matching;
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    seen.assign(present.size(), false);
    if (place(slot))
      ++matching.filled;
    else
      matching.open.push_back(slots[slot]);
  }
  return matching;
}

std::vector<Requirement> Board::standard_requirements() {
  using enum Authority;
  return {{"low", {{technical}}},
          {"medium", {{technical}, {}}},
          {"high", {{technical}, {clinical}, {security}}},
          {"critical", {{technical}, {clinical}, {security}, {compliance, executive}}},
          {std::string(emergency_name), {{executive, emergency}, {executive, emergency}}}};
}

Result<Board> Board::make(std::vector<Member> members, std::vector<Requirement> requirements) {
  Board board;
  board.members_ = std::move(members);
  board.requirements_ = std::move(requirements);
  std::vector<const Member*> all;
  for (const auto& member : board.members_) all.push_back(&member);
  for (const auto& requirement : board.requirements_) {
    const auto matching = match(requirement.slots, all);
    if (matching.open.empty()) continue;
    return fail(
        Code::invalid,
        fmt::format("a change that needs the approval \"{}\" can never have it: {} of {} approvals have no member "
                    "of their own, missing is: {}. Name a deputy with that authority",
                    requirement.name, matching.open.size(), requirement.slots.size(), open_slots(matching)),
        "members");
  }
  return board;
}

const Member* Board::find(std::string_view identity) const {
  const auto found =
      std::ranges::find(members_, login_of(identity), [](const Member& member) { return login_of(member.name); });
  return found == members_.end() ? nullptr : &*found;
}

const Requirement& Board::requirement(Type type, Level level) const {
  return type == Type::emergency ? requirements_.back() : requirements_[static_cast<std::size_t>(level)];
}

Matching Board::approved(const Requirement& requirement, const std::set<std::string>& approvers) const {
  std::vector<const Member*> present;
  for (const auto& member : members_)
    if (approvers.contains(member.name)) present.push_back(&member);
  return match(requirement.slots, present);
}

Result<> Board::satisfiable_without(const Requirement& requirement, std::string_view requester) const {
  std::set<std::string> others;
  for (const auto& member : members_)
    if (login_of(member.name) != login_of(requester)) others.insert(member.name);
  const auto matching = approved(requirement, others);
  if (matching.open.empty()) return {};
  return fail(Code::conflict,
              fmt::format("nobody may approve a change of their own, and without {} the approval \"{}\" lacks: {}",
                          requester, requirement.name, open_slots(matching)));
}

bool Freeze::covers(Instant at, std::span<const std::string> touched) const {
  if (at < begin || at >= end) return false;
  return services.empty() || std::ranges::any_of(touched, [&](const auto& each) { return services.contains(each); });
}

const LoadWindow* Policy::window_at(Instant at) const {
  const auto local = zone.local(at);
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::weekday weekday(day);
  const bool weekend = weekday == std::chrono::Saturday || weekday == std::chrono::Sunday;
  const auto minute = std::chrono::floor<std::chrono::minutes>(local - day).count();
  for (const auto& window : windows)
    if (minute >= window.from_min && minute < window.to_min && !(window.weekdays_only && weekend)) return &window;
  return nullptr;
}

Policy standard_policy() {
  using enum Authority;
  Policy policy;
  policy.board = *Board::make({{"cto", "Chief Technology Officer", {executive}},
                               {"cmo", "Chief Medical Officer", {clinical}},
                               {"ciso", "Chief Information Security Officer", {security}},
                               {"cco", "Chief Compliance Officer", {compliance}},
                               {"senior-dba", "Senior Database Administrator", {technical}},
                               {"deputy-cto", "Deputy Chief Technology Officer", {technical, emergency}}},
                              Board::standard_requirements());
  policy.windows = {{.name = "morning peak", .from_min = 8 * 60, .to_min = 10 * 60},
                    {.name = "afternoon peak", .from_min = 13 * 60, .to_min = 15 * 60}};
  return policy;
}

Result<Policy> parse_policy(std::string_view text) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text, {.bytes_max = 1U << 20, .depth_max = 8}));
  const Members root(document.root(), "");
  MYDR24_TRY(root.only({"members", "requirements", "zone", "load_windows", "freezes", "commands", "credentials",
                        "scales", "routine", "review_hours", "window_hours", "rollback_hours", "rehearsal_days"}));
  auto policy = standard_policy();
  MYDR24_ASSIGN(auto members, read_members(root));
  if (members.empty()) members.assign(policy.board.members().begin(), policy.board.members().end());
  MYDR24_ASSIGN(auto requirements, read_requirements(document.root()));
  MYDR24_ASSIGN(policy.board, Board::make(std::move(members), std::move(requirements)));
  MYDR24_ASSIGN(const auto zone, root.text("zone"));
  if (!zone.empty()) {
    const auto found = zone::Zone::find(zone);
    if (!found) return fail(Code::invalid, found.error().text, "zone");
    policy.zone = *found;
  }
  MYDR24_TRY(read_calendar(root, policy));
  MYDR24_TRY(read_commands(root, policy));
  MYDR24_TRY(read_credentials(root, policy));
  MYDR24_TRY(read_scales(root, policy));
  MYDR24_ASSIGN(const auto routine, root.texts("routine"));
  policy.routine.insert(routine.begin(), routine.end());
  MYDR24_ASSIGN(policy.review_within, hours_in(root, "review_hours", policy.review_within, 1));
  MYDR24_ASSIGN(policy.window_max, hours_in(root, "window_hours", policy.window_max, 1));
  MYDR24_ASSIGN(policy.rollback_window, hours_in(root, "rollback_hours", policy.rollback_window, 1));
  MYDR24_ASSIGN(policy.rehearsed_within, hours_in(root, "rehearsal_days", policy.rehearsed_within, 24));
  return policy;
}

namespace {

template <class Items, class Text>
void write_texts(json::Writer& out, std::string_view name, const Items& items, Text text) {
  out.key(name).begin_array();
  for (const auto& each : items) out.string(text(each));
  out.end_array();
}

std::string_view as_it_is(const std::string& text) { return text; }
std::string_view authority_text(Authority authority) { return to_string(authority); }

void write_board(json::Writer& out, const Board& board) {
  out.key("members").begin_array();
  for (const auto& member : board.members()) {
    out.begin_object().field("name", member.name).field("role", member.role);
    write_texts(out, "authorities", member.authorities, authority_text);
    out.end_object();
  }
  out.end_array().key("requirements").begin_object();
  const auto requirement = [&](const Requirement& each) {
    out.key(each.name).begin_array();
    for (const auto& slot : each.slots) {
      out.begin_array();
      for (const auto authority : slot) out.string(to_string(authority));
      out.end_array();
    }
    out.end_array();
  };
  for (const auto level : {Level::low, Level::medium, Level::high, Level::critical})
    requirement(board.requirement(Type::normal, level));
  requirement(board.requirement(Type::emergency, Level::low));
  out.end_object();
}

void write_calendar(json::Writer& out, const Policy& policy) {
  out.key("load_windows").begin_array();
  for (const auto& window : policy.windows) {
    out.begin_object().field("name", window.name);
    out.field("from", fmt::format("{:02}:{:02}", window.from_min / 60, window.from_min % 60));
    out.field("to", fmt::format("{:02}:{:02}", window.to_min / 60, window.to_min % 60));
    out.field("weekdays_only", window.weekdays_only).field("from_level", to_string(window.from_level));
    out.field("load", window.load).end_object();
  }
  out.end_array().key("freezes").begin_array();
  for (const auto& freeze : policy.freezes) {
    out.begin_object().field("id", freeze.id).field("why", freeze.why);
    out.field("begin", format_instant(freeze.begin)).field("end", format_instant(freeze.end));
    write_texts(out, "services", freeze.services, as_it_is);
    out.end_object();
  }
  out.end_array();
}

void write_given(json::Writer& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out.field(name, text);
}

void write_scale(json::Writer& out, const Scale& scale) {
  out.begin_object().field("name", scale.name).field("low", scale.low).field("high", scale.high);
  out.key("read").begin_object();
  write_given(out, "command", scale.read.command);
  write_given(out, "metric", scale.read.metric);
  write_given(out, "url", scale.read.url);
  write_given(out, "credential", scale.read.credential);
  write_given(out, "member", scale.read.member);
  out.end_object().key("set").begin_object();
  write_given(out, "command", scale.set.command);
  if (!scale.set.url.empty()) {
    out.field("url", scale.set.url).field("method", scale.set.method).field("body", scale.set.body);
    out.field("content_type", scale.set.content_type);
    write_given(out, "credential", scale.set.credential);
  }
  out.end_object().end_object();
}

}  // namespace

std::string to_json(const Policy& policy) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("zone", policy.zone.name());
  write_board(out, policy.board);
  write_calendar(out, policy);
  out.key("commands").begin_array();
  for (const auto& [name, command] : policy.commands) {
    out.begin_object().field("name", name).field("path", command.path);
    write_texts(out, "arguments", command.arguments, as_it_is);
    out.end_object();
  }
  out.end_array().key("credentials").begin_array();
  for (const auto& [name, credential] : policy.credentials) {
    out.begin_object().field("name", name).field("url", credential.url);
    if (credential.roles.empty()) {
      out.field("file", credential.file).field("header", credential.header);
    } else {
      write_texts(out, "roles", credential.roles, as_it_is);
    }
    out.end_object();
  }
  out.end_array().key("scales").begin_array();
  for (const auto& [name, scale] : policy.scales) write_scale(out, scale);
  out.end_array();
  write_texts(out, "routine", policy.routine, as_it_is);
  out.field("review_hours", policy.review_within.count()).field("window_hours", policy.window_max.count());
  out.field("rollback_hours", policy.rollback_window.count());
  out.field("rehearsal_days", policy.rehearsed_within.count() / 24).end_object();
  return text;
}

}  // namespace mydr24::changes
