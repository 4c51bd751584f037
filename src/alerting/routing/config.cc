#include "alerting/routing/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "alerting/routing/detail/receivers.h"
#include "alerting/routing/detail/yaml.h"

namespace mydr24::routing {
namespace {

using detail::Element;

class Loader {
 public:
  explicit Loader(Names names) : names_(names) {}

  Result<ConfigPtr> load(const YAML::Node& document) {
    const Element root = Element::root(document);
    MYDR24_TRY(root.only(detail::root_keys));
    MYDR24_TRY(root["global"]["resolve_timeout"].read(config_->resolve_timeout));
    MYDR24_TRY(intervals(root["time_intervals"]));
    MYDR24_TRY(intervals(root["mute_time_intervals"]));
    MYDR24_TRY(detail::read_receivers(root, *config_));
    MYDR24_TRY(routes(root));
    MYDR24_TRY(inhibit_rules(root["inhibit_rules"]));
    if (root["templates"].exists())
      config_->warnings.push_back("templates are kept as text: what notifications say is fixed");
    config_->shown = detail::shown_text(document);
    return ConfigPtr(std::move(config_));
  }

 private:
  Result<> routes(const Element& root) {
    const Element route = root["route"];
    if (!route.exists()) return root.bad("no route provided in config");
    Route& top = config_->root;
    top.key = "{}";
    MYDR24_TRY(read_route(route, top, 0));
    if (!top.matchers.empty()) return route.bad("root route must not have any matchers");
    if (top.receiver.empty()) return route.bad("root route must specify a default receiver");
    if (!top.mute_intervals.empty()) return route.bad("root route must not have any mute time intervals");
    if (!top.active_intervals.empty()) return route.bad("root route must not have any active time intervals");
    return {};
  }

  // `route` comes with what it has from the one above.
  Result<> read_route(const Element& element, Route& route, int depth) {
    if (depth > route_depth_max) return element.bad(fmt::format("routes are nested at most {} deep", route_depth_max));
    if (static_cast<std::size_t>(next_number_) == routes_max)
      return element.bad(fmt::format("there are at most {} routes", routes_max));
    route.number = next_number_++;
    MYDR24_TRY(element.only(detail::route_keys));
    MYDR24_TRY(matchers(element, "match", "match_re", "matchers", route.matchers));
    if (depth > 0) route.key += "/" + to_text(route.matchers);
    MYDR24_TRY(element["receiver"].read(route.receiver));
    if (!route.receiver.empty() && config_->receiver(route.receiver) == nullptr)
      return element["receiver"].bad(fmt::format("undefined receiver \"{}\" used in route", route.receiver));
    MYDR24_TRY(group_by(element["group_by"], route));
    MYDR24_TRY(element["continue"].read(route.continues));
    MYDR24_TRY(element["group_wait"].read(route.group_wait));
    MYDR24_TRY(element["group_interval"].read(route.group_interval));
    MYDR24_TRY(element["repeat_interval"].read(route.repeat_interval));
    if (route.group_interval == milliseconds(0)) return element.bad("group_interval cannot be zero");
    if (route.repeat_interval == milliseconds(0)) return element.bad("repeat_interval cannot be zero");
    MYDR24_TRY(interval_names(element["mute_time_intervals"], route.mute_intervals));
    MYDR24_TRY(interval_names(element["active_time_intervals"], route.active_intervals));
    MYDR24_ASSIGN(const auto children, element["routes"].items());
    route.routes.reserve(children.size());
    for (const Element& child : children) {
      Route& made = route.routes.emplace_back();
      made.receiver = route.receiver;
      made.group_by_all = route.group_by_all;
      made.group_by = route.group_by;
      made.group_wait = route.group_wait;
      made.group_interval = route.group_interval;
      made.repeat_interval = route.repeat_interval;
      made.key = route.key;
      MYDR24_TRY(read_route(child, made, depth + 1));
    }
    return {};
  }

  static Result<> group_by(const Element& element, Route& route) {
    if (!element.exists()) return {};
    std::vector<std::string> labels;
    MYDR24_TRY(element.read(labels));
    route.group_by.clear();
    route.group_by_all = false;
    for (std::string& label : labels) {
      if (label == "...")
        route.group_by_all = true;
      else if (std::ranges::find(route.group_by, label) != route.group_by.end())
        return element.bad(fmt::format("duplicated label \"{}\" in group_by", label));
      else if (!is_label_name(label, Names::utf8))
        return element.bad(fmt::format("invalid label name \"{}\" in group_by list", label));
      else
        route.group_by.push_back(std::move(label));
    }
    if (route.group_by_all && !route.group_by.empty())
      return element.bad("cannot have wildcard group_by (`...`) and other labels at the same time");
    std::ranges::sort(route.group_by);
    return {};
  }

  Result<> interval_names(const Element& element, std::vector<std::string>& names) const {
    MYDR24_TRY(element.read(names));
    for (const std::string& name : names)
      if (!config_->intervals.contains(name))
        return element.bad(fmt::format("undefined time interval \"{}\" used in route", name));
    return {};
  }

