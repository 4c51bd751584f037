#pragma once

// One patient's row in the store's space "vitals". Private to clinical/vitals.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "clinical/vitals/watch.h"

namespace mydr24::vitals {

struct Watch::Row {
  PatientSigns signs;
  std::optional<std::string> born;  // Patient.birthDate; empty: unknown; nothing: not looked up yet
  std::uint32_t known = 0;          // bits of Parameter: scored when people were called
  std::string board_key;            // its place on the board; empty: not on it
  Instant board_due;                // when its timer looks whether it still belongs there; 0: no timer
  std::string text;                 // as it was read

  bool is_new() const { return text.empty(); }
  std::string to_text() const;
  static Result<Row> from_text(std::string text);
};

inline constexpr std::string_view vitals_space = "vitals";
inline constexpr std::string_view board_space = "vitals_board";
inline constexpr std::string_view board_timer_kind = "vitals.board";

}  // namespace mydr24::vitals
