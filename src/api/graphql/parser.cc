#include <fmt/format.h>

#include <algorithm>

#include "api/graphql/detail/lexer.h"
#include "api/graphql/detail/syntax.h"

namespace mydr24::graphql {
namespace {

class Parser {
 public:
  Parser(std::string_view source, const Limits& limits) : lexer_(source), limits_(limits) {}

  Result<Tree> run() {
    MYDR24_TRY(advance());
    Tree tree;
    while (token_.kind != TokenKind::end) MYDR24_TRY(definition(tree));
    if (tree.operations.empty()) return fail_at(token_.position, "the document has no query");
    return tree;
  }

 private:
  Result<void> advance() {
    MYDR24_ASSIGN(token_, lexer_.next());
    return {};
  }

  bool is(std::string_view punctuator) const {
    return token_.kind == TokenKind::punctuator && token_.text == punctuator;
  }
  bool is_word(std::string_view word) const { return token_.kind == TokenKind::name && token_.text == word; }

  Error unexpected(std::string_view wanted) const {
    constexpr std::size_t shown_bytes_max = 32;
    return fail_at(token_.position, token_.kind == TokenKind::end
                                        ? fmt::format("{} must follow, but the document ends", wanted)
                                        : fmt::format("{} must stand here, not '{}'", wanted,
                                                      std::string_view(token_.text).substr(0, shown_bytes_max)));
  }

  Result<void> expect(std::string_view punctuator) {
    if (!is(punctuator)) return unexpected(fmt::format("'{}'", punctuator));
    return advance();
  }

  Result<std::string> name(std::string_view what) {
    if (token_.kind != TokenKind::name) return unexpected(what);
    std::string text = std::move(token_.text);
    MYDR24_TRY(advance());
    return text;
  }

  Result<void> deeper(std::size_t depth) const {
    if (depth <= limits_.depth_max) return {};
    return fail_at(token_.position, fmt::format("nested too deep: {} is the limit", limits_.depth_max),
                   Code::too_large);
  }

  Result<void> definition(Tree& tree) {
    const Position position = token_.position;
    if (is_word("mutation") || is_word("subscription")) {
      return fail_at(position, "only queries are answered", Code::unsupported);
    }
    if (is_word("fragment")) return fragment(tree);
    Operation operation{.position = position};
    if (!is("{")) {
      if (!is_word("query")) return unexpected("a query or fragment");
      MYDR24_TRY(advance());
      if (token_.kind == TokenKind::name) {
        MYDR24_ASSIGN(operation.name, name("a name"));
      }
      if (is("(")) MYDR24_TRY(variables(operation));
      if (is("@")) return fail_at(token_.position, "directives of a whole query are not known");
    }
    const bool is_taken = std::ranges::find(tree.operations, operation.name, &Operation::name) != tree.operations.end();
    if (is_taken) return fail_at(position, "two queries have the same name");
    MYDR24_ASSIGN(operation.selections, selection_set(1));
    tree.operations.push_back(std::move(operation));
    return {};
  }

  Result<void> fragment(Tree& tree) {
    MYDR24_TRY(advance());
    const Position position = token_.position;
    if (is_word("on")) return unexpected("the name of a fragment");
    Fragment fragment;
    MYDR24_ASSIGN(fragment.name, name("the name of a fragment"));
    if (std::ranges::find(tree.fragments, fragment.name, &Fragment::name) != tree.fragments.end()) {
      return fail_at(position, "two fragments have the same name");
    }
    if (!is_word("on")) return unexpected("'on'");
    MYDR24_TRY(advance());
    MYDR24_ASSIGN(fragment.on, name("a type"));
    MYDR24_ASSIGN(fragment.selections, selection_set(1));
    tree.fragments.push_back(std::move(fragment));
    return {};
  }

  Result<void> variables(Operation& operation) {
    MYDR24_TRY(expect("("));
    while (!is(")")) {
      Variable variable{.position = token_.position};
      MYDR24_TRY(expect("$"));
      MYDR24_ASSIGN(variable.name, name("the name of a variable"));
      MYDR24_TRY(expect(":"));
      MYDR24_ASSIGN(variable.required, type(1));
      if (is("=")) {
        MYDR24_TRY(advance());
        variable.has_default = true;
        MYDR24_ASSIGN(variable.default_value, value(1, true));
      }
      if (std::ranges::find(operation.variables, variable.name, &Variable::name) != operation.variables.end()) {
        return fail_at(variable.position, fmt::format("'${}' is declared twice", variable.name));
      }
      operation.variables.push_back(std::move(variable));
    }
    return expect(")");
  }

  // Whether it ends in '!'.
  Result<bool> type(std::size_t depth) {
    MYDR24_TRY(deeper(depth));
    if (is("[")) {
      MYDR24_TRY(advance());
      MYDR24_TRY(type(depth + 1));
      MYDR24_TRY(expect("]"));
    } else {
      MYDR24_TRY(name("a type"));
    }
    if (!is("!")) return false;
    MYDR24_TRY(advance());
    return true;
  }

