#pragma once

// The values that searches are sorted by, as texts that compare by their bytes. Private to storage/store.

#include <string>
#include <string_view>

#include "storage/store/search_cursor.h"
#include "storage/store/search_sql.h"
#include "storage/store/store.h"

namespace mydr24::store {

// One for each Query::sort.
Result<SortKeys> sort_keys(const search::Query& query, const Version& version);

// The key of an index row's value (see SearchSql::sorted_page), and back. Code::invalid: this is no such key.
std::string sort_key_of(const search::Sort& sort, const SqlValue& value);
Result<SqlValue> sort_value(const search::Sort& sort, std::string_view key);

}  // namespace mydr24::store
