#include "app/cli/import_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto line_interval = 100ms;
constexpr auto event_interval = 5s;
constexpr std::size_t bar_width = 16;

std::string first_issue(const std::string& outcome) {
  const auto document = json::Document::parse_view(outcome);
  if (!document) return outcome;
  const json::Value issue = document->root()["issue"].at(0);
  const std::string_view expression = issue["expression"].at(0).text();
  return fmt::format("{}{}{}", expression, expression.empty() ? "" : ": ", issue["diagnostics"].text());
}

}  // namespace

void ImportCounts::add(const ImportCounts& other) {
  created += other.created;
  updated += other.updated;
  unchanged += other.unchanged;
  rejected += other.rejected;
}

ImportReport::ImportReport(const Terminal& terminal, std::filesystem::path rejected_file, bool progress_json,
                           const ImportCounts& before)
    : terminal_(terminal),
      rejected_path_(std::move(rejected_file)),
      rejections_(before.rejected),
      handled_before_(before.handled()),
      progress_json_(progress_json),
      began_(terminal.clock.steady()),
      next_(began_) {
  if (handled_before_ == 0 && !rejected_path_.empty()) {
    std::error_code ignored;
    std::filesystem::remove(rejected_path_, ignored);
  }
}

void ImportReport::reject(const std::string& file, const ImportRejection& rejection) {
  const std::string source = fmt::format("{}:{}", file, rejection.line);
  if (shown_.size() < rejections_shown_max) {
    shown_.push_back(fmt::format("{}  {}", source, first_issue(rejection.outcome)));
  }
  if (rejected_path_.empty() || ++rejections_ > rejections_written_max) return;
  if (!rejected_file_.is_open()) rejected_file_.open(rejected_path_, std::ios::app | std::ios::binary);
  std::string line;
  json::Writer(line).begin_object().field("source", source).key("outcome").raw(rejection.outcome).end_object();
  rejected_file_ << line << '\n';
}

void ImportReport::progress(const std::string& file, std::int64_t bytes_read, std::int64_t bytes_total,
                            const ImportCounts& counts) {
  if (!progress_json_ && !terminal_.err_is_terminal) return;
  const auto now = terminal_.clock.steady();
  if (now < next_) return;
  next_ = now + (progress_json_ ? std::chrono::nanoseconds(event_interval) : std::chrono::nanoseconds(line_interval));

  const double seconds = std::max(elapsed().count(), 0.001);
  const double share = bytes_total > 0 ? static_cast<double>(bytes_read) / static_cast<double>(bytes_total) : 0;
  const auto rate = static_cast<std::int64_t>(static_cast<double>(counts.handled() - handled_before_) / seconds);
  const double eta = share > 0.001 ? seconds * (1 - share) / share : 0;
  if (progress_json_) {
    std::string line;
    json::Writer writer(line);
    writer.begin_object().field("schema", "mydr24.import.progress.v1").field("file", file);
    writer.field("bytes_read", bytes_read).field("bytes_total", bytes_total).field("stored", counts.stored());
    writer.field("rejected", counts.rejected).field("per_s", rate);
    writer.field("eta_ms", static_cast<std::int64_t>(eta * 1000)).end_object();
    terminal_.err << line << '\n';
    terminal_.err.flush();
    return;
  }
  const auto filled = std::min(static_cast<std::size_t>(share * bar_width), bar_width);
  terminal_.err << fmt::format(
      "\r\x1b[K{}  [{}{}] {:3.0f}%  {}  {}/s  ETA {}  rejected {}", file, std::string(filled, '#'),
      std::string(bar_width - filled, '-'), share * 100, grouped(counts.stored()), grouped(rate),
      clock_text(std::chrono::seconds(static_cast<std::int64_t>(eta))), grouped(counts.rejected));
  terminal_.err.flush();
  line_is_open_ = true;
}

void ImportReport::clear() {
  if (std::exchange(line_is_open_, false)) terminal_.err << "\r\x1b[K";
}

void ImportReport::summary(const ImportCounts& counts, const std::string& resume) {
  clear();
  rejected_file_.flush();
  const double seconds = std::max(elapsed().count(), 0.001);
  const auto rate = static_cast<std::int64_t>(static_cast<double>(counts.handled() - handled_before_) / seconds);
  if (terminal_.json) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("schema", "mydr24.import.v1").field("complete", resume.empty());
    writer.field("stored", counts.stored()).field("created", counts.created).field("updated", counts.updated);
    writer.field("unchanged", counts.unchanged).field("rejected", counts.rejected);
    if (counts.rejected > 0) writer.field("rejected_file", rejected_path_.string());
    writer.field("time_ms", static_cast<std::int64_t>(seconds * 1000)).field("per_s", rate);
    if (!resume.empty()) writer.field("resume", resume);
    writer.end_object();
    terminal_.out << text << '\n';
    return;
  }
  terminal_.err << fmt::format("{} resources ({} created, {} updated, {} unchanged) in {:.1f} s, {}/s; {} rejected\n",
                               grouped(counts.stored()), grouped(counts.created), grouped(counts.updated),
                               grouped(counts.unchanged), seconds, grouped(rate), grouped(counts.rejected));
  for (const std::string& line : shown_) terminal_.err << "  " << line << '\n';
  if (counts.rejected > 0 && !rejected_path_.empty()) {
    terminal_.err << fmt::format("  all{}: {}\n", counts.rejected > rejections_written_max ? " (the first 10,000)" : "",
                                 rejected_path_.string());
  }
  if (!resume.empty()) terminal_.err << "Paused. Go on with: " << resume << '\n';
}

}  // namespace mydr24::cli
