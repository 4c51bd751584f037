#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "fhir/search/search.h"
#include "fhir/search/words.h"

namespace mydr24::search {
namespace {

constexpr std::size_t folded_bytes_max = 200;
// More than this cannot show in what is kept, save for text that is nearly all white space or marks.
constexpr std::size_t read_bytes_max = 4096;

std::string_view cut(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

bool is_ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string fold_ascii(std::string_view text) {
  std::string out;
  out.reserve(std::min(text.size(), folded_bytes_max));
  bool gap = false;
  for (const char c : text) {
    if (is_ascii_space(c)) {
      gap = !out.empty();
      continue;
    }
    if (gap) out += ' ';
    gap = false;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (out.size() >= folded_bytes_max) break;
  }
  out.resize(std::min(out.size(), folded_bytes_max));
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string fold_unicode(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* decompose = icu::Normalizer2::getNFKDInstance(status);
  const auto piece = icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size()));
  if (U_FAILURE(status)) return std::string(text);
  // Folding can compose and decomposing can bring out letters with case: twice each is stable.
  icu::UnicodeString folded = decompose->normalize(icu::UnicodeString::fromUTF8(piece), status);
  folded.foldCase();
  folded = decompose->normalize(folded, status);
  folded.foldCase();
  if (U_FAILURE(status)) return std::string(text);
  icu::UnicodeString kept;
  for (std::int32_t i = 0; i < folded.length(); i = folded.moveIndex32(i, 1)) {
    const UChar32 c = folded.char32At(i);
    if (u_charType(c) == U_NON_SPACING_MARK) continue;
    kept.append(u_isUWhiteSpace(c) ? UChar32(' ') : c);
  }
  std::string utf8;
  kept.toUTF8String(utf8);
  return utf8;
}

std::string with_single_spaces(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (!is_ascii_space(c))
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  out.resize(cut(out, folded_bytes_max).size());
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace

std::string fold(std::string_view text) {
  text = cut(text, read_bytes_max);
  const bool ascii = std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  return ascii ? fold_ascii(text) : with_single_spaces(fold_unicode(text));
}

std::string fold_whole(std::string_view text) { return fold_unicode(text); }

}  // namespace mydr24::search
