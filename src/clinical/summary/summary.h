#pragma once

// International Patient Summaries, kept ready so that one is answered from one read. A write about a patient marks the
// summary of the patient in the same transaction; a thread of its own builds those that are marked again, a moment after
// the first mark, so that many writes about one patient cost one building. What is not ready is made on the spot.
// Source: HL7 International Patient Summary (IPS) 1.1.0, Composition profile; LOINC codes of its sections.
//
// Invariant: a document that is older than a committed write about its patient is never given out.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/telemetry/log.h"
#include "clinical/records/records.h"
#include "storage/store/body_codec.h"

namespace mydr24::summary {

inline constexpr std::uint32_t section_max = 100;  // resources of one section, newest first
// Between the first write about a patient and the building that takes it in.
inline constexpr std::chrono::seconds settle_time{2};

// The document Bundle of that patient as of the reader's view. Code::not_found, Code::gone.
Result<std::string> build(store::Reader& reader, std::string_view patient, const std::string& fhir_base, Instant now);

class Summaries final : public records::Reaction {
 public:
  explicit Summaries(records::Records& records) : records_(records) {}
  ~Summaries() override { stop(); }
  Summaries(const Summaries&) = delete;
  Summaries& operator=(const Summaries&) = delete;

  // The document, from the store when it is ready. `fhir_base` is what full URLs begin with.
  Result<std::string> get(const std::string& patient, const std::string& fhir_base);

  bool concerns(std::string_view type) const override;
  Result<> react(store::Transaction& transaction, const records::Change& change) override;

  // Builds from now on, in a thread that takes a small share of one processor; `log` must outlive it.
  void start(const telemetry::Log& log);
  // Ends it; before the store is closed.
  void stop();

  // One step of it: builds some of those that are due, or marks some of the patients that were there before summaries
  // were kept. How many it did; 0: nothing is due.
  Result<std::size_t> step();

 private:
  struct Built {
    std::string patient;
    std::string row;  // empty: there is no such patient any more
  };

  Result<std::size_t> mark_some();
  Result<std::vector<std::string>> due();
  Result<store::Sequence> claim(const std::vector<std::string>& patients);
  Result<Built> build_one(const std::string& patient, store::Sequence as_of);
  Result<> keep(const std::vector<Built>& built);
  void work(const telemetry::Log& log);

  records::Records& records_;
  store::BodyCodec codec_;
  std::string claim_;        // of this step: what another server claims meanwhile is not ours to keep
  std::string next_;         // after which patient the next step looks for marks
  bool all_marked_ = false;  // the patients that were there before

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mydr24::summary
