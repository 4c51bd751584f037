#pragma once

// Patients with an open emergency: a request about one of them is urgent, whatever its route says. Kept in memory as
// hashes of ids; readers take no lock that a writer holds for longer than a pointer's swap.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace mydr24::admission {

class EmergencyPatients {
 public:
  static constexpr std::size_t patients_max = 50'000;  // further ones are not added: they keep their route's class

  // `id`: "123" of Patient/123. Replaces what was known.
  void set(std::string_view id, bool in_emergency);
  bool contains(std::string_view id) const;
  bool empty() const { return size_.load(std::memory_order_relaxed) == 0; }
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

  // Whether a request names one of them: Patient/ID in its path, or patient= or subject= in its query.
  bool named_in(std::string_view path, std::string_view query) const;

 private:
  using Hashes = std::vector<std::uint64_t>;  // sorted
  std::mutex writing_;
  std::atomic<std::shared_ptr<const Hashes>> hashes_{std::make_shared<const Hashes>()};
  std::atomic<std::size_t> size_{0};
};

}  // namespace mydr24::admission
