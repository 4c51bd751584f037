#pragma once

// The values of a search: from what a client writes after '=' to Terms.

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/search/catalogue.h"
#include "fhir/search/search.h"

namespace mydr24::search {

// Why a part of a query is refused: an issue-type code and a text for the client. `unknown`: the parameter's name is
// not known, which lenient handling leaves out and a chain tries on another type.
struct Problem {
  std::string code;
  std::string text;
  bool unknown = false;
};
template <class T>
using Parsed = std::expected<T, Problem>;

inline std::unexpected<Problem> refuse(std::string_view code, std::string text) {
  return std::unexpected(Problem{std::string(code), std::move(text)});
}

// `\,` `\|` `\$` `\\` stand for the character itself. Source: FHIR R4, search.html, escaping.
std::string unescape(std::string_view text);
// The parts between separators that no backslash stands before; never empty.
std::vector<std::string_view> split_unescaped(std::string_view text, char separator);

// What a parameter is asked for by: its modifier and, of a reference, the type that stands in its place.
struct Asked {
  const Parameter* parameter = nullptr;
  Modifier modifier = Modifier::none;
  std::string_view target;
  std::string_view name;  // as the client wrote it, for refusals
};

class TermParser {
 public:
  TermParser(const Catalogue& catalogue, const Resolver* resolver, std::string_view base_url)
      : catalogue_(catalogue), resolver_(resolver), base_url_(base_url) {}

  // The terms of one of the comma-separated values: several where the value stands for several (a reference without a
  // type, a value set), none for an empty value set.
  Parsed<std::vector<Term>> parse(const Asked& asked, std::string_view value) const;

 private:
  using Terms = Parsed<std::vector<Term>>;
  Terms plain(const Asked& asked, std::string_view value) const;
  Terms string(const Asked& asked, std::string_view value) const;
  Terms token(const Asked& asked, std::string_view value) const;
  Terms of_type(const Asked& asked, std::string_view value) const;
  Terms value_set(const Asked& asked, std::string_view value) const;
  Terms hierarchy(const Asked& asked, std::string_view value) const;
  Terms logical(const Asked& asked, std::string_view value) const;
  Terms reference(const Asked& asked, std::string_view value) const;
  Terms date(const Asked& asked, std::string_view value) const;
  Terms number(const Asked& asked, std::string_view value) const;
  Terms quantity(const Asked& asked, std::string_view value) const;
  Terms composite(const Asked& asked, std::string_view value) const;
  Terms position(const Asked& asked, std::string_view value) const;
  Terms text(const Asked& asked, std::string_view value) const;

  const Catalogue& catalogue_;
  const Resolver* resolver_;
  std::string_view base_url_;
};

}  // namespace mydr24::search
