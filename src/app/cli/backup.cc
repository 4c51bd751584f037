#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <ostream>

#include "app/cli/commands.h"
#include "app/server/server.h"
#include "base/json/writer.h"
#include "storage/keyring/keyring.h"
#include "storage/sqlite/sqlite.h"

namespace mydr24::cli {

namespace {

namespace fs = std::filesystem;

// A folder for a copy that is opened and thrown away: only its owner may look into it.
class ScratchFolder {
 public:
  static Result<std::unique_ptr<ScratchFolder>> make(const fs::path& beside) {
    std::string name = (beside / ".mydr24-verify-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      return fail(Code::invalid, fmt::format("no folder for the check can be made: {}", std::strerror(errno)),
                  beside.string());
    }
    return std::unique_ptr<ScratchFolder>(new ScratchFolder(name));
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  explicit ScratchFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

struct Checked {
  std::int64_t resources = 0;
  std::vector<std::string> findings;
};

Result<Checked> check_copy(const fs::path& folder, const std::string& key_file, const Terminal& terminal) {
  server::Settings settings;
  settings.encryption.key_file = key_file;
  settings.store.path = folder.string();
  MYDR24_ASSIGN(const auto workbench, server::open_workbench(settings, terminal.clock));
  Checked checked;
  MYDR24_ASSIGN(checked.findings, workbench->store().verify());
  MYDR24_TRY(workbench->store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(checked.resources, reader.count_resources(""));
    return {};
  }));
  return checked;
}

}  // namespace

int run_backup_create(const ConfigOptions& options, const std::string& to, const Terminal& terminal) {
  const auto config = settings_or_exit(options, terminal);
  if (!config) return config.error();
  const fs::path folder = config->settings.store.path;
  std::error_code problem;
  if (!fs::exists(folder / sqlite::database_file, problem)) {
    return terminal.fail(fail(Code::not_found, "holds no store: name the data folder with --data", folder.string()));
  }
  const auto workbench = server::open_workbench(config->settings, terminal.clock);
  if (!workbench) {
    Error error = workbench.error();
    if (error.code == Code::busy) {
      error.text += fmt::format("; a server that runs makes the copy itself: curl -X POST 'http://{}/backup?to={}'",
                                config->settings.server.admin, fs::absolute(to).string());
    }
    return terminal.fail(error);
  }
  const auto began = terminal.clock.steady();
  if (const auto copied = (*workbench)->store().backup(to); !copied) return terminal.fail(copied.error());
  const auto bytes = static_cast<std::int64_t>(fs::file_size(to, problem));
  const std::chrono::duration<double> time = terminal.clock.steady() - began;
  if (terminal.json) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("schema", "mydr24.backup.v1").field("path", to).field("bytes", bytes);
    writer.field("time_ms", static_cast<std::int64_t>(time.count() * 1000)).end_object();
    terminal.out << text << '\n';
  } else {
    terminal.err << fmt::format("{}  {} bytes in {:.1f} s. Check it: mydr24 backup verify {}\n", to, grouped(bytes),
                                time.count(), to);
  }
  return static_cast<int>(Exit::ok);
}

int run_backup_verify(const std::string& path, const std::string& given_key_file, const Terminal& terminal) {
  std::error_code problem;
  if (!fs::exists(path, problem)) return terminal.fail(fail(Code::not_found, "there is no such file", path));
  // Opening a store writes to it: the copy itself is left as it is.
  const fs::path file = fs::is_directory(path, problem) ? fs::path(path) / sqlite::database_file : fs::path(path);
  const fs::path whole = fs::absolute(file, problem);
  const auto scratch = ScratchFolder::make(fs::is_directory(path, problem) ? fs::absolute(path) : whole.parent_path());
  if (!scratch) return terminal.fail(scratch.error());
  fs::copy_file(file, (*scratch)->path() / sqlite::database_file, problem);
  if (problem) return terminal.fail(fail(Code::invalid, fmt::format("cannot be read: {}", problem.message()), path));

  // Copies of plain stores are checked where the key file of encrypted ones is set, too.
  const bool encrypted = sqlite::is_encrypted((*scratch)->path());
  const std::string key_file = encrypted ? given_key_file : std::string();
  if (encrypted) {
    const fs::path keys =
        fs::is_directory(path, problem) ? fs::path(path) / keyring::file_name : sqlite::backup_keys_file(file);
    fs::copy_file(keys, (*scratch)->path() / keyring::file_name, problem);
    if (problem) {
      return terminal.fail(Exit::findings, fail(Code::not_found, "is encrypted, and its keys are not beside it", keys));
    }
  }
  const auto checked = check_copy((*scratch)->path(), key_file, terminal);
  if (!checked) {
    return terminal.fail(Exit::findings, fail(Code::internal, "is no sound backup: " + checked.error().text, path));
  }
  if (terminal.json) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("schema", "mydr24.backup-verify.v1").field("path", path);
    writer.field("resources", checked->resources).key("findings").begin_array();
    for (const std::string& finding : checked->findings) writer.string(finding);
    writer.end_array().end_object();
    terminal.out << text << '\n';
  } else {
    for (const std::string& finding : checked->findings) terminal.out << finding << '\n';
    terminal.err << fmt::format(
        "{}: {} resources, {}\n", path, grouped(checked->resources),
        checked->findings.empty() ? "sound" : fmt::format("{} findings", checked->findings.size()));
  }
  return static_cast<int>(checked->findings.empty() ? Exit::ok : Exit::findings);
}

}  // namespace mydr24::cli
