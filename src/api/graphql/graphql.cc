#include "api/graphql/graphql.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "api/graphql/detail/answer.h"
#include "api/graphql/detail/inputs.h"
#include "api/graphql/detail/loader.h"
#include "api/graphql/detail/syntax.h"
#include "base/core/id.h"
#include "base/json/writer.h"
#include "fhir/model/definitions.h"
#include "fhir/path/path.h"

namespace mydr24::graphql {
namespace {

using model::Element;
using model::Type;
using model::TypeKind;

constexpr std::size_t shown_bytes_max = 64;

// What a selection set is applied to, or a value.
struct Item {
  enum class Kind { query, element, literal, connection, edge };
  Kind kind = Kind::element;
  json::Value value, companion;  // of an element
  const Type* type = nullptr;    // of an element
  json::Value container;         // of an element: the resource that "#id" is looked up in
  std::string text = {};         // of a literal, as JSON
  const Hits* hits = nullptr;    // of a connection and an edge
  std::size_t match = 0;         // of an edge
};

struct Found {
  std::vector<Item> items;
  bool is_list = false;
  bool is_leaf = false;
};

// Fields of one object that have the same key in the answer: they select together.
struct Group {
  std::string_view key;
  std::vector<const Selection*> fields;
};

// How far the fields of flattened objects go into the object around.
struct Flow {
  bool is_list = false;
  bool is_flattened = false;
  std::string suffix;
};

std::string quoted(std::string_view text) {
  std::string out;
  json::append_quoted(out, text);
  return out;
}

Item literal(std::string text) { return {.kind = Item::Kind::literal, .text = std::move(text)}; }

Found leaf(std::string text) { return {.items = {literal(std::move(text))}, .is_leaf = true}; }

Found text_leaf(std::string_view text) { return text.empty() ? Found{.is_leaf = true} : leaf(quoted(text)); }

Item resource_item(json::Value resource) {
  return {.value = resource, .type = model::find_resource(resource["resourceType"].text()), .container = resource};
}

// In the schema of FHIR's GraphQL backbone types are named without dots: PatientContact.
std::string type_name(const Item& item) {
  switch (item.kind) {
    case Item::Kind::query:
      return "Query";
    case Item::Kind::connection:
      return "Connection";
    case Item::Kind::edge:
      return "Edge";
    default:
      break;
  }
  std::string out;
  bool upper = false;
  for (const char c : item.type == nullptr ? std::string_view() : item.type->name) {
    if (c != '.') out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = c == '.';
  }
  return out;
}

bool is_resource(const Item& item) { return item.type != nullptr && item.type->kind == TypeKind::resource; }

bool applies(std::string_view condition, const Item& item) {
  if (condition.empty() || condition == type_name(item)) return true;
  if (item.type == nullptr) return false;
  if (condition == "Resource") return is_resource(item);
  if (condition == "DomainResource") return is_resource(item) && item.type->find("modifierExtension") != nullptr;
  if (condition == "BackboneElement") return item.type->kind == TypeKind::backbone;
  return condition == "Element" && !is_resource(item);
}

const Directive* directive_of(const Selection& selection, std::string_view name) {
  const auto found = std::ranges::find(selection.directives, name, &Directive::name);
  return found == selection.directives.end() ? nullptr : &*found;
}

bool same(const Value& a, const Value& b) {
  return a.kind == b.kind && a.text == b.text && a.members == b.members &&
         std::ranges::equal(a.items, b.items, [](const Value& x, const Value& y) { return same(x, y); });
}

bool same_field(const Selection& a, const Selection& b) {
  return a.name == b.name && std::ranges::equal(a.arguments, b.arguments, [](const Argument& x, const Argument& y) {
           return x.name == y.name && same(x.value, y.value);
         });
}

// "general_practitioner" -> "general-practitioner"; "_count" stays.
std::string search_name(std::string_view argument) {
  std::string name(argument);
  if (name.size() > 1) std::ranges::replace(name.begin() + 1, name.end(), '_', '-');
  return name;
}

class Execution {
 public:
  Execution(const Request& request, Data& data, const Limits& limits)
      : request_(request), limits_(limits), loader_(data, limits) {}

