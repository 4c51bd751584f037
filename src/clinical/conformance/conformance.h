#pragma once

// Keeps records::Definitions up to date: what R4 publishes, the implementation guides that a deployment loads, and the
// conformance resources that clients store (CodeSystem, ValueSet, ConceptMap, StructureDefinition, SearchParameter).
// A stored one takes effect a moment after its commit (wait_until_in_effect). A new SearchParameter is indexed for the
// resources that are there already by a thread of its own, in small steps, going on where it was when the process starts
// again.
//
// Invariant: a search never answers from an index that is not complete: until a parameter is indexed, unindexed() names
// it.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/telemetry/log.h"
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
  Conformance(records::Records& records, const telemetry::Log& log) : records_(records), log_(log) {}
  ~Conformance() override { stop(); }
  Conformance(const Conformance&) = delete;
  Conformance& operator=(const Conformance&) = delete;

  // Reads the packages and what is stored, and puts it to use. Call it once, before the first request.
  // Code::invalid names the package at fault.
  Result<> start(const Settings& settings);
  // Ends the indexing thread; before the store is closed.
  void stop();

  // Blocks until a conformance resource that was committed with this sequence counts, at most for `longest`: another
  // process may be the one that follows. True: it does.
  bool wait_until_in_effect(store::Sequence sequence, std::chrono::milliseconds longest);

  // Parameters that are still being indexed; empty when all is done.
  std::vector<Progress> unindexed() const;

  bool concerns(std::string_view type) const override;
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
    std::string cursor;
  };
  struct Stored;

  Result<> reload();
  Result<Stored> read_stored();
  Result<> read_type(store::Reader& reader, std::string_view type, Stored& stored);
  Result<std::vector<search::CustomParameter>> custom_parameters(const Stored& stored);
  Result<std::uint32_t> generation_of(const std::string& url, const std::string& definition);
  Result<> find_jobs(const search::CataloguePtr& catalogue, const std::vector<search::CustomParameter>& parameters);
  Result<store::SearchPage> next_page(const Job& job) const;
  Result<> take_own_bases();
  Result<> find_base_jobs(store::Reader& reader, std::vector<Job>& jobs);
  Result<bool> step_bases(Job& job);
  Result<> finish_bases();
  void work();
  Result<bool> step(Job& job);  // true when the job is done

  records::Records& records_;
  const telemetry::Log& log_;
  Settings settings_;
  search::CataloguePtr base_catalogue_;  // what R4 publishes, by the server's URLs
  std::shared_ptr<const terminology::Terminology> base_terminology_;
  std::shared_ptr<const validation::Validator> base_validator_;

  std::mutex definitions_mutex_;                          // one changes the definitions at a time
  std::vector<std::vector<std::string>> outdated_bases_;  // by which rows may still be

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable followed_;
  store::Sequence in_effect_ = 0;  // what was noted up to here counts
  std::vector<Job> jobs_;
  bool settling_ = false;  // the jobs are new
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mydr24::conformance
