#pragma once

// The words by which a text is found.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/document.h"
#include "fhir/model/definitions.h"

namespace mydr24::search {

inline constexpr std::size_t words_max = 1'000;          // of one resource
inline constexpr std::size_t word_bytes_max = 64;        // a longer word is cut
inline constexpr std::size_t text_bytes_max = 1U << 20;  // read of one text

// Folded, as fold(), but whole.
std::string fold_whole(std::string_view text);

// Collects the distinct words of many texts, in the order in which they come, up to words_max.
class Words {
 public:
  Words();
  void add(std::string_view text);
  // The words of a narrative: XHTML without its markup.
  void add_narrative(std::string_view xhtml);
  bool full() const { return size_ >= words_max; }
  bool empty() const { return size_ == 0; }
  // Each followed by one space.
  const std::string& text() const { return text_; }

 private:
  void add_folded(std::string_view folded);
  void add_segment(std::string_view folded);
  void add_word(std::string_view word);

  static constexpr std::size_t slots = 2'048;  // a power of two, at least twice words_max
  struct Place {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;  // 0: the slot is free
  };
  std::vector<Place> places_;
  std::string text_;
  std::string ascii_;
  std::size_t size_ = 0;
};

// Adds every string of the resource that a person would read or type: strings, markdown, codes, narratives inside; no
// addresses, ids, times, numbers and binary data. Its own narrative is left to the caller, who has it already.
void add_content(Words& words, json::Value resource);

}  // namespace mydr24::search
