#pragma once

// Decides on the content of a resource whether it matches, where index rows only narrow a search down. Private to
// storage/store.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "base/json/document.h"
#include "storage/store/search_run.h"

namespace mydr24::store {

// Everything must outlive the Judge.
class Judge {
 public:
  Judge(const search::Query& query, SearchEngine& engine, const SearchContext& context)
      : query_(query), engine_(engine), context_(context) {}

  Result<bool> matches(const Version& version);
  // One more resource is read that may be of no use. Code::too_costly beyond checked_max.
  Result<> count();

 private:
  using Condition = search::Condition;

  Result<bool> all_hold(const Version& version, std::span<const Condition> conditions);
  Result<bool> all_hold(json::Value resource, Instant at, std::span<const Condition> conditions);
  bool settle(Result<bool> answer);
  Result<bool> record_holds(std::int64_t record, const Condition& condition);
  Result<bool> leads_there(const Condition& chain, std::span<const std::string> targets);
  Result<bool> is_referred(const Condition& has, std::string_view reference);

  const search::Query& query_;
  SearchEngine& engine_;
  const SearchContext& context_;
  std::int64_t checked_ = 0;
  std::optional<Error> failure_;
  std::unordered_map<std::string, bool> remembered_;
};

// What a search says that would have to read more than `checked_max` resources.
Error too_many_checked(std::int64_t checked_max);

}  // namespace mydr24::store
