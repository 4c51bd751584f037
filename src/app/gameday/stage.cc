#include "app/gameday/stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>

#include "app/gameday/means.h"
#include "base/json/writer.h"

namespace mydr24::gameday {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::size_t disk_mib = 128;
constexpr std::chrono::milliseconds answer_max{5'000};
constexpr std::chrono::milliseconds look_every{25};
constexpr std::chrono::milliseconds load_every{100};
constexpr std::string_view page_path = "/page/";

struct Client {
  std::string_view name;
  std::string_view role;
};
// The board's members log in as clients: "client/NAME" in board_policy.
constexpr Client clients[] = {{"engineer", "on-call-engineer"}, {"nurse", "nurse"},         {"petra", "change-manager"},
                              {"tess", "change-manager"},       {"clio", "change-manager"}, {"sena", "change-manager"},
                              {"cody", "change-manager"}};

constexpr std::string_view board_policy = R"({
  "members": [
    {"name": "client/tess", "role": "Platform", "authorities": ["technical"]},
    {"name": "tom", "role": "Platform, deputy", "authorities": ["technical", "emergency"]},
    {"name": "client/clio", "role": "Chief medical officer", "authorities": ["clinical"]},
    {"name": "client/sena", "role": "Security", "authorities": ["security"]},
    {"name": "client/cody", "role": "Compliance", "authorities": ["compliance"]},
    {"name": "eve", "role": "Director", "authorities": ["executive"]}],
  "load_windows": []})";

std::string number_of(std::size_t person) { return fmt::format("+155501{:02}", person + 10); }

std::vector<std::string_view> everybody() {
  std::vector<std::string_view> all(std::begin(emergency_people), std::end(emergency_people));
  all.insert(all.end(), std::begin(critical_people), std::end(critical_people));
  all.insert(all.end(), std::begin(high_people), std::end(high_people));
  return all;
}

std::string contact(std::string_view name, std::size_t number, const std::string& pager) {
  return fmt::format(R"({{"role":"Game day","availability":"always","methods":[)"
                     R"({{"kind":"webhook","target":"{}{}"}},{{"kind":"sms","target":"{}","verified":true}}]}})",
                     pager, name, number_of(number));
}

std::string policy(std::span<const std::string_view> people) {
  std::string targets;
  for (const std::string_view who : people) targets += fmt::format("{}\"contact:{}\"", targets.empty() ? "" : ",", who);
  return fmt::format(R"({{"steps":[{{"targets":[{}],"delay_s":300}}]}})", targets);
}

std::string plan(const std::string& pager) {
  std::string parts;
  const auto people = everybody();
  for (std::size_t i = 0; i < people.size(); ++i)
    parts += fmt::format("\"contact/{}\":{},", people[i], contact(people[i], i, pager));
  return fmt::format(
      R"({{"by":"engineer","parts":{{{}"policy/operations-emergency":{},"policy/operations-critical":{},)"
      R"("policy/operations-high":{}}}}})",
      parts, policy(emergency_people), policy(critical_people), policy(high_people));
}

}  // namespace

Result<std::unique_ptr<Stage>> Stage::set_up(const fs::path& binary, const Clock& clock, DatabaseServer* database) {
  std::unique_ptr<Stage> stage(new Stage(clock));
  fs::create_directories(stage->data());
  fs::create_directories(stage->audit());
  if (database == nullptr) {
    // The audit's too: what other programs do to the machine's disk is no finding of the game.
    const auto mounted = mount_small_disks({stage->data(), stage->audit()}, disk_mib);
    stage->no_disk_ = mounted ? std::string() : mounted.error().text;
  }
  stage->pager_ = std::make_unique<load::WebhookReceiver>();
  stage->sms_ = std::make_unique<load::WebhookReceiver>();
  if (database == nullptr) MYDR24_TRY(stage->register_clients(binary));
  MYDR24_TRY(stage->start_server(binary, database));
  MYDR24_TRY(stage->log_in());
  MYDR24_TRY(stage->make_plan());
  if (database == nullptr) MYDR24_TRY(stage->lower_audit_limit());
  stage->load_ = std::thread([&one = *stage] { one.run_load(); });
  MYDR24_TRY(stage->wait_well());
  return stage;
}

Stage::~Stage() {
  stopping_ = true;
  if (load_.joinable()) load_.join();
  server_.reset();
  if (!no_disk_.empty()) return;
  unmount_small_disk(data());
  unmount_small_disk(audit());
}

