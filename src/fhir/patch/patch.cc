#include "fhir/patch/patch.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/edits.h"
#include "fhir/patch/detail/place.h"
#include "fhir/patch/detail/value.h"
#include "fhir/path/path.h"

namespace mydr24::patch {
namespace {

using model::Element;
using model::Type;
using model::TypeKind;

// One operation, checked for form.
struct Operation {
  std::string_view type;
  std::string_view path;
  std::string_view name;
  std::optional<std::size_t> index, source, destination;
  json::Value value;  // the part named "value"
};

Result<void> read_index(json::Value part, std::string_view name, std::optional<std::size_t>& index) {
  const std::string_view text = value_of(part).text();
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(Code::invalid, fmt::format("the part '{}' must be an index, counted from 0", name));
  }
  index = number;
  return {};
}

// What must be there for that type of operation, and nothing else.
Result<void> check_form(const Operation& operation) {
  const bool is_add = operation.type == "add", is_insert = operation.type == "insert",
             is_replace = operation.type == "replace", is_move = operation.type == "move";
  if (!is_add && !is_insert && !is_replace && !is_move && operation.type != "delete") {
    return fail(Code::invalid, "the part 'type' must be add, insert, delete, replace or move");
  }
  const auto check = [&](std::string_view part, bool is_there, bool must_be_there) -> Result<void> {
    if (is_there == must_be_there) return {};
    return fail(Code::invalid,
                fmt::format("'{}' must {}have the part '{}'", operation.type, must_be_there ? "" : "not ", part));
  };
  MYDR24_TRY(check("path", !operation.path.empty(), true));
  MYDR24_TRY(check("name", !operation.name.empty(), is_add));
  MYDR24_TRY(check("value", operation.value.exists(), is_add || is_insert || is_replace));
  MYDR24_TRY(check("index", operation.index.has_value(), is_insert));
  MYDR24_TRY(check("source", operation.source.has_value(), is_move));
  return check("destination", operation.destination.has_value(), is_move);
}

Result<Operation> read_operation(json::Value parameter) {
  if (parameter["name"].text() != "operation") return fail(Code::invalid, "the parameter must be named 'operation'");
  Operation operation;
  for (const json::Value part : parameter["part"]) {
    const std::string_view name = part["name"].text();
    if (name == "type") {
      operation.type = value_of(part).text();
    } else if (name == "path") {
      operation.path = value_of(part).text();
    } else if (name == "name") {
      operation.name = value_of(part).text();
    } else if (name == "value") {
      operation.value = part;
    } else if (name == "index") {
      MYDR24_TRY(read_index(part, name, operation.index));
    } else if (name == "source") {
      MYDR24_TRY(read_index(part, name, operation.source));
    } else if (name == "destination") {
      MYDR24_TRY(read_index(part, name, operation.destination));
    } else {
      return fail(Code::invalid, fmt::format("unknown part '{}'", name.substr(0, 64)));
    }
  }
  MYDR24_TRY(check_form(operation));
  return operation;
}

// The resource as the operations before left it, and one operation on it.
class Step {
 public:
  Step(const json::Document& document, const Operation& operation, Instant now, std::uint64_t& path_steps)
      : document_(document), operation_(operation), now_(now), path_steps_(path_steps) {}

  // The text of the resource afterwards; nothing when nothing changes.
  Result<std::optional<std::string>> run() {
    MYDR24_ASSIGN(const path::Collection items, evaluate(operation_.path));
    if (operation_.type == "delete") {
      if (items.empty()) return std::optional<std::string>();
      MYDR24_ASSIGN(const json::Value target, single(items));
      return remove(target);
    }
    if (operation_.type == "insert" || operation_.type == "move") return change_list(items);
    MYDR24_ASSIGN(const json::Value target, single(items));
    if (operation_.type == "add") return add(target, operation_.name);
    return replace(target);
  }

 private:
  using Text = Result<std::optional<std::string>>;

  json::Value root() const { return document_.root(); }

  Result<path::Collection> evaluate(std::string_view text) const {
    const Type* type = model::find_resource(root()["resourceType"].text());
    MYDR24_ASSIGN(const path::Expression expression, path::Expression::compile(text, type));
    path::Environment environment;
    environment.resource = root();
    environment.root_resource = root();
    environment.now = now_;
    environment.steps_left = &path_steps_;
    return expression.evaluate(root(), environment);
  }

