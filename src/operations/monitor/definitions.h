#pragma once

// The rules and objectives in force: kept in the store, each change a revision that says who made it and when. A store
// that keeps none has those that are compiled in, revision 0.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operations/monitor/rule.h"
#include "operations/slo/slo.h"
#include "storage/store/store.h"

namespace mydr24::monitor {

struct Definitions {
  std::int64_t revision = 0;
  std::optional<Instant> at;
  std::string by;
  std::string what;  // of the change: "rules", "objectives"
  // Why what is stored cannot be read, empty: it can. Then rules and objectives are those that are compiled in.
  std::string fault;
  std::vector<Rule> rules;
  std::vector<slo::Slo> slos;
};
using DefinitionsPointer = std::shared_ptr<const Definitions>;

inline constexpr std::size_t slos_max = 100;
inline constexpr std::int64_t revisions_kept = 100;
const Definitions& default_definitions();

struct DefinitionsChange {
  std::optional<std::vector<Rule>> rules;     // in place of all
  std::optional<std::vector<slo::Slo>> slos;  // likewise
  std::vector<slo::Slo> put;                  // in place of those of the same name, or beside the others
  std::vector<std::string> remove;            // objectives by name
  std::optional<std::int64_t> revision;       // only if this one is in force
  std::string by;
};

// An error only of the store's: see Definitions::fault.
Result<Definitions> load(store::Reader& reader);
// What would be in force after the change. Takes up to some seconds for a megabyte of objectives, which no write should
// wait for: put() is what is left for the transaction. Code::invalid (no name given, a member), Code::not_found (an
// objective to remove), Code::conflict (another revision is in force), Code::too_large (too many).
// What could not be read back from the store is refused.
Result<Definitions> prepare(store::Reader& reader, const DefinitionsChange& change);
// Event "monitor.changed". Code::conflict: another change was made since `next` was prepared.
Result<> put(store::Transaction& transaction, Definitions& next);
// The changes, newest first, at most `count`: {"revision", "at", "by", "what"}.
Result<std::string> changes_json(store::Reader& reader, std::uint32_t count);
// One revision as it was, for a look back or to restore it; the newest revisions_kept are. Code::not_found.
Result<Definitions> revision_of(store::Reader& reader, std::int64_t revision);

inline constexpr std::string_view changed_event = "monitor.changed";

}  // namespace mydr24::monitor
