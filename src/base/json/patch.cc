#include "base/json/patch.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/json/pointer.h"
#include "base/json/writer.h"

namespace mydr24::json {
namespace {

// One operation, checked for form. `value` is a view into the patch.
struct Operation {
  enum class Kind { add, remove, replace, move, copy, test };
  Kind kind = Kind::test;
  Pointer path;
  Pointer from;
  Value value;
};

// A value of the document being changed: as it stands in the document or the patch, until a change inside it opens it.
struct Branch;
struct Item {
  Value source;
  std::unique_ptr<Branch> branch;  // set: `source` counts no more
};

struct Child {
  std::string_view key;  // empty in an array
  Item item;
};

struct Branch {
  Kind kind;
  std::vector<Child> children;
};

Kind kind_of(const Item& item) { return item.branch ? item.branch->kind : item.source.kind(); }

bool fits(Value value, std::size_t levels) {
  if (!value.is_array() && !value.is_object()) return true;
  if (levels == 0) return false;
  for (const Value inner : value) {
    if (!fits(inner, levels - 1)) return false;
  }
  return true;
}

// Whether the item is nested at most that deep. Recurses no deeper than `levels`.
bool fits(const Item& item, std::size_t levels) {
  if (!item.branch) return fits(item.source, levels);
  if (levels == 0) return false;
  for (const Child& inner : item.branch->children) {
    if (!fits(inner.item, levels - 1)) return false;
  }
  return true;
}

void print(std::string& out, const Item& item) {
  if (!item.branch) return append_compact(out, item.source);
  const bool in_object = item.branch->kind == Kind::object;
  out += in_object ? '{' : '[';
  bool first = true;
  for (const Child& inner : item.branch->children) {
    if (!std::exchange(first, false)) out += ',';
    if (in_object) {
      append_quoted(out, inner.key);
      out += ':';
    }
    print(out, inner.item);
  }
  out += in_object ? '}' : ']';
}

// The bytes of a child's text without punctuation and escapes: no more than are counted for it.
std::size_t size_at_least(const Child& child) {
  if (!child.item.branch) return child.key.size() + child.item.source.raw().size();
  std::size_t bytes = child.key.size();
  for (const Child& inner : child.item.branch->children) bytes += size_at_least(inner);
  return bytes;
}

// The bytes print() makes of a child at most, with the quotes, colon and comma around it.
std::size_t size_at_most(const Child& child) {
  std::size_t bytes = child.key.size() + 4;
  for (const char c : child.key) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') bytes += 5;
  }
  if (!child.item.branch) return bytes + child.item.source.raw().size();
  for (const Child& inner : child.item.branch->children) bytes += size_at_most(inner);
  return bytes + 2;
}

// The document while a patch is applied to it.
class Draft {
 public:
  explicit Draft(Value root) : root_{.source = root}, bytes_(root.raw().size()) {}

  Result<void> apply(const Operation& operation);
  std::string text() const {
    std::string out;
    out.reserve(bytes_);
    print(out, root_);
    return out;
  }

 private:
  Result<const Item*> find(const Pointer& path, Item& leaf);
  Result<Branch*> open_parent(const Pointer& path);
  Result<void> open(Item& item);
  Result<std::size_t> position(const Branch& parent, const std::string& token);
  Result<Item> duplicate(const Item& item);
  Result<Item> take(const Pointer& path);
  Result<void> put(const Pointer& path, Item item);
  Result<void> replace(const Pointer& path, Item item);
  Result<void> test(const Pointer& path, Value value);
  Result<void> copy(const Pointer& from, const Pointer& path);
  Result<void> move(const Pointer& from, const Pointer& path);
  Result<void> grow(const Pointer& path, const Child& child);
  Result<void> count_opened(std::size_t children);
  Result<void> work(std::size_t steps);
  Result<void> work_on_text(std::size_t bytes) { return work(bytes / 4); }

