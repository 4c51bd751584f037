#include "operations/incidents/condition.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace mydr24::incidents {
namespace {

constexpr std::array<std::string_view, 4> fields{"keyword", "status", "service", "source"};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool has_phrase(const std::vector<std::string>& words, const std::vector<std::string>& phrase) {
  return !std::ranges::search(words, phrase).empty();
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool open = false;
  for (const char c : text) {
    if (is_word(c)) {
      if (!open) words.emplace_back();
      words.back().push_back(lower(c));
    }
    open = is_word(c);
  }
  return words;
}

// What the terms are held against.
struct Condition::Words {
  std::vector<std::string> title, text;
  std::array<std::vector<std::string>, fields.size()> of_field;  // not of keyword
};

class ConditionParser {
 public:
  explicit ConditionParser(std::string_view text) : text_(text) { made_.text_ = text; }

  Result<Condition> parse() {
    if (text_.size() > condition_bytes_max)
      return fail(Code::too_large, fmt::format("a condition has at most {} bytes", condition_bytes_max), "column 1");
    MYDR24_ASSIGN(made_.root_, either(0));
    skip();
    if (at_ < text_.size()) return error(text_[at_] == ')' ? "nothing is open here" : "AND or OR is missing");
    return std::move(made_);
  }

 private:
  Error error(std::string text) const {
    return fail(Code::invalid, std::move(text), fmt::format("column {}", at_ + 1));
  }

  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
  }

  // The word of the language that stands here, as AND: not a part of a longer one, and not the name of a field.
  bool take(std::string_view word) {
    skip();
    const auto rest = text_.substr(at_);
    if (!rest.starts_with(word)) return false;
    if (rest.size() > word.size() && (is_word(rest[word.size()]) || rest[word.size()] == ':')) return false;
    at_ += word.size();
    return true;
  }

  Result<std::size_t> add(Condition::Node node) {
    made_.nodes_.push_back(std::move(node));
    return made_.nodes_.size() - 1;
  }

  Result<std::size_t> either(int depth) {
    MYDR24_ASSIGN(std::size_t left, both(depth));
    while (take("OR")) {
      MYDR24_ASSIGN(const std::size_t right, both(depth));
      MYDR24_ASSIGN(left,
                    add({.kind = Condition::Kind::either, .text = {}, .words = {}, .left = left, .right = right}));
    }
    return left;
  }

  Result<std::size_t> both(int depth) {
    MYDR24_ASSIGN(std::size_t left, one(depth));
    while (take("AND")) {
      MYDR24_ASSIGN(const std::size_t right, one(depth));
      MYDR24_ASSIGN(left, add({.kind = Condition::Kind::both, .text = {}, .words = {}, .left = left, .right = right}));
    }
    return left;
  }

  Result<std::size_t> one(int depth) {
    if (depth >= condition_depth_max) return error(fmt::format("nested deeper than {}", condition_depth_max));
    if (take("NOT")) {
      MYDR24_ASSIGN(const std::size_t inner, one(depth + 1));
      return add({.kind = Condition::Kind::not_so, .text = {}, .words = {}, .left = inner});
    }
    skip();
    if (at_ < text_.size() && text_[at_] == '(') {
      ++at_;
      MYDR24_ASSIGN(const std::size_t inner, either(depth + 1));
      skip();
      if (at_ == text_.size() || text_[at_] != ')') return error("a ) is missing");
      ++at_;
      return inner;
    }
    return term();
  }

  Result<std::size_t> term() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    const auto name = text_.substr(begin, at_ - begin);
    const auto found = std::ranges::find(fields, name);
    if (found == fields.end() || at_ == text_.size() || text_[at_] != ':') {
      at_ = begin;
      return error("a term is missing: keyword:, status:, service: or source: and a word");
    }
    ++at_;
    MYDR24_ASSIGN(const std::string_view value, this->value());
    Condition::Node node{.field = static_cast<Condition::Field>(found - fields.begin()),
                         .text = std::string(text_.substr(begin, at_ - begin)),
                         .words = words_of(value)};
    if (node.words.empty()) return error("the word is missing");
    if (++terms_ > condition_terms_max)
      return fail(Code::too_large, fmt::format("a condition has at most {} terms", condition_terms_max),
                  fmt::format("column {}", begin + 1));
    return add(std::move(node));
  }

  Result<std::string_view> value() {
    if (at_ < text_.size() && text_[at_] == '"') {
      const std::size_t begin = at_ + 1;
      const std::size_t end = text_.find('"', begin);
      if (end == std::string_view::npos) return error("the closing \" is missing");
      at_ = end + 1;
      return text_.substr(begin, end - begin);
    }
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_word(text_[at_]) || text_[at_] == '-' || text_[at_] == '_' || text_[at_] == '.'))
      ++at_;
    return text_.substr(begin, at_ - begin);
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::size_t terms_ = 0;
  Condition made_;
};

Result<Condition> Condition::parse(std::string_view text) { return ConditionParser(text).parse(); }

bool Condition::holds(std::size_t node, const Words& words, bool positive, std::vector<std::string>& terms) const {
  const Node& here = nodes_[node];
  switch (here.kind) {
    case Kind::not_so:
      return !holds(here.left, words, false, terms);
    // Both sides are looked at: every term that is true is told.
    case Kind::both: {
      const bool left = holds(here.left, words, positive, terms);
      return holds(here.right, words, positive, terms) && left;
    }
    case Kind::either: {
      const bool left = holds(here.left, words, positive, terms);
      return holds(here.right, words, positive, terms) || left;
    }
    case Kind::term:
      break;
  }
  const bool is_true = here.field == Field::keyword
                           ? has_phrase(words.title, here.words) || has_phrase(words.text, here.words)
                           : words.of_field[static_cast<std::size_t>(here.field)] == here.words;
  if (is_true && positive && std::ranges::find(terms, here.text) == terms.end()) terms.push_back(here.text);
  return is_true;
}

Condition::Match Condition::match(const Facts& facts) const {
  const Words words{.title = words_of(facts.title),
                    .text = words_of(facts.text),
                    .of_field = {{{}, words_of(facts.status), words_of(facts.service), words_of(facts.source)}}};
  Match match;
  match.matches = holds(root_, words, true, match.terms);
  if (!match.matches) match.terms.clear();
  return match;
}

}  // namespace mydr24::incidents
