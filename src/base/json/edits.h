#pragma once

// Changes to a Document as a list of splices of its source: what is not touched stays as written, to the byte.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/document.h"

namespace mydr24::json {

class Edits {
 public:
  explicit Edits(const Document& document) : document_(document) {}

  // `json` is JSON text. Edits must not overlap: of two that do, only the one that begins first is made (the
  // later call, where both begin together). A missing value changes nothing. `value` belongs to the Document
  // of the constructor.
  void replace(Value value, std::string json);
  bool empty() const { return splices_.empty(); }

  // The source with every edit applied.
  std::string apply() const;

 private:
  struct Splice {
    std::size_t begin;
    std::size_t end;
    std::string text;
  };
  const Document& document_;
  std::vector<Splice> splices_;
};

}  // namespace mydr24::json
