#include "base/json/edits.h"

#include <algorithm>
#include <utility>

namespace mydr24::json {

void Edits::replace(Value value, std::string json) {
  if (!value) return;
  splices_.push_back({value.offset(), value.offset() + value.raw().size(), std::move(json)});
}

std::string Edits::apply() const {
  std::vector<const Splice*> ordered;
  ordered.reserve(splices_.size());
  for (const Splice& splice : splices_) ordered.push_back(&splice);
  std::ranges::sort(ordered, [](const Splice* a, const Splice* b) {
    return a->begin != b->begin ? a->begin < b->begin : a > b;  // a later call stands later in memory
  });

  const std::string_view source = document_.source();
  std::string out;
  std::size_t done = 0;
  for (const Splice* splice : ordered) {
    if (splice->begin < done) continue;
    out.append(source.substr(done, splice->begin - done)).append(splice->text);
    done = splice->end;
  }
  return out.append(source.substr(done));
}

}  // namespace mydr24::json
