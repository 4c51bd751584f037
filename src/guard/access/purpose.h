#pragma once

// Purposes of use: the codes below PurposeOfUse in HL7's code system v3-ActReason, and which is a kind of which.
// Source: FHIR R4, v3/ActReason (2018-08-12): the value set PurposeOfUse and the hierarchy of its concepts.

#include <string_view>

namespace mydr24::access {

inline constexpr std::string_view purpose_system = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

// Whether it is one of them.
bool is_purpose(std::string_view code);
// Whether who acts for `purpose` acts for `other`: they are the same, or it is a kind of it (ETREAT of TREAT).
bool is_kind_of_purpose(std::string_view purpose, std::string_view other);

}  // namespace mydr24::access
