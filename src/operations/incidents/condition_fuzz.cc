// Any bytes as a condition: what is parsed is bounded, says the same when it is parsed again, and its negation is opposite.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "operations/incidents/condition.h"

namespace {

using mydr24::incidents::Condition;

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto condition = Condition::parse(input);
  if (!condition) {
    must(condition.error().where.starts_with("column "));
    return 0;
  }
  const mydr24::incidents::Facts facts{.title = std::string(input), .status = "down", .service = "database"};
  const bool matches = condition->match(facts).matches;
  const auto again = Condition::parse(condition->text());
  must(again.has_value() && again->match(facts).matches == matches);
  if (const auto negated = Condition::parse("NOT (" + std::string(input) + ")"))
    must(negated->match(facts).matches != matches);
  return 0;
}
