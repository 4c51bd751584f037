#pragma once

// Text as people look for it: without case, accents and double spaces.

#include <string>
#include <string_view>
#include <vector>

namespace mydr24::terminology::detail {

// Texts longer than this are looked at up to here.
inline constexpr std::size_t fold_bytes_max = 4096;

std::string fold(std::string_view text);
// The words of a filter, folded.
std::vector<std::string> fold_words(std::string_view filter);

}  // namespace mydr24::terminology::detail