Result<> Stage::register_clients(const fs::path& binary) {
  // Clients are added to a store that is there.
  const fs::path patients = folder_.path() / "patients.ndjson";
  load::write_text(patients, R"({"resourceType":"Patient","id":"game-0"})"
                             "\n");
  const load::Finished imported =
      load::run_command({binary.string(), "import", "--data", data().string(), patients.string(), "--json"});
  if (imported.exit_code != 0) return fail(Code::internal, fmt::format("import: {}{}", imported.out, imported.err));
  for (const Client& client : clients) {
    const load::Finished added =
        load::run_command({binary.string(), "client", "add", std::string(client.name), "--proof", "client_secret_post",
                           "--grant", "client_credentials", "--scope", "system/*.cruds mydr24/desk", "--role",
                           std::string(client.role), "--data", data().string(), "--json"});
    const auto answer = json::Document::parse_view(added.out);
    std::string secret(answer ? answer->root()["client_secret"].text() : "");
    if (secret.empty()) return fail(Code::internal, fmt::format("client add: {}{}", added.out, added.err));
    secrets_[std::string(client.name)] = std::move(secret);
  }
  return {};
}

Result<> Stage::start_server(const fs::path& binary, const DatabaseServer* database) {
  const fs::path token = folder_.path() / "sms-token", board = folder_.path() / "board.json";
  load::write_text(token, "game\n");
  load::write_text(board, board_policy);
  // The audit is on another disk: a server that may not record anything answers nobody, and the game looks on over it.
  const std::string config = fmt::format(
      "[server]\ncall_networks = \"any\"\n[access]\nmode = \"{}\"\n[log]\nformat = \"json\"\n{}"
      "[audit]\nfolder = \"{}\"\n[changes]\npolicy_file = \"{}\"\n"
      "[monitor]\nprobes = \"webhook={}\"\nprobe_every_s = 1\n"
      "[notify]\ntwilio_url = \"{}\"\ntwilio_account = \"game\"\ntwilio_token_file = \"{}\"\ntwilio_from = "
      "\"+15550100\"\n",
      database == nullptr ? "on" : "off",
      database == nullptr ? std::string() : fmt::format("[store]\nurl = \"{}\"\n", database->url()), audit().string(),
      board.string(), pager_->url("/probe"), sms_->url(""), token.string());
  MYDR24_ASSIGN(server_, load::Server::start({.binary = binary, .data = data(), .config = config, .placement = {}}));
  http_ = std::make_unique<load::HttpClient>(server_->endpoint(), answer_max);
  return {};
}

Result<> Stage::log_in() {
  for (const auto& [name, secret] : secrets_) {
    MYDR24_ASSIGN(const auto reply,
                  http_->send("POST", "/oauth/token",
                              fmt::format("grant_type=client_credentials&client_id={}&client_secret={}"
                                          "&scope=system%2F%2A.cruds+mydr24%2Fdesk",
                                          name, secret),
                              "Content-Type: application/x-www-form-urlencoded\r\n"));
    const auto answer = json::Document::parse_view(reply.body);
    const std::string token(answer ? answer->root()["access_token"].text() : "");
    if (token.empty())
      return fail(Code::internal, fmt::format("the token request was answered {}: {}", reply.status, reply.body));
    tokens_[name] = fmt::format("Authorization: Bearer {}\r\n", token);
  }
  return {};
}

Answer Stage::ask(std::string_view who, std::string_view method, const std::string& path, const std::string& body) {
  const auto token = tokens_.find(who);
  const std::string headers = (token == tokens_.end() ? std::string() : token->second) +
                              (body.empty() ? "" : "Content-Type: application/json\r\n");
  Answer answer;
  const auto reply = http_->send(method, path, body, headers);
  if (!reply) return answer;
  answer.status = reply->status;
  if (auto parsed = json::Document::parse(reply->body)) answer.body = *std::move(parsed);
  return answer;
}

bool Stage::wait(std::chrono::milliseconds time_max, const std::function<bool()>& holds) {
  const auto end = clock_.steady() + time_max;
  while (!holds()) {
    const auto now = clock_.steady();
    if (now > end) return false;
    std::this_thread::sleep_for(look_every);
    const auto overslept = clock_.steady() - now - look_every;
    late_s_ = std::max(late_s_, std::chrono::duration<double>(overslept).count());
  }
  return true;
}

