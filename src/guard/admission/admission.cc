#include "guard/admission/admission.h"

#include <algorithm>
#include <array>

namespace mydr24::admission {

RequestClass classify(const Facts& facts) {
  auto result = facts.route;
  if (result != RequestClass::background) result = std::min({result, facts.listener, facts.ticket});
  if (facts.patient_in_emergency && result == RequestClass::routine) result = RequestClass::urgent;
  if (facts.writes && facts.path.find("/Observation") != facts.path.npos)
    result = std::min(result, RequestClass::urgent);
  if (facts.stream || facts.content_length >= bulk_bytes) result = std::max(result, RequestClass::background);
  for (const auto named : {RequestClass::urgent, RequestClass::routine, RequestClass::background}) {
    if (facts.class_header == to_string(named)) result = std::max(result, named);
  }
  return result;
}

}  // namespace mydr24::admission
