#include "alerting/routing/adopt.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerting/routing/detail/receivers.h"

namespace mydr24::routing {
namespace {

using detail::Element;
using detail::Keys;

constexpr Keys basic_keys{"username", "password"};
constexpr Keys authorization_keys{"type", "credentials"};

struct Kind {
  std::string_view name;
  Keys keys;       // that are read
  Keys effective;  // of those: what they do something
};
constexpr Kind kinds[] = {
    {"webhook_configs", detail::webhook_keys, detail::webhook_keys},
    {"pagerduty_configs", detail::pagerduty_keys, {"send_resolved", "routing_key", "url"}},
    {"slack_configs", detail::slack_keys, {"send_resolved", "api_url", "channel"}},
    {"email_configs",
     detail::email_keys,
     {"send_resolved", "to", "from", "smarthost", "auth_username", "auth_password", "require_tls"}},
    {"oncall_configs", detail::oncall_keys, detail::oncall_keys}};

bool has(Keys keys, std::string_view name) { return std::ranges::find(keys, name) != keys.end(); }

class Adopter {
 public:
  explicit Adopter(Names names) : names_(names) {}

  Result<Adopted> adopt(const YAML::Node& document) {
    const Element root = Element::root(document);
    MYDR24_ASSIGN(YAML::Node made, filtered(root, detail::root_keys));
    if (root["global"].exists()) {
      MYDR24_ASSIGN(global_, filtered(root["global"], detail::global_keys));
      MYDR24_TRY(http_config(root["global"], global_));
      made["global"] = global_;
    }
    if (root["route"].exists()) {
      MYDR24_ASSIGN(made["route"], route(root["route"], 0));
    }
    if (root["receivers"].exists()) {
      MYDR24_ASSIGN(made["receivers"], receivers(root["receivers"]));
    }
    if (root["inhibit_rules"].exists()) {
      MYDR24_ASSIGN(made["inhibit_rules"], inhibit_rules(root["inhibit_rules"]));
    }
    if (root["templates"].exists()) left(root["templates"], "it has no effect: what notifications say is fixed");
    adopted_.yaml = detail::to_text(made);
    if (auto checked = load_config(adopted_.yaml, names_); !checked) {
      Error error = std::move(checked).error();
      // The line is that of the text made here.
      if (const auto colon = error.where.find(": "); colon != error.where.npos) error.where.erase(0, colon + 2);
      return error;
    }
    return std::move(adopted_);
  }

 private:
  void left(const Element& element, std::string_view text) {
    adopted_.left.push_back({element.where(), std::string(text)});
  }

  // The mapping with these members only.
  Result<YAML::Node> filtered(const Element& element, Keys keys) {
    YAML::Node made(YAML::NodeType::Map);
    MYDR24_ASSIGN(const auto members, element.members());
    for (const auto& [name, member] : members) {
      if (has(keys, name))
        made.force_insert(name, member.node());
      else
        left(member, "there is no such setting here");
    }
    return made;
  }

  // http_config of `element`, in its copy `made`.
  Result<> http_config(const Element& element, YAML::Node& made) {
    const Element http = element["http_config"];
    if (!http.exists()) return {};
    MYDR24_ASSIGN(YAML::Node inner, filtered(http, detail::http_keys));
    for (const auto& [name, keys] :
         {std::pair("basic_auth", basic_keys), std::pair("authorization", authorization_keys)}) {
      if (!http[name].exists()) continue;
      MYDR24_ASSIGN(inner[name], filtered(http[name], keys));
    }
    made["http_config"] = inner;
    return {};
  }

  Result<YAML::Node> route(const Element& element, int depth) {
    if (depth > route_depth_max) return element.bad(fmt::format("routes are nested at most {} deep", route_depth_max));
    MYDR24_ASSIGN(YAML::Node made, filtered(element, detail::route_keys));
    if (!element["routes"].exists()) return made;
    MYDR24_ASSIGN(const auto children, element["routes"].items());
    YAML::Node list(YAML::NodeType::Sequence);
    for (const Element& child : children) {
      MYDR24_ASSIGN(const YAML::Node node, route(child, depth + 1));
      list.push_back(node);
    }
    made["routes"] = list;
    return made;
  }

