#pragma once

// How urgent a request is, decided from its first line and headers, before anything is parsed: the class follows it to
// every queue behind. A client may lower its own class, never raise it.

#include <cstdint>
#include <string_view>

#include "base/core/request_class.h"

namespace mydr24::admission {

struct Facts {
  RequestClass listener = RequestClass::background;  // what the listener says of its requests: raises only
  RequestClass route = RequestClass::routine;        // what the route says of its requests
  RequestClass ticket = RequestClass::background;    // what a signed ticket says: raises only
  bool patient_in_emergency = false;                 // the request names such a patient
  std::string_view path;                             // as sent
  bool writes = false;                               // POST, PUT or PATCH
  std::string_view class_header;                     // X-MyDR24-Class, may be empty
  std::uint64_t content_length = 0;
  bool stream = false;  // a body or an answer that comes line by line, as long as it takes
};

// Bodies from this size on are bulk work, whatever the route says; emergencies are small.
inline constexpr std::uint64_t bulk_bytes = 512U << 10;

// Writes of Observations are urgent: vital signs come that way and must not queue behind other records.
RequestClass classify(const Facts& facts);

}  // namespace mydr24::admission
