#include "api/pipeline/features.h"

#include <algorithm>

namespace mydr24::pipeline {

std::span<const Feature> features() {
  static const std::vector<Feature> all{
      {"graphql", "GraphQL queries", {"$graphql"}},
      {"everything", "$everything of patients and encounters", {"$everything"}},
      {"terminology",
       "Operations on code systems, value sets and concept maps",
       {"$expand", "$lookup", "$subsumes", "$translate", "$validate-code"}},
      {"validate", "$validate; what is written is validated all the same", {"$validate"}},
      {"history", "The history of all resources and of a type", {"history-system", "history-type"}},
      {"series_queries",
       "Queries over the history of metrics",
       {"series-query", "series-query-range", "series-list", "series-labels", "series-label-values"}},
      {"remote_write", "Metrics that Prometheus sends", {"remote-write"}},
      {"client_registration", "Applications that register themselves", {"register-client"}},
  };
  return all;
}

std::uint8_t feature_of(std::string_view interaction) {
  const auto all = features();
  const auto found = std::ranges::find_if(all, [&](const Feature& feature) {
    return std::ranges::find(feature.interactions, interaction) != feature.interactions.end();
  });
  return found == all.end() ? no_feature : static_cast<std::uint8_t>(found - all.begin());
}

}  // namespace mydr24::pipeline