  Result<YAML::Node> receivers(const Element& element) {
    YAML::Node list(YAML::NodeType::Sequence);
    MYDR24_ASSIGN(const auto items, element.items());
    for (const Element& item : items) {
      MYDR24_ASSIGN(const YAML::Node node, receiver(item));
      list.push_back(node);
    }
    return list;
  }

  Result<YAML::Node> receiver(const Element& element) {
    YAML::Node made(YAML::NodeType::Map);
    std::size_t before = 0, after = 0;
    MYDR24_ASSIGN(const auto members, element.members());
    for (const auto& [name, member] : members) {
      if (name == "name") {
        made.force_insert(name, member.node());
        continue;
      }
      const auto kind = std::ranges::find(kinds, name, &Kind::name);
      MYDR24_ASSIGN(const auto items, member.items());
      before += items.size();
      if (kind == std::end(kinds)) {
        left(member, "there is no such way to notify here");
        continue;
      }
      YAML::Node list(YAML::NodeType::Sequence);
      for (const Element& item : items) {
        MYDR24_ASSIGN(const YAML::Node node, integration(item, *kind));
        if (node.IsMap()) list.push_back(node);
      }
      after += list.size();
      if (list.size() > 0) made.force_insert(name, list);
    }
    if (before > 0 && after == 0) {
      left(element, "nothing of it can be kept: it calls by the on-call policy of the severity");
      made["oncall_configs"].push_back(YAML::Node(YAML::NodeType::Map));
    }
    return made;
  }

  // Null when it cannot be kept.
  Result<YAML::Node> integration(const Element& element, const Kind& kind) {
    MYDR24_ASSIGN(YAML::Node made, filtered(element, kind.keys));
    if (kind.name == "webhook_configs") MYDR24_TRY(http_config(element, made));
    // Whether it is complete is for those to say who read it.
    YAML::Node alone;
    if (global_.IsMap()) alone["global"] = global_;
    alone["route"]["receiver"] = "alone";
    YAML::Node receiver;
    receiver["name"] = "alone";
    receiver[std::string(kind.name)].push_back(made);
    alone["receivers"].push_back(receiver);
    if (const auto read = load_config(detail::to_text(alone), names_); !read) {
      left(element, read.error().text);
      return YAML::Node();
    }
    std::string idle;
    for (const auto& member : made)
      if (const std::string& name = member.first.Scalar(); !has(kind.effective, name))
        idle += fmt::format("{}{}", idle.empty() ? "" : ", ", name);
    if (!idle.empty()) left(element, fmt::format("without effect here: {}", idle));
    return made;
  }

  Result<YAML::Node> inhibit_rules(const Element& element) {
    YAML::Node list(YAML::NodeType::Sequence);
    MYDR24_ASSIGN(const auto items, element.items());
    for (const Element& item : items) {
      MYDR24_ASSIGN(const auto members, item.members());
      // Without one of its conditions a rule would hold back more than it was meant to.
      const auto unknown = std::ranges::find_if(members, [](const auto& member) {
        return member.first != "name" && !has(detail::inhibit_keys, member.first);
      });
      if (unknown != members.end()) {
        left(unknown->second, "there is no such setting here: the whole rule is left out");
        continue;
      }
      MYDR24_ASSIGN(const YAML::Node node, filtered(item, detail::inhibit_keys));
      list.push_back(node);
    }
    return list;
  }

  Names names_;
  Adopted adopted_;
  YAML::Node global_;
};

}  // namespace

Result<Adopted> adopt_config(std::string_view yaml, Names names) {
  if (yaml.size() > config_bytes_max) return fail(Code::too_large, "a configuration has at most 4 MiB");
  try {
    const YAML::Node document = YAML::Load(std::string(yaml));
    if (!document.IsMap()) return fail(Code::invalid, "this is no configuration of an Alertmanager");
    return Adopter(names).adopt(document);
  } catch (const YAML::Exception& problem) {
    return fail(Code::invalid, problem.msg, fmt::format("line {}", problem.mark.line + 1));
  }
}

}  // namespace mydr24::routing
