#include "base/telemetry/traces.h"

#include <algorithm>
#include <charconv>

#include "base/core/random.h"

namespace mydr24::telemetry {
namespace {

constexpr unsigned turn_bits = 20;
constexpr std::uint64_t turn_mask = (1ULL << turn_bits) - 1;

// Lower case only: W3C Trace Context, section 3.2.2.
std::optional<std::uint64_t> hex(std::string_view text) {
  std::uint64_t value = 0;
  const bool is_lower = std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'F'; });
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (!is_lower || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view text) {
  constexpr std::size_t size = 55;  // 00-(32)-(16)-(2)
  if (text.size() < size || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const auto version = hex(text.substr(0, 2));
  if (!version || *version == 0xff || (*version == 0 && text.size() != size) ||
      (text.size() > size && text[size] != '-'))
    return std::nullopt;
  const auto high = hex(text.substr(3, 16));
  const auto low = hex(text.substr(19, 16));
  const auto span = hex(text.substr(36, 16));
  const auto flags = hex(text.substr(53, 2));
  if (!high || !low || !span || !flags || (*high == 0 && *low == 0) || *span == 0) return std::nullopt;
  return TraceParent{.trace = {*high, *low}, .span = *span, .sampled = (*flags & 1U) != 0};
}

Trace::Trace(const Clock& clock, const std::optional<TraceParent>& parent)
    : clock_(clock),
      id_(parent ? parent->trace : TraceId{random64(), random64()}),
      parent_(parent ? parent->span : 0),
      root_(random64()),
      offset_(clock.now().time_since_epoch() - clock.steady()) {}

void Trace::add(std::string_view name, std::chrono::nanoseconds begin, std::chrono::nanoseconds end,
                std::vector<SpanAttribute> attributes) {
  const std::lock_guard lock(mutex_);
  if (spans_.size() >= spans_max) {
    ++left_out_;
    return;
  }
  spans_.push_back({.id = random64(),
                    .parent = root_,
                    .name = std::string(name),
                    .begin = begin + offset_,
                    .end = end + offset_,
                    .attributes = std::move(attributes)});
}

Traces::~Traces() { (void)take(); }

std::unique_ptr<Trace> Traces::begin(std::string_view traceparent) {
  if (!traceparent.empty()) {
    if (const auto parent = parse_traceparent(traceparent)) return parent->sampled ? begin_beyond(parent) : nullptr;
  }
  constexpr std::uint64_t million = 1'000'000;
  if (settings_.sample_per_million <= 0 ||
      random64() % million >= static_cast<std::uint64_t>(settings_.sample_per_million))
    return nullptr;
  return std::unique_ptr<Trace>(new Trace(clock_, std::nullopt));
}

std::unique_ptr<Trace> Traces::begin_beyond(const std::optional<TraceParent>& parent) {
  if (!take_turn()) {
    left_out_.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  return std::unique_ptr<Trace>(new Trace(clock_, parent));
}

bool Traces::take_turn() {
  const auto second = static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(clock_.steady()).count());
  auto turns = turns_.load(std::memory_order_relaxed);
  const auto most = std::min(static_cast<std::uint64_t>(settings_.beyond_per_s_max), turn_mask);
  while (true) {
    const std::uint64_t taken = turns >> turn_bits == second ? turns & turn_mask : 0;
    if (taken >= most) return false;
    if (turns_.compare_exchange_weak(turns, second << turn_bits | (taken + 1), std::memory_order_relaxed)) return true;
  }
}

void Traces::end(std::unique_ptr<Trace> trace, Span own) {
  own.id = trace->root_;
  own.parent = trace->parent_;
  own.begin += trace->offset_;
  own.end += trace->offset_;
  trace->spans_.push_back(std::move(own));
  if (waiting_.fetch_add(1, std::memory_order_relaxed) >= settings_.waiting_max) {
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  ended_.fetch_add(1, std::memory_order_relaxed);
  Trace* const pushed = trace.release();
  pushed->next_ = newest_.load(std::memory_order_relaxed);
  while (!newest_.compare_exchange_weak(pushed->next_, pushed, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

std::vector<std::unique_ptr<Trace>> Traces::take() {
  std::vector<std::unique_ptr<Trace>> taken;
  for (Trace* each = newest_.exchange(nullptr, std::memory_order_acquire); each != nullptr; each = each->next_)
    taken.emplace_back(each);
  waiting_.fetch_sub(taken.size(), std::memory_order_relaxed);
  std::ranges::reverse(taken);
  return taken;
}

}  // namespace mydr24::telemetry
