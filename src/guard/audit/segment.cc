#include "guard/audit/detail/segment.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <set>

#include "base/core/date_time.h"
#include "base/json/document.h"
#include "guard/audit/detail/crypto.h"
#include "guard/audit/detail/record.h"
#include "guard/audit/detail/sealing.h"

namespace mydr24::audit {

namespace fs = std::filesystem;

namespace {

// Of such lines it makes less than 3 does, in little more than half the time (zstd -b1 -e3 -B256K).
constexpr int zstd_level = 1;
constexpr std::size_t name_digits = 16;
constexpr std::size_t sealed_bytes_max = std::size_t{4} << 30;
constexpr std::size_t frame_bytes_max = block_bytes + line_bytes_max;
constexpr std::size_t window_bytes = std::size_t{64} << 10;
constexpr std::string_view open_suffix = ".log";
constexpr std::string_view sealed_suffix = ".log.zst";
constexpr std::string_view index_suffix = ".index";

fs::path named(const fs::path& folder, std::int64_t first, std::string_view suffix) {
  return folder / fmt::format("{:0{}}{}", first, name_digits, suffix);
}

// Where each zstd frame begins, and where the last ends.
Result<std::vector<std::uint64_t>> frames_in(std::string_view bytes) {
  std::vector<std::uint64_t> offsets{0};
  while (offsets.back() < bytes.size()) {
    const std::string_view rest = bytes.substr(offsets.back());
    const std::size_t size = ZSTD_findFrameCompressedSize(rest.data(), rest.size());
    if (ZSTD_isError(size) != 0U) return fail(Code::invalid, "holds a damaged frame");
    offsets.push_back(offsets.back() + size);
  }
  return offsets;
}

Result<> decompress(Sealing& sealing, std::int64_t first, std::size_t number, std::string_view stored,
                    std::string& lines) {
  MYDR24_ASSIGN(const std::string frame, sealing.open_frame(stored, first, number));
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size > frame_bytes_max) return fail(Code::invalid, "holds a damaged frame");  // the error values are larger
  lines.resize(size);
  const std::size_t got = ZSTD_decompress(lines.data(), lines.size(), frame.data(), frame.size());
  if (ZSTD_isError(got) != 0U || got != size) return fail(Code::invalid, "holds a damaged frame");
  return {};
}

// Little-endian, as the machines are that this runs on.
static_assert(std::endian::native == std::endian::little);

struct Header {
  std::array<char, 8> magic{'M', 'Y', 'D', 'R', '2', '4', 'A', '1'};
  std::array<unsigned char, 4> check{};  // the head of the SHA-256 of everything after it
  std::uint32_t frames = 0;
  std::int64_t first = 0, last = 0, earliest_us = 0, latest_us = 0;
  std::uint32_t keys = 0;
  std::uint32_t postings = 0;
};
constexpr std::size_t check_end = 12;

template <class T>
void append_raw(std::string& out, std::span<const T> values) {
  out.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

template <class T>
void take_raw(std::string_view& from, std::vector<T>& to, std::size_t count) {
  to.resize(count);
  if (count > 0) std::memcpy(to.data(), from.data(), count * sizeof(T));  // of none there is no address
  from.remove_prefix(count * sizeof(T));
}

std::array<unsigned char, 4> check_of(std::string_view bytes) {
  std::array<unsigned char, 4> head{};
  std::ranges::copy_n(sha256(bytes).begin(), head.size(), head.begin());
  return head;
}

std::string index_name(std::int64_t first) { return fmt::format("mydr24 audit index {}", first); }

Result<Index> read_index(const Trail& trail, std::int64_t first) {
  MYDR24_ASSIGN(const std::string bytes, read_index_file(trail, first));
  return decode_index(bytes);
}

Result<> write_index(const Trail& trail, std::int64_t first, const Index& index) {
  MYDR24_ASSIGN(const std::string stored, Sealing(trail.keys).seal_file(encode(index), index_name(first)));
  return write_whole(index_path(trail.folder, first), stored, 0600);
}

Result<Index> build_index(const Trail& trail, std::int64_t first, const std::string& sealed) {
  Sealing sealing(trail.keys);
  MYDR24_ASSIGN(auto offsets, frames_in(sealed));
  IndexBuilder builder;
  std::string lines;
  for (std::uint32_t frame = 0; frame + 1 < offsets.size(); ++frame) {
    const auto stored = std::string_view(sealed).substr(offsets[frame], offsets[frame + 1] - offsets[frame]);
    MYDR24_TRY(decompress(sealing, first, frame, stored, lines));
    builder.add(frame, lines);
  }
  return builder.finish(std::move(offsets));
}

}  // namespace

fs::path open_path(const fs::path& folder, std::int64_t first) { return named(folder, first, open_suffix); }
fs::path sealed_path(const fs::path& folder, std::int64_t first) { return named(folder, first, sealed_suffix); }
fs::path index_path(const fs::path& folder, std::int64_t first) { return named(folder, first, index_suffix); }

Result<std::vector<std::int64_t>> segments_in(const fs::path& folder) {
  std::error_code error;
  std::set<std::int64_t> found;
  fs::directory_iterator entries(folder, error);
  if (error) return fail(Code::not_found, "holds no audit trail", folder.string());
  for (; entries != fs::directory_iterator(); entries.increment(error)) {
    if (error) return fail(Code::internal, "cannot be listed", folder.string());
    const std::string name = entries->path().filename().string();
    std::int64_t first = 0;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), first);
    if (problem != std::errc{} || static_cast<std::size_t>(end - name.data()) != name_digits) continue;
    const std::string_view suffix = std::string_view(name).substr(name_digits);
    if (suffix == open_suffix || suffix == sealed_suffix) found.insert(first);
  }
  return std::vector<std::int64_t>(found.begin(), found.end());
}