  Result<std::string> run() {
    MYDR24_ASSIGN(tree_, parse(request_.document, limits_));
    MYDR24_ASSIGN(const Operation* operation, chosen());
    MYDR24_TRY(inputs_.read(*operation, request_.variables));
    Item start{.kind = Item::Kind::query};
    if (request_.resource) start = resource_item(request_.resource);
    if (start.kind != Item::Kind::query && start.type == nullptr) {
      return fail(Code::invalid, "the resource has no known type");
    }
    const Selection whole{.selections = operation->selections};
    Node root{.is_object = true};
    MYDR24_TRY(object(start, {&whole}, root, {}, 1));
    std::string out = "{\"data\":";
    print(out, root);
    out += '}';
    return out;
  }

 private:
  using Parents = std::vector<const Selection*>;

  Result<const Operation*> chosen() const {
    if (request_.operation.empty()) {
      if (tree_.operations.size() == 1) return &tree_.operations.front();
      return fail(Code::invalid, "the document has more than one query: say which by operationName");
    }
    const auto found = std::ranges::find(tree_.operations, request_.operation, &Operation::name);
    if (found != tree_.operations.end()) return &*found;
    return fail(Code::invalid,
                fmt::format("no query '{}' in the document", request_.operation.substr(0, shown_bytes_max)));
  }

  // ---- which fields

  Result<bool> is_wanted(const Selection& selection) const {
    bool wanted = true;
    for (const Directive& directive : selection.directives) {
      if (directive.name == "include" || directive.name == "skip") {
        MYDR24_TRY(only(directive.arguments, std::array<std::string_view, 1>{"if"}));
        MYDR24_ASSIGN(const auto condition, inputs_.boolean(directive.arguments, "if"));
        if (!condition)
          return fail_at(directive.position, fmt::format("@{} must have the argument 'if'", directive.name));
        wanted = wanted && *condition == (directive.name == "include");
        continue;
      }
      constexpr std::array<std::string_view, 4> of_fields{"first", "flatten", "singleton", "slice"};
      if (selection.kind != SelectionKind::field || std::ranges::find(of_fields, directive.name) == of_fields.end()) {
        return fail_at(directive.position, fmt::format("the directive @{} is not known here", directive.name));
      }
    }
    return wanted;
  }

  Result<void> collect(const Item& item, std::span<const Selection> selections, std::vector<Group>& groups,
                       std::set<std::string_view>& visited) {
    for (const Selection& selection : selections) {
      if (++selections_ > limits_.selections_max) {
        return fail_at(selection.position, "the query looks at too many fields: ask for less", Code::too_large);
      }
      MYDR24_ASSIGN(const bool wanted, is_wanted(selection));
      if (!wanted) continue;
      if (selection.kind == SelectionKind::field) {
        const auto known = std::ranges::find(groups, selection.alias, &Group::key);
        Group& group = known != groups.end() ? *known : groups.emplace_back(selection.alias);
        if (!group.fields.empty() && !same_field(*group.fields.front(), selection)) {
          return fail_at(selection.position, fmt::format("two different fields are called '{}'", selection.alias));
        }
        group.fields.push_back(&selection);
        continue;
      }
      const std::vector<Selection>* inner = &selection.selections;
      std::string_view on = selection.on;
      if (selection.kind == SelectionKind::spread) {
        const auto fragment = std::ranges::find(tree_.fragments, selection.name, &Fragment::name);
        if (fragment == tree_.fragments.end()) {
          return fail_at(selection.position, fmt::format("no fragment '{}' in the document", selection.name));
        }
        if (!visited.insert(fragment->name).second) continue;
        inner = &fragment->selections;
        on = fragment->on;
      }
      if (applies(on, item)) MYDR24_TRY(collect(item, *inner, groups, visited));
    }
    return {};
  }

  Result<void> object(const Item& item, const Parents& parents, Node& into, const Flow& flow, std::size_t depth) {
    if (depth > limits_.depth_max) {
      return fail_at(parents.front()->position, fmt::format("nested too deep: {} is the limit", limits_.depth_max),
                     Code::too_large);
    }
    std::vector<Group> groups;
    std::set<std::string_view> visited;
    for (const Selection* parent : parents) MYDR24_TRY(collect(item, parent->selections, groups, visited));
    for (const Group& group : groups) MYDR24_TRY(field(item, group, into, flow, depth));
    return {};
  }

