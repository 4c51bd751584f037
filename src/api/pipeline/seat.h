#pragma once

// A seat taken at a gate, given up however the request ends. Private to the pipeline.

#include <chrono>

#include "base/core/clock.h"
#include "guard/admission/gate.h"

namespace mydr24::pipeline {

class Seat {
 public:
  // `gate` null: none was taken.
  Seat(admission::Gate* gate, RequestClass request_class, std::uint8_t shard, const Clock& clock)
      : gate_(gate), request_class_(request_class), shard_(shard), clock_(clock) {
    if (gate_ != nullptr) since_ = clock_.steady();
  }
  ~Seat() {
    if (gate_ == nullptr) return;
    const auto now = clock_.steady();
    gate_->leave(request_class_, shard_, now - since_, now);
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

 private:
  admission::Gate* gate_;
  RequestClass request_class_;
  std::uint8_t shard_;
  const Clock& clock_;
  std::chrono::nanoseconds since_{0};
};

}  // namespace mydr24::pipeline
