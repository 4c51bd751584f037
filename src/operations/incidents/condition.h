#pragma once

// The little language of classification rules: `keyword:database AND status:down`, with OR, NOT and parentheses. AND binds
// closer than OR, NOT closest.
//
//   keyword:WORD   a word of the title or the text; keyword:"two words": one after the other
//   status:WORD    what is said to be its state ("down")
//   service:WORD   the service it is about
//   source:WORD    who tells of it ("vitals", "person")
//
// Letters count the same in both cases (ASCII). Pure functions; a Condition is immutable.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace mydr24::incidents {

inline constexpr std::size_t condition_bytes_max = 2'000;
inline constexpr std::size_t condition_terms_max = 100;
inline constexpr int condition_depth_max = 32;

// What is known of an incident when it is classified.
struct Facts {
  std::string title;
  std::string text;
  std::string status;
  std::string service;
  std::string source;
};

// The words of a text, in lower case: runs of letters and digits (every byte above ASCII is a letter).
std::vector<std::string> words_of(std::string_view text);

class Condition {
 public:
  // Code::invalid, Code::too_large; `where` is "column N", from 1.
  static Result<Condition> parse(std::string_view text);

  struct Match {
    bool matches = false;
    std::vector<std::string> terms;  // those that are true, as they are written, without those below a NOT
  };
  Match match(const Facts& facts) const;
  const std::string& text() const { return text_; }

 private:
  friend class ConditionParser;
  enum class Kind : std::uint8_t { term, both, either, not_so };
  enum class Field : std::uint8_t { keyword, status, service, source };
  struct Node {
    Kind kind = Kind::term;
    Field field = Field::keyword;
    std::string text;                // of a term: as it is written
    std::vector<std::string> words;  // of a term
    std::size_t left = 0, right = 0;
  };
  struct Words;
  bool holds(std::size_t node, const Words& words, bool positive, std::vector<std::string>& terms) const;

  std::string text_;
  std::vector<Node> nodes_;
  std::size_t root_ = 0;
};

}  // namespace mydr24::incidents
