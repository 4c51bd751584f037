#include "fhir/path/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "fhir/path/type_name.h"

namespace mydr24::path {
namespace {

// The types that the items of a collection may have; unknown: any.
struct Types {
  bool unknown = true;
  std::vector<const model::Type*> types;

  void add(const model::Type* type) {
    if (type == nullptr) {
      unknown = true;
    } else if (std::ranges::find(types, type) == types.end()) {
      types.push_back(type);
    }
  }
  void add(const Types& other) {
    unknown = unknown || other.unknown;
    for (const model::Type* type : other.types) add(type);
  }
};

Types known() { return {false, {}}; }

class Check {
 public:
  explicit Check(const Syntax& syntax) : syntax_(syntax) {}

  Result<Types> infer(const Node& node, const Types& focus) {
    switch (node.op) {
      case Op::focus:
        return focus;
      case Op::member:
        return member(node, focus);
      case Op::at: {
        MYDR24_TRY(infer(*node.operands[0], focus));
        return input_of(node, focus);
      }
      case Op::call:
        return call(node, focus);
      case Op::unite: {
        Types all = known();
        for (const Node* operand : node.operands) {
          MYDR24_ASSIGN(const Types part, infer(*operand, focus));
          all.add(part);
        }
        return all;
      }
      default:
        for (const Node* operand : node.operands) MYDR24_TRY(infer(*operand, focus));
        return node.op == Op::as ? narrowed(node) : Types();
    }
  }

 private:
  Result<Types> input_of(const Node& node, const Types& focus) {
    return node.input != nullptr ? infer(*node.input, focus) : Result<Types>(focus);
  }

  static Types narrowed(const Node& node) {
    Types types;
    if (const model::Type* type = model::find_type(node.type.name)) types = {false, {type}};
    return types;
  }

  Result<Types> member(const Node& node, const Types& focus) {
    MYDR24_ASSIGN(const Types input, input_of(node, focus));
    if (node.input == nullptr && !node.root.empty()) {
      Types roots = known();
      for (const model::Type* type : input.types) {
        if (is_a(*type, node.root)) roots.add(type);
      }
      if (!roots.types.empty()) return roots;
    }
    if (input.unknown) return Types();
    Types found = known();
    for (const model::Type* type : input.types) add_elements(*type, node.name, found);
    if (!found.unknown && found.types.empty() && !input.types.empty()) {
      return fail(Code::invalid, fmt::format("{}: there is no element '{}' in {}", place_of(syntax_.text, node.offset),
                                             node.name, input.types.front()->name));
    }
    return found;
  }

  static void add_elements(const model::Type& type, std::string_view name, Types& found) {
    if (type.kind == model::TypeKind::primitive) {
      if (name == "extension") found.add(model::find_type("Extension"));
      if (name == "id") found.add(model::find_type("string"));
      return;
    }
    for (const model::Element& element : type.elements) {
      if ((element.choice.empty() ? element.name : element.choice) == name) found.add(element.type);
    }
  }

  Result<Types> call(const Node& node, const Types& focus) {
    MYDR24_ASSIGN(const Types input, input_of(node, focus));
    switch (node.function) {
      case Function::where:
      case Function::exists:
      case Function::all:
      case Function::select:
      case Function::sort:
      case Function::iif:
        return with_items(node, input);
      case Function::repeat:
      case Function::aggregate:
        for (const Node* operand : node.operands) MYDR24_TRY(infer(*operand, Types()));
        return Types();
      case Function::as:
      case Function::of_type:
        return narrowed(node);
      case Function::trace:
      case Function::define_variable:
        if (node.operands.size() > 1) MYDR24_TRY(infer(*node.operands[1], input));
        return input;
      default:
        break;
    }
    for (const Node* operand : node.operands) MYDR24_TRY(infer(*operand, focus));
    switch (node.function) {
      case Function::single:
      case Function::first:
      case Function::last:
      case Function::tail:
      case Function::skip:
      case Function::take:
      case Function::distinct:
      case Function::intersect:
      case Function::exclude:
        return input;
      case Function::extension:
        return Types{false, {model::find_type("Extension")}};
      default:
        return Types();
    }
  }

  // Functions whose arguments are about each item of their input.
  Result<Types> with_items(const Node& node, const Types& input) {
    Types last;
    for (const Node* operand : node.operands) {
      MYDR24_ASSIGN(last, infer(*operand, input));
    }
    if (node.function == Function::where || node.function == Function::sort) return input;
    return node.function == Function::select ? last : Types();
  }

  const Syntax& syntax_;
};

}  // namespace

Result<> check(const Syntax& syntax, const model::Type& context) {
  MYDR24_TRY(Check(syntax).infer(*syntax.root, Types{false, {&context}}));
  return {};
}

}  // namespace mydr24::path
