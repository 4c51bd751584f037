// Priority tickets from anybody: none that was not signed with the key is taken, and one that was says what it was made
// with.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "guard/admission/ticket.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mydr24;
  constexpr std::string_view key = "0123456789abcdef";
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Instant now = from_us(1'000'000'000'000'000);
  if (admission::check_ticket(key, text, now)) std::abort();
  const auto issued = admission::issue_ticket(key, RequestClass::urgent, text, now + std::chrono::seconds(5));
  if (!issued) return 0;
  const auto ticket = admission::check_ticket(key, *issued, now);
  if (!ticket || ticket->tenant != text || ticket->raises_to != RequestClass::urgent) std::abort();
  if (admission::check_ticket(key, *issued, now + std::chrono::seconds(10))) std::abort();
  return 0;
}
