#include "fhir/search/words.h"

#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "fhir/search/search.h"

namespace mydr24::search {
namespace {

constexpr int depth_max = 128;
constexpr int own_narrative = 2;  // levels below the resource

bool is_ascii(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

// 0 for what is neither a letter nor a digit.
char folded_letter(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) return c;
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : '\0';
}

std::uint64_t hash_of(std::string_view word) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash ^ (hash >> 29);
}

std::string_view cut(std::string_view word) {
  if (word.size() <= word_bytes_max) return word;
  std::size_t end = word_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(word[end]) & 0xC0U) == 0x80U) --end;
  return word.substr(0, end);
}

void append_character(std::string& out, std::uint32_t code_point) {
  icu::UnicodeString(static_cast<UChar32>(code_point)).toUTF8String(out);
}

// The text of "&amp;" and the like; entities with other names separate words.
void append_entity(std::string& out, std::string_view name) {
  if (name.starts_with('#')) {
    const bool hex = name.size() > 1 && (name[1] == 'x' || name[1] == 'X');
    const auto digits = name.substr(hex ? 2 : 1);
    std::uint32_t code_point = 0;
    const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code_point, hex ? 16 : 10);
    if (error == std::errc() && rest == digits.data() + digits.size() && code_point < 0x110000 && code_point != 0) {
      return append_character(out, code_point);
    }
  }
  if (name == "apos") {
    out += '\'';
  } else {
    out += ' ';
  }
}

std::string text_of_narrative(std::string_view xhtml) {
  constexpr std::size_t entity_bytes_max = 10;
  std::string out;
  out.reserve(xhtml.size());
  for (std::size_t i = 0; i < xhtml.size(); ++i) {
    if (xhtml.substr(i).starts_with("<!--")) {
      i = std::min(xhtml.find("-->", i), xhtml.size() - 1);
      i = std::min(i + 2, xhtml.size());
      out += ' ';
    } else if (xhtml[i] == '<') {
      i = std::min(xhtml.find('>', i), xhtml.size());
      out += ' ';
    } else if (const auto end = xhtml[i] == '&' ? xhtml.find(';', i) : std::string_view::npos;
               end != std::string_view::npos && end - i <= entity_bytes_max) {
      append_entity(out, xhtml.substr(i + 1, end - i - 1));
      i = end;
    } else {
      out += xhtml[i];
    }
  }
  return out;
}

bool is_read_by_people(model::Primitive primitive) {
  using enum model::Primitive;
  return primitive == string || primitive == markdown || primitive == code;
}

// `type` of an object; nullptr where its resourceType says it.
void add_value(Words& words, json::Value value, const model::Type* type, int depth) {
  if (words.full() || depth > depth_max) return;
  if (value.is_array()) {
    for (const auto item : value) add_value(words, item, type, depth + 1);
    return;
  }
  if (value.is_string()) {
    if (type == nullptr) return;
    if (is_read_by_people(type->primitive)) words.add(value.text());
    if (type->primitive == model::Primitive::xhtml && depth > own_narrative) words.add_narrative(value.text());
    return;
  }
  if (!value.is_object()) return;
  if (type == nullptr) type = model::find_resource(value["resourceType"].text());
  if (type == nullptr) return;
  for (const auto member : value) {
    // An address, though its type is string.
    if (member.key() == "reference" && type->name == "Reference") continue;
    const auto* element = type->find(member.key());
    if (element != nullptr) add_value(words, member, element->type, depth + 1);
  }
}

}  // namespace

Words::Words() : places_(slots) {}

void Words::add(std::string_view text) {
  if (full()) return;
  text = text.substr(0, text_bytes_max);
  if (!is_ascii(text)) return add_folded(fold_whole(text));
  ascii_.clear();
  for (const char c : text) {
    if (const char folded = folded_letter(c); folded != '\0') {
      ascii_ += folded;
    } else if (!ascii_.empty()) {
      add_word(ascii_);
      ascii_.clear();
    }
  }
  add_word(ascii_);
}

// ICU's rules find the words of scripts that do not separate them; a word is then a run of letters and digits.
void Words::add_folded(std::string_view folded) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> breaks(
      icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), status));
  if (U_FAILURE(status)) return add_segment(folded);
  const auto text = icu::UnicodeString::fromUTF8(icu::StringPiece(folded.data(), static_cast<int>(folded.size())));
  breaks->setText(text);
  std::string segment;
  std::int32_t begin = breaks->first();
  for (auto end = breaks->next(); end != icu::BreakIterator::DONE && !full(); begin = end, end = breaks->next()) {
    if (breaks->getRuleStatus() == UBRK_WORD_NONE) continue;
    segment.clear();
    text.tempSubStringBetween(begin, end).toUTF8String(segment);
    add_segment(segment);
  }
}

void Words::add_segment(std::string_view folded) {
  const auto text = icu::UnicodeString::fromUTF8(icu::StringPiece(folded.data(), static_cast<int>(folded.size())));
  std::string word;
  for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    const UChar32 c = text.char32At(i);
    const auto type = u_charType(c);
    if (u_isalnum(c) || type == U_COMBINING_SPACING_MARK || type == U_NON_SPACING_MARK) {
      icu::UnicodeString(c).toUTF8String(word);
    } else {
      add_word(word);
      word.clear();
    }
  }
  add_word(word);
}

void Words::add_word(std::string_view word) {
  if (word.empty() || full()) return;
  word = cut(word);
  for (std::uint64_t slot = hash_of(word);; ++slot) {
    Place& place = places_[slot % slots];
    if (place.size == 0) {
      place = {static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(word.size())};
      text_.append(word).append(" ");
      ++size_;
      return;
    }
    if (std::string_view(text_).substr(place.begin, place.size) == word) return;
  }
}

void Words::add_narrative(std::string_view xhtml) { add(text_of_narrative(xhtml.substr(0, text_bytes_max))); }

void add_content(Words& words, json::Value resource) { add_value(words, resource, nullptr, 0); }

std::vector<std::string> words(std::string_view text) {
  Words collected;
  collected.add(text);
  const auto& joined = collected.text();
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin < joined.size();) {
    const auto end = joined.find(' ', begin);
    out.push_back(joined.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

}  // namespace mydr24::search
