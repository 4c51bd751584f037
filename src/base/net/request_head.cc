#include "base/net/detail/request_head.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <limits>

namespace mydr24::net {
namespace http = boost::beast::http;

namespace {

constexpr std::size_t chunk_extension_bytes_max = 256;
constexpr std::size_t trailer_bytes_max = 4096;
constexpr std::uint8_t chunk_size_digits_max = 15;  // below 2^60: no overflow

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes the text before `separator` from the front of `rest`.
std::string_view take(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trim(taken);
}

Method method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return Method::get;
    case http::verb::head:
      return Method::head;
    case http::verb::post:
      return Method::post;
    case http::verb::put:
      return Method::put;
    case http::verb::patch:
      return Method::patch;
    case http::verb::delete_:
      return Method::del;
    case http::verb::options:
      return Method::options;
    default:
      return Method::other;
  }
}

// Well-formed, but neither 1.0 nor 1.1.
bool has_other_version(std::string_view head) {
  const std::string_view line = head.substr(0, head.find('\r'));
  constexpr std::size_t size = std::string_view(" HTTP/2.0").size();
  if (line.size() < size) return false;
  const std::string_view version = line.substr(line.size() - size);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.starts_with(" HTTP/") && is_digit(version[6]) && version[7] == '.' && is_digit(version[8]) &&
         version != " HTTP/1.0" && version != " HTTP/1.1";
}

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

// Beast's grammar, without its containers: names and values stay views into the head.
class HeadParser final : public http::basic_parser<true> {
 public:
  HeadParser(RequestHead& head, std::size_t bytes) : head_(head) {
    header_limit(
        static_cast<std::uint32_t>(std::min<std::size_t>(bytes + 1, std::numeric_limits<std::uint32_t>::max())));
    body_limit(boost::none);
    eager(false);
  }
  bool too_many_fields() const { return too_many_fields_; }

 private:
  using String = boost::beast::string_view;
  using ErrorCode = boost::beast::error_code;

  void on_request_impl(http::verb verb, String method, String target, int version, ErrorCode&) override {
    head_.request.method = method_of(verb);
    head_.request.method_text = view(method);
    head_.request.target = view(target);
    head_.http_1_1 = version >= 11;
  }

  void on_field_impl(http::field field, String name, String value, ErrorCode& error) override {
    if (head_.fields_.size() == header_count_max) {
      too_many_fields_ = true;
      error = http::error::header_limit;
      return;
    }
    head_.fields_.push_back({view(name), view(value)});
    switch (field) {
      case http::field::host:
        ++head_.hosts_;
        break;
      case http::field::expect:
        head_.expect_ = view(value);
        break;
      case http::field::content_length:
        ++head_.content_lengths_;
        head_.content_length_text_ = view(value);
        break;
      case http::field::transfer_encoding:
        ++head_.transfer_encodings_;
        head_.transfer_encoding_ = view(value);
        break;
      default:
        break;
    }
  }

  void on_response_impl(int, String, int, ErrorCode&) override {}
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(String body, ErrorCode&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, String, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, String body, ErrorCode&) override { return body.size(); }
  void on_finish_impl(ErrorCode&) override {}

  RequestHead& head_;
  bool too_many_fields_ = false;
};

HeadScan scan_head(std::string_view bytes, std::size_t from) {
  using enum HeadScan::State;
  std::size_t at = from;
  while (true) {
    const std::size_t lf = bytes.find('\n', at);
    if (lf == std::string_view::npos) return {incomplete, std::max(at, bytes.size())};
    if (lf == 0 || bytes[lf - 1] != '\r') return {malformed, lf};
    if (lf + 1 == bytes.size()) return {incomplete, lf};  // the next line's first byte is not here yet
    const char next = bytes[lf + 1];
    if (next == ' ' || next == '\t') return {malformed, lf};
    if (next == '\r') {
      if (lf + 2 == bytes.size()) return {incomplete, lf};
      return bytes[lf + 2] == '\n' ? HeadScan{complete, lf + 3} : HeadScan{malformed, lf};
    }
    at = lf + 1;
  }
}

HeadFault RequestHead::parse(std::string_view head) {
  request = Request{};
  request.headers = this;
  fields_.clear();
  hosts_ = content_lengths_ = transfer_encodings_ = 0;
  content_length_text_ = transfer_encoding_ = expect_ = {};

  HeadParser parser(*this, head.size());
  boost::beast::error_code error;
  const std::size_t used = parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (parser.too_many_fields()) return {431, "too many header fields"};
  if (error == http::error::bad_version && has_other_version(head))
    return {505, "this server speaks HTTP/1.1 and HTTP/1.0"};
  if (error || !parser.is_header_done() || used != head.size()) return {400, "malformed request"};

  keep_alive = parser.keep_alive();
  chunked = transfer_encodings_ > 0;
  expects_continue = !expect_.empty() && http_1_1;
  if (const HeadFault fault = check(); fault.status != 0) return fault;
  request.content_length = content_lengths_ > 0 ? *parser.content_length() : 0;
  request.has_body = chunked || request.content_length > 0;
  split_target();
  return {};
}

