#include "guard/audit/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>

#include "guard/audit/detail/file.h"
#include "guard/audit/detail/record.h"
#include "guard/audit/detail/segment.h"
#include "guard/audit/log.h"

namespace mydr24::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t key_bytes_max = 4096;

const std::string zero_digest = to_text(Digest{});

Result<PublicKey> key_of(const VerifyOptions& options) {
  if (!options.public_key.empty()) return PublicKey::parse(options.public_key);
  MYDR24_ASSIGN(const std::string text, read_whole(options.folder / public_key_file_name, key_bytes_max));
  return PublicKey::parse(text);
}

class Verifier {
 public:
  Verifier(const VerifyOptions& options, const PublicKey& key)
      : options_(options), trail_(options.folder, options.keys), key_(key) {}

  Result<Verification> run() {
    MYDR24_TRY(read_statements());
    MYDR24_ASSIGN(const auto segments, segments_in(options_.folder));
    for (const std::int64_t first : segments) MYDR24_TRY(check_segment(first));
    if (torn_) find(Problem::torn, expected_, "the last line has no end");
    close_gaps();
    check_end();
    std::ranges::sort(done_.findings, {}, [](const Finding& one) { return std::pair(one.number, one.problem); });
    return std::move(done_);
  }

 private:
  // Lines that are not there, and the digests that the lines around them know of.
  struct Gap {
    std::int64_t first = 0, last = 0;
    std::optional<std::string> before;  // digest of the line before; nothing: not known
    std::string digest;                 // of `last`, as the line after it says
    std::string file;
  };

  // A signed line.
  struct Statement {
    std::int64_t number = 0;
    Digest digest;
  };

  void find(Problem problem, std::int64_t number, std::string text) {
    if (done_.findings.size() < findings_max) done_.findings.push_back({problem, number, file_, std::move(text)});
  }

  // The signed lines that were kept in a file of their own.
  Result<> read_statements() {
    const fs::path path =
        options_.checkpoints_file.empty() ? options_.folder / checkpoints_file_name : options_.checkpoints_file;
    std::ifstream file(path, std::ios::binary);
    if (!file && options_.checkpoints_file.empty()) return {};
    if (!file) return fail(Code::not_found, "cannot be read", path.string());
    file_ = path.filename().string();
    std::string text;
    for (std::size_t row = 1; std::getline(file, text); ++row) {
      const auto line = parse_line(text);
      if (!line || line->signature.empty()) {
        find(Problem::changed, 0, fmt::format("row {} of the checkpoints is damaged", row));
      } else if (!key_.verify(line->signed_text, line->signature)) {
        find(Problem::bad_signature, line->number, "the checkpoint kept beside the trail is not signed with that key");
      } else {
        statements_.push_back({line->number, line->digest});
        note_anchor(*line);
      }
    }
    std::ranges::sort(statements_, {}, &Statement::number);
    return {};
  }

  void note_anchor(const Line& line) {
    if (line.kind != Kind::anchor) return;
    if (const auto anchor = anchor_of(line.body)) anchors_[anchor->first] = *anchor;
  }

  Result<> check_segment(std::int64_t first) {
    auto segment = Segment::open(trail_, first, Segment::ByIndex::no);
    if (!segment && segment.error().code == Code::not_found) return {};  // retention was here meanwhile
    file_ = open_path({}, first).filename().string();
    if (!segment) {
      find(Problem::changed, first, "the segment cannot be read: " + segment.error().text);
      skipped_ = true;
      digest_.reset();
      return {};
    }
    if (segment->sealed()) file_ = sealed_path({}, first).filename().string();
    IndexBuilder builder;
    std::vector<std::uint64_t> offsets;
    std::string block;
    for (std::size_t i = 0; i < segment->blocks(); ++i) {
      if (const auto read = segment->read(i, block); !read) {
        if (read.error().code != Code::invalid) return read;
        find(Problem::changed, expected_, "a part of the segment is damaged: " + read.error().text);
        skipped_ = true;
        digest_.reset();
        continue;
      }
      check_lines(block);
      if (segment->sealed() && options_.indexes) builder.add(static_cast<std::uint32_t>(i), block);
    }
    if (segment->sealed() && options_.indexes) check_index(first, builder.finish(segment->offsets()));
    return {};
  }

  void check_lines(std::string_view block) {
    for_each_line(block, [&](std::string_view text) {
      torn_ = text.data() + text.size() == block.data() + block.size();
      if (!torn_) check_line(text);
      return true;
    });
  }

