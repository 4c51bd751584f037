#include "app/surge/answer_scanner.h"

#include <algorithm>
#include <charconv>

namespace mydr24::surge {
namespace {

// Takes a line with its CRLF out of `bytes`, with what was kept of it; false: not all of it is there, it is kept.
bool take_line(std::string_view& bytes, std::string& kept, std::string& line) {
  const std::size_t end = bytes.find('\n');
  kept.append(bytes.substr(0, end == bytes.npos ? bytes.size() : end + 1));
  bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
  if (end == std::string_view::npos) return false;
  line = std::move(kept);
  kept.clear();
  return true;
}

}  // namespace

void AnswerScanner::clear() {
  part_ = Part::head;
  kept_.clear();
  left_ = 0;
  status_ = retry_after_s_ = 0;
  close_ = head_broken_ = false;
}

AnswerScanner::State AnswerScanner::feed(std::string_view& bytes) {
  if (part_ == Part::head && !take_head(bytes)) return head_broken_ ? State::broken : State::more;
  if (part_ != Part::body) return take_chunks(bytes);
  const std::size_t taken = std::min(left_, bytes.size());
  bytes.remove_prefix(taken);
  left_ -= taken;
  return left_ == 0 ? State::complete : State::more;
}

bool AnswerScanner::take_head(std::string_view& bytes) {
  std::string_view head = bytes;
  std::size_t end = 0;
  if (kept_.empty()) {
    end = bytes.find("\r\n\r\n");
    if (end == bytes.npos) {
      kept_ = bytes;
      bytes = {};
      return false;
    }
    head = bytes.substr(0, end + 4);
    bytes.remove_prefix(end + 4);
  } else {
    const std::size_t before = kept_.size();
    kept_.append(bytes);
    end = kept_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == kept_.npos) {
      head_broken_ = kept_.size() > head_bytes_max;
      bytes = {};
      return false;
    }
    bytes.remove_prefix(end + 4 - before);
    kept_.resize(end + 4);
    head = kept_;
  }
  load::Answer answer;
  if (!load::read_answer_head(head, answer)) {
    head_broken_ = true;
    return false;
  }
  kept_.clear();
  status_ = answer.status;
  close_ = answer.close;
  retry_after_s_ = answer.retry_after_s;
  left_ = answer.length;
  part_ = answer.chunked ? Part::chunk_size : Part::body;
  return true;
}

AnswerScanner::State AnswerScanner::take_chunks(std::string_view& bytes) {
  std::string line;
  while (true) {
    if (part_ == Part::chunk) {
      const std::size_t taken = std::min(left_, bytes.size());
      bytes.remove_prefix(taken);
      left_ -= taken;
      if (left_ > 0) return State::more;
      part_ = Part::chunk_end;
    }
    if (!take_line(bytes, kept_, line)) return kept_.size() > head_bytes_max ? State::broken : State::more;
    if (part_ == Part::chunk_size) {
      const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), left_, 16);
      if (error != std::errc()) return State::broken;
      part_ = left_ == 0 ? Part::trailer : Part::chunk;
    } else if (part_ == Part::chunk_end) {
      part_ = Part::chunk_size;
    } else if (line == "\r\n") {
      return State::complete;
    }
  }
}

}  // namespace mydr24::surge
