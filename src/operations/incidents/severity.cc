#include "operations/incidents/severity.h"

namespace mydr24::incidents {
namespace {

constexpr std::array<std::string_view, severity_count> names{"emergency", "critical", "high", "medium", "low"};

}  // namespace

std::string_view to_string(Severity severity) { return names[static_cast<std::size_t>(severity)]; }

std::optional<Severity> parse_severity(std::string_view text) {
  for (const Severity severity : severities)
    if (text == to_string(severity)) return severity;
  return std::nullopt;
}

alerts::Severity page_severity(Severity severity) {
  switch (severity) {
    case Severity::emergency:
      return alerts::Severity::emergency;
    case Severity::critical:
      return alerts::Severity::urgent;
    case Severity::high:
    case Severity::medium:
    case Severity::low:
      break;
  }
  return alerts::Severity::advisory;
}

}  // namespace mydr24::incidents
