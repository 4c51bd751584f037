#pragma once

// The files that hold the lines. A segment is a file of consecutive lines, named by the number of its first:
// 0000000000000001.log while it is written to, then 0000000000000001.log.zst: zstd frames of whole lines, one after
// the other (`zstdcat` reads it). Its index, 0000000000000001.index, tells by patient, principal and emergency override
// which frames may hold their entries; it is derived and made again when it is lost. In an encrypted trail all three are
// sealed (detail/sealing.h). Private to guard/audit.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "guard/audit/detail/file.h"
#include "guard/audit/entry.h"
#include "guard/audit/trail.h"

namespace mydr24::audit {

// Of lines in a frame, before compression: what a look-up reads for one hit.
inline constexpr std::size_t block_bytes = std::size_t{256} << 10;

std::filesystem::path open_path(const std::filesystem::path& folder, std::int64_t first);
std::filesystem::path sealed_path(const std::filesystem::path& folder, std::int64_t first);
std::filesystem::path index_path(const std::filesystem::path& folder, std::int64_t first);

// Numbers of the first lines, ascending. Code::not_found: there is no such folder.
Result<std::vector<std::int64_t>> segments_in(const std::filesystem::path& folder);

// What an index is asked for.
enum class KeyKind : char { patient = 'p', principal = 'u', override = 'o', everyone = '*' };
std::uint64_t index_key(KeyKind kind, std::string_view text);

struct Index {
  std::int64_t first = 0, last = 0;    // lines
  Instant earliest, latest;            // of the entries
  std::vector<std::uint64_t> offsets;  // where each frame begins in the sealed file, and where the last ends
  std::vector<std::uint64_t> keys;     // ascending
  std::vector<std::uint32_t> begins;   // of each key in `frames`, and the end
  std::vector<std::uint32_t> frames;

  std::span<const std::uint32_t> frames_of(std::uint64_t key) const;  // ascending; empty: in none
  bool operator==(const Index&) const = default;
};
std::string encode(const Index& index);
Result<Index> decode_index(std::string_view bytes);

class IndexBuilder {
 public:
  void add(std::uint32_t frame, std::string_view lines);
  Index finish(std::vector<std::uint64_t> offsets);

 private:
  void note(KeyKind kind, std::string_view text, std::uint32_t frame);

  std::unordered_set<std::uint64_t> in_frame_;  // keys found so far in this frame
  Index index_{.earliest = Instant::max(), .latest = Instant::min()};
  std::vector<std::pair<std::uint64_t, std::uint32_t>> found_;
};

class Segment {
 public:
  // Open or sealed, whichever there is. A sealed one is read by its index, which is made anew in memory when there is
  // no good one, or (ByIndex::no) by what stands in it alone. Code::not_found: neither is there.
  enum class ByIndex : std::uint8_t { yes, no };
  static Result<Segment> open(const Trail& trail, std::int64_t first, ByIndex by_index = ByIndex::yes);

  std::int64_t first() const { return first_; }
  bool sealed() const { return sealed_; }
  const Index* index() const { return index_.get(); }  // null: none
  bool index_was_good() const { return index_was_good_; }

  // Whole lines; the last block of an open segment may end in a torn one.
  std::size_t blocks() const { return offsets_.size() - 1; }
  Result<> read(std::size_t block, std::string& lines) const;
  // The bytes of a block of an open segment as they stand in the file.
  Result<> read_stored(std::size_t block, std::string& bytes) const;
  // Where each block begins in the file, and where the last ends.
  const std::vector<std::uint64_t>& offsets() const { return offsets_; }

 private:
  Segment() = default;
  Result<> find_blocks();

  std::int64_t first_ = 0;
  bool sealed_ = false;
  bool index_was_good_ = false;
  std::shared_ptr<const keyring::Keyring> keys_;
  std::shared_ptr<File> file_;
  std::shared_ptr<const Index> index_;
  std::vector<std::uint64_t> offsets_;
};

// Each line without its newline, first to last; the last one may have none. Stops when `see` gives back false.
void for_each_line(std::string_view lines, const std::function<bool(std::string_view)>& see);

// Compresses an open segment, checks what was written against it, makes the index, and removes the open file.
// Code::busy: `stop` was set meanwhile; nothing was done.
Result<> seal(const Trail& trail, std::int64_t first, const std::atomic<bool>& stop);
// Writes the index of a sealed segment anew.
Result<> make_index(const Trail& trail, std::int64_t first);
// What the file of an index holds. Code::not_found: there is none. Code::invalid: it cannot be opened.
Result<std::string> read_index_file(const Trail& trail, std::int64_t first);

}  // namespace mydr24::audit
