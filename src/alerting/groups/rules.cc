#include "alerting/groups/rules.h"

#include <utility>

namespace mydr24::groups {
namespace {

routing::Alert made(std::vector<routing::Label> labels, std::vector<routing::Label> annotations, Instant now,
                    routing::milliseconds lasts) {
  return {.labels = routing::Labels(std::move(labels)),
          .annotations = routing::Labels(std::move(annotations)),
          .starts_at = now,
          .ends_at = now + lasts,
          .updated_at = now,
          .timeout = true};
}

}  // namespace

std::optional<routing::Alert> Feed::judge(std::chrono::nanoseconds steady, Instant now,
                                          routing::milliseconds lasts) const {
  if (steady < last_ + every_) return std::nullopt;
  return made({{"alertname", "FeedMissing"},
               {"severity", "critical"},
               {"category", "PatientSafety"},
               {"feed", routing::to_text(matchers_)},
               {"source", "mydr24"}},
              {{"summary", "The feed of alerts has gone silent: what it watches is not watched"}}, now, lasts);
}

}  // namespace mydr24::groups