  Item root_;
  std::size_t bytes_;  // text() is at most that long: what goes is counted at its least, what comes at its most
  std::size_t work_ = 0;
  std::size_t opened_ = 0;
  std::deque<std::string> keys_;  // of members that the patch added
};

Error no_such(std::string_view token) {
  constexpr std::size_t shown_bytes_max = 64;
  return fail(Code::unprocessable, fmt::format("there is no '{}' in the document", token.substr(0, shown_bytes_max)));
}

Error at_from(Error error) {
  error.where = ".from";
  return error;
}

Result<void> Draft::work(std::size_t steps) {
  work_ += steps;
  if (work_ > patch_steps_max) return fail(Code::too_large, "applying the patch takes too much work: split it");
  return {};
}

Result<void> Draft::count_opened(std::size_t children) {
  opened_ += children;
  if (opened_ > patch_opened_max) {
    return fail(Code::too_large, fmt::format("the patch reaches into more than {} values", patch_opened_max));
  }
  return work(children);
}

// Counts a child that is about to be put at `path`.
Result<void> Draft::grow(const Pointer& path, const Child& child) {
  const std::size_t size = size_at_most(child);
  MYDR24_TRY(work_on_text(size));
  bytes_ += size;
  if (bytes_ > patched_bytes_max) {
    return fail(Code::too_large, fmt::format("the patched document has more than {} bytes", patched_bytes_max));
  }
  const std::size_t depth = path.tokens().size();
  if (depth > patched_depth_max || !fits(child.item, patched_depth_max - depth)) {
    return fail(Code::too_large, fmt::format("the patched document is nested deeper than {}", patched_depth_max));
  }
  return {};
}

// Turns a container as written into a list of its children.
Result<void> Draft::open(Item& item) {
  if (item.branch) return {};
  const std::size_t size = item.source.size();
  MYDR24_TRY(count_opened(size));
  auto branch = std::make_unique<Branch>(item.source.kind());
  branch->children.reserve(size);
  for (const Value inner : item.source) branch->children.push_back({inner.key(), {.source = inner}});
  item.branch = std::move(branch);
  return {};
}

// Where in `parent` the child of that name or number is.
Result<std::size_t> Draft::position(const Branch& parent, const std::string& token) {
  if (parent.kind == Kind::array) {
    const auto index = array_index(token);
    if (!index || *index >= parent.children.size()) return no_such(token);
    return *index;
  }
  MYDR24_TRY(work(parent.children.size()));
  for (std::size_t i = 0; i < parent.children.size(); ++i) {
    if (parent.children[i].key == token) return i;
  }
  return no_such(token);
}

// The item at `path`. Where it lies in something that no change has opened, it is `leaf`.
Result<const Item*> Draft::find(const Pointer& path, Item& leaf) {
  const Item* item = &root_;
  for (const std::string& token : path.tokens()) {
    if (item->branch) {
      MYDR24_ASSIGN(const std::size_t at, position(*item->branch, token));
      item = &item->branch->children[at].item;
      continue;
    }
    MYDR24_TRY(work(item->source.size()));
    leaf.source = child(item->source, token);
    if (!leaf.source) return no_such(token);
    item = &leaf;
  }
  return item;
}

// The container that holds, or is to hold, the place `path` leads to. Opens everything on the way.
Result<Branch*> Draft::open_parent(const Pointer& path) {
  Item* item = &root_;
  for (std::size_t i = 0;; ++i) {
    const std::string& token = path.tokens()[i];
    const Kind kind = kind_of(*item);
    if (kind != Kind::array && kind != Kind::object) return no_such(token);
    MYDR24_TRY(open(*item));
    if (i + 1 == path.tokens().size()) return item->branch.get();
    MYDR24_ASSIGN(const std::size_t at, position(*item->branch, token));
    item = &item->branch->children[at].item;
  }
}

Result<Item> Draft::duplicate(const Item& item) {
  Item result{.source = item.source};
  if (!item.branch) return result;
  const auto& children = item.branch->children;
  MYDR24_TRY(count_opened(children.size()));
  result.branch = std::make_unique<Branch>(item.branch->kind);
  result.branch->children.reserve(children.size());
  for (const Child& inner : children) {
    MYDR24_ASSIGN(Item copied, duplicate(inner.item));
    result.branch->children.push_back({inner.key, std::move(copied)});
  }
  return result;
}

Result<Item> Draft::take(const Pointer& path) {
  if (path.is_root()) return fail(Code::unprocessable, "the whole document cannot be removed");
  MYDR24_ASSIGN(Branch * parent, open_parent(path));
  MYDR24_ASSIGN(const std::size_t at, position(*parent, path.tokens().back()));
  auto& children = parent->children;
  MYDR24_TRY(work(children.size() - at));
  bytes_ -= size_at_least(children[at]);
  Item item = std::move(children[at].item);
  children.erase(children.begin() + static_cast<std::ptrdiff_t>(at));
  return item;
}

// The operation "add": a new array item, a new member or a member's new value.
Result<void> Draft::put(const Pointer& path, Item item) {
  if (path.is_root()) return replace(path, std::move(item));
  MYDR24_ASSIGN(Branch * parent, open_parent(path));
  const std::string& token = path.tokens().back();
  auto& children = parent->children;
  if (parent->kind == Kind::object) {
    if (position(*parent, token)) return replace(path, std::move(item));
    Child added{keys_.emplace_back(token), std::move(item)};
    MYDR24_TRY(grow(path, added));
    children.push_back(std::move(added));
    return {};
  }
  const auto index = token == "-" ? children.size() : array_index(token);
  if (!index || *index > children.size()) return no_such(token);
  Child added{{}, std::move(item)};
  MYDR24_TRY(grow(path, added));
  MYDR24_TRY(work(children.size() - *index));
  children.insert(children.begin() + static_cast<std::ptrdiff_t>(*index), std::move(added));
  return {};
}

Result<void> Draft::replace(const Pointer& path, Item item) {
  Child replacement{{}, std::move(item)};
  if (path.is_root()) {
    bytes_ = 0;
    MYDR24_TRY(grow(path, replacement));
    root_ = std::move(replacement.item);
    return {};
  }
  MYDR24_ASSIGN(Branch * parent, open_parent(path));
  MYDR24_ASSIGN(const std::size_t at, position(*parent, path.tokens().back()));
  Child& replaced = parent->children[at];
  replacement.key = replaced.key;
  bytes_ -= size_at_least(replaced);
  MYDR24_TRY(grow(path, replacement));
  replaced = std::move(replacement);
  return {};
}

Result<void> Draft::test(const Pointer& path, Value value) {
  Item leaf;
  MYDR24_ASSIGN(const Item* item, find(path, leaf));
  bool passed = false;
  if (item->branch) {
    std::string text;
    print(text, *item);
    MYDR24_TRY(work_on_text(text.size()));
    MYDR24_ASSIGN(const Document document, Document::parse_view(text));
    passed = equal(document.root(), value);
  } else {
    MYDR24_TRY(work_on_text(item->source.raw().size()));
    passed = equal(item->source, value);
  }
  if (!passed) return fail(Code::unprocessable, "the value there is another than the one tested for");
  return {};
}

Result<void> Draft::copy(const Pointer& from, const Pointer& path) {
  Item leaf;
  auto item = find(from, leaf);
  if (!item) return at_from(std::move(item).error());
  MYDR24_ASSIGN(Item copied, duplicate(**item));
  return put(path, std::move(copied));
}

Result<void> Draft::move(const Pointer& from, const Pointer& path) {
  Item leaf;
  auto there = find(from, leaf);
  if (!there) return at_from(std::move(there).error());
  if (from.tokens() == path.tokens()) return {};
  MYDR24_ASSIGN(Item item, take(from));
  return put(path, std::move(item));
}

Result<void> Draft::apply(const Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::add:
      return put(operation.path, {.source = operation.value});
    case Operation::Kind::replace:
      return replace(operation.path, {.source = operation.value});
    case Operation::Kind::test:
      return test(operation.path, operation.value);
    case Operation::Kind::copy:
      return copy(operation.from, operation.path);
    case Operation::Kind::move:
      return move(operation.from, operation.path);
    case Operation::Kind::remove:
      MYDR24_TRY(take(operation.path));
      return {};
  }
  return {};
}

