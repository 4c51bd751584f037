#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fhir/path/lexer.h"
#include "fhir/path/moment.h"
#include "fhir/path/syntax.h"

namespace mydr24::path {
namespace {

struct Binary {
  std::string_view word;
  Op op;
  int binding;  // the higher, the tighter
};
constexpr int binding_type = 8;
constexpr int binding_sign = 11;
constexpr std::array<Binary, 25> binaries{{{"implies", Op::implies, 1},
                                           {"or", Op::either, 2},
                                           {"xor", Op::exclusive, 2},
                                           {"and", Op::both, 3},
                                           {"in", Op::in, 4},
                                           {"contains", Op::contains, 4},
                                           {"=", Op::equal, 5},
                                           {"~", Op::equivalent, 5},
                                           {"!=", Op::not_equal, 5},
                                           {"!~", Op::not_equivalent, 5},
                                           {"<", Op::less, 6},
                                           {"<=", Op::less_or_equal, 6},
                                           {">", Op::greater, 6},
                                           {">=", Op::greater_or_equal, 6},
                                           {"is", Op::is, binding_type},
                                           {"as", Op::as, binding_type},
                                           {"|", Op::unite, 7},
                                           {"+", Op::add, 9},
                                           {"-", Op::subtract, 9},
                                           {"&", Op::concatenate, 9},
                                           {"*", Op::multiply, 10},
                                           {"/", Op::divide, 10},
                                           {"div", Op::int_divide, 10},
                                           {"mod", Op::modulo, 10},
                                           {"", Op::nothing, 0}}};

const Binary* find_binary(const Token& token) {
  if (token.kind != TokenKind::symbol && token.kind != TokenKind::identifier) return nullptr;
  const auto found = std::ranges::find(binaries, token.text, &Binary::word);
  return found != binaries.end() ? &*found : nullptr;
}

class Parser {
 public:
  explicit Parser(Syntax& syntax) : syntax_(syntax), lexer_(syntax.text) {}

  Result<> run() {
    MYDR24_TRY(advance());
    MYDR24_ASSIGN(syntax_.root, expression(0));
    if (token_.kind != TokenKind::end) return error(fmt::format("unexpected '{}'", token_.text));
    return {};
  }

 private:
  using Made = Result<Node*>;

  Result<> advance() {
    MYDR24_ASSIGN(token_, lexer_.next());
    return {};
  }
  Error error(std::string_view what) const { return error_at(token_.offset, what); }
  Error error_at(std::size_t offset, std::string_view what) const {
    return fail(Code::invalid, fmt::format("{}: {}", place_of(syntax_.text, offset), what));
  }
  bool at_symbol(std::string_view text) const { return token_.kind == TokenKind::symbol && token_.text == text; }
  Result<> expect(std::string_view symbol) {
    if (!at_symbol(symbol)) return error(fmt::format("'{}' expected", symbol));
    return advance();
  }

  Node* make(Op op, std::size_t offset) {
    Node& node = syntax_.nodes.emplace_back();
    node.op = op;
    node.offset = static_cast<std::uint32_t>(offset);
    return &node;
  }
  std::string_view keep(std::string text) { return syntax_.strings.emplace_back(std::move(text)); }
  std::string_view text_of_token() { return token_.has_escape ? keep(unescape(token_.text)) : token_.text; }

  Result<> settle_depth(Node& node) {
    std::uint32_t below = node.input != nullptr ? node.input->depth : 0;
    for (const Node* operand : node.operands) below = std::max(below, operand->depth);
    node.depth = below + 1;
    if (node.depth > expression_depth_max) return fail(Code::too_large, "the expression is too deep");
    return {};
  }

  Made expression(int binding) {
    if (++nesting_ > expression_depth_max) return fail(Code::too_large, "the expression is too deep");
    MYDR24_ASSIGN(Node * left, signed_term());
    for (;;) {
      const Binary* binary = find_binary(token_);
      if (binary == nullptr || binary->binding <= binding) break;
      MYDR24_ASSIGN(left, operation(*binary, left));
    }
    --nesting_;
    return left;
  }

  Made operation(const Binary& binary, Node* left) {
    const std::size_t offset = token_.offset;
    MYDR24_TRY(advance());
    const bool is_type = binary.op == Op::is || binary.op == Op::as;
    if (is_type) {
      Node* node = make(binary.op, offset);
      node->operands = {left};
      if (left->op == Op::call && left->function == Function::resolve) left->typed_reference = true;
      MYDR24_ASSIGN(node->type, type_name());
      MYDR24_TRY(settle_depth(*node));
      return node;
    }
    MYDR24_ASSIGN(Node * right, expression(binary.binding));
    const bool is_chain = binary.op == Op::unite || binary.op == Op::both || binary.op == Op::either;
    // A chain of the same operator is one node, however long: "a | b | c".
    if (is_chain && left->op == binary.op && left != closed_) {
      left->operands.push_back(right);
      MYDR24_TRY(settle_depth(*left));
      return left;
    }
    Node* node = make(binary.op, offset);
    node->operands = {left, right};
    MYDR24_TRY(settle_depth(*node));
    return node;
  }

