#pragma once

// The International Patient Summary: one document with what a stranger who treats the patient must know first. It is
// kept ready: once it has been asked for, every write that touches the patient has it made anew in the background, so
// that asking again is one read. What is not ready is made on the spot.
// Source: HL7 International Patient Summary (IPS) 1.1.0, Composition profile; LOINC codes of its sections.
//
// Invariant: a document that is older than a committed write about its patient is never given out.

#include <string>
#include <string_view>

#include "clinical/records/records.h"

namespace mydr24::summary {

inline constexpr std::uint32_t section_max = 100;  // resources of one section, newest first

// The document Bundle of that patient as of the reader's view. Code::not_found, Code::gone.
Result<std::string> build(store::Reader& reader, std::string_view patient, const std::string& fhir_base, Instant now);

class Summaries final : public records::Reaction, public store::Follower {
 public:
  explicit Summaries(records::Records& records) : records_(records) {}

  // The document, from the store when it is ready. `fhir_base` is what full URLs begin with.
  Result<std::string> get(const std::string& patient, const std::string& fhir_base);

  bool concerns(std::string_view type) const override;
  Result<> react(store::Transaction& transaction, const records::Change& change) override;

  std::string_view name() const override { return "summary"; }
  Result<> follow(std::span<const store::Event> events) override;

 private:
  Result<> keep(const std::string& patient, const std::string& fhir_base, const std::string& text,
                store::Sequence as_of);

  records::Records& records_;
};

}  // namespace mydr24::summary
