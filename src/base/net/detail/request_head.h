#pragma once

// The head of one request, as views into the bytes it was read from, and the rules that keep two readers of
// the same bytes from seeing different requests (RFC 9112, sections 2.2, 5.2, 6.1 to 6.3 and 11.2).
//
// Invariant: a head that was taken has one framing: a single Content-Length, or chunked as the only transfer
// coding, or none.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/net/http.h"

namespace mydr24::net {

inline constexpr std::size_t header_count_max = 128;

// `status` 0: no fault. Otherwise the request is answered with that status and `text`, and the connection closed.
struct HeadFault {
  int status = 0;
  std::string_view text;
};

struct HeadScan {
  enum class State : std::uint8_t { incomplete, complete, malformed };
  State state = State::incomplete;
  std::size_t bytes = 0;  // complete: the head's length, its empty line included; incomplete: where to go on
};

// Looks for the end of a head. `from` is what an earlier, incomplete scan of the same bytes gave. Malformed:
// a line feed without its carriage return, or a folded line.
HeadScan scan_head(std::string_view bytes, std::size_t from = 0);

class RequestHead final : public Headers {
 public:
  // `head`: a complete head, which must outlive what is read from it.
  HeadFault parse(std::string_view head);

  std::string_view operator[](std::string_view name) const override;

  Request request;  // all but `remote` and `secure`
  bool http_1_1 = false;
  bool keep_alive = false;
  bool chunked = false;
  bool expects_continue = false;

 private:
  friend class HeadParser;
  struct Field {
    std::string_view name;
    std::string_view value;
  };
  HeadFault check() const;
  void split_target();

  std::vector<Field> fields_;
  std::size_t hosts_ = 0;
  std::size_t content_lengths_ = 0;
  std::size_t transfer_encodings_ = 0;
  std::string_view content_length_text_;
  std::string_view transfer_encoding_;
  std::string_view expect_;
};

// Equal, ASCII letters compared without case.
bool equal_ignoring_case(std::string_view a, std::string_view b);
// Whether an Accept-Encoding value lets the answer be gzip (RFC 9110, section 12.5.3).
bool accepts_gzip(std::string_view accept_encoding);

// Undoes the chunked coding (RFC 9112, section 7.1), byte by byte: no chunk has to be whole. Strict: CRLF
// only, no white space around the size. Extensions and trailers are limited and dropped.
class ChunkDecoder {
 public:
  // Takes from the front of `input`. Gives a piece of data, a view into `input`; empty when input is used up,
  // or done(), or bad().
  std::string_view next(std::string_view& input);
  bool done() const { return state_ == State::done; }
  bool bad() const { return state_ == State::bad; }

 private:
  enum class State : std::uint8_t {
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer,
    trailer_lf,
    end_lf,
    done,
    bad
  };
  State step(char c);
  State size_digit(char c);

  State state_ = State::size;
  std::uint8_t digits_ = 0;
  std::uint64_t left_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
};

}  // namespace mydr24::net
