#pragma once

// The writes a client may ask for, alone or as the entries of a Bundle, carried out in two steps: the plan reads what
// is there and makes everything ready without holding up other writers; the commit runs inside the transaction and first
// checks that what the plan rests on still holds. When it does not, it is planned again, a few times.
// Source: FHIR R4, http.html (create, update, patch, delete, conditional interactions, transaction).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/worker_pool.h"
#include "clinical/records/records.h"

namespace mydr24::records {

enum class Verb : std::uint8_t { create, update, patch, remove };

struct Interaction {
  Verb verb = Verb::create;
  std::string type;
  std::string id;                          // update, patch, remove; empty when conditional
  std::optional<search::Query> condition;  // If-None-Exist of a create; the criteria of the conditional others
  std::string text;                        // the resource, or the JSON Patch
  json::Value resource;  // in place of `text`: an entry's resource, in a Document that outlives the call
  std::optional<std::int64_t> if_match;
  bool if_none_match_any = false;  // If-None-Match: * of an update: only create
  std::string full_url;            // Bundle.entry.fullUrl: what other entries call it
  std::string where;               // path of the entry, for issues: "Bundle.entry[3]"
};

// What became of an Interaction.
struct Effect {
  enum class Kind : std::uint8_t { created, updated, unchanged, existed, removed, absent } kind = Kind::created;
  store::Version version;  // that now stands, with its body; without one for removed; only type and id for absent
};

// Carries out the interactions in one transaction, all or none: deletions first, then creates, updates and patches.
// Effects are in the order given. References between the interactions (a fullUrl, or a conditional reference such as
// "Patient?identifier=s|v") are rewritten. Code::conflict after three plans that other writers overtook. Nothing is read or
// written that `access` may not; it must outlive the call.
// `planner`: where to plan; null: on the coroutine's own thread, good for a single small resource.
Task<Accepted<std::vector<Effect>>> execute(const Records& records, access::Access& access, RequestClass request_class,
                                            const std::vector<Interaction>& interactions,
                                            WorkerPool* planner = nullptr);

// The same for a caller that may block (command line).
Accepted<std::vector<Effect>> execute_blocking(const Records& records, access::Access& access,
                                               RequestClass request_class,
                                               const std::vector<Interaction>& interactions);

}  // namespace mydr24::records
