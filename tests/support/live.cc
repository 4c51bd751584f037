#include "support/live.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <stdexcept>

#include "base/json/writer.h"
#include "storage/postgres/throwaway.h"

namespace mydr24::live {
namespace {

namespace fs = std::filesystem;

bool is_server_set(json::Value member) { return member.key() == "versionId" || member.key() == "lastUpdated"; }

// Members without what the server sets. `root_meta`: this is the meta of the root.
std::vector<json::Value> members(json::Value object, bool root, bool root_meta) {
  std::vector<json::Value> kept;
  for (const json::Value member : object) {
    if (root_meta && is_server_set(member)) continue;
    if (root && member.key() == "meta" && member.is_object() && members(member, false, true).empty()) continue;
    kept.push_back(member);
  }
  return kept;
}

std::string compare(json::Value sent, json::Value got, const std::string& path, bool root, bool root_meta) {
  if (sent.kind() != got.kind())
    return fmt::format("{}: sent {}, got {}", path, sent.raw().substr(0, 80), got.raw().substr(0, 80));
  if (sent.is_array() || sent.is_object()) {
    const auto a = members(sent, root, root_meta);
    const auto b = members(got, root, root_meta);
    for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      if (i >= a.size() || i >= b.size())
        return fmt::format("{}: sent {} members or items, got {}", path, a.size(), b.size());
      if (a[i].key() != b[i].key())
        return fmt::format("{}: sent '{}', got '{}' in its place", path, a[i].key(), b[i].key());
      const std::string at = sent.is_array() ? fmt::format("{}[{}]", path, i) : fmt::format("{}.{}", path, a[i].key());
      if (auto found = compare(a[i], b[i], at, false, root && a[i].key() == "meta"); !found.empty()) return found;
    }
    return {};
  }
  return sent.text() == got.text() ? std::string() : fmt::format("{}: sent {}, got {}", path, sent.raw(), got.raw());
}

std::string without_id(json::Value root) {
  std::string out = "{";
  for (const json::Value member : root) {
    if (member.key() == "id") continue;
    if (out.size() > 1) out.push_back(',');
    json::append_quoted(out, member.key());
    out.append(":").append(member.raw());
  }
  return out + "}";
}

// The lines of the configuration that choose the store; none for the embedded one.
std::string store_config() {
  const char* const store = std::getenv("MYDR24_TEST_STORE");
  if (store == nullptr || std::string_view(store) == "sqlite") return {};
  if (std::string_view(store) != "postgres")
    throw std::runtime_error(fmt::format("MYDR24_TEST_STORE is sqlite or postgres, not {}", store));
  auto* const server = postgres::shared_server();
  if (server == nullptr) throw std::runtime_error("PostgreSQL 15 is not installed, or does not start: ./dev setup");
  return fmt::format("\n[store]\nurl = \"{}\"\n", server->url(server->lend_database()));
}

}  // namespace

fs::path binary() {
  if (const char* given = std::getenv("MYDR24_BINARY")) return given;
  return fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "mydr24";
}

Live::Live(std::string config) : config_(std::move(config) + store_config()) { start(); }

void Live::start() {
  auto server = load::Server::start({.binary = binary(), .data = data(), .config = config_});
  if (!server) throw std::runtime_error(server.error().text);
  server_ = std::move(*server);
  client_ = std::make_unique<load::HttpClient>(server_->endpoint());
}

int Live::stop() {
  client_->disconnect();
  return server_->stop();
}

void Live::restart() {
  stop();
  start();
}

std::int64_t count(load::HttpClient& http, std::string_view type) {
  const auto reply = http.get(fmt::format("/fhir/R4/{}?_summary=count", type));
  if (!reply || reply->status != 200) return -1;
  const auto document = json::Document::parse_view(reply->body);
  if (!document) return -1;
  const std::string_view total = document->root()["total"].text();
  std::int64_t value = -1;
  std::from_chars(total.data(), total.data() + total.size(), value);
  return value;
}

std::string difference(json::Value sent, json::Value got) {
  const std::string type(sent["resourceType"].text());
  if (sent["id"].exists()) return compare(sent, got, type, true, false);
  // Sent without an id: the one it was given is the server's, and has no place of its own in what was sent.
  const std::string given = json::compact(got["id"]);
  const auto without = json::Document::parse(without_id(got));
  if (!without) return "what was read cannot be compared";
  return given.empty() ? "no id was given" : compare(sent, without->root(), type, true, false);
}

namespace {

testing::AssertionResult doctor(const fs::path& data, const std::vector<std::string>& more) {
  std::vector<std::string> command{binary().string(), "doctor", "--data", data.string(), "--json"};
  command.insert(command.end(), more.begin(), more.end());
  const auto finished = load::run_command(command);
  const auto report = json::Document::parse_view(finished.out);
  if (!report) return testing::AssertionFailure() << "mydr24 doctor: " << finished.out << finished.err;
  // The exit code also speaks of the machine (clock, disk) and the settings: here it is the store that counts.
  for (const json::Value check : report->root()["checks"])
    if (check["check"].text() == "store" && check["verdict"].text() == "ok") return testing::AssertionSuccess();
  return testing::AssertionFailure() << "the store does not verify: " << finished.out;
}

}  // namespace

testing::AssertionResult Live::verifies() const {
  const auto file = folder() / "doctor.toml";
  load::write_text(file, config_);
  return doctor(data(), {"--config", file.string()});
}

testing::AssertionResult verifies(const fs::path& data) { return doctor(data, {}); }

}  // namespace mydr24::live