std::uint64_t index_key(KeyKind kind, std::string_view text) {
  // FNV-1a: two that collide cost a look at a frame too many, nothing else.
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto mix = [&](char c) { hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3; };
  mix(static_cast<char>(kind));
  for (const char c : text) mix(c);
  return hash;
}

std::span<const std::uint32_t> Index::frames_of(std::uint64_t key) const {
  const auto found = std::ranges::lower_bound(keys, key);
  if (found == keys.end() || *found != key) return {};
  const auto at = static_cast<std::size_t>(found - keys.begin());
  return std::span(frames).subspan(begins[at], begins[at + 1] - begins[at]);
}

std::string encode(const Index& index) {
  Header header{.frames = static_cast<std::uint32_t>(index.offsets.size() - 1),
                .first = index.first,
                .last = index.last,
                .earliest_us = to_us(index.earliest),
                .latest_us = to_us(index.latest),
                .keys = static_cast<std::uint32_t>(index.keys.size()),
                .postings = static_cast<std::uint32_t>(index.frames.size())};
  std::string out(sizeof header, '\0');
  append_raw<std::uint64_t>(out, index.offsets);
  append_raw<std::uint64_t>(out, index.keys);
  append_raw<std::uint32_t>(out, index.begins);
  append_raw<std::uint32_t>(out, index.frames);
  std::memcpy(out.data(), &header, sizeof header);
  header.check = check_of(std::string_view(out).substr(check_end));
  std::memcpy(out.data(), &header, sizeof header);
  return out;
}

Result<Index> decode_index(std::string_view bytes) {
  const auto damaged = fail(Code::invalid, "is a damaged index");
  Header header;
  if (bytes.size() < sizeof header) return damaged;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != Header().magic || header.check != check_of(bytes.substr(check_end))) return damaged;
  const std::uint64_t size = sizeof header + (std::uint64_t{header.frames} + 1 + header.keys) * 8 +
                             (std::uint64_t{header.keys} + 1 + header.postings) * 4;
  if (bytes.size() != size) return damaged;
  Index index{.first = header.first,
              .last = header.last,
              .earliest = from_us(header.earliest_us),
              .latest = from_us(header.latest_us)};
  bytes.remove_prefix(sizeof header);
  take_raw(bytes, index.offsets, std::size_t{header.frames} + 1);
  take_raw(bytes, index.keys, header.keys);
  take_raw(bytes, index.begins, std::size_t{header.keys} + 1);
  take_raw(bytes, index.frames, header.postings);
  if (!std::ranges::is_sorted(index.offsets) || !std::ranges::is_sorted(index.begins) ||
      index.begins.back() != index.frames.size() ||
      std::ranges::any_of(index.frames, [&](std::uint32_t frame) { return frame >= header.frames; }))
    return damaged;
  return index;
}

