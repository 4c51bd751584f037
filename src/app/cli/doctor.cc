#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <ostream>

#include "app/cli/commands.h"
#include "app/server/server.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"
#include "base/net/client.h"
#include "storage/keyring/keyring.h"
#include "storage/sqlite/sqlite.h"

namespace mydr24::cli {

namespace {

namespace fs = std::filesystem;

enum class Verdict { ok, warn, fail };

struct Check {
  Verdict verdict = Verdict::ok;
  std::string name;
  std::string text;
  std::string fix;  // empty when ok
};

constexpr std::uint64_t mib = 1 << 20;

class Doctor {
 public:
  explicit Doctor(const Terminal& terminal) : terminal_(terminal) {}

  void examine(const ConfigOptions& options) {
    const auto config = load_config(options.sources(process_environment()));
    if (!config) {
      for (const Error& problem : config.error()) {
        add(Verdict::fail, "config", fmt::format("{}: {}", problem.where, problem.text),
            "correct it: mydr24 config validate");
      }
    } else {
      add(Verdict::ok, "config", config->file.empty() ? "no file, defaults and environment" : config->file.string());
      check_access(config->settings);
      check_alerting(config->settings);
      check_folder(config->settings.store.path);
      check_disk(config->settings.store.path);
      check_encryption(config->settings);
      check_store(config->settings);
      check_files(config->settings);
    }
    check_memory();
    check_clock();
  }

  const std::vector<Check>& checks() const { return checks_; }

 private:
  void add(Verdict verdict, std::string name, std::string text, std::string fix = {}) {
    checks_.push_back({verdict, std::move(name), std::move(text), std::move(fix)});
  }

  void check_alerting(const server::Settings& settings) {
    std::size_t reachable = 0;
    for (const auto& contact : settings.alerting.contacts) reachable += contact.webhook_url.empty() ? 0 : 1;
    if (reachable == 0) {
      add(Verdict::warn, "alerting", "alerts reach nobody but who looks at the console",
          "add [[alerting.contacts]] with a webhook_url");
    } else {
      add(Verdict::ok, "alerting",
          fmt::format("{} contacts, {} with a webhook", settings.alerting.contacts.size(), reachable));
    }
    const std::string& admin = settings.server.admin;
    if (!server::is_on_loopback(admin)) {
      add(Verdict::warn, "admin", fmt::format("{} is reachable from outside and asks for no password", admin),
          "set server.admin to 127.0.0.1:8025");
    }
  }

  void check_access(const server::Settings& settings) {
    const std::string& listen = settings.server.listen;
    if (settings.access.mode == "on") {
      add(Verdict::ok, "access", "people log in, and every access is recorded");
    } else if (server::is_on_loopback(listen)) {
      add(Verdict::warn, "access", "whoever is on this machine may read and write everything, and nothing is recorded",
          "set access.mode to on");
    } else {
      add(Verdict::fail, "access",
          fmt::format("whoever reaches {} may read and write everything, and nothing is recorded", listen),
          "set access.mode to on");
    }
  }

  void check_folder(const fs::path& folder) {
    struct stat facts{};
    if (::stat(folder.c_str(), &facts) != 0) {
      add(Verdict::ok, "folder", fmt::format("{} is not there yet: the first start makes it", folder.string()));
      return;
    }
    if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
      add(Verdict::fail, "folder", fmt::format("{} cannot be written by this user", folder.string()),
          fmt::format("chown {} {}", ::getuid(), folder.string()));
    } else if ((facts.st_mode & 077U) != 0) {
      add(Verdict::warn, "folder", fmt::format("{} can be entered by other users", folder.string()),
          fmt::format("chmod 700 {}", folder.string()));
    } else {
      add(Verdict::ok, "folder", folder.string());
    }
  }

  void check_disk(fs::path folder) {
    std::error_code ignored;
    folder = fs::absolute(folder, ignored);
    while (!fs::exists(folder, ignored) && folder.has_relative_path()) folder = folder.parent_path();
    struct statvfs facts{};
    if (::statvfs(folder.c_str(), &facts) != 0) {
      add(Verdict::warn, "disk", "free space cannot be told", "check the mount of " + folder.string());
      return;
    }
    const std::uint64_t free = static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
    const std::string text = fmt::format("{} MiB free", grouped(static_cast<std::int64_t>(free / mib)));
    if (free < 256 * mib) {
      add(Verdict::fail, "disk", text, "make room: writes stop when it is full");
    } else if (free < 2048 * mib) {
      add(Verdict::warn, "disk", text, "make room: 2 GiB at least");
    } else {
      add(Verdict::ok, "disk", text);
    }
  }

  void check_encryption(const server::Settings& settings) {
    const std::string& file = settings.encryption.key_file;
    if (file.empty()) return add(Verdict::ok, "keys", "the store and the audit are not encrypted by this program");
    if (const auto key = keyring::read_key_file(file); !key) {
      return add(Verdict::fail, "keys", fmt::format("{}: {}", file, key.error().text),
                 "without its key file an encrypted store cannot be opened: put the file back");
    }
    if (settings.store.url.empty()) return add(Verdict::ok, "keys", file);
    add(Verdict::warn, "keys", "the audit is encrypted, PostgreSQL is not by this program",
        "encrypt the disk below PostgreSQL (dm-crypt)");
  }