  Made signed_term() {
    if (!at_symbol("-") && !at_symbol("+")) return postfix();
    Node* node = make(at_symbol("-") ? Op::negate : Op::keep_sign, token_.offset);
    MYDR24_TRY(advance());
    MYDR24_ASSIGN(Node * operand, expression(binding_sign));
    node->operands = {operand};
    MYDR24_TRY(settle_depth(*node));
    return node;
  }

  Made postfix() {
    MYDR24_ASSIGN(Node * left, term());
    for (;;) {
      if (at_symbol(".")) {
        MYDR24_TRY(advance());
        MYDR24_ASSIGN(left, invocation(left));
      } else if (at_symbol("[")) {
        Node* node = make(Op::at, token_.offset);
        MYDR24_TRY(advance());
        MYDR24_ASSIGN(Node * index, expression(0));
        MYDR24_TRY(expect("]"));
        node->input = left;
        node->operands = {index};
        MYDR24_TRY(settle_depth(*node));
        left = node;
      } else {
        return left;
      }
    }
  }

  Made term() {
    switch (token_.kind) {
      case TokenKind::identifier:
        if (token_.text == "true" || token_.text == "false") return literal(boolean_cell(token_.text == "true"));
        return invocation(nullptr);
      case TokenKind::quoted:
        return invocation(nullptr);
      case TokenKind::string:
        return literal(string_cell(text_of_token()));
      case TokenKind::number:
        return number();
      case TokenKind::date:
        return moment(ItemKind::date);
      case TokenKind::date_time:
        return moment(ItemKind::date_time);
      case TokenKind::time:
        return moment(ItemKind::time);
      case TokenKind::special:
        return special();
      case TokenKind::external: {
        Node* node = make(Op::external, token_.offset);
        node->name = text_of_token();
        MYDR24_TRY(advance());
        return node;
      }
      case TokenKind::symbol:
        if (token_.text == "(") return parenthesised();
        if (token_.text == "{") return nothing();
        break;
      case TokenKind::end:
        return error("the expression ends too early");
    }
    return error(fmt::format("unexpected '{}'", token_.text));
  }

  Made special() {
    Node* node = make(Op::focus, token_.offset);
    if (token_.text == "index") {
      node->op = Op::index;
    } else if (token_.text == "total") {
      node->op = Op::total;
    } else if (token_.text != "this") {
      return error(fmt::format("there is no ${}", token_.text));
    }
    MYDR24_TRY(advance());
    return node;
  }

  Made parenthesised() {
    MYDR24_TRY(advance());
    MYDR24_ASSIGN(Node * node, expression(0));
    MYDR24_TRY(expect(")"));
    closed_ = node;
    return node;
  }

  Made nothing() {
    Node* node = make(Op::nothing, token_.offset);
    MYDR24_TRY(advance());
    MYDR24_TRY(expect("}"));
    return node;
  }

  Made literal(const Cell& cell) {
    Node* node = make(Op::literal, token_.offset);
    node->literal = cell;
    MYDR24_TRY(advance());
    return node;
  }

  Made moment(ItemKind kind) {
    std::string_view text = token_.text;
    if (!parse_moment(kind, text)) return error("this is no valid date or time");
    if (text.ends_with('T')) text.remove_suffix(1);
    if (text.starts_with('T')) text.remove_prefix(1);
    return literal(text_cell(kind, text));
  }

  Made number() {
    const std::string_view text = token_.text;
    Cell cell = text_cell(ItemKind::decimal, text);
    if (text.find('.') == std::string_view::npos) {
      const auto integer = parse_integer(text);
      if (!integer) return error("the number is too large");
      cell = integer_cell(*integer);
    } else if (!parse_decimal(text)) {
      return error("the number is too large");
    }
    Node* node = make(Op::literal, token_.offset);
    MYDR24_TRY(advance());
    const bool has_unit =
        token_.kind == TokenKind::string || (token_.kind == TokenKind::identifier && !ucum_of(token_.text).empty());
    if (has_unit) {
      cell = text_cell(ItemKind::quantity, text, text_of_token());
      MYDR24_TRY(advance());
    }
    node->literal = cell;
    return node;
  }

