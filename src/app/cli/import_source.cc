#include "app/cli/import_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace mydr24::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t read_bytes = 256U << 10;

std::string_view without_gz(std::string_view name) {
  if (name.ends_with(".gz")) name.remove_suffix(3);
  return name;
}

bool is_lines_file(const fs::path& file) {
  const std::string name = file.filename().string();
  return without_gz(name).ends_with(".ndjson");
}

int rank(const fs::path& file) {
  const std::string name = file.filename().string();
  if (name.starts_with("hospitalInformation")) return 0;
  if (name.starts_with("practitionerInformation")) return 1;
  return 2;
}

Result<> add_folder(const fs::path& folder, std::vector<fs::path>& files) {
  std::error_code problem;
  for (fs::recursive_directory_iterator at(folder, problem), end; !problem && at != end; at.increment(problem)) {
    std::error_code ignored;
    if (!at->is_regular_file(ignored)) continue;
    if (is_lines_file(at->path()) || is_document_file(at->path())) files.push_back(at->path());
    if (files.size() > import_files_max)
      return fail(Code::too_large, "holds more than 1,000,000 files", folder.string());
  }
  if (problem) return fail(Code::invalid, fmt::format("cannot be read: {}", problem.message()), folder.string());
  return {};
}

}  // namespace

bool is_document_file(const fs::path& file) {
  const std::string name = file.filename().string();
  return without_gz(name).ends_with(".json");
}

Result<std::vector<fs::path>> import_files(const std::vector<std::string>& paths) {
  std::vector<fs::path> files;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
      MYDR24_TRY(add_folder(path, files));
    } else if (!fs::exists(path, ignored)) {
      return fail(Code::not_found, "there is no such file or folder", path);
    } else if (!is_lines_file(path) && !is_document_file(path)) {
      return fail(Code::invalid, "is none of .ndjson, .ndjson.gz, .json, .json.gz", path);
    } else {
      files.emplace_back(path);
    }
  }
  std::ranges::sort(files, [](const fs::path& a, const fs::path& b) {
    return std::pair(rank(a), a.string()) < std::pair(rank(b), b.string());
  });
  const auto repeats = std::ranges::unique(files);
  files.erase(repeats.begin(), repeats.end());
  return files;
}

ImportReader::ImportReader(std::vector<fs::path> files, ImportPosition from, std::int64_t first_number)
    : files_(std::move(files)), position_(from), next_number_(first_number) {
  for (const fs::path& file : files_) {
    std::error_code problem;
    const auto size = fs::file_size(file, problem);
    sizes_.push_back(problem ? 0 : static_cast<std::int64_t>(size));
    bytes_total_ += sizes_.back();
  }
  for (std::size_t i = 0; i < std::min(from.file, sizes_.size()); ++i) bytes_before_ += sizes_[i];
  bytes_read_ = bytes_before_;
}

Result<> ImportReader::open_current() {
  if (file_) return {};
  const std::string name = files_[position_.file].string();
  file_.reset(gzopen(name.c_str(), "rb"));
  if (!file_) return fail(Code::not_found, "cannot be opened", name);
  gzbuffer(file_.get(), read_bytes);
  if (position_.offset > 0 && gzseek(file_.get(), position_.offset, SEEK_SET) < 0) {
    return fail(Code::invalid, "cannot be read up to where the import stopped: it has changed", name);
  }
  buffer_.clear();
  buffer_at_ = 0;
  at_end_ = false;
  return {};
}

void ImportReader::close_current() {
  file_.reset();
  buffer_.clear();
  buffer_at_ = 0;
  bytes_before_ += sizes_[position_.file];
  bytes_read_ = bytes_before_;
  position_ = {position_.file + 1, 0, 0};
}