Result<> Stage::make_plan() {
  const Answer answer = ask("engineer", "PUT", "/api/v1/oncall/plan", plan(pager_->url(page_path)));
  if (answer.status != 200)
    return fail(Code::internal, fmt::format("the plan was answered {}: {}", answer.status, answer.body.source()));
  return {};
}

// A lag of 30 seconds would be looked for half a minute.
Result<> Stage::lower_audit_limit() {
  const Answer known = ask("engineer", "GET", "/api/v1/monitor/rules");
  std::string text;
  json::Writer out(text);
  out.begin_object().key("rules").begin_array();
  for (const json::Value each : known.body.root()["rules"]) {
    const json::Value rule = each["rule"];
    const bool is_it = rule["name"].text() == "ComplianceRisk";
    out.begin_object();
    for (const json::Value member : rule) {
      const std::string_view name = member.key();
      if (is_it && (name == "limit" || name == "clear" || name == "clear_s"))
        out.field(name, audit_limit_s);
      else if (is_it && name == "title")
        out.field(name, fmt::format("Audit log processing lag {{value}} seconds exceeds {:g} second threshold",
                                    audit_limit_s));
      else
        out.key(name).raw(json::compact(member));
    }
    out.end_object();
  }
  out.end_array().end_object();
  const Answer answer = ask("engineer", "PUT", "/api/v1/monitor/rules", text);
  if (answer.status != 200)
    return fail(Code::internal, fmt::format("the rules were answered {}: {}", answer.status, answer.body.source()));
  return {};
}

// Measured, and nothing found: what is found from now on is of the game.
Result<> Stage::wait_well() {
  const bool is_well = wait(30s, [&] {
    const Answer status = ask("engineer", "GET", "/api/v1/monitor");
    if (status.status != 200 || status.body.root()["findings"].size() != 0) return false;
    for (const json::Value metric : status.body.root()["metrics"])
      if (metric["name"].text() == "database_unanswered_seconds") return metric["state"].text() == "ok";
    return false;
  });
  if (is_well) return {};
  const Answer status = ask("engineer", "GET", "/api/v1/monitor");
  return fail(Code::internal, fmt::format("the server is not well before anything is broken: {} {}", status.status,
                                          json::compact(status.body.root()["findings"])));
}

std::vector<Call> Stage::calls_since(std::chrono::nanoseconds begin) const {
  const auto people = everybody();
  std::vector<Call> calls;
  std::set<std::pair<std::string, std::string>> seen;
  const auto take = [&](std::string_view who, std::string_view medium, const load::Delivery& delivery) {
    if (delivery.at < begin || delivery.answered == 0) return;
    if (!seen.emplace(who, medium).second) return;
    const auto body = json::Document::parse_view(delivery.body);
    calls.push_back({std::string(who), std::string(medium), std::chrono::duration<double>(delivery.at - begin).count(),
                     std::string(body ? body->root()["alert"]["title"].text() : std::string_view())});
  };
  for (const load::Delivery& delivery : pager_->deliveries())
    if (delivery.path.starts_with(page_path))
      take(std::string_view(delivery.path).substr(page_path.size()), "pager", delivery);
  for (const load::Delivery& delivery : sms_->deliveries())
    for (std::size_t i = 0; i < people.size(); ++i)
      if (delivery.body.contains("To=%2B" + number_of(i).substr(1))) take(people[i], "sms", delivery);
  std::ranges::sort(calls, {}, &Call::after_s);
  return calls;
}

bool Stage::called_from_memory(std::size_t log_size) const {
  return log().substr(std::min(log_size, log().size())).contains("people are called from memory");
}

// The hospital goes on meanwhile: a write every tenth of a second, by somebody who waits for the answer.
void Stage::run_load() {
  load::HttpClient http(server_->endpoint(), answer_max);
  const auto token = tokens_.find("nurse");
  const std::string headers =
      (token == tokens_.end() ? std::string() : token->second) + "Content-Type: application/fhir+json\r\n";
  for (std::size_t n = 0; !stopping_; ++n) {
    const std::string id = fmt::format("game-{}", n % 200);
    const auto reply =
        http.send("PUT", "/fhir/R4/Patient/" + id,
                  fmt::format(R"({{"resourceType":"Patient","id":"{}","active":{}}})", id, n / 200 % 2 == 0), headers);
    const bool taken = reply && (reply->status == 200 || reply->status == 201);
    ++(taken ? taken_ : refused_);
    std::this_thread::sleep_for(load_every);
  }
}

}  // namespace mydr24::gameday
