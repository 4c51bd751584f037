#include "hospital.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "base/core/clock.h"
#include "base/crypto/base64.h"
#include "base/crypto/totp.h"
#include "base/json/writer.h"

namespace mydr24::attacks {
namespace {

// Limits of time are short, so that those who wait for them do not take long. Without admission: what is refused is
// refused for what it is, not because the machine has much to do; reconciliation_test.cc has the rest.
constexpr const char* limits = R"([server]
header_time_max_ms = 1500
body_idle_time_max_ms = 1500
idle_time_max_ms = 5000
body_bytes_max = 4194304

[notify]
time_max_ms = 1000

[admission]
mode = "off"

[access]
mode = "on"
)";

std::string config(const Provider& provider) {
  return fmt::format(
      "{}oidc_issuer = \"{}\"\noidc_audience = \"mydr24\"\noidc_roles = \"ward=nurse,it=administrator\"\n", limits,
      provider.issuer());
}

constexpr std::string_view psychiatry =
    R"("meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSY"}]},)";

std::unique_ptr<Hospital>& the_one() {
  static std::unique_ptr<Hospital> hospital;
  return hospital;
}

bool is_open_read(const Request& request) {
  if (request.method != "GET" && request.method != "HEAD" && request.method != "OPTIONS") return false;
  const auto path = request.target.substr(0, request.target.find('?'));
  for (const std::string_view open :
       {"/fhir/R4/metadata", "/fhir/metadata", "/api/v1/openapi.json", "/login", "/logout", "/oauth/authorize",
        "/oauth/style.css", "/oauth/token", "/oauth/userinfo", "/-/healthy", "/-/ready", "/api/v1/config",
        // The console and the board without a build.
        "/", "/board", "/patients", "/alerts", "/incidents", "/changes", "/oncall", "/slos", "/audit", "/signed-in",
        "/desk", "/desk.css", "/desk.js"})
    if (path == open) return true;
  for (const std::string_view open : {"/setup/", "/ack/", "/assets/", "/patients/", "/.well-known/",
                                      "/fhir/R4/.well-known/", "/fhir/.well-known/", "/api/v1/oncall/calendars/"})
    if (path.starts_with(open)) return true;
  return false;
}

}  // namespace

std::string text_in(const std::string& text, std::string_view member) {
  const auto document = json::Document::parse_view(text);
  return document ? std::string(document->root()[member].text()) : std::string();
}

// ---- Browser