  Error no_element(std::string_view problem) const {
    return fail(Code::unprocessable, fmt::format("{} {}", operation_.path.substr(0, 256), problem));
  }

  // What stands in the document for the item.
  static json::Value written(const path::Item& item) { return item.value ? item.value : item.extended; }

  Result<json::Value> single(const path::Collection& items) const {
    if (items.empty()) return no_element("leads to no element of the resource");
    if (items.size() > 1) return no_element(fmt::format("leads to {} elements, but must lead to one", items.size()));
    if (items.front().kind != path::ItemKind::element)
      return no_element("leads to no element, but to a computed value");
    return written(items.front());
  }

  Result<Place> place_of(json::Value target) const {
    if (auto place = locate(root(), target)) return *place;
    return no_element("does not lead to an element inside the resource");
  }

  std::string with(json::Value object, std::span<const Change> changes) const {
    json::Edits edits(document_);
    edits.replace(object, changed(object, changes));
    return edits.apply();
  }

  Text put(const Place& place, std::vector<Entry> entries) const {
    const Change change{place.element, std::move(entries)};
    return with(place.owner, {&change, 1});
  }

  // The value comes last among those that the element of that name has in `object`.
  Result<Change> appended(json::Value object, const Type& type, std::string_view name) const {
    MYDR24_ASSIGN(const Element* element, element_for(type, name, operation_.value));
    MYDR24_ASSIGN(Entry entry, entry_for(*element, operation_.value));
    for (const Element& rival : type.elements) {
      const bool taken = object[rival.name].exists() || object["_" + std::string(rival.name)].exists();
      if (!element->repeats && rival.slot == element->slot && taken) {
        return fail(Code::unprocessable, fmt::format("there is a '{}' already: replace it", rival.name));
      }
    }
    Change change{element, entries_of(object, *element)};
    change.entries.push_back(std::move(entry));
    return change;
  }

  Text add(json::Value target, std::string_view name) const {
    if (target.offset() == root().offset()) {
      const Type* type = model::find_resource(root()["resourceType"].text());
      if (type == nullptr) return fail(Code::unprocessable, "the resource has no known type");
      MYDR24_ASSIGN(const Change change, appended(root(), *type, name));
      return with(root(), {&change, 1});
    }
    MYDR24_ASSIGN(const Place place, place_of(target));
    if (place.type == nullptr) return no_element("leads to an element of unknown type");
    if (place.type->kind == TypeKind::primitive) return add_to_primitive(place, name);
    MYDR24_ASSIGN(const Change change, appended(target, *place.type, name));
    return with(target, {&change, 1});
  }

  // Its id and extensions stand beside it.
  Text add_to_primitive(const Place& place, std::string_view name) const {
    if (name != "extension" && name != "id") {
      return fail(Code::unprocessable, fmt::format("a {} takes only an id and extensions", place.type->name));
    }
    auto entries = entries_of(place.owner, *place.element);
    Entry& entry = entries.at(place.index);
    const auto companion = json::Document::parse(entry.companion.empty() ? "{}" : entry.companion);
    if (!companion) return companion.error();
    MYDR24_ASSIGN(const Change change, appended(companion->root(), *model::find_type("Extension"), name));
    entry.companion = changed(companion->root(), {&change, 1});
    return put(place, std::move(entries));
  }

  Text remove(json::Value target) const {
    MYDR24_ASSIGN(const Place place, place_of(target));
    auto entries = entries_of(place.owner, *place.element);
    Entry& entry = entries.at(place.index);
    if (place.is_companion && !entry.value.empty()) {
      entry.companion.clear();
    } else {
      entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(place.index));
    }
    const Change change{place.element, std::move(entries)};
    // An object without content is not allowed in FHIR.
    if (place.owner.offset() != root().offset() && changed(place.owner, {&change, 1}) == "{}") {
      return remove(place.owner);
    }
    return with(place.owner, {&change, 1});
  }

