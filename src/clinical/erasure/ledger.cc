#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "clinical/erasure/erasure.h"

namespace mydr24::erasure {

namespace {

// Where the last whole line ends: a crash may have cut off the one after it.
off_t end_of_lines(int file) {
  auto end = ::lseek(file, 0, SEEK_END);
  for (char last = 0; end > 0 && ::pread(file, &last, 1, end - 1) == 1 && last != '\n';) --end;
  return end;
}

}  // namespace

Result<> Ledger::append(const std::vector<Line>& lines) {
  std::string text;
  for (const auto& line : lines) {
    json::Writer(text)
        .begin_object()
        .field("at", format_instant(line.at))
        .field("request", line.request)
        .field("type", line.type)
        .field("id", line.id)
        .end_object();
    text += '\n';
  }
  const std::lock_guard lock(mutex_);
  const int file = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return fail(Code::internal, "the ledger of erasures cannot be opened", file_.string());
  const auto end = end_of_lines(file);
  const bool is_whole = ::ftruncate(file, end) == 0;
  const auto written = is_whole ? ::pwrite(file, text.data(), text.size(), end) : -1;
  const bool whole = written == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  const int error = errno;
  if (!whole && ::ftruncate(file, end) != 0) {
    // The next append cuts it off.
  }
  ::close(file);
  if (whole) return {};
  return fail(error == ENOSPC || error == EDQUOT ? Code::full : Code::internal,
              "the ledger of erasures cannot be written: nothing was erased", file_.string());
}

Result<std::vector<Ledger::Line>> Ledger::lines() const {
  const std::lock_guard lock(mutex_);
  std::vector<Line> lines;
  std::ifstream in(file_, std::ios::binary);
  for (std::string text; std::getline(in, text);) {
    // The end of a line that a crash cut off: what it was for did not begin.
    if (in.eof()) break;
    const auto document = json::Document::parse_view(text);
    const auto at = document ? parse_date_time(document->root()["at"].text()) : std::nullopt;
    if (!at || !is_fhir_id(document->root()["id"].text()))
      return fail(Code::invalid, fmt::format("line {} is damaged", lines.size() + 1), file_.string());
    const auto root = document->root();
    lines.push_back({at->low, std::string(root["request"].text()), std::string(root["type"].text()),
                     std::string(root["id"].text())});
  }
  return lines;
}

}  // namespace mydr24::erasure
