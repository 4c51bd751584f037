#pragma once

// A store::Reader that shows what one principal may see and nothing else: whatever is read for a client goes through one.
// What is hidden is as if it were not there. Collects what was seen, for the audit.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "guard/access/caller.h"
#include "storage/store/store.h"

namespace mydr24::access {

// Which records an answer was made from.
class Seen {
 public:
  static constexpr std::size_t patients_max = 1'000;

  // `body`: the text of the resource. `catalogue`: see Caller.
  void note(std::string_view type, std::string_view id, std::string_view body, const search::Catalogue* catalogue);
  void note_patient(std::string_view id);
  void note_incomplete() { complete_ = false; }
  const std::vector<std::string>& patients() const { return patients_; }  // ids, each once, in the order seen
  bool complete() const { return complete_; }                             // false: there were more
  std::int64_t resources() const { return resources_; }

 private:
  std::vector<std::string> patients_;
  bool complete_ = true;
  std::int64_t resources_ = 0;
};

class GuardedReader final : public store::Reader {
 public:
  // All must outlive it. `seen` null: nobody asks.
  GuardedReader(store::Reader& reader, const Caller& caller, const Clock& clock, Seen* seen)
      : reader_(reader), caller_(caller), sight_(*caller.sight), clock_(clock), seen_(seen) {}

  // Whether the principal may do this with the resource as it stands. `version` has a body.
  Result<bool> sees(const store::Version& version, Permission permission = Permission::read);
  // The same for a resource that is about to be written, without regard to labels.
  Result<bool> may_write(Permission permission, std::string_view type, json::Value resource);

  Result<std::optional<store::Version>> current(std::string_view type, std::string_view id) override;
  Result<std::optional<store::Version>> current_head(std::string_view type, std::string_view id) override;
  Result<std::optional<store::Version>> version(std::string_view type, std::string_view id,
                                                std::int64_t version) override;
  Result<std::vector<store::Version>> history(const store::HistoryQuery& query) override;
  // Code::refused when it asks by a type of which nothing is visible.
  Result<store::SearchPage> search(const search::Query& query) override;
  // Code::refused where not every resource of the type is visible.
  Result<std::vector<store::ParameterValue>> values(const search::Parameter& parameter, std::uint32_t count) override;
  // 0 of a type of which nothing is visible; else of all, seen or not: for planning, never for an answer.
  Result<std::int64_t> count_resources(std::string_view type) override;

  // Not for clients: Code::refused.
  Result<std::optional<std::string>> state(std::string_view space, std::string_view key) override;
  Result<std::vector<store::StateRow>> states(std::string_view space, std::string_view prefix, std::string_view after,
                                              std::uint32_t count) override;
  Result<std::vector<store::Event>> events(store::Sequence after, std::uint32_t count) override;
  Result<store::Sequence> last_sequence() override { return reader_.last_sequence(); }

 private:
  // What Consents keep from the caller.
  const std::vector<search::Condition>& denied(Permission permission, std::string_view type);
  // Every resource of the type is open: none has to be looked at.
  bool is_free(Permission permission, std::string_view type);
  void note(const store::Version& version);
  bool concerns_a_consent(const store::Version& version) const;
  Result<bool> is_denied(Permission permission, std::string_view type, json::Value resource, Instant at);
  Result<search::Query> narrowed(const search::Query& query);
  void narrow(search::Condition& condition);

  Result<bool> holds(std::span<const search::Condition> conditions, json::Value resource, Instant at);
  Result<bool> leads_there(const search::Condition& chain, std::span<const std::string> targets);
  Result<bool> is_referred(const search::Condition& has, std::string_view reference);
  // Of a deletion: whether what was deleted was visible.
  Result<bool> was_visible(const store::Version& removal);
  Result<std::optional<store::Version>> if_visible(std::optional<store::Version> version);

  store::Reader& reader_;
  const Caller& caller_;
  const Sight& sight_;
  const Clock& clock_;
  Seen* seen_;
  std::map<std::pair<Permission, std::string>, Denials::Conditions> denials_;
};

}  // namespace mydr24::access
