#pragma once

// Finds the end of answers in what a connection receives, keeping no bodies: what a generator with thousands of
// connections needs. Invariant: bytes are looked at once; only a head that comes in pieces is kept.

#include <cstddef>
#include <string>
#include <string_view>

#include "app/load/http.h"

namespace mydr24::surge {

class AnswerScanner {
 public:
  enum class State { more, complete, broken };

  // Takes bytes up to the end of the answer and removes them from `bytes`.
  State feed(std::string_view& bytes);

  int status() const { return status_; }
  bool close() const { return close_; }
  int retry_after_s() const { return retry_after_s_; }

  // The next answer, or a new connection.
  void clear();

 private:
  enum class Part { head, body, chunk_size, chunk, chunk_end, trailer };
  static constexpr std::size_t head_bytes_max = 64U << 10;

  bool take_head(std::string_view& bytes);
  State take_chunks(std::string_view& bytes);

  Part part_ = Part::head;
  std::string kept_;  // the beginning of a head or of a chunk's size line
  std::size_t left_ = 0;
  int status_ = 0;
  int retry_after_s_ = 0;
  bool close_ = false;
  bool head_broken_ = false;
};

}  // namespace mydr24::surge