std::optional<Operation::Kind> operation_kind(std::string_view name) {
  using enum Operation::Kind;
  constexpr std::array<std::pair<std::string_view, Operation::Kind>, 6> kinds{
      {{"add", add}, {"remove", remove}, {"replace", replace}, {"move", move}, {"copy", copy}, {"test", test}}};
  for (const auto& [known, kind] : kinds) {
    if (name == known) return kind;
  }
  return std::nullopt;
}

Result<Pointer> read_pointer(Value operation, std::string_view member) {
  const Value value = operation[member];
  const std::string where = fmt::format(".{}", member);
  if (!value.is_string()) return fail(Code::invalid, fmt::format("'{}' must be there, a string", member), where);
  auto pointer = Pointer::parse(value.text());
  if (!pointer) return fail(pointer.error().code, pointer.error().text, where);
  return pointer;
}

Result<Operation> read_operation(Value from) {
  if (!from.is_object()) return fail(Code::invalid, "an operation must be an object");
  for (const std::string_view name : {"op", "path", "from", "value"}) {
    if (std::ranges::count(from, name, &Value::key) > 1) {
      return fail(Code::invalid, fmt::format("'{}' must be there once", name), fmt::format(".{}", name));
    }
  }
  const auto kind = operation_kind(from["op"].is_string() ? from["op"].text() : "");
  if (!kind) return fail(Code::invalid, "'op' must be one of add, remove, replace, move, copy, test", ".op");

  Operation operation{.kind = *kind};
  MYDR24_ASSIGN(operation.path, read_pointer(from, "path"));
  if (*kind == Operation::Kind::move || *kind == Operation::Kind::copy) {
    MYDR24_ASSIGN(operation.from, read_pointer(from, "from"));
    if (*kind == Operation::Kind::move && operation.from.is_proper_prefix_of(operation.path)) {
      return fail(Code::invalid, "nothing can be moved into itself", ".from");
    }
  } else if (*kind != Operation::Kind::remove) {
    operation.value = from["value"];
    if (!operation.value) return fail(Code::invalid, "'value' must be there", ".value");
  }
  return operation;
}

