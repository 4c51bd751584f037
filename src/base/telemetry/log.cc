#include "base/telemetry/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <vector>

#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::telemetry {

namespace {

constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 4> level_colours{"\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[31m"};
constexpr std::string_view colour_end = "\x1b[0m";

std::string json_line(Instant at, Level level, std::string_view message, std::span<const Field> fields) {
  std::string line;
  line.reserve(160);
  json::Writer writer(line);
  writer.begin_object().field("ts", format_instant(at)).field("level", to_string(level)).field("msg", message);
  for (const Field& field : fields) {
    std::visit([&](auto value) { writer.field(field.key, value); }, field.value);
  }
  writer.end_object();
  return line;
}

// Text with white space, quotes or control characters is quoted as in JSON, so that a line stays one line.
void append_text(std::string& line, std::string_view text) {
  const bool plain = !text.empty() && text.find_first_of(" \t\"\\=") == text.npos &&
                     std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (plain) {
    line += text;
  } else {
    json::append_quoted(line, text);
  }
}

// A message is our own text; only what would break the line or the terminal is replaced.
void append_message(std::string& line, std::string_view message) {
  for (const char c : message) line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
}

std::string text_line(Instant at, Level level, std::string_view message, std::span<const Field> fields, bool colour) {
  const auto index = static_cast<std::size_t>(level);
  const std::string stamp = format_instant(at);
  std::string line = fmt::format("{} {}{:<5}{} ", std::string_view(stamp).substr(11, 12),
                                 colour ? level_colours[index] : "", level_names[index], colour ? colour_end : "");
  append_message(line, message);
  for (const Field& field : fields) {
    line += "  ";
    line += field.key;
    line += '=';
    std::visit(
        [&](auto value) {
          if constexpr (std::is_same_v<decltype(value), std::string_view>) {
            append_text(line, value);
          } else {
            line += fmt::format("{}", value);
          }
        },
        field.value);
  }
  return line;
}

std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("mydr24", std::move(sink));
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc, "\n"));
  logger->set_level(spdlog::level::trace);  // the Log itself decides
  logger->flush_on(spdlog::level::trace);
  logger->set_error_handler([](const std::string&) {});
  return logger;
}

}  // namespace

std::string_view to_string(Level level) { return level_names[static_cast<std::size_t>(level)]; }

std::optional<Level> parse_level(std::string_view text) {
  for (std::size_t i = 0; i < level_names.size(); ++i) {
    if (text == level_names[i]) return static_cast<Level>(i);
  }
  return std::nullopt;
}

LogSettings log_settings(std::string_view level, std::string_view format) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  const char* no_colour = std::getenv("NO_COLOR");
  LogSettings settings;
  settings.level = parse_level(level).value_or(Level::info);
  settings.format = format == "text" || (format != "json" && terminal) ? Format::text : Format::json;
  settings.colour = terminal && (no_colour == nullptr || *no_colour == '\0');
  return settings;
}

Log::Log(const LogSettings& settings, const Clock& clock)
    : settings_(settings), clock_(clock), logger_(make_logger(std::make_shared<spdlog::sinks::stdout_sink_mt>())) {}

Log::Log(const LogSettings& settings, const Clock& clock, std::ostream& out)
    : settings_(settings), clock_(clock), logger_(make_logger(std::make_shared<spdlog::sinks::ostream_sink_mt>(out))) {}

Log::Log(const Log& all, std::string tenant)
    : settings_(all.settings_), clock_(all.clock_), logger_(all.logger_), tenant_(std::move(tenant)) {}

Log::~Log() = default;

void Log::write(Level level, std::string_view message, std::initializer_list<Field> fields) const {
  if (!enabled(level)) return;
  const Instant at = clock_.now();
  std::vector<Field> all(fields);
  if (!tenant_.empty()) all.emplace_back("tenant", tenant_);
  const std::string line = settings_.format == Format::json ? json_line(at, level, message, all)
                                                            : text_line(at, level, message, all, settings_.colour);
  logger_->log(spdlog::level::info, spdlog::string_view_t(line));
}

std::optional<std::int64_t> LogLimit::admit(const Clock& clock) {
  const std::int64_t now = clock.steady().count();
  std::int64_t next = next_.load(std::memory_order_relaxed);
  if (now < next || !next_.compare_exchange_strong(next, now + period_)) {
    left_out_.fetch_add(1, std::memory_order_relaxed);
    return std::nullopt;
  }
  return left_out_.exchange(0);
}

}  // namespace mydr24::telemetry
