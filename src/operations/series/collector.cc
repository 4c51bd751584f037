#include "operations/series/collector.h"

namespace mydr24::series {

SeriesPtr Collector::find(const telemetry::Reading& reading) {
  key_ = reading.name;
  for (const auto& [name, value] : reading.labels) {
    key_ += '\xFF';
    key_ += name;
    key_ += '\xFE';
    key_ += value;
  }
  if (const auto known = known_.find(key_); known != known_.end()) return known->second;
  std::vector<routing::Label> labels(reading.labels.begin(), reading.labels.end());
  labels.emplace_back(name_label, reading.name);
  labels.emplace_back("job", job_);
  labels.emplace_back("instance", instance_);
  auto series = database_.series(Labels(std::move(labels)));
  if (!series) return nullptr;
  known_.emplace(key_, *series);
  return *series;
}

void Collector::collect(Milliseconds time) {
  for (const telemetry::Family& family : metrics_.gather()) {
    if (described_.insert(family.name).second)
      database_.describe(family.name, {.type = std::string(family.type), .help = family.help, .unit = {}});
    for (const telemetry::Reading& reading : family.readings) {
      const SeriesPtr series = find(reading);
      if (!series) continue;
      if (database_.append(*series, time, reading.value) == Appended::gone) known_.erase(key_);
    }
  }
}

}  // namespace mydr24::series