void IndexBuilder::note(KeyKind kind, std::string_view text, std::uint32_t frame) {
  const std::pair found(index_key(kind, text), frame);
  // The same people are in many lines of a frame.
  if (in_frame_.insert(found.first).second) found_.push_back(found);
}

void IndexBuilder::add(std::uint32_t frame, std::string_view lines) {
  in_frame_.clear();
  for_each_line(lines, [&](std::string_view text) {
    const auto line = parse_line(text);
    if (!line) return true;  // verify() tells of it
    if (index_.first == 0) index_.first = line->number;
    index_.last = line->number;
    if (line->kind != Kind::entry) return true;
    const auto document = json::Document::parse_view(line->body);
    if (!document) return true;
    // One way through the members: every line of a segment passes here when it is sealed.
    for (const auto member : document->root()) {
      const auto key = member.key();
      if (key == "at") {
        if (const auto time = parse_date_time(member.text())) {
          index_.earliest = std::min(index_.earliest, time->low);
          index_.latest = std::max(index_.latest, time->low);
        }
      } else if (key == "patients") {
        for (const auto patient : member) note(KeyKind::patient, patient.text(), frame);
      } else if (key == "patients_cut") {
        if (member.is_true()) note(KeyKind::everyone, {}, frame);
      } else if (key == "principal") {
        if (const auto id = member["id"].text(); !id.empty()) note(KeyKind::principal, id, frame);
      } else if (key == "override") {
        if (!member.text().empty()) note(KeyKind::override, member.text(), frame);
      }
    }
    return true;
  });
}

Index IndexBuilder::finish(std::vector<std::uint64_t> offsets) {
  std::ranges::sort(found_);
  const auto repeated = std::ranges::unique(found_);
  found_.erase(repeated.begin(), repeated.end());
  index_.offsets = std::move(offsets);
  for (const auto& [key, frame] : found_) {
    if (index_.keys.empty() || index_.keys.back() != key) {
      index_.keys.push_back(key);
      index_.begins.push_back(static_cast<std::uint32_t>(index_.frames.size()));
    }
    index_.frames.push_back(frame);
  }
  index_.begins.push_back(static_cast<std::uint32_t>(index_.frames.size()));
  found_.clear();
  return std::move(index_);
}

Result<std::string> read_index_file(const Trail& trail, std::int64_t first) {
  MYDR24_ASSIGN(std::string stored, read_whole(index_path(trail.folder, first), sealed_bytes_max));
  return Sealing(trail.keys).open_file(std::move(stored), index_name(first));
}

Result<Segment> Segment::open(const Trail& trail, std::int64_t first, ByIndex by_index) {
  const fs::path& folder = trail.folder;
  Segment segment;
  segment.first_ = first;
  segment.keys_ = trail.keys;
  // Sealing puts the sealed file there before it takes the open one away: who looks in this order finds one of them.
  auto file = File::open(open_path(folder, first));
  if (!file && file.error().code == Code::not_found) {
    file = File::open(sealed_path(folder, first));
    segment.sealed_ = true;
  }
  if (!file) return file.error();
  segment.file_ = std::move(*file);
  if (!segment.sealed_) {
    MYDR24_TRY(segment.find_blocks());
    return segment;
  }
  MYDR24_ASSIGN(const std::size_t size, segment.file_->size());
  if (by_index == ByIndex::no) {
    MYDR24_ASSIGN(const std::string content, read_whole(sealed_path(folder, first), sealed_bytes_max));
    MYDR24_ASSIGN(segment.offsets_, frames_in(content));
    return segment;
  }
  auto index = read_index(trail, first);
  segment.index_was_good_ = index && index->first == first && index->offsets.back() == size;
  if (!segment.index_was_good_) {
    MYDR24_ASSIGN(const std::string content, read_whole(sealed_path(folder, first), sealed_bytes_max));
    index = build_index(trail, first, content);
    if (!index) return index.error();
  }
  segment.offsets_ = index->offsets;
  segment.index_ = std::make_shared<const Index>(std::move(*index));
  return segment;
}

