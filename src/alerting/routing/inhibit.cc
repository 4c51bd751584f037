#include "alerting/routing/inhibit.h"

namespace mydr24::routing {

std::string Inhibitor::equal_values(const InhibitRule& rule, const Labels& labels) {
  std::string values;
  for (const std::string& name : rule.equal) (values += labels[name]) += '\xFF';
  return values;
}

void Inhibitor::fires(Fingerprint fingerprint, const Labels& labels) {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const InhibitRule& rule = config_->inhibit_rules[i];
    if (matches(rule.source, labels))
      sources_[i][equal_values(rule, labels)][fingerprint] = matches(rule.target, labels);
  }
}

void Inhibitor::ends(Fingerprint fingerprint, const Labels& labels) {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const auto found = sources_[i].find(equal_values(config_->inhibit_rules[i], labels));
    if (found == sources_[i].end()) continue;
    found->second.erase(fingerprint);
    if (found->second.empty()) sources_[i].erase(found);
  }
}

std::optional<Fingerprint> Inhibitor::inhibited_by(const Labels& labels) const {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const InhibitRule& rule = config_->inhibit_rules[i];
    if (sources_[i].empty() || !matches(rule.target, labels)) continue;
    const auto found = sources_[i].find(equal_values(rule, labels));
    if (found == sources_[i].end()) continue;
    const bool is_source = matches(rule.source, labels);
    for (const auto& [fingerprint, is_target] : found->second)
      if (!is_source || !is_target) return fingerprint;
  }
  return std::nullopt;
}

}  // namespace mydr24::routing
