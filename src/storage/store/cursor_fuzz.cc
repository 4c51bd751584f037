// Cursors from anybody: one that was not made for the query is refused, and one that was reads back as itself.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "storage/store/search_cursor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mydr24;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  search::Query query;
  query.type = "Patient";
  query.sort.resize(2);
  query.cursor = text;
  if (const auto read = store::read_cursor(query); read && *read)
    if ((*read)->keys.size() != 2 || (*read)->place < 0) std::abort();
  const store::Cursor cursor{.place = static_cast<std::int64_t>(size), .keys = {std::string(text), std::nullopt}};
  query.cursor = store::make_cursor(query, cursor);
  const auto again = store::read_cursor(query);
  constexpr std::size_t sure_to_fit = 4096;
  if (!again) {
    if (size <= sure_to_fit) std::abort();
    return 0;
  }
  if (!*again || (*again)->place != cursor.place || (*again)->keys != cursor.keys) std::abort();
  query.type = "Observation";
  if (store::read_cursor(query)) std::abort();
  return 0;
}
