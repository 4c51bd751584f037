#pragma once

// Keeps the book of Consents (access::ConsentBook) as the store has it: read at the start, then every change, also those
// written through another server that shares the store.
//
// Invariant: a Consent counts on the server that stored it before its write is answered, and within a second on the others.

#include <mutex>
#include <string>
#include <string_view>

#include "base/telemetry/log.h"
#include "clinical/records/records.h"
#include "guard/access/consent.h"

namespace mydr24::consents {

class Consents final : public records::Reaction {
 public:
  // All must outlive it.
  Consents(records::Records& records, const telemetry::Log& log) : records_(records), log_(log) {}

  // Reads every Consent. Before the first request.
  Result<> start();
  const access::ConsentBook& book() const { return book_; }

  bool concerns(std::string_view type) const override { return type == "Consent"; }
  // Notes the change where every server looks for it.
  Result<> react(store::Transaction& transaction, const records::Change& change) override;

  // Takes in what has changed since. Blocks for a read of the store; thread-safe.
  void refresh();
  // The same twice a second, however often it is called.
  void tick();

 private:
  Result<> take_changes();
  Result<> take(store::Reader& reader, std::string_view id);

  records::Records& records_;
  const telemetry::Log& log_;
  access::ConsentBook book_;
  std::mutex mutex_;
  std::string taken_;  // key of the last change that the book has
  std::chrono::nanoseconds looked_at_{0};
};

}  // namespace mydr24::consents
