#pragma once

// The parts of a Grafana OnCall export, by kind. Private to alerting/imports.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/imports/detail/translation.h"

namespace mydr24::imports::detail {

using Entries = std::vector<json::Value>;
using Collections = std::map<std::string, Entries, std::less<>>;  // by the name of the API's list

// "schedules \"Ward\""
std::string place(std::string_view list, json::Value entry);
// The contacts of these user ids; who is not in the export is named.
std::vector<std::string> people_of(Translation& made, json::Value ids, const std::string& where);

// Schedules with their shifts, overrides and swaps.
void translate_schedules(Translation& made, const Collections& from);

}  // namespace mydr24::imports::detail