  // The three ways to write matchers: equal values, regular expressions, texts.
  Result<> matchers(const Element& element, std::string_view equal, std::string_view regex, std::string_view texts,
                    Matchers& out) const {
    for (const auto& [name, op] : {std::pair(equal, Matcher::Op::equal), std::pair(regex, Matcher::Op::matches)}) {
      MYDR24_ASSIGN(const auto members, element[name].members());
      for (const auto& [label, value] : members) {
        if (!is_label_name(label, names_)) return value.bad(fmt::format("invalid label name \"{}\"", label));
        MYDR24_ASSIGN(const std::string text, value.text());
        auto made = Matcher::make(label, op, text);
        if (!made) return value.bad(made.error().text);
        out.push_back(std::move(*made));
      }
    }
    MYDR24_ASSIGN(const auto items, element[texts].items());
    for (const Element& item : items) {
      MYDR24_ASSIGN(const std::string text, item.text());
      auto made = parse_matchers(text, names_);
      if (!made) return item.bad(made.error().text);
      for (Matcher& matcher : *made) out.push_back(std::move(matcher));
    }
    sort(out);
    return {};
  }

  Result<> inhibit_rules(const Element& list) {
    MYDR24_ASSIGN(const auto items, list.items());
    for (const Element& item : items) {
      InhibitRule rule;
      if (item.exists()) {
        MYDR24_TRY(item.only(detail::inhibit_keys));
        MYDR24_TRY(matchers(item, "source_match", "source_match_re", "source_matchers", rule.source));
        MYDR24_TRY(matchers(item, "target_match", "target_match_re", "target_matchers", rule.target));
        MYDR24_TRY(item["equal"].read(rule.equal));
      }
      config_->inhibit_rules.push_back(std::move(rule));
    }
    return {};
  }

  Result<> intervals(const Element& list) {
    MYDR24_ASSIGN(const auto items, list.items());
    for (const Element& item : items) {
      MYDR24_TRY(item.only({"name", "time_intervals"}));
      MYDR24_ASSIGN(std::string name, item["name"].text());
      if (name.empty()) return item.bad("missing name in time interval");
      if (config_->intervals.contains(name)) return item.bad(fmt::format("time interval \"{}\" is not unique", name));
      std::vector<TimeInterval>& made = config_->intervals[name];
      MYDR24_ASSIGN(const auto parts, item["time_intervals"].items());
      for (const Element& part : parts) {
        MYDR24_ASSIGN(made.emplace_back(), detail::read_interval(part));
      }
    }
    return {};
  }

  Names names_;
  std::shared_ptr<Config> config_ = std::make_shared<Config>();
  int next_number_ = 0;
};

void match_into(const Route& route, const Labels& labels, std::vector<const Route*>& all) {
  const std::size_t before = all.size();
  for (const Route& child : route.routes) {
    if (!matches(child.matchers, labels)) continue;
    match_into(child, labels, all);
    if (!child.continues) break;
  }
  if (all.size() == before) all.push_back(&route);
}

}  // namespace

std::string_view to_string(Service service) {
  constexpr std::array<std::string_view, 5> names{"webhook", "pagerduty", "slack", "email", "oncall"};
  return names[static_cast<std::size_t>(service)];
}

const Receiver* Config::receiver(std::string_view name) const {
  const auto found = std::ranges::find(receivers, name, &Receiver::name);
  return found == receivers.end() ? nullptr : &*found;
}

Result<ConfigPtr> load_config(std::string_view yaml, Names names) {
  if (yaml.size() > config_bytes_max) return fail(Code::too_large, "a configuration has at most 4 MiB");
  try {
    const YAML::Node document = YAML::Load(std::string(yaml));
    return Loader(names).load(document);
  } catch (const YAML::Exception& problem) {
    return fail(Code::invalid, problem.msg, fmt::format("line {}", problem.mark.line + 1));
  }
}

std::vector<const Route*> match(const Route& root, const Labels& labels) {
  std::vector<const Route*> all;
  match_into(root, labels, all);
  return all;
}

Labels group_labels(const Route& route, const Labels& labels) {
  if (route.group_by_all) return labels;
  std::vector<Label> group;
  for (const std::string& name : route.group_by)
    if (const std::string_view value = labels[name]; !value.empty()) group.emplace_back(name, value);
  return Labels(std::move(group));
}

std::string group_key(const Route& route, const Labels& group) { return route.key + ":" + to_text(group); }

bool is_muted(const Config& config, const Route& route, Instant at) {
  const auto inside = [&](const std::string& name) {
    const auto found = config.intervals.find(name);
    return found != config.intervals.end() && contains(found->second, at);
  };
  if (std::ranges::any_of(route.mute_intervals, inside)) return true;
  return !route.active_intervals.empty() && std::ranges::none_of(route.active_intervals, inside);
}

}  // namespace mydr24::routing
