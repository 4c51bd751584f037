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

}  // namespace

struct Regex::Content {
  std::unique_ptr<const icu::RegexPattern> pattern;

  std::unique_ptr<icu::RegexMatcher> matcher(const icu::UnicodeString& text, UErrorCode& status) const {
    std::unique_ptr<icu::RegexMatcher> result(pattern->matcher(text, status));
    if (result && U_SUCCESS(status)) {
      result->setTimeLimit(regex_time_max, status);
      result->setStackLimit(regex_stack_max, status);
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

Result<bool> Regex::find(std::string_view text) const {
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString subject = to_icu(text);
  const auto matcher = content_->matcher(subject, status);
  const bool found = U_SUCCESS(status) && matcher && matcher->find(status);
  if (U_FAILURE(status)) return failure(status);
  return found;
}

Result<bool> Regex::matches_all(std::string_view text) const {
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString subject = to_icu(text);
  const auto matcher = content_->matcher(subject, status);
  const bool found = U_SUCCESS(status) && matcher && matcher->matches(status);
  if (U_FAILURE(status)) return failure(status);
  return found;
}

Result<std::string> Regex::replace(std::string_view text, std::string_view substitution) const {
  if (substitution.size() * (text.size() + 1) > regex_result_bytes_max) {
    return fail(Code::too_large, "the replaced text may become too long");
  }
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString subject = to_icu(text);
  const auto matcher = content_->matcher(subject, status);
  icu::UnicodeString result;
  if (U_SUCCESS(status) && matcher) result = matcher->replaceAll(to_icu(substitution), status);
  if (U_FAILURE(status)) return failure(status);
  std::string out;
  result.toUTF8String(out);
  return out;
}

}  // namespace mydr24::path
