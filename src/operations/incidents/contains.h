#pragma once

// Whether a range holds a value: std::ranges::contains is not in every standard library that this is built with.

#include <algorithm>
#include <functional>
#include <iterator>

namespace mydr24::incidents {

template <class Range, class Value, class Projection = std::identity>
bool contains(const Range& range, const Value& value, Projection projection = {}) {
  return std::ranges::find(range, value, projection) != std::ranges::end(range);
}

}  // namespace mydr24::incidents