Error at_operation(Error error, std::size_t index) {
  error.where = fmt::format("[{}]{}", index, error.where);
  return error;
}

}  // namespace

Result<std::string> apply_patch(const Document& document, const Document& patch) {
  if (!document.root()) return fail(Code::invalid, "there is no document to patch");
  if (!patch.root().is_array()) return fail(Code::invalid, "a patch must be an array of operations");
  if (patch.root().size() > patch_operations_max) {
    return fail(Code::too_large, fmt::format("a patch of more than {} operations", patch_operations_max));
  }
  if (!fits(document.root(), patched_depth_max)) {
    return fail(Code::too_large, fmt::format("the document is nested deeper than {}", patched_depth_max));
  }
  // Form first, so that a malformed patch is called that whatever the document holds. Operations are read
  // again rather than kept: the paths of all of them would be many times the size of the patch.
  std::size_t index = 0;
  for (const Value written : patch.root()) {
    if (auto operation = read_operation(written); !operation) return at_operation(operation.error(), index);
    ++index;
  }
  Draft draft(document.root());
  index = 0;
  for (const Value written : patch.root()) {
    MYDR24_ASSIGN(const Operation operation, read_operation(written));
    if (auto applied = draft.apply(operation); !applied) {
      if (applied.error().where.empty()) applied.error().where = ".path";
      return at_operation(applied.error(), index);
    }
    ++index;
  }
  return draft.text();
}

}  // namespace mydr24::json
