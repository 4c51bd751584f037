#pragma once

// Keeps the book of Consents (access::ConsentBook) as the store has it: read at the start, then every change, whichever server
// on the store wrote it.
//
// Invariant: a Consent counts on the server that stored it before its write is answered (which waits for that a second at
// most), and within a second on the others.
//
// Events: consent.changed {"id"}.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "clinical/records/records.h"
#include "guard/access/consent.h"

namespace mydr24::consents {

class Consents final : public records::Reaction, public store::Follower {
 public:
  // `records` must outlive it; it must outlive the store.
  explicit Consents(records::Records& records) : records_(records) {}

  // Told of each Consent that says something which is not understood, and refuses there. Before start(); must be quick.
  void on_unclear(std::function<void(const access::Consent&)> told) { on_unclear_ = std::move(told); }
  // Reads every Consent and follows from there. Before the store's first submit.
  Result<> start();
  const access::ConsentBook& book() const { return book_; }

  bool concerns(std::string_view type) const override { return type == "Consent"; }
  Result<> react(store::Transaction& transaction, const records::Change& change) override;

  std::string_view name() const override { return "consents"; }
  bool in_every_process() const override { return true; }
  Result<> begin() override;
  Result<> follow(std::span<const store::Event> events) override;

  // Blocks until the version of a Consent that was written with this sequence counts, at most so long: its event is the line
  // after it.
  void wait_until_in_effect(store::Sequence sequence, std::chrono::milliseconds time_max);

 private:
  void tell(const access::Consent& consent) const {
    if (on_unclear_ && !consent.unclear.empty()) on_unclear_(consent);
  }

  records::Records& records_;
  std::function<void(const access::Consent&)> on_unclear_;
  access::ConsentBook book_;
  std::mutex mutex_;
  std::condition_variable followed_;
  store::Sequence last_ = 0;  // of the changes that the book has
  bool has_begun_ = false;
};

}  // namespace mydr24::consents