Answer Browser::keep(Request request) {
  if (!jar_.empty()) request.headers.emplace_back("Cookie", cookies());
  auto answer = ask(server_, text_of(request), std::chrono::milliseconds(10'000), from_);
  page_ = answer.body;
  for (const auto& value : answer.headers("Set-Cookie")) {
    const auto pair = value.substr(0, value.find(';'));
    const auto name = pair.substr(0, pair.find('='));
    if (value.contains("Max-Age=0"))
      jar_.erase(name);
    else
      jar_[name] = pair.substr(name.size() + 1);
  }
  return answer;
}

Answer Browser::post_as_is(const std::string& path, const Headers& fields, Headers headers) {
  headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  return keep({.method = "POST", .target = path, .headers = std::move(headers), .body = form(fields)});
}

Answer Browser::post(const std::string& path, Headers fields) {
  fields.emplace_back("csrf", hidden("csrf"));
  for (const char* name : {"request", "enrolment", "secret"})
    if (const auto value = hidden(name); !value.empty()) fields.emplace_back(name, value);
  return post_as_is(path, fields);
}

std::string Browser::hidden(std::string_view name) const {
  auto value = between(page_, fmt::format("name=\"{}\" value=\"", name), "\"");
  for (std::size_t at = 0; (at = value.find("&amp;", at)) != value.npos; ++at) value.replace(at, 5, "&");
  return value;
}

std::string Browser::cookies() const {
  std::string all;
  for (const auto& [name, value] : jar_) all += fmt::format("{}{}={}", all.empty() ? "" : "; ", name, value);
  return all;
}

// ---- Hospital

Hospital& Hospital::get() {
  if (!the_one()) the_one().reset(new Hospital());
  return *the_one();
}

void Hospital::close() {
  if (!the_one()) return;
  EXPECT_EQ(the_one()->live_.stop(), 0) << the_one()->live_.server().log();
  EXPECT_TRUE(the_one()->live_.verifies());
  the_one().reset();
}

Hospital::Hospital() : live_(config(provider_)) {
  staff_["nobody"] = {};
  staff_["nonsense"] = {.shows = {{"Authorization", "Bearer nonsense"}}, .id = {}};
  for (const std::string role : {"administrator", "platform-engineer", "on-call-engineer", "operations-lead", "nurse",
                                 "emergency-clinician", "compliance-officer", "change-manager", "booking-desk"})
    staff_[role] = add_person(role, {role}, role == "nurse" ? "Practitioner/n1" : "");
  staff_["patient"] = add_person("paula", {"patient"}, "Patient/p1");
  staff_["other-nurse"] = add_person("nora", {"nurse"}, "Practitioner/n2");
  staff_["no-role"] = add_person("nemo", {});
  staff_["service"] = add_machine("archive", "service", "system/*.cruds mydr24/desk");
  staff_["narrow"] = add_machine("narrow", "service", "system/Observation.rs?status=final");
  staff_["device-feed"] = add_machine("monitors", "device-feed", "system/*.cruds mydr24/desk");
  staff_["monitoring-feed"] = add_machine("prometheus", "monitoring-feed", "system/*.cruds mydr24/desk");
  seed();
}

std::string Hospital::base_url() { return fmt::format("http://{}:{}", server().host, server().port); }

std::string administer(const load::Endpoint& admin, const std::filesystem::path& data, const std::string& command) {
  const auto token = load::read_text(data / "admin.token");
  const auto answer =
      ask(admin, text_of({.method = "POST",
                          .target = "/identity",
                          .headers = {{"Authorization", "Bearer " + token}, {"Content-Type", "application/json"}},
                          .body = command}));
  if (answer.status != 200) throw std::runtime_error(command + ": " + answer.body);
  return answer.body;
}

std::string Hospital::administer(const std::string& command) {
  return attacks::administer(admin(), live_.data(), command);
}

double metric(const load::Endpoint& admin, std::string_view name, std::string_view having) {
  const auto text = ask(admin, text_of({.target = "/metrics"})).body;
  double sum = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    if (!line.starts_with(name) ||
        !(line.substr(name.size()).starts_with('{') || line.substr(name.size()).starts_with(' ')))
      continue;
    if (line.contains(having)) sum += std::strtod(std::string(line.substr(line.rfind(' '))).c_str(), nullptr);
  }
  return sum;
}

double Hospital::metric(std::string_view name, std::string_view having) {
  return attacks::metric(admin(), name, having);
}

Browser Hospital::log_in(const std::string& name) {
  Browser at(server());
  at.get("/login");
  std::string code;
  if (totp_.contains(name))
    code = crypto::hotp(totp_.at(name), static_cast<std::uint64_t>(crypto::totp_step(system_clock().now())));
  const auto answer = at.post("/login", {{"user", name}, {"password", std::string(password)}, {"code", code}});
  if (answer.status != 303) throw std::runtime_error(fmt::format("{} cannot log in: {}", name, answer.body));
  return at;
}

Who Hospital::add_person(const std::string& name, const std::vector<std::string>& roles, const std::string& fhir_user) {
  std::string command;
  json::Writer out(command);
  out.begin_object().field("do", "user.add").field("name", name).field("fhir_user", fhir_user);
  out.field("password", password).key("roles").begin_array();
  for (const auto& role : roles) out.string(role);
  out.end_array().end_object();
  administer(command);
  const std::set<std::string> privileged{"administrator", "platform-engineer", "compliance-officer"};
  if (std::ranges::any_of(roles, [&](const auto& role) { return privileged.contains(role); })) {
    const auto uri = text_in(administer(fmt::format(R"({{"do":"user.totp","name":"{}"}})", name)), "uri");
    totp_[name] = *crypto::base32_decode(between(uri, "secret=", "&"));
  }
  return {.shows = {{"Cookie", log_in(name).cookies()}}, .id = "user/" + name};
}

Who add_machine(const load::Endpoint& server, const load::Endpoint& admin, const std::filesystem::path& data,
                const std::string& name, const std::string& role, const std::string& scopes) {
  const auto added = administer(
      admin, data,
      fmt::format(R"({{"do":"client.add","client_id":"{0}","client_name":"{0}","grant_types":["client_credentials"],)"
                  R"("scope":"{1}","roles":["{2}"],"token_endpoint_auth_method":"client_secret_basic"}})",
                  name, scopes, role));
  const auto basic = crypto::base64(fmt::format("{}:{}", name, text_in(added, "client_secret")));
  const auto given = ask(
      server,
      text_of({.method = "POST",
               .target = "/oauth/token",
               .headers = {{"Authorization", "Basic " + basic}, {"Content-Type", "application/x-www-form-urlencoded"}},
               .body = form({{"grant_type", "client_credentials"}, {"scope", scopes}})}));
  if (given.status != 200) throw std::runtime_error(name + " gets no token: " + given.body);
  return {.shows = {{"Authorization", "Bearer " + text_in(given.body, "access_token")}}, .id = "client/" + name};
}

Who Hospital::add_machine(const std::string& name, const std::string& role, const std::string& scopes) {
  return attacks::add_machine(server(), admin(), live_.data(), name, role, scopes);
}

const Who& Hospital::who(const std::string& name) const {
  const auto found = staff_.find(name);
  if (found == staff_.end()) throw std::runtime_error("nobody is called " + name);
  return found->second;
}

Answer Hospital::ask(const std::string& name, Request request) { return ask(who(name), std::move(request)); }

Answer Hospital::ask(const Who& who, Request request) {
  const auto is = [&](std::string_view name) {
    return std::ranges::any_of(request.headers, [&](const auto& header) { return header.first == name; });
  };
  const bool shows_itself = is("Authorization") || is("Cookie");  // the attack decides who it claims to be
  if (!shows_itself) request.headers.insert(request.headers.end(), who.shows.begin(), who.shows.end());
  if (!request.body.empty() && !is("Content-Type"))
    request.headers.emplace_back("Content-Type",
                                 request.target.starts_with("/fhir") ? "application/fhir+json" : "application/json");
  if (is("X-Request-Id")) {
    last_id_ = std::ranges::find(request.headers, "X-Request-Id", &std::pair<std::string, std::string>::first)->second;
  } else {
    last_id_ = fmt::format("attack-{}", ++next_);
    request.headers.emplace_back("X-Request-Id", last_id_);
  }
  auto answer = attacks::ask(server(), text_of(request), std::chrono::seconds(30));
  const bool unrouted = answer.status == 405 || (answer.status == 404 && answer.body.contains("there is nothing at"));
  sent_[last_id_] = {
      .what = fmt::format("{} {} as {}", request.method, request.target.substr(0, 200), who.id),
      .principal = shows_itself ? std::string("*") : who.id,
      .status = answer.status,
      .unrouted = unrouted,
      .open = is_open_read(request) && !unrouted,
      .malformed = answer.header("Content-Type") == "text/plain" && answer.status >= 400 && answer.status != 404,
      .refused_at_the_door = answer.header("X-MyDR24-Level") != "" && answer.body.empty()};
  return answer;
}

std::multimap<std::string, Entry> read_trail(const std::filesystem::path& data) {
  const auto exported = load::run_command({live::binary().string(), "audit", "export", "--data", data.string()});
  EXPECT_EQ(exported.exit_code, 0) << exported.err;
  std::multimap<std::string, Entry> found;
  for (std::size_t at = 0; at < exported.out.size();) {
    const auto end = std::min(exported.out.find('\n', at), exported.out.size());
    const auto document = json::Document::parse_view(std::string_view(exported.out).substr(at, end - at));
    at = end + 1;
    if (!document) continue;
    auto root = document->root();
    if (root["entry"]) root = root["entry"];
    if (!root["request"]) continue;
    Entry entry{.interaction = std::string(root["interaction"].text()),
                .principal = std::string(root["principal"]["id"].text()),
                .rule = std::string(root["rule"].text()),
                .query = std::string(root["query"].text()),
                .resource = fmt::format("{}/{}", root["resource"]["type"].text(), root["resource"]["id"].text()),
                .version = std::string(root["resource"]["version"].text())};
    entry.status = std::atoi(std::string(root["status"].text()).c_str());
    found.emplace(std::string(root["request"].text()), std::move(entry));
  }
  return found;
}

std::multimap<std::string, Entry> Hospital::trail() { return read_trail(live_.data()); }

void Hospital::check_trail() {
  const auto entries = trail();
  for (const auto& [id, sent] : sent_) {
    const auto [begin, end] = entries.equal_range(id);
    EXPECT_NE(sent.status, 0) << sent.what << " was not answered";
    if (sent.status == 0) continue;
    const bool none = sent.malformed || sent.open || sent.refused_at_the_door ||
                      (sent.unrouted && (sent.principal.empty() || sent.principal == "*"));
    if (none) {
      if (sent.principal != "*") EXPECT_EQ(begin, end) << sent.what << " has an entry that none was expected for";
      continue;
    }
    const bool told = std::any_of(begin, end, [&](const auto& each) {
      const auto& entry = each.second;
      const bool same_status = sent.status < 400 ? entry.status < 400 : entry.status == sent.status;
      // Of who was not let in nothing is believed.
      const bool same_caller = sent.principal == "*" || entry.principal == (sent.status == 401 ? "" : sent.principal);
      return same_status && same_caller;
    });
    EXPECT_TRUE(told) << sent.what << ": answered " << sent.status << ", " << std::distance(begin, end)
                      << " entries, none of them tells that";
  }
  sent_.clear();
}

void Hospital::check_service() {
  const auto answer = get("nurse", "/fhir/R4/Patient/open");
  EXPECT_EQ(answer.status, 200) << answer.head << answer.body;
  EXPECT_TRUE(answer.body.contains("Offen"));
}

void Hospital::seed() {
  const auto put = [&](const std::string& type, const std::string& id, const std::string& members) {
    const auto answer =
        ask("service", {.method = "PUT",
                        .target = fmt::format("/fhir/R4/{}/{}", type, id),
                        .body = fmt::format(R"({{"resourceType":"{}","id":"{}",{}}})", type, id, members)});
    if (answer.status != 200 && answer.status != 201)
      throw std::runtime_error(fmt::format("{}/{}: {} {}", type, id, answer.status, answer.body));
  };
  const auto observation = [](std::string_view patient, std::string_view code, std::string_view value,
                              std::string_view meta = {}) {
    return fmt::format(
        R"({}"status":"final","code":{{"coding":[{{"system":"s","code":"{}"}}]}},"subject":{{"reference":"Patient/{}"}},)"
        R"("effectiveDateTime":"2024-02-01","valueString":"{}")",
        meta, code, patient, value);
  };
  put("Practitioner", "n1", R"("name":[{"family":"Nurse"}])");
  put("Practitioner", "n2", R"("name":[{"family":"Other"}])");
  put("Practitioner", "d", R"("name":[{"family":"Adler"}])");
  put("Patient", "open",
      R"("name":[{"family":"Offen"}],"generalPractitioner":[{"reference":"Practitioner/d"}],"gender":"female")");
  put("Observation", "open-1", observation("open", "plain", "seen"));
  put("Observation", "open-1", observation("open", "plain", "seen again"));
  put("Patient", "secret",
      fmt::format(R"({}"identifier":[{{"system":"urn:mrn","value":"777"}}],"name":[{{"family":"{}"}}],"gender":"male",)"
                  R"("birthDate":"1961-07-07","generalPractitioner":[{{"reference":"Practitioner/d"}}])",
                  psychiatry, hidden_mark));
  for (const std::string id : {"hidden-1", "hidden-2"}) {
    put("Observation", id, observation("open", "hid", hidden_mark, psychiatry));
    put("Observation", id, observation("open", "hid", fmt::format("{} again", hidden_mark), psychiatry));
  }
  put("Observation", "secret-1", observation("secret", "hid", hidden_mark, psychiatry));
  put("Encounter", "hidden-e",
      fmt::format(R"({}"status":"finished","class":{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode",)"
                  R"("code":"AMB"}},"subject":{{"reference":"Patient/open"}},"reasonCode":[{{"text":"{}"}}])",
                  psychiatry, hidden_mark));
  put("Observation", "victim-1", observation("open", "plain", "v"));
  put("Observation", "victim-2", observation("open", "plain", "v"));
  // Was open once, is not any more: its history has both.
  put("Observation", "changed", observation("open", "plain", "once for all"));
  put("Observation", "changed", observation("open", "plain", fmt::format("{} now", hidden_mark), psychiatry));
  put("Patient", "p1", R"("name":[{"family":"Paula"}])");
  put("Observation", "p1-1", observation("p1", "plain", "of p1"));
  put("Patient", "p2",
      fmt::format(R"("identifier":[{{"system":"urn:mrn","value":"222"}}],"name":[{{"family":"{}"}}])", foreign_mark));
  put("Observation", "p2-1", observation("p2", "other", foreign_mark));
  put("Communication", "p2-1",
      fmt::format(R"("status":"completed","subject":{{"reference":"Patient/p2"}},"note":[{{"text":"{}"}}])",
                  foreign_mark));
  put("Appointment", "p2-1",
      fmt::format(R"("status":"proposed","comment":"{}","participant":[{{"actor":{{"reference":"Patient/p2"}},)"
                  R"("status":"needs-action"}}])",
                  foreign_mark));
  put("Appointment", "p1-1",
      R"("status":"proposed","participant":[{"actor":{"reference":"Patient/p1"},"status":"needs-action"}])");
  put("Basic", "b1", R"("code":{"text":"x"},"subject":{"reference":"Patient/open"})");
  check_trail();
}

}  // namespace mydr24::attacks
