#pragma once

// The setup in force, and its versions in the store. Version 0 is the built-in one. A version is added, held against stored
// history (dry run), and then put in force: not before its test vectors hold, those of the corrections included, and its dry
// run was made. Thread-safe.
//
// In the store: space "incident_setup", version/NUMBER -> {"version", "by", "at", "setup", "dry_run"?}, active -> NUMBER,
// correction/INCIDENT -> a test vector: what a person said in place of the rules.
// Event: incident.setup_activated {"version", "by"}.

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "operations/incidents/incident.h"
#include "operations/incidents/setup.h"
#include "storage/store/store.h"

namespace mydr24::incidents {

inline constexpr std::size_t corrections_max = 1'000;
inline constexpr std::size_t dry_run_max = 5'000;  // incidents, and alerts

struct DryRun {
  std::int64_t incidents = 0, alerts = 0;  // that were classified
  std::array<std::int64_t, severity_count> before{}, after{};
  struct Difference {
    std::string what;  // "incident ID" or "alert ID"
    std::string title;
    Severity before = Severity::high, after = Severity::high;
    std::string rule;  // that decides now
  };
  std::int64_t different = 0;
  std::vector<Difference> differences;  // the first 100
};
std::string to_json(const DryRun& run);

class Setups {
 public:
  Setups();
  // At the start, and when another process activated one.
  Result<> load(store::Store& store);
  SetupPointer active() const;
  std::int64_t active_version() const;

  // Its number. Code::invalid and the like as Setup::parse.
  Result<std::int64_t> add(store::Transaction& transaction, std::string_view text, std::string_view by) const;
  // Code::not_found.
  Result<DryRun> dry_run(store::Reader& reader, std::int64_t version) const;
  Result<> keep_dry_run(store::Transaction& transaction, std::int64_t version, const DryRun& run,
                        std::string_view by) const;
  // Before activate(), and not in its transaction: it may take long. Code::conflict: test vectors fail (the text names them).
  Result<> check_vectors(store::Reader& reader, std::int64_t version) const;
  // The setup to be published after the commit. Code::not_found, Code::conflict: no dry run.
  Result<SetupPointer> activate(store::Transaction& transaction, std::int64_t version, std::string_view by) const;
  void publish(SetupPointer setup, std::int64_t version);

  // The setup of a version, or what is wrong with its vectors.
  Result<Setup> find(store::Reader& reader, std::int64_t version) const;
  Result<std::vector<std::string>> failed_vectors(store::Reader& reader, const Setup& setup) const;
  // {"active", "versions": [{"version", "by", "at", "dry_run"?}]}
  Result<std::string> list(store::Reader& reader) const;

  // What a person said of an incident in place of the rules is a test vector from now on.
  static Result<> correct(store::Transaction& transaction, const Incident& incident, std::string_view reason,
                          std::string_view by);
  static Result<std::string> corrections(store::Reader& reader);  // JSON
  static Result<> forget_correction(store::Transaction& transaction, std::string_view incident);

 private:
  mutable std::mutex mutex_;
  SetupPointer active_;
  std::int64_t version_ = 0;
};

}  // namespace mydr24::incidents
