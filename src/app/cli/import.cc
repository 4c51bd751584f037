#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <ostream>
#include <thread>

#include "app/cli/commands.h"
#include "app/cli/fhir_client.h"
#include "app/cli/import_ready.h"
#include "app/cli/import_state.h"
#include "app/cli/interrupts.h"
#include "app/cli/store_import.h"
#include "app/server/server.h"
#include "base/json/document.h"

namespace mydr24::cli {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::size_t workers() { return std::max(2U, std::thread::hardware_concurrency()); }

std::string quoted_for_shell(const std::string& text) {
  const bool plain = !text.empty() && text.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_-./:=+,@") == text.npos;
  if (plain) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::vector<std::string> absolute(const std::vector<std::string>& paths) {
  std::vector<std::string> all;
  for (const std::string& path : paths) {
    std::error_code ignored;
    const fs::path full = fs::weakly_canonical(path, ignored);
    all.push_back(full.empty() ? path : full.string());
  }
  return all;
}

// Where an import begins: anew, or where the one before stopped.
Result<ImportState> beginning(const ImportOptions& options, store::Store& store) {
  ImportState state;
  state.paths = absolute(options.paths);
  if (!options.resume) return state;
  std::optional<ImportState> found;
  MYDR24_TRY(store.read([&](store::Reader& reader) -> Result<> {
    if (state.paths.empty()) {
      MYDR24_ASSIGN(found, find_unfinished_import(reader));
    } else {
      MYDR24_ASSIGN(found, load_import(reader, import_key(state.paths)));
    }
    return {};
  }));
  if (!found) return fail(Code::not_found, "no import of these paths was begun in this data folder");
  return std::move(*found);
}

int import_into_store(const ImportOptions& options, const Terminal& terminal) {
  const auto config = settings_or_exit(options.config, terminal);
  if (!config) return config.error();
  Interrupts interrupts;
  auto workbench = server::open_workbench(config->settings, terminal.clock);
  if (!workbench) return terminal.fail(workbench.error());
  records::Records& records = (*workbench)->records();

  auto state = beginning(options, records.store());
  if (!state) return terminal.fail(state.error());
  const auto files = import_files(state->paths);
  if (!files) return terminal.fail(files.error());
  if (files->empty()) return terminal.fail(Exit::not_found, fail(Code::not_found, "nothing to import is there"));
  if (state->done) {
    terminal.err << "This import has come to its end before: nothing is left.\n";
    return static_cast<int>(state->counts.rejected > 0 ? Exit::findings : Exit::ok);
  }
  const std::size_t at = state->position.file;
  if (options.resume && (at < files->size() ? (*files)[at].string() : std::string()) != state->file &&
      state->next_slice > 0) {
    return terminal.fail(
        fail(Code::conflict, "the files have changed since: import again without --resume", state->file));
  }

  ImportReport report(terminal, fs::path(config->settings.store.path) / "import-rejected.ndjson", options.progress_json,
                      state->counts);
  ImportReader reader(*files, state->position, state->next_slice);
  ImportPipeline pipeline(reader, workers(), [&](ImportSlice&& slice, ReadySlice& ready) {
    make_ready_for_store(records, std::move(slice), ready);
  });
  StoreImport import(records, *files, *state, report);
  auto result = import.begin();
  while (result && !interrupts.asked() && !pipeline.finished()) {
    if (auto ready = pipeline.take(50ms)) result = import.write(std::move(*ready));
    report.progress(import.current_file(), reader.bytes_read(), reader.bytes_total(), import.counts());
  }
  const bool complete = result && pipeline.finished();
  if (result) result = import.finish(complete);
  const std::string resume =
      complete ? "" : fmt::format("mydr24 import --resume --data {}", quoted_for_shell(config->settings.store.path));
  report.summary(import.counts(), resume);
  if (!result) return terminal.fail(result.error());
  if (!complete) return static_cast<int>(Exit::interrupted);
  return static_cast<int>(import.counts().rejected > 0 ? Exit::findings : Exit::ok);
}

// What the server did with each entry of a Bundle.
Result<> count_answers(const ReadySlice& slice, const std::string& answer, const std::string& file,
                       ImportCounts& counts, ImportReport& report) {
  json::Limits limits;
  limits.bytes_max = document_bytes_max;
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(answer, limits));
  std::size_t index = 0;
  for (const json::Value entry : document.root()["entry"]) {
    const std::int64_t line = slice.bundle_lines[std::min(index++, slice.bundle_lines.size() - 1)];
    const json::Value response = entry["response"];
    const std::string_view status = response["status"].text();
    if (status.starts_with("201")) {
      ++counts.created;
    } else if (status.starts_with('2')) {
      ++counts.updated;
    } else {
      ++counts.rejected;
      report.reject(file, {line, std::string(response["outcome"].raw())});
    }
  }
  return {};
}

int import_into_server(const ImportOptions& options, const Terminal& terminal) {
  if (options.resume) {
    return terminal.fail(Exit::usage, fail(Code::invalid,
                                           "--resume goes with --data: on a server, import again (ids are "
                                           "kept, so nothing is doubled)"));
  }
  Interrupts interrupts;
  const auto files = import_files(options.paths);
  if (!files) return terminal.fail(files.error());
  auto client = FhirClient::open(options.server);
  if (!client) return terminal.fail(Exit::usage, client.error());
  ImportReport report(terminal, "import-rejected.ndjson", options.progress_json, {});
  ImportReader reader(*files, {}, 0);
  ImportPipeline pipeline(reader, 1, make_ready_for_server);
  ImportCounts counts;
  Result<> result;
  std::string file;
  while (result && !interrupts.asked() && !pipeline.finished()) {
    report.progress(file, reader.bytes_read(), reader.bytes_total(), counts);
    const auto slice = pipeline.take(50ms);
    if (!slice) continue;
    file = (*files)[slice->file].filename().string();
    for (const ImportRejection& rejection : slice->rejections) report.reject((*files)[slice->file].string(), rejection);
    counts.rejected += static_cast<std::int64_t>(slice->rejections.size());
    if (slice->bundle.empty()) continue;
    auto answer = (*client)->post_bundle(slice->bundle);
    if (answer) {
      result = count_answers(*slice, *answer, (*files)[slice->file].string(), counts, report);
    } else if (answer.error().code == Code::invalid || answer.error().code == Code::unprocessable) {
      ++counts.rejected;  // the Bundle as a whole
      report.reject((*files)[slice->file].string(), {slice->bundle_lines[0], model::operation_outcome(answer.error())});
    } else {
      result = answer.error();
    }
  }
  const bool complete = result && pipeline.finished();
  report.summary(counts, complete ? "" : "the same command (ids are kept, so nothing is doubled)");
  if (!result) {
    return terminal.fail(result.error().code == Code::busy ? Exit::unreachable : exit_of(result.error().code),
                         result.error());
  }
  if (!complete) return static_cast<int>(Exit::interrupted);
  return static_cast<int>(counts.rejected > 0 ? Exit::findings : Exit::ok);
}

}  // namespace

int run_import(const ImportOptions& options, const Terminal& terminal) {
  if (options.paths.empty() && !options.resume) {
    return terminal.fail(Exit::usage, fail(Code::invalid, "say what to import: files or folders"));
  }
  if (!options.server.empty() && !options.config.data.empty()) {
    return terminal.fail(Exit::usage, fail(Code::invalid, "--server and --data exclude each other"));
  }
  return options.server.empty() ? import_into_store(options, terminal) : import_into_server(options, terminal);
}

}  // namespace mydr24::cli