Result<bool> ImportReader::read_more() {
  if (at_end_) return false;
  buffer_.erase(0, std::exchange(buffer_at_, 0));
  const std::size_t before = buffer_.size();
  buffer_.resize(before + read_bytes);
  const int got = gzread(file_.get(), buffer_.data() + before, static_cast<unsigned>(read_bytes));
  buffer_.resize(before + static_cast<std::size_t>(std::max(got, 0)));
  if (got < 0) {
    int number = 0;
    return fail(Code::invalid, fmt::format("cannot be read: {}", gzerror(file_.get(), &number)),
                files_[position_.file].string());
  }
  if (got < static_cast<int>(read_bytes) && gzeof(file_.get()) != 0) {
    // A gzip file that was cut off ends without a word but for this.
    int number = 0;
    gzerror(file_.get(), &number);
    if (number == Z_BUF_ERROR) {
      return fail(Code::invalid, "ends in the middle: the file is cut off", files_[position_.file].string());
    }
    at_end_ = true;
  }
  bytes_read_ = bytes_before_ + std::max<std::int64_t>(gzoffset(file_.get()), 0);
  return got > 0;
}

// The next line without its end; nothing at the end of the file. A line that is too long comes back empty and
// is marked.
Result<std::optional<ImportReader::Line>> ImportReader::read_line() {
  std::size_t searched = 0;  // of what is waiting: no line end is in it
  std::int64_t skipped = 0;  // of a line that is too long
  for (;;) {
    const std::string_view waiting = std::string_view(buffer_).substr(buffer_at_);
    const std::size_t end = waiting.find('\n', searched);
    if (end != waiting.npos) {
      buffer_at_ += end + 1;
      position_.offset += skipped + static_cast<std::int64_t>(end + 1);
      ++position_.line;
      return Line{skipped > 0 ? std::string_view() : waiting.substr(0, end), skipped > 0};
    }
    searched = waiting.size();
    if (searched > line_bytes_max) {
      skipped += static_cast<std::int64_t>(searched);
      buffer_at_ = buffer_.size();
      searched = 0;
    }
    MYDR24_ASSIGN(const bool more, read_more());
    if (more) continue;
    const std::string_view rest = std::string_view(buffer_).substr(buffer_at_);
    if (rest.empty() && skipped == 0) return std::optional<Line>();
    buffer_at_ = buffer_.size();
    position_.offset += skipped + static_cast<std::int64_t>(rest.size());
    ++position_.line;
    return Line{skipped > 0 ? std::string_view() : rest, skipped > 0};
  }
}

// False: the end of the file.
Result<bool> ImportReader::read_lines(ImportSlice& slice) {
  std::size_t bytes = 0;
  while (slice.items.size() < slice_items_max && bytes < slice_bytes_max) {
    MYDR24_ASSIGN(auto line, read_line());
    if (!line) return false;
    if (line->text.ends_with('\r')) line->text.remove_suffix(1);
    const bool blank = line->text.find_first_not_of(" \t") == line->text.npos;
    if (blank && !line->too_long) continue;
    slice.items.push_back({position_.line, std::string(line->text)});
    bytes += line->text.size();
  }
  return true;
}

Result<> ImportReader::read_document(ImportSlice& slice) {
  MYDR24_ASSIGN(bool more, read_more());
  while (more) {
    if (buffer_.size() > document_bytes_max) {
      return fail(Code::too_large, "is larger than 256 MiB: a file of this size should be NDJSON",
                  files_[position_.file].string());
    }
    MYDR24_ASSIGN(more, read_more());
  }
  slice.document = true;
  slice.items.push_back({1, std::move(buffer_)});
  return {};
}

Result<bool> ImportReader::fill(ImportSlice& slice) {
  if (!is_document_file(files_[position_.file])) return read_lines(slice);
  MYDR24_TRY(read_document(slice));
  return false;
}

std::optional<ImportSlice> ImportReader::next() {
  while (position_.file < files_.size()) {
    ImportSlice slice;
    slice.file = position_.file;
    bool more = false;
    if (const auto opened = open_current(); !opened) {
      slice.error = opened.error();
    } else if (const auto filled = fill(slice); !filled) {
      slice.error = filled.error();
    } else {
      more = *filled;
    }
    if (!more) close_current();
    if (slice.items.empty() && !slice.error) continue;
    slice.number = next_number_++;
    slice.after = position_;
    return slice;
  }
  return std::nullopt;
}

}  // namespace mydr24::cli