  Text replace(json::Value target) const {
    MYDR24_ASSIGN(const Place place, place_of(target));
    const std::string_view name = place.element->choice.empty() ? place.element->name : place.element->choice;
    MYDR24_ASSIGN(const Element* element, element_for(*place.owner_type, name, operation_.value));
    MYDR24_ASSIGN(Entry entry, entry_for(*element, operation_.value));
    if (element != place.element) {
      const std::vector<Change> changes{{place.element, {}}, {element, {std::move(entry)}}};
      return with(place.owner, changes);
    }
    auto entries = entries_of(place.owner, *element);
    entries.at(place.index) = std::move(entry);
    return put(place, std::move(entries));
  }

  Text change_list(const path::Collection& items) const {
    if (items.empty()) return insert_first();
    if (items.front().kind != path::ItemKind::element) return no_element("leads to no list");
    MYDR24_ASSIGN(const Place place, place_of(written(items.front())));
    auto entries = entries_of(place.owner, *place.element);
    if (!place.element->repeats || entries.size() != items.size()) return no_element("must lead to one whole list");
    const auto at = [&entries](std::size_t index) { return entries.begin() + static_cast<std::ptrdiff_t>(index); };
    const auto too_far = [&](std::size_t index) {
      return fail(Code::unprocessable, fmt::format("the index {} is outside of the {} items", index, entries.size()));
    };
    if (operation_.type == "insert") {
      if (*operation_.index > entries.size()) return too_far(*operation_.index);
      MYDR24_ASSIGN(Entry entry, entry_for(*place.element, operation_.value));
      entries.insert(at(*operation_.index), std::move(entry));
      return put(place, std::move(entries));
    }
    const std::size_t source = *operation_.source, destination = *operation_.destination;
    if (source >= entries.size()) return too_far(source);
    if (destination >= entries.size()) return too_far(destination);
    Entry moved = std::move(entries[source]);
    entries.erase(at(source));
    entries.insert(at(destination), std::move(moved));
    return put(place, std::move(entries));
  }

  // A list that is not there yet has no place of its own: its path must end with its name.
  Text insert_first() const {
    const auto dot = operation_.path.rfind('.');
    if (operation_.type != "insert" || *operation_.index != 0 || dot == std::string_view::npos) {
      return no_element("leads to no element of the resource");
    }
    MYDR24_ASSIGN(const path::Collection owners, evaluate(operation_.path.substr(0, dot)));
    MYDR24_ASSIGN(const json::Value target, single(owners));
    return add(target, operation_.path.substr(dot + 1));
  }

  const json::Document& document_;
  const Operation& operation_;
  Instant now_;
  std::uint64_t& path_steps_;  // left
};

Error at_operation(Error error, std::size_t index) {
  if (!error.where.empty()) error.text += " (" + error.where + ")";
  error.where = fmt::format("Parameters.parameter[{}]", index);
  return error;
}

}  // namespace

Result<std::string> apply_path_patch(const json::Document& resource, json::Value parameters, Instant now) {
  if (parameters["resourceType"].text() != "Parameters") {
    return fail(Code::invalid, "a FHIRPath Patch must be a Parameters resource", "resourceType");
  }
  const auto list = parameters["parameter"];
  if (list.size() > operations_max) {
    return fail(Code::too_large, fmt::format("more than {} operations: split the patch", operations_max),
                "Parameters.parameter");
  }
  std::vector<Operation> operations;
  for (const json::Value parameter : list) {
    auto operation = read_operation(parameter);
    if (!operation) return at_operation(std::move(operation.error()), operations.size());
    operations.push_back(*operation);
  }
  std::optional<json::Document> patched;
  std::size_t work = 0;
  std::uint64_t path_steps = path_steps_max;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const json::Document& before = patched ? *patched : resource;
    work += before.source().size();
    if (work > work_bytes_max) {
      return at_operation(fail(Code::too_large, "applying the patch takes too much work: split it"), i);
    }
    auto text = Step(before, operations[i], now, path_steps).run();
    if (!text) return at_operation(std::move(text.error()), i);
    if (!*text) continue;
    auto after = json::Document::parse(std::move(**text), {.bytes_max = patched_bytes_max});
    if (!after) return at_operation(fail(Code::too_large, std::move(after.error().text)), i);
    patched = std::move(*after);
  }
  return json::compact((patched ? *patched : resource).root());
}

}  // namespace mydr24::patch