  // ---- one field

  Result<void> field(const Item& item, const Group& group, Node& into, const Flow& flow, std::size_t depth) {
    const Selection& selection = *group.fields.front();
    MYDR24_ASSIGN(Found found, resolve(item, selection));
    if (found.is_leaf != selection.selections.empty()) {
      return fail_at(selection.position, fmt::format("'{}' {}", selection.name,
                                                     found.is_leaf ? "is a value: it has no fields"
                                                                   : "is an object: say which of its fields"));
    }
    const bool is_first = directive_of(selection, "first") != nullptr;
    const bool is_singleton = directive_of(selection, "singleton") != nullptr;
    const bool is_flattened = directive_of(selection, "flatten") != nullptr && !found.is_leaf;
    const Directive* slice = directive_of(selection, "slice");
    if (is_first && found.items.size() > 1) found.items.resize(1);

    Flow inner{.is_list = flow.is_list || (found.is_list && !is_first), .is_flattened = true, .suffix = {}};
    const bool is_list = inner.is_list && !is_singleton;
    if (found.items.empty() && !is_flattened && !flow.is_flattened && slice == nullptr) {
      field_of(into, group.key).is_list = is_list;
    }
    for (std::size_t i = 0; i < found.items.size(); ++i) {
      std::string suffix = flow.suffix;
      if (slice != nullptr) {
        MYDR24_ASSIGN(const std::string part, slice_of(found.items[i], *slice, i));
        suffix += "." + part;
      }
      if (is_flattened) {
        inner.suffix = std::move(suffix);
        MYDR24_TRY(object(found.items[i], group.fields, into, inner, depth + 1));
        continue;
      }
      MYDR24_ASSIGN(Node node, node_of(found.items[i], group, depth));
      if ((flow.is_flattened || slice != nullptr) && node.text == "null") continue;
      Field& field = field_of(into, std::string(group.key) + suffix);
      if (is_singleton && !field.values.empty()) {
        return fail_at(selection.position, fmt::format("@singleton: '{}' has more than one value", field.key),
                       Code::unprocessable);
      }
      field.is_list = field.is_list || is_list;
      field.values.push_back(std::move(node));
    }
    return {};
  }

  Result<Node> node_of(const Item& item, const Group& group, std::size_t depth) {
    Node node;
    if (item.kind == Item::Kind::literal) {
      node.text = item.text;
    } else if (item.kind == Item::Kind::element && (item.type == nullptr || !item.value.is_object())) {
      node.text = item.value && !item.value.is_object() && !item.value.is_array() ? item.value.raw() : "null";
    } else {
      node.is_object = true;
      MYDR24_TRY(object(item, group.fields, node, {}, depth + 1));
    }
    bytes_ += group.key.size() + node.text.size() + 4;
    if (++fields_ > limits_.fields_max || bytes_ > limits_.answer_bytes_max) {
      return fail_at(group.fields.front()->position,
                     fmt::format("the answer has more than {} values: ask for less", limits_.fields_max),
                     Code::too_large);
    }
    return node;
  }

  // ---- where values come from

  Result<Found> resolve(const Item& item, const Selection& selection) {
    if (selection.name == "__typename") {
      MYDR24_TRY(only(selection.arguments, {}));
      return text_leaf(type_name(item));
    }
    if (selection.name.starts_with("__")) {
      return fail_at(selection.position, "introspection is not offered", Code::unsupported);
    }
    switch (item.kind) {
      case Item::Kind::query:
        return system(selection);
      case Item::Kind::connection:
        return connection(item, selection);
      case Item::Kind::edge:
        return edge(item, selection);
      default:
        return element(item, selection);
    }
  }

  static Error no_field(const Item& item, const Selection& selection) {
    return fail_at(selection.position,
                   fmt::format("{} has no field '{}'", type_name(item), selection.name.substr(0, shown_bytes_max)));
  }

