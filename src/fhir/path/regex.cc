#include "fhir/path/regex.h"

#include <fmt/format.h>
#include <unicode/regex.h>
#include <unicode/unistr.h>

#include <cstdint>
#include <utility>

namespace mydr24::path {
namespace {

icu::UnicodeString to_icu(std::string_view text) {
  return icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

Error failure(UErrorCode status) {
  return fail(Code::too_costly, fmt::format("the regular expression takes too long ({})", u_errorName(status)));
}

constexpr std::uint64_t steps_of_tick = 10'000;  // of the matcher, between two calls of its callback

// Counts the ticks of one matcher; ICU hands it to the callback as const.
struct Ticks {
  mutable std::uint64_t count = 0;
};

UBool U_CALLCONV count_tick(const void* context, std::int32_t) {
  ++static_cast<const Ticks*>(context)->count;
  return true;
}

}  // namespace

struct Regex::Content {
  std::unique_ptr<const icu::RegexPattern> pattern;

  std::unique_ptr<icu::RegexMatcher> matcher(const icu::UnicodeString& text, const Ticks& ticks,
                                             UErrorCode& status) const {
    std::unique_ptr<icu::RegexMatcher> result(pattern->matcher(text, status));
    if (result && U_SUCCESS(status)) {
      result->setTimeLimit(regex_time_max, status);
      result->setStackLimit(regex_stack_max, status);
      result->setMatchCallback(count_tick, &ticks, status);
    }
    return result;
  }
};

Regex::Regex(std::unique_ptr<Content> content) : content_(std::move(content)) {}
Regex::~Regex() = default;

Result<std::unique_ptr<const Regex>> Regex::compile(std::string_view pattern) {
  if (pattern.size() > pattern_bytes_max) return fail(Code::too_large, "the regular expression is too long");
  auto content = std::make_unique<Content>();
  UErrorCode status = U_ZERO_ERROR;
  UParseError place{};
  content->pattern.reset(icu::RegexPattern::compile(to_icu(pattern), UREGEX_DOTALL, place, status));
  if (U_FAILURE(status) || !content->pattern) {
    return fail(Code::invalid, fmt::format("'{}' is no regular expression ({}, character {})", pattern,
                                           u_errorName(status), place.offset));
  }
  return std::unique_ptr<const Regex>(new Regex(std::move(content)));
}

Result<bool> Regex::find(std::string_view text, std::uint64_t& steps) const {
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString subject = to_icu(text);
  const Ticks ticks;
  const auto matcher = content_->matcher(subject, ticks, status);
  const bool found = U_SUCCESS(status) && matcher && matcher->find(status);
  steps += ticks.count * steps_of_tick;
  if (U_FAILURE(status)) return failure(status);
  return found;
}

Result<bool> Regex::matches_all(std::string_view text, std::uint64_t& steps) const {
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString subject = to_icu(text);
  const Ticks ticks;
  const auto matcher = content_->matcher(subject, ticks, status);
  const bool found = U_SUCCESS(status) && matcher && matcher->matches(status);
  steps += ticks.count * steps_of_tick;
  if (U_FAILURE(status)) return failure(status);
  return found;
}

Result<std::string> Regex::replace(std::string_view text, std::string_view substitution, std::uint64_t& steps) const {
  if (substitution.size() * (text.size() + 1) > regex_result_bytes_max) {
    return fail(Code::too_large, "the replaced text may become too long");
  }
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString subject = to_icu(text);
  const Ticks ticks;
  const auto matcher = content_->matcher(subject, ticks, status);
  icu::UnicodeString result;
  if (U_SUCCESS(status) && matcher) result = matcher->replaceAll(to_icu(substitution), status);
  steps += ticks.count * steps_of_tick;
  if (U_FAILURE(status)) return failure(status);
  std::string out;
  result.toUTF8String(out);
  return out;
}

}  // namespace mydr24::path
