#include "app/surge/test_bed.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "app/load/bodies.h"
#include "base/json/document.h"

namespace mydr24::surge {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, mode_count> mode_names{"naive", "full", "unprivileged"};
constexpr std::size_t pulses_per_patient = 5;

void append_patient(std::string& out, std::string_view id, std::size_t n) {
  load::patient().append(out, {{"id", load::id_member(id)}, {"n", fmt::format("{}", n)}, {"gender", "female"}});
  out.push_back('\n');
}

std::string population() {
  std::string out;
  for (std::size_t n = 0; n < patients; ++n) {
    const std::string id = fmt::format("{}-{}", patient_prefix, n);
    append_patient(out, id, n);
    for (std::size_t i = 0; i < pulses_per_patient; ++i) {
      load::heart_rate().append(out, {{"id", load::id_member(fmt::format("{}-o{}", id, i))},
                                      {"patient", "Patient/" + id},
                                      {"value", fmt::format("{}", 60 + n % 25)},
                                      {"at", fmt::format("2023-04-11T09:{:02}:44.000-04:00", i)}});
      out.push_back('\n');
    }
  }
  for (std::size_t n = 0; n < alarm_patients; ++n)
    append_patient(out, fmt::format("{}-{}", alarm_prefix, n), patients + n);
  return out;
}

std::string config(const Stage& stage, const BedOptions& options) {
  std::string out = "[server]\nconnections_max = 19000\nidle_time_max_ms = 3600000\n";
  if (options.mode != Mode::naive) out += "emergency_listen = \"127.0.0.1:0\"\n";
  if (options.tls)
    out += fmt::format("tls_certificate_file = \"{}\"\ntls_key_file = \"{}\"\n", stage.certificate_file().string(),
                       stage.key_file().string());
  out +=
      fmt::format("[admission]\nmode = \"{}\"\nbench_route = \"on\"\n", options.mode == Mode::naive ? "off" : "full");
  if (options.access) out += "[access]\nmode = \"on\"\n";
  out += "[log]\nformat = \"json\"\n[alerting]\nescalate_after_s = 3600\n[[alerting.contacts]]\nname = \"nurse\"\n";
  if (!options.webhook_url.empty()) out += fmt::format("webhook_url = \"{}\"\n", options.webhook_url);
  return out;
}

// Registers a machine in the role of a nurse, whose requests are the loads'. Its secret. No server may use the folder.
Result<std::string> register_client(const Stage& stage, const fs::path& data) {
  const load::Finished added =
      load::run_command({stage.binary().string(), "client", "add", "bench", "--proof", "client_secret_post", "--grant",
                         "client_credentials", "--scope", "system/*.cruds mydr24/desk", "--role", "nurse", "--data",
                         data.string(), "--json"});
  MYDR24_ASSIGN(const auto client, json::Document::parse_view(added.out));
  std::string secret(client.root()["client_secret"].text());
  if (secret.empty()) return fail(Code::internal, fmt::format("client add: {}{}", added.out, added.err));
  return secret;
}

Result<std::string> authorize(const load::Endpoint& endpoint, const std::string& secret) {
  load::HttpClient http(endpoint);
  MYDR24_ASSIGN(const auto reply, http.send("POST", "/oauth/token",
                                            fmt::format("grant_type=client_credentials&client_id=bench&client_secret={}"
                                                        "&scope=system%2F%2A.cruds+mydr24%2Fdesk",
                                                        secret),
                                            "Content-Type: application/x-www-form-urlencoded\r\n"));
  MYDR24_ASSIGN(const auto answer, json::Document::parse_view(reply.body));
  const auto token = answer.root()["access_token"].text();
  if (token.empty())
    return fail(Code::internal, fmt::format("the token request was answered {}: {}", reply.status, reply.body));
  return fmt::format("Authorization: Bearer {}\r\n", token);
}

}  // namespace

std::string_view to_string(Mode mode) { return mode_names[static_cast<std::size_t>(mode)]; }

std::optional<Mode> parse_mode(std::string_view name) {
  const auto found = std::ranges::find(mode_names, name);
  if (found == mode_names.end()) return std::nullopt;
  return static_cast<Mode>(found - mode_names.begin());
}

Result<std::unique_ptr<Stage>> Stage::make(const fs::path& binary) {
  std::unique_ptr<Stage> stage(new Stage(binary));
  MYDR24_ASSIGN(const Certificate certificate, make_certificate());
  load::write_text(stage->certificate_file(), certificate.certificate);
  load::write_text(stage->key_file(), certificate.key);
  const fs::path file = stage->folder_.path() / "population.ndjson";
  load::write_text(file, population());
  const load::Finished finished =
      load::run_command({binary.string(), "import", "--data", stage->data().string(), file.string(), "--json"});
  if (finished.exit_code != 0)
    return fail(Code::unprocessable, fmt::format("the import of the patients ended with {}: {}{}", finished.exit_code,
                                                 finished.out, finished.err));
  return stage;
}

Result<std::unique_ptr<TestBed>> TestBed::start(const Stage& stage, const BedOptions& options) {
  std::unique_ptr<TestBed> bed(new TestBed());
  const fs::path data = bed->folder_.path() / "data";
  if (!options.empty) fs::copy(stage.data(), data, fs::copy_options::recursive);
  std::string secret;
  if (options.access) {
    MYDR24_ASSIGN(secret, register_client(stage, data));
  }
  ::sync();  // what beds before left behind must not hold up this one's commits
  MYDR24_ASSIGN(
      bed->server_,
      load::Server::start({.binary = stage.binary(),
                           .data = data,
                           .config = config(stage, options),
                           .placement = {.cpu = options.cpu, .give_up_nice = options.mode == Mode::unprivileged}}));
  if (options.access) {
    MYDR24_ASSIGN(bed->authorization_, authorize(bed->general(), secret));
  }
  return bed;
}

}  // namespace mydr24::surge
