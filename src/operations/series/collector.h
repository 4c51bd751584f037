#pragma once

// Takes what telemetry::Metrics counts into a Database, with the labels job and instance.

#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/telemetry/metrics.h"
#include "operations/series/database.h"

namespace mydr24::series {

class Collector {
 public:
  // Both must outlive it.
  Collector(telemetry::Metrics& metrics, Database& database, std::string job, std::string instance)
      : metrics_(metrics), database_(database), job_(std::move(job)), instance_(std::move(instance)) {}

  // Each number as of `time`. Not thread-safe.
  void collect(Milliseconds time);

 private:
  SeriesPtr find(const telemetry::Reading& reading);

  telemetry::Metrics& metrics_;
  Database& database_;
  const std::string job_;
  const std::string instance_;
  std::unordered_map<std::string, SeriesPtr> known_;  // by name and labels
  std::unordered_set<std::string> described_;
  std::string key_;
};

}  // namespace mydr24::series
