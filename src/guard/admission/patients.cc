#include "guard/admission/patients.h"

#include <algorithm>

#include "guard/admission/hash.h"

namespace mydr24::admission {
namespace {

constexpr std::string_view id_characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";

// The id at the front of `text`.
std::string_view id_at(std::string_view text) { return text.substr(0, text.find_first_not_of(id_characters)); }

}  // namespace

void EmergencyPatients::set(std::string_view id, bool in_emergency) {
  const auto wanted = hash(id);
  const std::lock_guard lock(writing_);
  const auto before = hashes_.load();
  const auto at = std::ranges::lower_bound(*before, wanted);
  const bool there = at != before->end() && *at == wanted;
  if (there == in_emergency || (in_emergency && before->size() >= patients_max)) return;
  const auto place = at - before->begin();
  auto after = std::make_shared<Hashes>(*before);
  if (in_emergency) {
    after->insert(after->begin() + place, wanted);
  } else {
    after->erase(after->begin() + place);
  }
  size_.store(after->size(), std::memory_order_relaxed);
  hashes_.store(std::move(after));
}

bool EmergencyPatients::contains(std::string_view id) const {
  return !id.empty() && std::ranges::binary_search(*hashes_.load(), hash(id));
}

bool EmergencyPatients::named_in(std::string_view path, std::string_view query) const {
  if (empty()) return false;
  constexpr std::string_view patient = "Patient/";
  if (const auto at = path.find(patient); at != path.npos && contains(id_at(path.substr(at + patient.size())))) {
    return true;
  }
  while (!query.empty()) {
    auto parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), parameter.size() + 1));
    if (!parameter.starts_with("patient=") && !parameter.starts_with("subject=")) continue;
    parameter.remove_prefix(parameter.find('=') + 1);
    for (const std::string_view prefix : {"Patient/", "Patient%2F", "Patient%2f"}) {
      if (parameter.starts_with(prefix)) parameter.remove_prefix(prefix.size());
    }
    if (contains(id_at(parameter))) return true;
  }
  return false;
}

}  // namespace mydr24::admission
