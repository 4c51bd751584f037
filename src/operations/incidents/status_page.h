#pragma once

// What the public is told: the state of the services that are public, and the course of incidents that touch them, as JSON and
// as an Atom feed (RFC 4287). Made only of names of services, severities, states, times, and words that somebody published for
// it: neither titles nor texts of incidents, so nothing of a patient.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "operations/incidents/setup.h"
#include "storage/store/store.h"

namespace mydr24::incidents {

inline constexpr std::uint32_t status_incidents_max = 200;
inline constexpr std::chrono::days status_history{90};

// outage: the service itself has an emergency or a critical incident that is not mitigated. degraded: another one, or one of a
// service that it depends on.
enum class ComponentState : std::uint8_t { operational, degraded, outage };
std::string_view to_string(ComponentState state);

struct StatusPage {
  struct Component {
    std::string name, title;
    ComponentState state = ComponentState::operational;
  };
  struct Entry {
    std::string id, severity, state, opened_at, mitigated_at, resolved_at, published;
    std::vector<std::string> components;  // titles
  };
  std::vector<Component> components;
  std::vector<Entry> entries;  // those that are not over first
};
Result<StatusPage> status_page(store::Reader& reader, const Setup& setup, Instant now);
std::string to_json(const StatusPage& page, Instant now);
std::string to_atom(const StatusPage& page, Instant now, std::string_view base_url);

}  // namespace mydr24::incidents
