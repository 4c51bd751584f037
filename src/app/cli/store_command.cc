#include <fmt/format.h>

#include <filesystem>
#include <ostream>

#include "app/cli/commands.h"
#include "app/cli/interrupts.h"
#include "app/cli/store_copy.h"
#include "app/cli/store_place.h"
#include "base/json/writer.h"
#include "storage/postgres/postgres.h"
#include "storage/sqlite/sqlite.h"

namespace mydr24::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto line_interval = 100ms;
constexpr auto event_interval = 5s;

// A progress line on a terminal, or NDJSON events.
class CopyReport {
 public:
  CopyReport(const Terminal& terminal, bool as_json)
      : terminal_(terminal), as_json_(as_json), began_(terminal.clock.steady()), next_(began_) {}

  double seconds() const {
    return std::max(std::chrono::duration<double>(terminal_.clock.steady() - began_).count(), 0.001);
  }

  void progress(store::Sequence done, store::Sequence last) {
    if (first_ < 0) first_ = done;
    if (!as_json_ && !terminal_.err_is_terminal) return;
    const auto now = terminal_.clock.steady();
    if (now < next_) return;
    next_ = now + (as_json_ ? std::chrono::nanoseconds(event_interval) : std::chrono::nanoseconds(line_interval));
    const double rate = static_cast<double>(done - first_) / seconds();
    const double eta = rate > 0 ? static_cast<double>(last - done) / rate : 0;
    if (as_json_) {
      std::string line;
      json::Writer writer(line);
      writer.begin_object().field("schema", "mydr24.store-copy.progress.v1").field("lines", done);
      writer.field("lines_total", last).field("per_s", static_cast<std::int64_t>(rate));
      writer.field("eta_ms", static_cast<std::int64_t>(eta * 1000)).end_object();
      terminal_.err << line << '\n';
    } else {
      terminal_.err << fmt::format("\r\x1b[K{} of {} lines  {}/s  ETA {}", grouped(done), grouped(last),
                                   grouped(static_cast<std::int64_t>(rate)),
                                   clock_text(std::chrono::seconds(static_cast<std::int64_t>(eta))));
      line_is_open_ = true;
    }
    terminal_.err.flush();
  }

  void summary(const CopyCounts& counts, const StoreCopyOptions& options) {
    if (line_is_open_) terminal_.err << "\r\x1b[K";
    if (terminal_.json) {
      std::string text;
      json::Writer writer(text);
      writer.begin_object().field("schema", "mydr24.store-copy.v1").field("complete", counts.complete);
      writer.field("lines", counts.lines).field("resources", counts.resources).field("states", counts.states);
      writer.field("timers", counts.timers).field("followers", counts.cursors);
      writer.field("time_ms", static_cast<std::int64_t>(seconds() * 1000)).end_object();
      terminal_.out << text << '\n';
      return;
    }
    if (!counts.complete) {
      terminal_.err << fmt::format("Paused after {} lines. Go on with the same command.\n", grouped(counts.lines));
      return;
    }
    terminal_.err << fmt::format("{} -> {}: {} lines in {:.1f} s, {}/s; {} resources, {} rows of state, {} timers\n",
                                 shown_place(options.from), shown_place(options.to), grouped(counts.lines), seconds(),
                                 grouped(static_cast<std::int64_t>(static_cast<double>(counts.lines) / seconds())),
                                 grouped(counts.resources), grouped(counts.states), grouped(counts.timers));
  }

 private:
  const Terminal& terminal_;
  bool as_json_;
  bool line_is_open_ = false;
  store::Sequence first_ = -1;
  std::chrono::nanoseconds began_;
  std::chrono::nanoseconds next_;
};

}  // namespace

bool is_url(std::string_view place) { return place.starts_with("postgres://") || place.starts_with("postgresql://"); }

std::string shown_place(std::string_view place) {
  const auto scheme = place.find("://");
  const auto at = place.find('@');
  if (!is_url(place) || at == std::string_view::npos) return std::string(place);
  const auto user = place.substr(scheme + 3, at - scheme - 3);
  const auto colon = user.find(':');
  if (colon == std::string_view::npos) return std::string(place);
  return fmt::format("{}{}:***{}", place.substr(0, scheme + 3), user.substr(0, colon), place.substr(at));
}

Result<std::unique_ptr<store::Store>> open_place(const std::string& place, const std::string& key_file, bool must_exist,
                                                 const Clock& clock) {
  if (is_url(place)) return postgres::open({.url = place, .may_lead = false, .migrate = !must_exist}, clock);
  std::error_code ignored;
  if (must_exist && !std::filesystem::exists(std::filesystem::path(place) / sqlite::database_file, ignored)) {
    return fail(Code::not_found, "holds no store: name a data folder or a postgres:// URL", place);
  }
  return sqlite::open({.folder = place, .key_file = key_file}, clock);
}

int run_store_copy(const StoreCopyOptions& options, const Terminal& terminal) {
  Interrupts interrupts;
  auto from = open_place(options.from, options.from_key_file, true, terminal.clock);
  if (!from) return terminal.fail(from.error());
  auto to = open_place(options.to, options.to_key_file, false, terminal.clock);
  if (!to) return terminal.fail(to.error());
  CopyReport report(terminal, options.progress_json);
  const auto copied = copy_store(**from, **to, [&](store::Sequence done, store::Sequence last) {
    report.progress(done, last);
    return !interrupts.asked();
  });
  if (!copied) return terminal.fail(copied.error());
  report.summary(*copied, options);
  return static_cast<int>(copied->complete ? Exit::ok : Exit::interrupted);
}

}  // namespace mydr24::cli
