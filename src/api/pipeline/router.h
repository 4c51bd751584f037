#pragma once

// The table of everything the server answers: method and path pattern, what it is, how urgent, who handles it. The
// CapabilityStatement is made from it, so it cannot say anything else than what is served.

#include <array>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/pipeline/features.h"
#include "base/async/task.h"
#include "base/core/request_class.h"
#include "base/net/http.h"
#include "guard/admission/cost.h"

namespace mydr24::pipeline {

class Call;
using Handler = std::function<Task<>(Call&)>;

struct Route {
  net::Method method = net::Method::get;
  std::string pattern;      // "/fhir/{type}/{id}": a segment in braces matches any text but an empty one
  std::string interaction;  // FHIR: read, vread, create ...; elsewhere a short name; the label in metrics
  RequestClass request_class = RequestClass::routine;
  Handler handler;
  admission::Cost cost = admission::Cost::by_method;
  std::string summary;                // a line for the OpenAPI document; empty: made from interaction and pattern
  bool open = false;                  // see Router::add_open
  std::uint8_t feature = no_feature;  // set by Router::add, from the interaction
  // What the server asks of itself, many times a day, and proves by a signature: the audit records it only when it is
  // refused.
  bool unrecorded = false;
};

inline constexpr std::size_t segments_max = 8;

struct Match {
  const Route* route = nullptr;                         // null: no such path, or not with this method
  std::array<std::string_view, segments_max> captures;  // of the segments in braces, in order
  std::string allow;                                    // methods the path has, when the method is not among them
};

class Router {
 public:
  // At start-up, before the first match. Patterns that end in "{rest...}" are not supported: a path has at most
  // segments_max segments.
  void add(Route route);
  // The same for a route that anybody may ask: what it tells is public, or the request proves by itself who it comes from
  // (a signed link).
  void add_open(Route route);
  // The path as sent, without query. "/fhir/R4/..." is the same as "/fhir/...". Literal segments win over captures;
  // HEAD finds the GET route.
  Match match(net::Method method, std::string_view path) const;
  std::span<const Route> routes() const { return routes_; }

 private:
  struct Pattern {
    std::vector<std::string> segments;  // empty: a capture
    std::size_t route = 0;
  };
  std::vector<Route> routes_;
  std::array<std::vector<Pattern>, segments_max + 1> patterns_;  // by number of segments
};

}  // namespace mydr24::pipeline