// What Beast lets through: lists and repetitions of Content-Length, codings other than chunked (it would see
// no body at all), chunked in HTTP/1.0, and any number of Host headers.
HeadFault RequestHead::check() const {
  if (content_lengths_ > 1) return {400, "more than one Content-Length"};
  if (content_lengths_ == 1 &&
      !std::ranges::all_of(content_length_text_, [](char c) { return c >= '0' && c <= '9'; })) {
    return {400, "Content-Length is not a number"};
  }
  if (transfer_encodings_ > 0) {
    if (content_lengths_ > 0) return {400, "both Content-Length and Transfer-Encoding"};
    if (!http_1_1) return {400, "Transfer-Encoding in HTTP/1.0"};
    if (transfer_encodings_ > 1 || !equal_ignoring_case(transfer_encoding_, "chunked")) {
      return {400, "the only transfer coding taken is chunked"};
    }
  }
  if (hosts_ > 1 || (hosts_ == 0 && http_1_1)) return {400, "one Host header is needed"};
  if (expects_continue && !equal_ignoring_case(expect_, "100-continue")) return {417, "unknown expectation"};
  return {};
}

void RequestHead::split_target() {
  std::string_view rest = request.target;
  // The absolute form, as sent to proxies, must be taken too (RFC 9112, section 3.2.2).
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (rest.size() >= scheme.size() && equal_ignoring_case(rest.substr(0, scheme.size()), scheme)) {
      rest.remove_prefix(scheme.size());
      rest.remove_prefix(std::min(rest.find_first_of("/?"), rest.size()));
      break;
    }
  }
  const std::size_t mark = rest.find('?');
  request.path = rest.substr(0, mark);
  if (mark != std::string_view::npos) request.query = rest.substr(mark + 1);
  if (request.path.empty()) request.path = "/";
}

std::string_view RequestHead::operator[](std::string_view name) const {
  for (const Field& field : fields_) {
    if (equal_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool accepts_gzip(std::string_view accept_encoding) {
  bool any = false;
  for (std::string_view rest = accept_encoding; !rest.empty();) {
    std::string_view item = take(rest, ',');
    const std::string_view coding = take(item, ';');
    bool wanted = true;
    while (!item.empty()) {
      std::string_view parameter = take(item, ';');
      if (!equal_ignoring_case(take(parameter, '='), "q")) continue;
      wanted = parameter.find_first_of("123456789") != std::string_view::npos;
    }
    if (equal_ignoring_case(coding, "gzip") || equal_ignoring_case(coding, "x-gzip")) return wanted;
    if (coding == "*") any = wanted;
  }
  return any;
}

std::string_view ChunkDecoder::next(std::string_view& input) {
  while (!input.empty() && !done() && !bad()) {
    if (state_ == State::data) {
      const std::string_view piece =
          input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size())));
      input.remove_prefix(piece.size());
      left_ -= piece.size();
      if (left_ == 0) state_ = State::data_cr;
      return piece;
    }
    state_ = step(input.front());
    input.remove_prefix(1);
  }
  return {};
}

ChunkDecoder::State ChunkDecoder::step(char c) {
  const auto expect = [c](char wanted, State then) { return c == wanted ? then : State::bad; };
  switch (state_) {
    case State::size:
      return size_digit(c);
    case State::extension:
      if (c == '\r') return State::size_lf;
      return is_control(c) || ++extension_bytes_ > chunk_extension_bytes_max ? State::bad : State::extension;
    case State::size_lf:
      return expect('\n', left_ == 0 ? State::trailer_start : State::data);
    case State::data_cr:
      return expect('\r', State::data_lf);
    case State::data_lf:
      digits_ = 0;
      extension_bytes_ = 0;
      return expect('\n', State::size);
    case State::trailer_start:
      if (c == '\r') return State::end_lf;
      [[fallthrough]];
    case State::trailer:
      if (c == '\r') return State::trailer_lf;
      return is_control(c) || ++trailer_bytes_ > trailer_bytes_max ? State::bad : State::trailer;
    case State::trailer_lf:
      return expect('\n', State::trailer_start);
    case State::end_lf:
      return expect('\n', State::done);
    case State::data:
    case State::done:
    case State::bad:
      return state_;
  }
  return State::bad;
}

ChunkDecoder::State ChunkDecoder::size_digit(char c) {
  int digit = -1;
  if (c >= '0' && c <= '9') digit = c - '0';
  if (lower(c) >= 'a' && lower(c) <= 'f') digit = lower(c) - 'a' + 10;
  if (digit >= 0) {
    if (digits_ == 0) left_ = 0;
    if (++digits_ > chunk_size_digits_max) return State::bad;
    left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
    return State::size;
  }
  if (digits_ == 0) return State::bad;
  if (c == ';') return State::extension;
  return c == '\r' ? State::size_lf : State::bad;
}

}  // namespace mydr24::net
