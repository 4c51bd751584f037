#include "app/server/settings.h"

#include <algorithm>

#include "base/async/threads.h"
#include "base/net/reach.h"

namespace mydr24::server {
namespace {

constexpr std::size_t database_workers_min = 8;
constexpr std::size_t database_workers_per_processor = 4;

}  // namespace

std::vector<std::string> list_of(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const auto comma = text.find(',');
    auto item = text.substr(0, comma);
    text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
    const auto first = item.find_first_not_of(' ');
    if (first != item.npos) items.emplace_back(item.substr(first, item.find_last_not_of(' ') - first + 1));
  }
  return items;
}

bool is_on_loopback(std::string_view address) {
  auto host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return net::is_loopback_host(host);
}

std::filesystem::path audit_folder(const Settings& settings) {
  if (!settings.audit.folder.empty()) return settings.audit.folder;
  return std::filesystem::path(settings.store.path) / "audit";
}

std::size_t worker_count(const Settings& settings) {
  if (settings.server.workers > 0) return static_cast<std::size_t>(settings.server.workers);
  if (settings.store.url.empty()) return usable_processors();
  return std::max(database_workers_min, database_workers_per_processor * usable_processors());
}

}  // namespace mydr24::server