  Result<Found> element(const Item& item, const Selection& selection) {
    const std::string_view name = selection.name;
    if (const Element* element = item.type->find(name)) return property(item, *element, selection);
    if (name.starts_with('_')) {
      const Element* element = item.type->find(name.substr(1));
      if (element != nullptr && element->type != nullptr && element->type->kind == TypeKind::primitive) {
        return companions(item, *element, selection);
      }
    }
    if (name == "resource" && item.type == reference_) return referred(item, selection);
    if (is_resource(item)) {
      if (name == "resourceType") return text_leaf(item.type->name);
      const Type* type = searched_type(name);
      if (type != nullptr) return search(*type, selection, &item);
    }
    return no_field(item, selection);
  }

  Result<Found> property(const Item& item, const Element& element, const Selection& selection) {
    Found found{.is_list = element.repeats,
                .is_leaf = element.type != nullptr && element.type->kind == TypeKind::primitive};
    const auto add = [&](json::Value value, json::Value companion) {
      const bool keeps_container = element.type != nullptr || element.name == "contained";
      found.items.push_back(
          {.value = value,
           .companion = companion,
           .type = element.type != nullptr ? element.type : model::find_resource(value["resourceType"].text()),
           .container = keeps_container ? item.container : value});
    };
    const auto value = item.value[element.name];
    const auto companion = found.is_leaf ? item.value["_" + std::string(element.name)] : json::Value();
    if (value.is_array()) {
      auto beside = companion.begin();
      std::size_t left = companion.is_array() ? companion.size() : 0;
      for (const json::Value one : value) add(one, left > 0 ? (--left, *beside++) : json::Value());
    } else if (value) {
      add(value, companion);
    }
    MYDR24_TRY(filter(found, selection));
    return found;
  }

  // The ids and extensions of a primitive.
  Result<Found> companions(const Item& item, const Element& element, const Selection& selection) {
    MYDR24_TRY(only(selection.arguments, {}));
    Found found{.is_list = element.repeats};
    const auto companion = item.value[selection.name];
    const auto add = [&](json::Value value) {
      found.items.push_back({.value = value, .type = extension_, .container = item.container});
    };
    if (companion.is_array()) {
      for (const json::Value one : companion) add(one);
    } else if (companion) {
      add(companion);
    }
    return found;
  }

  // The arguments of a list: what its items must have, then how many of them.
  Result<void> filter(Found& found, const Selection& selection) {
    for (const Argument& argument : selection.arguments) {
      if (argument.name == "_offset" || argument.name == "_count") continue;
      MYDR24_ASSIGN(const Value wanted, inputs_.value(argument.value, argument.position));
      if (wanted.kind == ValueKind::null) continue;
      MYDR24_ASSIGN(const auto texts, Inputs::texts(wanted, argument.position));
      std::vector<Item> kept;
      for (Item& item : found.items) {
        MYDR24_ASSIGN(const bool keep, matches(item, argument, texts));
        if (keep) kept.push_back(std::move(item));
      }
      found.items = std::move(kept);
    }
    MYDR24_ASSIGN(const auto offset, inputs_.count(selection.arguments, "_offset"));
    MYDR24_ASSIGN(const auto count, inputs_.count(selection.arguments, "_count"));
    const std::size_t skipped = std::min(offset.value_or(0), found.items.size());
    found.items.erase(found.items.begin(), found.items.begin() + static_cast<std::ptrdiff_t>(skipped));
    if (count && *count < found.items.size()) found.items.resize(*count);
    return {};
  }

  Result<bool> matches(const Item& item, const Argument& argument, const std::vector<std::string>& texts) {
    if (argument.name == "fhirpath") {
      for (const std::string& text : texts) {
        MYDR24_ASSIGN(const path::Collection result, evaluate(item, text, argument.position));
        if (result.size() != 1 || path::text_of(result.front()) != "true") return false;
      }
      return true;
    }
    const Element* element = item.type == nullptr ? nullptr : item.type->find(argument.name);
    if (element == nullptr || element->type == nullptr || element->type->kind != TypeKind::primitive) {
      return fail_at(argument.position,
                     fmt::format("'{}' is no value of {}", argument.name.substr(0, shown_bytes_max), type_name(item)));
    }
    const auto value = item.value[element->name];
    const auto is_wanted = [&](json::Value one) { return std::ranges::find(texts, one.text()) != texts.end(); };
    return value.is_array() ? std::ranges::any_of(value.begin(), value.end(), is_wanted) : value && is_wanted(value);
  }

