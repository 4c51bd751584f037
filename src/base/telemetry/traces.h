#pragma once

// Traces: what a request spent its time on, as spans that a tracing system draws below each other. A request is traced when the
// sample chooses it, when its caller asks for it, or when it was slow or failed; the others cost next to nothing.
//
// Invariant: names and attributes are the program's own words, numbers and ids that it made itself: never a path, a query, a
// header or anything else that came with a request, and nothing of a patient's record.
// Source: W3C Trace Context (traceparent); OpenTelemetry's data model of traces and its semantic conventions for HTTP.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/core/clock.h"

namespace mydr24::telemetry {

// 128 bits, never all 0.
struct TraceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const TraceId&) const = default;
};
using SpanId = std::uint64_t;  // 0: none

// What a caller says of the trace that its request belongs to.
struct TraceParent {
  TraceId trace;
  SpanId span = 0;
  bool sampled = false;
};
// Of the header `traceparent`: version 00, or a later one that begins alike. Nothing when it is malformed, which is as if it
// were not there.
std::optional<TraceParent> parse_traceparent(std::string_view text);

struct SpanAttribute {
  std::string_view key;  // outlives the process's traces: a literal
  std::variant<std::string, std::int64_t> value;
};

struct Span {
  enum class Kind : std::uint8_t { internal = 1, server = 2, client = 3 };  // as OTLP numbers them
  SpanId id = 0;
  SpanId parent = 0;
  std::string name;
  Kind kind = Kind::internal;
  std::chrono::nanoseconds begin{0};  // since 1970, as `end`
  std::chrono::nanoseconds end{0};
  bool failed = false;
  std::vector<SpanAttribute> attributes;
};

// The spans of one request. Thread-safe: the entries of a batch are carried out together.
class Trace {
 public:
  static constexpr std::size_t spans_max = 64;  // more are counted only

  // A part of the request, below its own span. Steady times.
  void add(std::string_view name, std::chrono::nanoseconds begin, std::chrono::nanoseconds end,
           std::vector<SpanAttribute> attributes = {});

  const TraceId& id() const { return id_; }
  std::chrono::nanoseconds steady() const { return clock_.steady(); }
  // After Traces::end: the request's own span last.
  const std::vector<Span>& spans() const { return spans_; }
  std::uint32_t left_out() const { return left_out_; }

 private:
  friend class Traces;
  Trace(const Clock& clock, const std::optional<TraceParent>& parent);

  const Clock& clock_;
  const TraceId id_;
  const SpanId parent_;
  const SpanId root_;
  const std::chrono::nanoseconds offset_;  // from steady times to those since 1970
  std::mutex mutex_;
  std::vector<Span> spans_;
  std::uint32_t left_out_ = 0;
  Trace* next_ = nullptr;  // of those that wait
};

// Times a part of a trace from here to its own end. Null: nothing is timed.
class TraceTimer {
 public:
  TraceTimer(Trace* trace, std::string_view name) : trace_(trace), name_(name) {
    if (trace_ != nullptr) begin_ = trace_->steady();
  }
  ~TraceTimer() {
    if (trace_ != nullptr) trace_->add(name_, begin_, trace_->steady());
  }
  TraceTimer(const TraceTimer&) = delete;
  TraceTimer& operator=(const TraceTimer&) = delete;

 private:
  Trace* const trace_;
  const std::string_view name_;
  std::chrono::nanoseconds begin_{0};
};

struct TraceSettings {
  std::int64_t sample_per_million = 0;    // of the requests whose callers say nothing of a trace
  std::chrono::milliseconds slow{1'000};  // who takes as long is traced whatever the sample says; 0: nobody
  std::int64_t beyond_per_s_max = 100;    // traces that callers ask for, or that were slow or failed; more are not made
  std::size_t waiting_max = 4'096;        // traces that wait for take(); more are dropped
};

// Thread-safe; nobody waits for anybody: what has ended is pushed onto a list without a lock, which take() empties at once.
class Traces {
 public:
  // `clock` must outlive it and its traces.
  Traces(const TraceSettings& settings, const Clock& clock) : settings_(settings), clock_(clock) {}
  ~Traces();
  Traces(const Traces&) = delete;
  Traces& operator=(const Traces&) = delete;

  // At the beginning of a request, with its header `traceparent`, which may be empty. Null: it is not traced.
  std::unique_ptr<Trace> begin(std::string_view traceparent);
  // At its end, for one that is not traced: one whose own span is all there is, if it was slow or failed.
  std::unique_ptr<Trace> begin_late(std::string_view traceparent, std::chrono::nanoseconds took, bool failed) {
    const bool is_slow = settings_.slow.count() > 0 && took >= settings_.slow;
    if (!is_slow && !failed) return nullptr;
    return begin_beyond(parse_traceparent(traceparent));
  }
  // `own`: the span of the request itself, with steady times; its ids are put in.
  void end(std::unique_ptr<Trace> trace, Span own);

  // What has ended since it was asked last, oldest first. For one thread.
  std::vector<std::unique_ptr<Trace>> take();

  std::int64_t ended() const { return ended_.load(std::memory_order_relaxed); }
  std::int64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }    // too many waited
  std::int64_t left_out() const { return left_out_.load(std::memory_order_relaxed); }  // beyond_per_s_max

 private:
  std::unique_ptr<Trace> begin_beyond(const std::optional<TraceParent>& parent);
  bool take_turn();

  const TraceSettings settings_;
  const Clock& clock_;
  std::atomic<Trace*> newest_ = nullptr;  // owned
  std::atomic<std::size_t> waiting_ = 0;
  std::atomic<std::uint64_t> turns_ = 0;  // of this second: the second, then how many in the low 20 bits
  std::atomic<std::int64_t> ended_ = 0;
  std::atomic<std::int64_t> dropped_ = 0;
  std::atomic<std::int64_t> left_out_ = 0;
};

}  // namespace mydr24::telemetry
