#pragma once

// The two byte scans that reading and writing JSON share. Private to base/json.
// Source of the UTF-8 table: RFC 3629, section 4.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace mydr24::json {

// ASCII that stands for itself inside a JSON string: no control character, quote or backslash.
constexpr bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

// The first byte in [at, end) that is not plain, or `end`. Eight bytes at a time, on any machine.
inline const char* skip_plain_portable(const char* at, const char* end) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t tops = 0x80 * ones;
  while (end - at >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    const std::uint64_t control = word - 0x20 * ones;
    const std::uint64_t quote = (word ^ ('"' * ones)) - ones;
    const std::uint64_t backslash = (word ^ ('\\' * ones)) - ones;
    if (((word | control | quote | backslash) & tops) != 0) break;
    at += 8;
  }
  while (at != end && is_plain(*at)) ++at;
  return at;
}

inline const char* skip_plain(const char* at, const char* end) {
#if defined(__SSE2__)
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // As signed bytes, everything from 0x80 up is below 0x20 as well.
    const __m128i odd = _mm_or_si128(
        _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(odd));
    if (mask != 0) return at + std::countr_zero(mask);
    at += 16;
  }
#endif
  return skip_plain_portable(at, end);
}

constexpr bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// The first byte in [at, end) that is not JSON white space, or `end`.
inline const char* skip_space(const char* at, const char* end) {
  if (at == end || !is_space(*at)) return at;
  ++at;
#if defined(__SSE2__)
  // Indentation comes in long runs.
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i line =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));
    const __m128i gap =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(line, gap))) ^ 0xffffU;
    if (mask != 0) return at + std::countr_zero(mask);
    at += 16;
  }
#endif
  while (at != end && is_space(*at)) ++at;
  return at;
}

// The length in bytes (1 to 4) of the UTF-8 character at `at`; 0 when [at, end) does not begin with a valid one.
inline std::size_t utf8_length(const char* at, const char* end) {
  const auto left = static_cast<std::size_t>(end - at);
  const auto byte = [at](std::size_t i) { return static_cast<unsigned char>(at[i]); };
  const auto tail = [&byte](std::size_t i) { return (byte(i) & 0xc0U) == 0x80; };
  if (left == 0) return 0;
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;  // a continuation byte, or an overlong form
  if (lead < 0xe0) return left >= 2 && tail(1) ? 2 : 0;
  if (lead < 0xf0) {
    if (left < 3 || !tail(1) || !tail(2)) return 0;
    const bool overlong = lead == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = lead == 0xed && byte(1) >= 0xa0;
    return overlong || surrogate ? 0 : 3;
  }
  if (lead < 0xf5) {
    if (left < 4 || !tail(1) || !tail(2) || !tail(3)) return 0;
    const bool overlong = lead == 0xf0 && byte(1) < 0x90;
    const bool beyond_unicode = lead == 0xf4 && byte(1) >= 0x90;
    return overlong || beyond_unicode ? 0 : 4;
  }
  return 0;
}

}  // namespace mydr24::json