  Result<path::Collection> evaluate(const Item& item, const std::string& text, Position position) {
    auto known = expressions_.find(text);
    if (known == expressions_.end()) {
      auto compiled = path::Expression::compile(text);
      if (!compiled) return fail_at(position, "fhirpath: " + compiled.error().text);
      known = expressions_.emplace(text, std::move(*compiled)).first;
    }
    path::Environment environment;
    environment.resource = item.container;
    environment.root_resource = item.container;
    environment.now = request_.now;
    environment.steps_left = &path_steps_;
    auto result = known->second.evaluate(path::item_of(item.value, item.companion, item.type), environment);
    if (!result) return fail_at(position, "fhirpath: " + result.error().text, result.error().code);
    return result;
  }

  Result<std::string> slice_of(const Item& item, const Directive& slice, std::size_t index) {
    MYDR24_TRY(only(slice.arguments, std::array<std::string_view, 2>{"fhirpath", "path"}));
    MYDR24_ASSIGN(auto text, inputs_.text(slice.arguments, "fhirpath"));
    if (!text) {
      MYDR24_ASSIGN(text, inputs_.text(slice.arguments, "path"));
    }
    if (!text) return fail_at(slice.position, "@slice must have the argument 'fhirpath'");
    if (*text == "$index") return std::to_string(index);
    if (item.kind != Item::Kind::element) return fail_at(slice.position, "@slice must stand at an element");
    MYDR24_ASSIGN(const path::Collection result, evaluate(item, *text, slice.position));
    return result.empty() ? std::string() : std::string(path::text_of(result.front()));
  }

  // ---- other resources

  // What a Reference leads to.
  Result<Found> referred(const Item& item, const Selection& selection) {
    MYDR24_TRY(only(selection.arguments, std::array<std::string_view, 2>{"optional", "type"}));
    MYDR24_ASSIGN(const auto optional, inputs_.boolean(selection.arguments, "optional"));
    MYDR24_ASSIGN(const auto type, inputs_.text(selection.arguments, "type"));
    const std::string_view reference = item.value["reference"].text();
    MYDR24_ASSIGN(const json::Value target, target_of(item, reference));
    Found found;
    if (target) {
      if (!type || target["resourceType"].text() == *type) {
        found.items.push_back(resource_item(target));
        if (reference.starts_with('#')) found.items.back().container = item.container;
      }
    } else if (!optional.value_or(false)) {
      return fail_at(selection.position,
                     fmt::format("the reference '{}' leads to no resource here; optional: true lets it be null",
                                 reference.substr(0, shown_bytes_max)),
                     Code::unprocessable);
    }
    return found;
  }

  // "#id" in the same resource, or "Type/id" of this server; missing for anything else.
  Result<json::Value> target_of(const Item& item, std::string_view reference) {
    if (reference == "#") return item.container;
    if (reference.starts_with('#')) {
      for (const json::Value one : item.container["contained"]) {
        if (one["id"].text() == reference.substr(1)) return one;
      }
      return json::Value();
    }
    const auto slash = reference.find('/');
    if (slash == std::string_view::npos) return json::Value();
    const std::string_view type = reference.substr(0, slash);
    const std::string_view id = reference.substr(slash + 1, reference.substr(slash + 1).find("/_history/"));
    if (model::find_resource(type) == nullptr || !is_fhir_id(id)) return json::Value();
    return loader_.read(type, id);
  }

  // Of "PatientList" and "PatientConnection"; nullptr for any other name.
  static const Type* searched_type(std::string_view name) {
    for (const std::string_view ending : {std::string_view("List"), std::string_view("Connection")}) {
      if (!name.ends_with(ending)) continue;
      if (const Type* type = model::find_resource(name.substr(0, name.size() - ending.size()))) return type;
    }
    return nullptr;
  }

  Result<Found> system(const Selection& selection) {
    if (const Type* type = model::find_resource(selection.name)) {
      MYDR24_TRY(only(selection.arguments, std::array<std::string_view, 1>{"id"}));
      MYDR24_ASSIGN(const auto id, inputs_.text(selection.arguments, "id"));
      if (!id) return fail_at(selection.position, fmt::format("{} must have the argument 'id'", selection.name));
      Found found;
      if (!is_fhir_id(*id)) return found;
      MYDR24_ASSIGN(const json::Value resource, loader_.read(type->name, *id));
      if (resource) found.items.push_back(resource_item(resource));
      return found;
    }
    if (const Type* type = searched_type(selection.name)) return search(*type, selection, nullptr);
    return no_field({.kind = Item::Kind::query}, selection);
  }

