#pragma once

// Attacks as data: a JSON file for each class of the OWASP API Security Top 10 (README.md says what its members mean).

#include <string>

#include "hospital.h"

namespace mydr24::attacks {

// Carries out each attack of the file: it is answered as it must be, nothing that it must not show is in the answer,
// what it must not have changed is as before, and the server goes on serving. Returns how many there were.
int run_table(Hospital& hospital, const std::string& file);

}  // namespace mydr24::attacks