  Result<std::vector<Selection>> selection_set(std::size_t depth) {
    MYDR24_TRY(deeper(depth));
    MYDR24_TRY(expect("{"));
    std::vector<Selection> selections;
    while (!is("}")) {
      MYDR24_ASSIGN(Selection one, selection(depth));
      selections.push_back(std::move(one));
    }
    if (selections.empty()) return unexpected("a field");
    MYDR24_TRY(advance());
    return selections;
  }

  Result<Selection> selection(std::size_t depth) {
    Selection selection{.position = token_.position};
    if (is("...")) {
      MYDR24_TRY(advance());
      if (token_.kind == TokenKind::name && token_.text != "on") {
        selection.kind = SelectionKind::spread;
        MYDR24_ASSIGN(selection.name, name("the name of a fragment"));
        MYDR24_ASSIGN(selection.directives, directives());
        return selection;
      }
      selection.kind = SelectionKind::inline_fragment;
      if (is_word("on")) {
        MYDR24_TRY(advance());
        MYDR24_ASSIGN(selection.on, name("a type"));
      }
      MYDR24_ASSIGN(selection.directives, directives());
      MYDR24_ASSIGN(selection.selections, selection_set(depth + 1));
      return selection;
    }
    MYDR24_ASSIGN(selection.name, name("a field"));
    if (is(":")) {
      MYDR24_TRY(advance());
      selection.alias = std::move(selection.name);
      MYDR24_ASSIGN(selection.name, name("a field"));
    } else {
      selection.alias = selection.name;
    }
    MYDR24_ASSIGN(selection.arguments, arguments());
    MYDR24_ASSIGN(selection.directives, directives());
    if (is("{")) {
      MYDR24_ASSIGN(selection.selections, selection_set(depth + 1));
    }
    return selection;
  }

  Result<std::vector<Argument>> arguments() {
    std::vector<Argument> arguments;
    if (!is("(")) return arguments;
    MYDR24_TRY(advance());
    do {
      Argument argument{.position = token_.position};
      MYDR24_ASSIGN(argument.name, name("an argument"));
      MYDR24_TRY(expect(":"));
      MYDR24_ASSIGN(argument.value, value(1, false));
      if (std::ranges::find(arguments, argument.name, &Argument::name) != arguments.end()) {
        return fail_at(argument.position, fmt::format("the argument '{}' is given twice", argument.name));
      }
      arguments.push_back(std::move(argument));
    } while (!is(")"));
    MYDR24_TRY(advance());
    return arguments;
  }

  Result<std::vector<Directive>> directives() {
    std::vector<Directive> directives;
    while (is("@")) {
      Directive directive{.position = token_.position};
      MYDR24_TRY(advance());
      MYDR24_ASSIGN(directive.name, name("the name of a directive"));
      MYDR24_ASSIGN(directive.arguments, arguments());
      directives.push_back(std::move(directive));
    }
    return directives;
  }

  Result<Value> value(std::size_t depth, bool is_constant) {
    MYDR24_TRY(deeper(depth));
    Value value;
    if (is("$") && !is_constant) {
      MYDR24_TRY(advance());
      value.kind = ValueKind::variable;
      MYDR24_ASSIGN(value.text, name("the name of a variable"));
      return value;
    }
    if (is("[") || is("{")) return compound(depth, is_constant);
    switch (token_.kind) {
      case TokenKind::number:
        value.kind = ValueKind::number;
        break;
      case TokenKind::string:
        value.kind = ValueKind::string;
        break;
      case TokenKind::name:
        value.kind = token_.text == "null"                             ? ValueKind::null
                     : token_.text == "true" || token_.text == "false" ? ValueKind::boolean
                                                                       : ValueKind::enumeration;
        break;
      default:
        return unexpected("a value");
    }
    value.text = token_.text;
    MYDR24_TRY(advance());
    return value;
  }

  Result<Value> compound(std::size_t depth, bool is_constant) {
    const bool is_list = is("[");
    Value value{.kind = is_list ? ValueKind::list : ValueKind::object};
    MYDR24_TRY(advance());
    while (!is(is_list ? "]" : "}")) {
      if (!is_list) {
        MYDR24_ASSIGN(std::string member, name("a name"));
        MYDR24_TRY(expect(":"));
        value.members.push_back(std::move(member));
      }
      MYDR24_ASSIGN(Value inner, this->value(depth + 1, is_constant));
      value.items.push_back(std::move(inner));
    }
    MYDR24_TRY(advance());
    return value;
  }

  Lexer lexer_;
  const Limits& limits_;
  Token token_;
};

}  // namespace

Result<Tree> parse(std::string_view document, const Limits& limits) {
  if (document.size() > limits.document_bytes_max) {
    return fail(Code::too_large, fmt::format("the document has more than {} bytes", limits.document_bytes_max));
  }
  return Parser(document, limits).run();
}

}  // namespace mydr24::graphql