  // `referred`: what the resources found must refer to, by the search parameter in the argument _reference.
  Result<Found> search(const Type& type, const Selection& selection, const Item* referred) {
    const bool is_connection = selection.name.ends_with("Connection");
    std::vector<SearchParameter> parameters;
    bool has_reference = false;
    for (const Argument& argument : selection.arguments) {
      MYDR24_ASSIGN(const Value value, inputs_.value(argument.value, argument.position));
      if (value.kind == ValueKind::null) continue;
      MYDR24_ASSIGN(const auto texts, Inputs::texts(value, argument.position));
      if (argument.name == "_reference" && referred != nullptr) {
        has_reference = true;
        for (const auto& text : texts) {
          parameters.push_back(
              {search_name(text), fmt::format("{}/{}", referred->type->name, referred->value["id"].text())});
        }
      } else if (is_connection && argument.name == "first") {
        parameters.push_back({"_count", fmt::format("{}", fmt::join(texts, ","))});
      } else if (is_connection && argument.name == "cursor") {
        parameters.push_back({"_cursor", fmt::format("{}", fmt::join(texts, ","))});
      } else {
        parameters.push_back({search_name(argument.name), fmt::format("{}", fmt::join(texts, ","))});
      }
    }
    if (referred != nullptr && !has_reference) {
      return fail_at(selection.position, fmt::format("{} must have the argument '_reference' here", selection.name));
    }
    MYDR24_ASSIGN(const Hits* hits, loader_.search(type.name, parameters));
    if (is_connection) return Found{.items = {{.kind = Item::Kind::connection, .hits = hits}}};
    Found found{.is_list = true};
    for (std::size_t i = 0; i < hits->resources.size(); ++i) {
      if (hits->page.matches[i].mode == "match") found.items.push_back(resource_item(hits->resources[i].root()));
    }
    return found;
  }

  static Result<Found> connection(const Item& item, const Selection& selection) {
    MYDR24_TRY(only(selection.arguments, {}));
    const Page& page = item.hits->page;
    const std::string_view name = selection.name;
    if (name == "count") return page.total ? leaf(std::to_string(*page.total)) : Found{.is_leaf = true};
    if (name == "offset") return leaf(std::to_string(page.offset));
    if (name == "pagesize") return leaf(std::to_string(page.matches.size()));
    if (name == "first") return text_leaf(page.first);
    if (name == "previous") return text_leaf(page.previous);
    if (name == "next") return text_leaf(page.next);
    if (name == "last") return text_leaf(page.last);
    if (name != "edges") return no_field(item, selection);
    Found found{.is_list = true};
    for (std::size_t i = 0; i < page.matches.size(); ++i) {
      found.items.push_back({.kind = Item::Kind::edge, .hits = item.hits, .match = i});
    }
    return found;
  }

  static Result<Found> edge(const Item& item, const Selection& selection) {
    MYDR24_TRY(only(selection.arguments, {}));
    const Match& match = item.hits->page.matches[item.match];
    if (selection.name == "mode") return text_leaf(match.mode);
    if (selection.name == "score") return match.score ? leaf(fmt::format("{}", *match.score)) : Found{.is_leaf = true};
    if (selection.name != "resource") return no_field(item, selection);
    return Found{.items = {resource_item(item.hits->resources[item.match].root())}};
  }

  const Request& request_;
  const Limits& limits_;
  Loader loader_;
  Tree tree_;
  Inputs inputs_;
  const Type* reference_ = model::find_type("Reference");
  const Type* extension_ = model::find_type("Extension");
  std::map<std::string, path::Expression> expressions_;
  std::size_t selections_ = 0, fields_ = 0, bytes_ = 0;
  std::uint64_t path_steps_ = limits_.path_steps_max;  // left
};

}  // namespace

Result<std::string> execute(const Request& request, Data& data, const Limits& limits) {
  return Execution(request, data, limits).run();
}

}  // namespace mydr24::graphql
