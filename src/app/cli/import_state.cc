#include "app/cli/import_state.h"

#include <fmt/format.h>

#include <charconv>

#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::cli {

namespace {

std::int64_t number_of(json::Value value) {
  std::int64_t number = 0;
  const std::string_view text = value.text();
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string ImportState::encode() const {
  std::string text;
  json::Writer writer(text);
  writer.begin_object().key("paths").begin_array();
  for (const std::string& path : paths) writer.string(path);
  writer.end_array().field("file", file).field("file_index", static_cast<std::int64_t>(position.file));
  writer.field("offset", position.offset).field("line", position.line).field("next_slice", next_slice);
  writer.field("created", counts.created).field("updated", counts.updated).field("unchanged", counts.unchanged);
  writer.field("rejected", counts.rejected).field("done", done).end_object();
  return text;
}

Result<ImportState> ImportState::decode(std::string_view text) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
  const json::Value root = document.root();
  ImportState state;
  for (const json::Value path : root["paths"]) state.paths.emplace_back(path.text());
  state.file = root["file"].text();
  state.position.file = static_cast<std::size_t>(number_of(root["file_index"]));
  state.position.offset = number_of(root["offset"]);
  state.position.line = number_of(root["line"]);
  state.next_slice = number_of(root["next_slice"]);
  state.counts.created = number_of(root["created"]);
  state.counts.updated = number_of(root["updated"]);
  state.counts.unchanged = number_of(root["unchanged"]);
  state.counts.rejected = number_of(root["rejected"]);
  state.done = root["done"].is_true();
  return state;
}

// FNV-1a, 64 bits: only needs to differ between the few imports of one store.
std::string import_key(const std::vector<std::string>& absolute_paths) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const std::string& path : absolute_paths) {
    for (const char c : path + '\n') hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return fmt::format("imp_{:016x}", hash);
}

Result<std::optional<ImportState>> load_import(store::Reader& reader, std::string_view key) {
  MYDR24_ASSIGN(const auto text, reader.state(import_space, key));
  if (!text) return std::optional<ImportState>();
  MYDR24_ASSIGN(auto state, ImportState::decode(*text));
  return std::optional(std::move(state));
}

Result<ImportState> find_unfinished_import(store::Reader& reader) {
  constexpr std::uint32_t imports_max = 1000;
  MYDR24_ASSIGN(const auto rows, reader.states(import_space, "imp_", "", imports_max));
  std::optional<ImportState> found;
  for (const store::StateRow& row : rows) {
    MYDR24_ASSIGN(auto state, ImportState::decode(row.value));
    if (state.done) continue;
    if (found) return fail(Code::conflict, "several imports are not finished: say which by naming its paths again");
    found = std::move(state);
  }
  if (!found) return fail(Code::not_found, "no import of this data folder is waiting to go on");
  return std::move(*found);
}

}  // namespace mydr24::cli