  void check_line(std::string_view text) {
    const auto line = parse_line(text);
    if (!line) {
      if (!skipped_) find(Problem::changed, expected_, line.error().text);
      skipped_ = true;
      digest_.reset();
      return;
    }
    if (done_.first == 0) done_.first = line->number;
    ++done_.lines;
    if (line->number < expected_) {
      find(Problem::out_of_place, line->number, fmt::format("stands where line {} should", expected_));
      return;
    }
    if (skipped_) {
      if (line->number > expected_ + 1)
        find(Problem::missing, expected_ + 1,
             fmt::format("lines {} to {} cannot be read", expected_ + 1, line->number - 1));
    } else if (line->number > expected_) {
      gaps_.push_back({expected_, line->number - 1, digest_, std::string(line->previous), file_});
    } else if (digest_ && *digest_ != line->previous) {
      find(Problem::changed, std::max<std::int64_t>(1, line->number - 1),
           fmt::format("is not the line that {} was chained to", line->number));
    }
    // Two of the same number: the trail was put back to an older state and went on from there.
    const auto kept = std::ranges::equal_range(statements_, line->number, {}, &Statement::number);
    const bool all_same = std::ranges::all_of(kept, [&](const Statement& one) { return one.digest == line->digest; });
    if (!all_same) find(Problem::changed, line->number, "is not what was signed and kept in the file of checkpoints");
    if (line->kind == Kind::entry)
      ++done_.entries;
    else
      check_statement(*line, !kept.empty() && all_same);
    done_.last = line->number;
    expected_ = line->number + 1;
    skipped_ = false;
    digest_ = to_text(line->digest);
  }

  // `known`: the same stood in the file of checkpoints, where its signature was checked.
  void check_statement(const Line& line, bool known) {
    if (!known && !key_.verify(line.signed_text, line.signature))
      return find(Problem::bad_signature, line.number, "is not signed with that key");
    note_anchor(line);
    if (line.kind != Kind::checkpoint) return;
    ++done_.checkpoints;
    done_.last_checkpoint = line.number;
  }

  void check_index(std::int64_t first, const Index& index) {
    file_ = index_path({}, first).filename().string();
    const auto kept = read_index_file(trail_, first);
    if (!kept && kept.error().code == Code::not_found) return;  // made again when the trail is next opened
    if (!kept || *kept != encode(index))
      find(Problem::bad_index, first, "says something else than the segment: remove it, it is made again");
  }

  // Lines that are missing are in order when anchors stand for all of them and fit the lines around.
  void close_gaps() {
    for (const Gap& gap : gaps_) {
      std::int64_t next = gap.first;
      std::optional<std::string> digest = gap.before;
      while (next <= gap.last) {
        const auto anchor = anchors_.find(next);
        if (anchor == anchors_.end() || anchor->second.last > gap.last || (digest && *digest != anchor->second.before))
          break;
        digest = anchor->second.digest;
        next = anchor->second.last + 1;
      }
      file_ = gap.file;
      done_.removed += next - gap.first;
      if (next <= gap.last)
        find(Problem::missing, next, fmt::format("lines {} to {} are not there", next, gap.last));
      else if (digest != gap.digest)
        find(Problem::changed, gap.last + 1, "does not fit the anchor of the lines that were removed before it");
    }
  }

  void check_end() {
    if (statements_.empty()) return;
    const std::int64_t stated = statements_.back().number;
    file_.clear();
    if (stated > done_.last)
      find(Problem::cut_off, done_.last + 1,
           fmt::format("the trail ends at line {}, but line {} was signed", done_.last, stated));
  }

  const VerifyOptions& options_;
  const Trail trail_;
  const PublicKey& key_;
  Verification done_;
  std::string file_;
  std::vector<Statement> statements_;       // of the file of checkpoints, by number
  std::map<std::int64_t, Anchor> anchors_;  // by their first line
  std::vector<Gap> gaps_;
  std::int64_t expected_ = 1;
  std::optional<std::string> digest_ = zero_digest;  // of the line before; nothing: not known
  bool skipped_ = false;                             // the line `expected_`, and maybe others, could not be read
  bool torn_ = false;
};

}  // namespace

std::string_view to_string(Problem problem) {
  switch (problem) {
    case Problem::changed:
      return "changed";
    case Problem::missing:
      return "missing";
    case Problem::out_of_place:
      return "out-of-place";
    case Problem::bad_signature:
      return "bad-signature";
    case Problem::cut_off:
      return "cut-off";
    case Problem::torn:
      return "torn";
    case Problem::bad_index:
      return "bad-index";
  }
  return "changed";
}

Result<Verification> verify(const VerifyOptions& options) {
  MYDR24_ASSIGN(const PublicKey key, key_of(options));
  return Verifier(options, key).run();
}

}  // namespace mydr24::audit