// Blocks begin at the first line after each multiple of their size.
Result<> Segment::find_blocks() {
  MYDR24_ASSIGN(const std::size_t size, file_->content_size());
  offsets_ = {0};
  std::string window;
  while (offsets_.back() + block_bytes < size) {
    std::size_t at = offsets_.back() + block_bytes;
    std::size_t newline = std::string::npos;
    while (at < size) {
      MYDR24_TRY(file_->read(at, std::min(window_bytes, size - at), window));
      newline = window.find('\n');
      if (newline != std::string::npos) break;
      at += window.size();
    }
    if (newline == std::string::npos || at + newline + 1 >= size) break;
    offsets_.push_back(at + newline + 1);
  }
  offsets_.push_back(size);
  return {};
}

Result<> Segment::read_stored(std::size_t block, std::string& bytes) const {
  return file_->read(offsets_[block], offsets_[block + 1] - offsets_[block], bytes);
}

Result<> Segment::read(std::size_t block, std::string& lines) const {
  if (!sealed_ && keys_ == nullptr) return read_stored(block, lines);
  Sealing sealing(keys_);
  std::string stored;
  MYDR24_TRY(read_stored(block, stored));
  if (sealed_) {
    auto read = decompress(sealing, first_, block, stored, lines);
    if (!read) return fail(read.error().code, read.error().text, file_->path());
    return {};
  }
  lines.clear();
  std::string room;
  for_each_line(stored, [&](std::string_view line) {
    lines += sealing.open_line(line, room);
    if (line.data() + line.size() != stored.data() + stored.size()) lines += '\n';
    return true;
  });
  return {};
}

void for_each_line(std::string_view lines, const std::function<bool(std::string_view)>& see) {
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    if (!see(lines.substr(0, end)) || end == std::string_view::npos) return;
    lines.remove_prefix(end + 1);
  }
}

Result<> seal(const Trail& trail, std::int64_t first, const std::atomic<bool>& stop) {
  const fs::path& folder = trail.folder;
  MYDR24_ASSIGN(const Segment segment, Segment::open(trail, first));
  if (segment.sealed()) return {};
  Sealing sealing(trail.keys);
  IndexBuilder builder;
  std::string lines, frame, sealed, again;
  std::vector<std::uint64_t> offsets{0};
  for (std::size_t block = 0; block < segment.blocks(); ++block) {
    if (stop) return fail(Code::busy, "the trail is being closed");
    MYDR24_TRY(segment.read(block, lines));
    builder.add(static_cast<std::uint32_t>(block), lines);
    frame.resize(ZSTD_compressBound(lines.size()));
    const std::size_t size = ZSTD_compress(frame.data(), frame.size(), lines.data(), lines.size(), zstd_level);
    if (ZSTD_isError(size) != 0U) return fail(Code::internal, ZSTD_getErrorName(size));
    frame.resize(size);
    const std::size_t at = sealed.size();
    MYDR24_ASSIGN(const std::string stored, sealing.seal_frame(frame, first, block));
    sealed += stored;
    offsets.push_back(sealed.size());
    // The open file is removed for good: what replaces it must read back the same.
    MYDR24_TRY(decompress(sealing, first, block, std::string_view(sealed).substr(at), again));
    if (again != lines) return fail(Code::internal, "was not compressed faithfully", open_path(folder, first).string());
  }
  MYDR24_TRY(write_index(trail, first, builder.finish(std::move(offsets))));
  MYDR24_TRY(write_whole(sealed_path(folder, first), sealed, 0600));
  std::error_code error;
  fs::remove(open_path(folder, first), error);
  if (error) return fail(Code::internal, "cannot be removed", open_path(folder, first).string());
  return sync_folder(folder);
}

Result<> make_index(const Trail& trail, std::int64_t first) {
  MYDR24_ASSIGN(const std::string content, read_whole(sealed_path(trail.folder, first), sealed_bytes_max));
  MYDR24_ASSIGN(const Index index, build_index(trail, first, content));
  return write_index(trail, first, index);
}

}  // namespace mydr24::audit
