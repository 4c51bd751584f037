#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mydr24 {

// How urgent a piece of work is; the lower value always goes first. It travels with a request to every queue.
enum class RequestClass : std::uint8_t { emergency, urgent, routine, background };

inline constexpr std::size_t request_class_count = 4;

constexpr std::string_view to_string(RequestClass request_class) {
  constexpr std::array<std::string_view, request_class_count> names{"emergency", "urgent", "routine", "background"};
  return names[static_cast<std::size_t>(request_class)];
}

}  // namespace mydr24