  Made invocation(Node* input) {
    if (token_.kind == TokenKind::special) return error("$this and its like stand only at the beginning");
    const bool is_plain = token_.kind == TokenKind::identifier;
    if (!is_plain && token_.kind != TokenKind::quoted) return error("a name is expected");
    const std::size_t offset = token_.offset;
    const std::string_view name = text_of_token();
    // "and", "or" and the like are no names; "as", "is", "in" and "contains" are.
    static constexpr std::array<std::string_view, 6> reserved{"and", "or", "xor", "implies", "div", "mod"};
    // The published cases of FHIRPath Patch write Patient.text.div, where no operator can stand.
    const bool is_narrative = input != nullptr && name == "div";
    if (is_plain && !is_narrative && std::ranges::find(reserved, name) != reserved.end()) {
      return error(fmt::format("'{}' stands where a name is expected", name));
    }
    MYDR24_TRY(advance());
    Node* node = make(Op::member, offset);
    node->name = name;
    node->input = input;
    if (at_symbol("(")) return call(node, input);
    if (input == nullptr && !name.empty() && name.front() >= 'A' && name.front() <= 'Z') {
      if (const auto type = find_type_name("FHIR", name)) node->root = type->name;
    }
    MYDR24_TRY(settle_depth(*node));
    return node;
  }

  Made call(Node* node, Node* input) {
    const FunctionEntry* entry = find_function(node->name);
    if (entry == nullptr) return error_at(node->offset, fmt::format("there is no function {}()", node->name));
    node->op = Op::call;
    node->function = entry->function;
    MYDR24_TRY(advance());
    const bool takes_type =
        entry->function == Function::is || entry->function == Function::as || entry->function == Function::of_type;
    std::size_t count = 0;
    if (takes_type) {
      MYDR24_ASSIGN(node->type, type_name());
      count = 1;
    }
    while (!takes_type && !at_symbol(")")) {
      if (count > 0) MYDR24_TRY(expect(","));
      if (count == entry->arguments_max) break;
      MYDR24_ASSIGN(Node * argument, expression(0));
      if (entry->function == Function::sort) {
        MYDR24_ASSIGN(argument, sort_direction(argument));
      }
      node->operands.push_back(argument);
      ++count;
    }
    if (!at_symbol(")") || count < entry->arguments_min) {
      return error(
          fmt::format("{}() takes {} to {} arguments", node->name, entry->arguments_min, entry->arguments_max));
    }
    MYDR24_TRY(advance());
    MYDR24_TRY(prepare_call(*node, input));
    MYDR24_TRY(settle_depth(*node));
    return node;
  }

  Result<> prepare_call(Node& node, Node* input) {
    const bool takes_pattern = node.function == Function::matches || node.function == Function::matches_full ||
                               node.function == Function::replace_matches;
    if (takes_pattern && node.operands[0]->op == Op::literal && node.operands[0]->literal.kind == ItemKind::string) {
      auto regex = Regex::compile(node.operands[0]->literal.text);
      if (!regex) return error_at(node.offset, regex.error().text);
      node.regex = std::move(*regex);
    }
    if (node.function == Function::is && input != nullptr && input->op == Op::call) {
      input->typed_reference = input->function == Function::resolve;
    }
    return {};
  }

  // "desc" after a key of sort(): as a minus before it.
  Made sort_direction(Node* key) {
    const bool is_word = token_.kind == TokenKind::identifier;
    if (!is_word || (token_.text != "asc" && token_.text != "desc")) return key;
    Node* node = key;
    if (token_.text == "desc") {
      node = make(Op::negate, token_.offset);
      node->operands = {key};
      MYDR24_TRY(settle_depth(*node));
    }
    MYDR24_TRY(advance());
    return node;
  }

  Result<TypeName> type_name() {
    const std::size_t offset = token_.offset;
    MYDR24_ASSIGN(std::string_view name, type_word());
    std::string_view space;
    if (at_symbol(".")) {
      MYDR24_TRY(advance());
      space = name;
      MYDR24_ASSIGN(name, type_word());
    }
    const auto type = find_type_name(space, name);
    if (!type) return error_at(offset, fmt::format("there is no type '{}'", name));
    return *type;
  }

  Result<std::string_view> type_word() {
    if (token_.kind != TokenKind::identifier && token_.kind != TokenKind::quoted) return error("a type is expected");
    const std::string_view word = text_of_token();
    MYDR24_TRY(advance());
    return word;
  }

  Syntax& syntax_;
  Lexer lexer_;
  Token token_;
  const Node* closed_ = nullptr;  // the last one that stood in parentheses
  std::size_t nesting_ = 0;
};

}  // namespace

std::string place_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::ranges::count(before, '\n') + 1;
  const auto column = before.size() - (before.rfind('\n') + 1) + 1;
  return fmt::format("line {}, column {}", line, column);
}

Result<std::unique_ptr<Syntax>> parse(std::string_view text) {
  if (text.size() > expression_bytes_max) return fail(Code::too_large, "the expression is too long");
  auto syntax = std::make_unique<Syntax>();
  syntax->text = text;
  MYDR24_TRY(Parser(*syntax).run());
  return syntax;
}

}  // namespace mydr24::path