  void check_store(const server::Settings& settings) {
    std::error_code ignored;
    if (!fs::exists(fs::path(settings.store.path) / sqlite::database_file, ignored)) {
      add(Verdict::ok, "store", "none yet: the first start makes it");
      return;
    }
    const auto began = terminal_.clock.steady();
    const auto workbench = server::open_workbench(settings, terminal_.clock);
    if (!workbench && workbench.error().code == Code::busy) return check_server(settings);
    if (!workbench) {
      add(Verdict::fail, "store", workbench.error().text,
          "restore a backup: mydr24 backup verify FILE tells which is sound");
      return;
    }
    const auto findings = (*workbench)->store().verify();
    const std::chrono::duration<double> time = terminal_.clock.steady() - began;
    if (!findings) {
      add(Verdict::fail, "store", findings.error().text, "restore a backup");
    } else if (!findings->empty()) {
      add(Verdict::fail, "store", fmt::format("{} findings, the first: {}", findings->size(), findings->front()),
          "keep a copy of the folder, then restore a backup");
    } else {
      add(Verdict::ok, "store", fmt::format("opens, everything read and sound ({:.1f} s)", time.count()));
    }
  }

  // Another process has the folder: if it is our server, its own checks say more.
  void check_server(const server::Settings& settings) {
    const auto url = net::parse_url(fmt::format("http://{}/readyz", settings.server.admin));
    if (!url) return add(Verdict::warn, "store", "in use by another process", "stop it to have the store checked");
    net::ClientRequest request;
    request.url = *url;
    request.time_max = std::chrono::seconds(2);
    const auto answer = net::send_blocking(std::move(request));
    if (answer && answer->status == 200) {
      add(Verdict::ok, "store", "in use by a server that is ready (stop it to have every byte checked)");
    } else {
      add(Verdict::warn, "store", "in use by another process that does not answer at " + settings.server.admin,
          "look at its log, or name its address: server.admin");
    }
  }

  void check_files(const server::Settings& settings) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const auto wanted = static_cast<rlim_t>(settings.server.connections_max) + 256;
    const std::string text = fmt::format("{} open files", limit.rlim_cur);
    if (limit.rlim_cur >= wanted) return add(Verdict::ok, "files", text);
    add(Verdict::warn, "files", fmt::format("{}, {} connections are allowed", text, settings.server.connections_max),
        limit.rlim_max >= wanted
            ? fmt::format("ulimit -n {}", wanted)
            : fmt::format("LimitNOFILE={} in the systemd unit, or a lower server.connections_max", wanted));
  }

  void check_memory() {
    std::ifstream facts("/proc/meminfo");
    std::string word;
    std::int64_t kib = -1;
    while (facts >> word) {
      if (word == "MemAvailable:") {
        facts >> kib;
        break;
      }
    }
    if (kib < 0) return add(Verdict::ok, "memory", "cannot be told here");
    const std::string text = fmt::format("{} MiB available", grouped(kib / 1024));
    if (kib < 256 * 1024) return add(Verdict::warn, "memory", text, "256 MiB at least");
    add(Verdict::ok, "memory", text);
  }

  void check_clock() {
    const Instant now = terminal_.clock.now();
    const std::string text = format_instant(now);
    // 2024-01-01: no build of this program is older.
    if (to_us(now) < 1'704'067'200'000'000) {
      return add(Verdict::fail, "clock", text + " is in the past",
                 "set the clock: alerts are judged by the time of a sign");
    }
    timex facts{};
    if (::adjtimex(&facts) == TIME_ERROR) {
      return add(Verdict::warn, "clock", text + ", not synchronised", "run chrony or systemd-timesyncd");
    }
    add(Verdict::ok, "clock", text + ", synchronised");
  }

  const Terminal& terminal_;
  std::vector<Check> checks_;
};

std::string_view word_of(Verdict verdict) {
  return verdict == Verdict::ok ? "ok" : verdict == Verdict::warn ? "WARN" : "FAIL";
}

}  // namespace

int run_doctor(const ConfigOptions& options, const Terminal& terminal) {
  Doctor doctor(terminal);
  doctor.examine(options);
  int warnings = 0;
  int failures = 0;
  for (const Check& check : doctor.checks()) {
    warnings += check.verdict == Verdict::warn ? 1 : 0;
    failures += check.verdict == Verdict::fail ? 1 : 0;
  }
  if (terminal.json) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("schema", "mydr24.doctor.v1").field("warnings", warnings).field("failures", failures);
    writer.key("checks").begin_array();
    for (const Check& check : doctor.checks()) {
      writer.begin_object()
          .field("check", check.name)
          .field("verdict", word_of(check.verdict))
          .field("text", check.text);
      if (!check.fix.empty()) writer.field("fix", check.fix);
      writer.end_object();
    }
    writer.end_array().end_object();
    terminal.out << text << '\n';
  } else {
    for (const Check& check : doctor.checks()) {
      const std::string_view word = word_of(check.verdict);
      const std::string padding(4 - word.size(), ' ');
      const std::string_view colour = check.verdict == Verdict::ok     ? "green"
                                      : check.verdict == Verdict::warn ? "yellow"
                                                                       : "red";
      terminal.out << terminal.paint(colour, word, true) << padding
                   << fmt::format("  {:<9} {}\n", check.name, check.text);
      if (!check.fix.empty()) terminal.out << fmt::format("{:17}fix: {}\n", "", check.fix);
    }
    if (warnings + failures > 0) terminal.err << fmt::format("{} warnings, {} failures\n", warnings, failures);
  }
  return static_cast<int>(warnings + failures > 0 ? Exit::findings : Exit::ok);
}

}  // namespace mydr24::cli
