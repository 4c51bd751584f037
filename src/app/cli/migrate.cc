#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <ostream>

#include "app/cli/commands.h"
#include "app/cli/store_place.h"
#include "base/json/writer.h"
#include "storage/postgres/postgres.h"
#include "storage/sqlite/sqlite.h"

namespace mydr24::cli {

namespace {

void show(const std::vector<postgres::Migration>& migrations, const Terminal& terminal) {
  if (terminal.json) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("schema", "mydr24.migrate.v1").key("migrations").begin_array();
    for (const auto& migration : migrations) {
      writer.begin_object().field("number", static_cast<std::int64_t>(migration.number));
      writer.field("name", migration.name).field("applied", migration.applied).end_object();
    }
    writer.end_array().end_object();
    terminal.out << text << '\n';
    return;
  }
  for (const auto& migration : migrations) {
    terminal.out << fmt::format("{:>4}  {}  {}\n", migration.number, migration.applied ? "applied" : "to come",
                                migration.name);
  }
}

// Source: SQLite, fileformat2.html, section 1.3 (the user version is at offset 60).
Result<std::int64_t> schema_of(const std::string& folder) {
  const auto path = std::filesystem::path(folder) / sqlite::database_file;
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::not_found, "holds no store: name a data folder or a postgres:// URL", folder);
  std::array<char, 64> header{};
  if (sqlite::is_encrypted(folder)) {
    return fail(Code::unsupported,
                "is encrypted: the server, or `mydr24 migrate up`, brings it up to date when it opens it", folder);
  }
  if (!file.read(header.data(), header.size()) || !std::string_view(header.data(), 15).starts_with("SQLite format 3")) {
    return fail(Code::invalid, "is no SQLite database", path.string());
  }
  std::int64_t version = 0;
  for (std::size_t i = 60; i < 64; ++i) version = version * 256 + static_cast<unsigned char>(header[i]);
  return version;
}

// A folder is brought up to date whenever it is opened.
int folder_status(const std::string& folder, const Terminal& terminal) {
  const auto version = schema_of(folder);
  if (!version) return terminal.fail(version.error());
  if (terminal.json) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("schema", "mydr24.migrate.v1").field("version", *version).end_object();
    terminal.out << text << '\n';
  } else {
    terminal.out << fmt::format("schema {}; the server brings a folder up to date when it opens it\n", *version);
  }
  return static_cast<int>(Exit::ok);
}

}  // namespace

int run_migrate_status(const std::string& place, const Terminal& terminal) {
  if (!is_url(place)) return folder_status(place, terminal);
  const auto migrations = postgres::migrations(place);
  if (!migrations) return terminal.fail(migrations.error());
  show(*migrations, terminal);
  return static_cast<int>(Exit::ok);
}

int run_migrate_up(const std::string& place, const std::string& key_file, bool dry_run, const Terminal& terminal) {
  if (!is_url(place)) {
    if (dry_run) return folder_status(place, terminal);
    const auto opened = open_place(place, key_file, true, terminal.clock);
    if (!opened) return terminal.fail(opened.error());
    return key_file.empty() ? folder_status(place, terminal) : static_cast<int>(Exit::ok);
  }
  if (dry_run) {
    const auto migrations = postgres::migrations(place);
    if (!migrations) return terminal.fail(migrations.error());
    for (const auto& migration : *migrations) {
      if (!migration.applied)
        terminal.out << fmt::format("-- {}: {}\n{}\n", migration.number, migration.name, migration.sql);
    }
    return static_cast<int>(Exit::ok);
  }
  const auto applied = postgres::migrate(place);
  if (!applied) return terminal.fail(applied.error());
  if (terminal.json) return run_migrate_status(place, terminal);
  terminal.err << (*applied == 0 ? std::string("The schema is up to date.\n")
                                 : fmt::format("{} migrations applied.\n", *applied));
  return static_cast<int>(Exit::ok);
}

}  // namespace mydr24::cli
