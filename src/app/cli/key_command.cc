// mydr24 key: keys.json of a data folder and of its audit trail. A running server takes up what is changed there.

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <ostream>
#include <vector>

#include "app/cli/commands.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"
#include "storage/keyring/keyring.h"
#include "storage/sqlite/sqlite.h"

namespace mydr24::cli {

namespace {

namespace fs = std::filesystem;

struct Place {
  std::string name;  // "store" or "audit"
  fs::path file;
  std::shared_ptr<keyring::Keyring> keys;
};

// The key files that are there.
std::vector<Place> places_of(const server::Settings& settings) {
  const fs::path data = settings.store.path;
  std::vector<Place> found;
  std::error_code ignored;
  for (const auto& [name, folder] : {std::pair("store", data), std::pair("audit", server::audit_folder(settings))})
    if (fs::exists(folder / keyring::file_name, ignored)) found.push_back({name, folder / keyring::file_name, nullptr});
  return found;
}

Result<> check(const server::Settings& settings, const std::vector<Place>& places) {
  if (places.empty())
    return fail(Code::not_found, "holds no keys.json: nothing of it is encrypted", settings.store.path);
  if (settings.encryption.key_file.empty())
    return fail(Code::refused, "is not set: name the key file with --encryption-key-file", "encryption.key_file");
  return {};
}

Result<std::vector<Place>> open_places(const server::Settings& settings) {
  auto places = places_of(settings);
  MYDR24_TRY(check(settings, places));
  for (Place& place : places) {
    MYDR24_ASSIGN(place.keys, keyring::Keyring::open(place.file, settings.encryption.key_file));
  }
  return places;
}

void show(const std::vector<Place>& places, const std::map<std::uint32_t, std::int64_t>& pages,
          const Terminal& terminal) {
  const auto pages_of = [&](const Place& place, std::uint32_t generation) -> std::int64_t {
    const auto known = pages.find(generation);
    return place.name != "store" || known == pages.end() ? 0 : known->second;
  };
  if (terminal.json) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("schema", "mydr24.key.v1").key("keys").begin_array();
    for (const Place& place : places) {
      for (const auto& key : place.keys->keys()) {
        writer.begin_object().field("of", place.name).field("generation", key.generation);
        writer.field("made", format_instant(key.made)).field("seals", key.generation == place.keys->newest());
        if (place.name == "store") writer.field("pages", pages_of(place, key.generation));
        writer.end_object();
      }
    }
    writer.end_array().end_object();
    terminal.out << text << '\n';
    return;
  }
  for (const Place& place : places) {
    for (const auto& key : place.keys->keys()) {
      terminal.out << fmt::format("{:<6}  key {:<4}  made {}  {}", place.name, key.generation, format_instant(key.made),
                                  key.generation == place.keys->newest() ? "seals" : "opens only");
      if (place.name == "store") terminal.out << fmt::format("  {} pages", grouped(pages_of(place, key.generation)));
      terminal.out << '\n';
    }
  }
}

int show_of(const server::Settings& settings, const Terminal& terminal) {
  const auto places = open_places(settings);
  if (!places) return terminal.fail(places.error());
  std::map<std::uint32_t, std::int64_t> pages;
  if (sqlite::is_encrypted(settings.store.path)) {
    auto counted = sqlite::pages_by_key(settings.store.path);
    if (!counted) return terminal.fail(counted.error());
    pages = std::move(*counted);
  }
  show(*places, pages, terminal);
  return static_cast<int>(Exit::ok);
}

}  // namespace

int run_key_status(const ConfigOptions& options, const Terminal& terminal) {
  const auto config = settings_or_exit(options, terminal);
  return config ? show_of(config->settings, terminal) : config.error();
}

int run_key_rotate(const ConfigOptions& options, const Terminal& terminal) {
  const auto config = settings_or_exit(options, terminal);
  if (!config) return config.error();
  const auto places = open_places(config->settings);
  if (!places) return terminal.fail(places.error());
  for (const Place& place : *places)
    if (const auto made = place.keys->rotate(terminal.clock.now()); !made) return terminal.fail(made.error());
  terminal.err
      << "A server that runs takes the new key up now, else the next start does; `mydr24 key status` tells how far "
         "it is.\n";
  return show_of(config->settings, terminal);
}

int run_key_rewrap(const ConfigOptions& options, const std::string& new_key_file, const Terminal& terminal) {
  const auto config = settings_or_exit(options, terminal);
  if (!config) return config.error();
  auto places = places_of(config->settings);
  if (const auto good = check(config->settings, places); !good) return terminal.fail(good.error());
  for (Place& place : places) {
    auto opened = keyring::Keyring::open(place.file, config->settings.encryption.key_file);
    // The command was stopped between the two before: it goes on.
    if (!opened && opened.error().code == Code::refused && keyring::Keyring::open(place.file, new_key_file)) continue;
    if (!opened) return terminal.fail(opened.error());
    if (const auto done = (*opened)->rewrap(new_key_file); !done) return terminal.fail(done.error());
  }
  terminal.err << fmt::format("The keys are wrapped by {} now. Restart the server with it (encryption.key_file).\n",
                              new_key_file);
  return static_cast<int>(Exit::ok);
}

}  // namespace mydr24::cli
