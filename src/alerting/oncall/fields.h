#pragma once

// Reads the members of a JSON object that somebody outside wrote. The first thing that is wrong is kept, with the path
// of its field; what is not asked for by the time of finish() is unknown and refused.

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/oncall/schedule.h"
#include "base/core/result.h"
#include "base/json/document.h"

namespace mydr24::oncall {

class Fields {
 public:
  // `error` is shared by every object of a document.
  Fields(json::Value object, std::string where, std::optional<Error>& error);

  const std::string& where() const { return where_; }
  bool has(std::string_view name) const { return object_[name].exists(); }

  std::string text(std::string_view name, std::size_t bytes_max = 500);
  std::string name(std::string_view name, bool required = true);  // of a part: not empty, no control characters
  std::int64_t number(std::string_view name, std::int64_t otherwise, std::int64_t least, std::int64_t most);
  std::chrono::seconds seconds(std::string_view name, std::chrono::seconds otherwise, std::chrono::seconds most);
  bool flag(std::string_view name, bool otherwise);
  std::optional<Instant> instant(std::string_view name, bool required);
  Period period();  // begin, end; end > begin
  zone::Zone zone(std::string_view name);
  zone::LocalTime local_time(std::string_view name);                                  // 2026-01-05T08:00
  std::chrono::minutes clock(std::string_view name, std::chrono::minutes otherwise);  // 08:00 to 24:00
  std::uint8_t days(std::string_view name);                                           // mon-fri,sun
  std::vector<std::string> names(std::string_view name, std::size_t count_max);
  std::vector<std::string> texts(std::string_view name, std::size_t count_max, std::size_t bytes_max);
  // One of `words`; its place.
  std::size_t choice(std::string_view name, std::span<const std::string_view> words, std::size_t otherwise);
  // The objects of an array.
  std::vector<Fields> objects(std::string_view name, std::size_t count_max);
  // An object; nothing when it is not there.
  std::optional<Fields> object(std::string_view name);
  // Every member that is a number, by name.
  std::vector<std::pair<std::string, std::int64_t>> numbers();

  void refuse(std::string_view name, std::string text, Code code = Code::invalid);
  void finish();

 private:
  json::Value take(std::string_view name);
  std::string path(std::string_view name) const;

  json::Value object_;
  std::string where_;
  std::optional<Error>& error_;
  std::set<std::string, std::less<>> asked_;
};

// A name of a part or of a person. Without a slash, so that it can stand in a path.
bool is_name(std::string_view text);

}  // namespace mydr24::oncall
