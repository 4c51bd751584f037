#pragma once

// Pieces of a mail's text. Private to alerting/notify.

#include <string>
#include <string_view>

namespace mydr24::notify {

// "a@b" of "Name <a@b>" or "a@b".
std::string bare_address(std::string_view text);
// The part after the '@'; "localhost" when there is none.
std::string domain_of(std::string_view address);
// RFC 2045, 6.7: lines of at most 76 characters, CRLF.
std::string quoted_printable(std::string_view text);
// One line without control characters; encoded words (RFC 2047) where it is not ASCII.
std::string header_text(std::string_view text);

}  // namespace mydr24::notify
