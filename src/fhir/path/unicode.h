#pragma once

// Text as characters: UTF-8 on the outside, code points in what FHIRPath counts. Private to fhir/path.

#include <cstddef>
#include <string>
#include <string_view>

namespace mydr24::path {

// Code points of valid UTF-8.
std::size_t length_of(std::string_view text);
// The byte where the code point number `index` begins; the end when there are fewer.
std::size_t byte_of(std::string_view text, std::size_t index);
void append_code_point(std::string& out, char32_t code);

// The character of a "\uXXXX" whose 'u' is text[at], appended; a low surrogate completes the high one that `out` ends
// with. False when four hexadecimal digits do not follow.
bool append_code_unit(std::string& out, std::string_view text, std::size_t at);

std::string upper(std::string_view text);
std::string lower(std::string_view text);
// For equivalence: case folded, every run of white space as one space.
std::string folded(std::string_view text);

}  // namespace mydr24::path
