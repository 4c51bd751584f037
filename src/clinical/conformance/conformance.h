#pragma once

// Keeps records::Definitions up to date: what R4 publishes, the implementation guides that a deployment loads, and the
// conformance resources that clients store (CodeSystem, ValueSet, ConceptMap, StructureDefinition, SearchParameter).
// A stored one takes effect a moment after its commit (wait_until_in_effect), in every process on the database: each looks
// once a second whether there is a change. A new SearchParameter is indexed for the resources that are there already by a
// thread of the process that leads, in small steps, going on where it was when it starts again or another takes over.
//
// Invariant: a search never answers from an index that is not complete: until a parameter is indexed, unindexed() names
// it. The indexing begins when every process writes by the new definition (Servers).

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/telemetry/log.h"
#include "clinical/conformance/servers.h"
#include "clinical/records/records.h"

namespace mydr24::conformance {

inline constexpr std::size_t stored_max = 20'000;  // conformance resources that are looked at

struct Settings {
  std::vector<std::string> packages;  // implementation guides: folders or .tgz files
  // Absolute URLs of the FHIR API under which this server is reached, no slash at the end: references below them are
  // local. When they change, the rows of references are made anew.
  std::vector<std::string> own_bases;
  bool keeps_own_bases = false;  // a database that has resources stays by those it has: for commands beside the server
  validation::Checks checks;
};

// How far the indexing of one SearchParameter is.
struct Progress {
  std::string url;
  std::string type;
  std::string code;        // empty: every reference of the type
  std::int64_t done = 0;   // resources looked at
  std::int64_t total = 0;  // resources of the type when it was last counted
};

class Conformance final : public records::Reaction, public store::Follower {
 public:
  Conformance(records::Records& records, const telemetry::Log& log)
      : records_(records), log_(log), servers_(records.store(), records.clock()) {}
  ~Conformance() override { stop(); }
  Conformance(const Conformance&) = delete;
  Conformance& operator=(const Conformance&) = delete;

  // Reads the packages and what is stored, and puts it to use. Call it once, before the first request.
  // Code::invalid names the package at fault.
  Result<> start(const Settings& settings);
  // Ends the indexing thread; before the store is closed.
  void stop();

  // Blocks until a conformance resource that was committed with this sequence counts in this process, at most for
  // `longest`. True: it does.
  bool wait_until_in_effect(store::Sequence sequence, std::chrono::milliseconds longest);

  // Parameters that are still being indexed; empty when all is done.
  std::vector<Progress> unindexed() const;

  static bool is_definition(std::string_view type);

  // Every write: one by definitions that are not in force any more is refused.
  bool concerns(std::string_view) const override { return true; }
  Result<> react(store::Transaction& transaction, const records::Change& change) override;

  std::string_view name() const override { return "conformance"; }
  Result<> follow(std::span<const store::Event> events) override;

 private:
  struct Job {
    Progress progress;
    bool is_of_bases = false;  // not one parameter: all references, by the server's own URLs
    std::string key;           // of its state row
    std::uint32_t generation = 0;
    std::string definition;
    std::int64_t change = 0;  // it begins when every process goes by that, or a later one
    bool begun = false;
  };
  // How far the indexing of a job is, by its state row.
  struct Row {
    std::optional<std::string> text;
    std::string cursor;
    std::int64_t done = 0;
    bool complete = false;
  };
  struct Page {
    Row row;
    store::SearchPage found;
  };
  struct Stored;
  struct Custom {
    std::vector<search::CustomParameter> parameters;
    std::map<std::string, std::string, std::less<>> definitions;  // by URL
  };

  Result<> look();
  Result<> take_up();
  Result<> reload();
  Result<Stored> read_stored();
  Result<> read_type(store::Reader& reader, std::string_view type, Stored& stored);
  static Custom custom_parameters(const Stored& stored);
  Result<> number(std::int64_t change, Custom& custom);
  static Result<> forget_gone(store::Transaction& transaction, const Custom& custom);
  Result<std::vector<Job>> find_jobs(std::int64_t change, const search::CataloguePtr& catalogue,
                                     const std::vector<search::CustomParameter>& parameters);
  void add_jobs(std::vector<Job>& jobs);
  void replace_jobs(std::vector<Job> jobs, std::int64_t change);
  static Result<Row> read_row(store::Reader& reader, const Job& job);
  static Result<bool> bases_are_done(store::Reader& reader);
  Result<Page> next_page(const Job& job) const;
  Result<Row> write_page(const Job& job, const Page& page, const std::function<Result<>(store::Transaction&)>& reindex);
  Result<> take_own_bases();
  Result<> find_base_jobs(store::Reader& reader, std::vector<Job>& jobs);
  Result<Row> step_bases(const Job& job);
  Result<> finish_bases();
  void work();
  std::chrono::nanoseconds work_on(const Job& job);  // how long to wait after it
  Result<Row> step(const Job& job);
  Result<Row> read_progress(const Job& job) const;  // how far the process that leads is

  records::Records& records_;
  const telemetry::Log& log_;
  Settings settings_;
  search::CataloguePtr base_catalogue_;  // what R4 publishes, by the server's URLs
  std::shared_ptr<const terminology::Terminology> base_terminology_;
  std::shared_ptr<const validation::Validator> base_validator_;

  Servers servers_;
  std::mutex look_mutex_;                                 // one looks at a time
  std::mutex definitions_mutex_;                          // one changes the definitions at a time
  std::vector<std::vector<std::string>> outdated_bases_;  // by which rows may still be

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable followed_;
  store::Sequence in_effect_ = -1;  // what was noted up to here counts
  std::vector<Job> jobs_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mydr24::conformance
