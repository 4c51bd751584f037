#include "api/pipeline/router.h"

#include <algorithm>
#include <stdexcept>

namespace mydr24::pipeline {
namespace {

struct Segments {
  std::array<std::string_view, segments_max> text;
  std::size_t count = 0;
};

// False when there are too many. A slash at the end does not count.
bool split(std::string_view path, Segments& segments) {
  while (!path.empty()) {
    if (path.front() == '/') path.remove_prefix(1);
    if (path.empty()) break;
    if (segments.count == segments_max) return false;
    const auto end = path.find('/');
    segments.text[segments.count++] = path.substr(0, end);
    path.remove_prefix(std::min(end, path.size()));
  }
  return true;
}

void drop_version_segment(Segments& segments) {
  if (segments.count < 2 || segments.text[0] != "fhir" || segments.text[1] != "R4") return;
  std::copy(segments.text.begin() + 2, segments.text.begin() + static_cast<std::ptrdiff_t>(segments.count),
            segments.text.begin() + 1);
  --segments.count;
}

// Searches and operations read, whatever their method; what nurses look at in an emergency is small.
admission::Cost usual_cost(const Route& route) {
  using admission::Cost;
  const bool operation = route.interaction.starts_with('$') || route.interaction.starts_with("search");
  if (route.method != net::Method::get && !operation) return Cost::write;
  return route.request_class == RequestClass::emergency && !operation ? Cost::quick : Cost::work;
}

bool is_type_name(std::string_view segment) { return segment.front() >= 'A' && segment.front() <= 'Z'; }

}  // namespace

void Router::add_open(Route route) {
  route.open = true;
  add(std::move(route));
}

void Router::add(Route route) {
  if (route.cost == admission::Cost::by_method) route.cost = usual_cost(route);
  route.feature = feature_of(route.interaction);
  Segments segments;
  if (!split(route.pattern, segments)) throw std::invalid_argument("route with too many segments: " + route.pattern);
  Pattern pattern;
  for (std::size_t i = 0; i < segments.count; ++i) {
    pattern.segments.emplace_back(segments.text[i].front() == '{' ? std::string_view() : segments.text[i]);
  }
  pattern.route = routes_.size();
  routes_.push_back(std::move(route));
  auto& same_length = patterns_[segments.count];
  // The more literal pattern is tried first.
  const auto captures = [](const Pattern& p) { return std::ranges::count(p.segments, std::string()); };
  same_length.insert(std::ranges::upper_bound(same_length, captures(pattern), {}, captures), std::move(pattern));
}

Match Router::match(net::Method method, std::string_view path) const {
  Match match;
  Segments segments;
  if (!split(path, segments)) return match;
  drop_version_segment(segments);
  const auto wanted = method == net::Method::head ? net::Method::get : method;
  std::size_t literal_of_allow = 0;
  bool hides = false;
  for (const auto& pattern : patterns_[segments.count]) {
    std::size_t captured = 0;
    bool fits = true;
    for (std::size_t i = 0; fits && i < segments.count; ++i) {
      if (pattern.segments[i].empty()) {
        match.captures[captured++] = segments.text[i];
      } else {
        fits = pattern.segments[i] == segments.text[i];
      }
    }
    if (!fits) continue;
    const auto& route = routes_[pattern.route];
    // A literal path ("/fhir/metadata") hides the captures ("/fhir/{type}") for every method; one resource type
    // ("/fhir/AuditEvent") for the methods it has: the others are those of every type.
    const auto literal = segments.count - captured;
    if (hides && literal < literal_of_allow) break;
    literal_of_allow = literal;
    for (std::size_t i = 1; i < segments.count; ++i)
      hides = hides || (!pattern.segments[i].empty() && !is_type_name(pattern.segments[i]));
    if (route.method == wanted) {
      match.route = &route;
      return match;
    }
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += net::to_string(route.method);
  }
  return match;
}

}  // namespace mydr24::pipeline
