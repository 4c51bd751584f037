#include "guard/identity/throttle.h"

#include <fmt/format.h>

#include <algorithm>

namespace mydr24::identity {
namespace {

std::string account_key(std::string_view account) { return fmt::format("a:{}", account); }
std::string pair_key(std::string_view account, std::string_view address) {
  return fmt::format("{}\n{}", account, address);
}
std::string address_key(std::string_view address) { return fmt::format("i:{}", address); }

}  // namespace

std::chrono::seconds Throttle::wait_of(const Entry& entry, int free, Instant now) const {
  if (entry.failures < free || now >= entry.last + forgotten_after) return std::chrono::seconds(0);
  const int doublings = std::min(entry.failures - free, 20);
  const auto until = entry.last + std::min(std::chrono::seconds(1LL << doublings), std::chrono::seconds(wait_max_s_));
  return std::max(std::chrono::ceil<std::chrono::seconds>(until - now), std::chrono::seconds(0));
}

void Throttle::make_room(Instant now) {
  if (entries_.size() + 2 <= entries_max) return;
  std::erase_if(entries_, [&](const auto& each) { return now >= each.second.last + forgotten_after; });
  // Half of them at once: room is not made anew for each of a flood.
  while (entries_.size() > entries_max / 2) entries_.erase(entries_.begin());
}

Result<> Throttle::attempt(std::string_view account, std::string_view address, Instant now) {
  const std::lock_guard lock(mutex_);
  make_room(now);
  const auto known = familiar_.find(pair_key(account, address));
  Entry& of_account = known != familiar_.end() ? known->second : entries_[account_key(account)];
  Entry& of_address = entries_[address_key(address)];
  const auto wait = std::max(wait_of(of_account, account_free_, now), wait_of(of_address, address_free, now));
  if (wait.count() > 0)
    return fail(Code::busy, fmt::format("too many attempts to log in: try again in {} s", wait.count()));
  for (Entry* entry : {&of_account, &of_address}) {
    if (now >= entry->last + forgotten_after) entry->failures = 0;
    ++entry->failures;
    entry->last = now;
  }
  return {};
}

std::chrono::seconds Throttle::wait(std::string_view account, Instant now) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(account_key(account));
  return found == entries_.end() ? std::chrono::seconds(0) : wait_of(found->second, account_free_, now);
}

void Throttle::succeed(std::string_view account, std::string_view address) {
  const std::lock_guard lock(mutex_);
  entries_.erase(account_key(account));
  if (familiar_.size() >= familiar_max) familiar_.erase(familiar_.begin());
  familiar_[pair_key(account, address)] = {};
  const auto found = entries_.find(address_key(address));
  if (found != entries_.end() && --found->second.failures <= 0) entries_.erase(found);
}

}  // namespace mydr24::identity
