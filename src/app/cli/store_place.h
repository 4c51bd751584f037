#pragma once

// Where a store is: a data folder or a PostgreSQL URL.

#include <memory>
#include <string>
#include <string_view>

#include "base/core/clock.h"
#include "storage/store/store.h"

namespace mydr24::cli {

bool is_url(std::string_view place);
// Without a password, for people.
std::string shown_place(std::string_view place);
// Code::not_found: there is no store in that folder, and it must be one. `key_file`: of an encrypted folder; empty: plain.
Result<std::unique_ptr<store::Store>> open_place(const std::string& place, const std::string& key_file, bool must_exist,
                                                 const Clock& clock);

}  // namespace mydr24::cli
