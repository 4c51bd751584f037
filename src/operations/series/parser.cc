// PromQL into a tree, by precedence climbing.

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "operations/series/detail/functions.h"
#include "operations/series/detail/lexer.h"
#include "operations/series/syntax.h"

namespace mydr24::series {
namespace {

using NodePtr = std::unique_ptr<Node>;
using Kind = Token::Kind;

struct Precedence {
  std::string_view word;
  Operator op;
  int level;
};
constexpr std::array<Precedence, 15> operators{{{"or", Operator::disjunction, 1},
                                                {"and", Operator::conjunction, 2},
                                                {"unless", Operator::unless, 2},
                                                {"==", Operator::equal, 3},
                                                {"!=", Operator::not_equal, 3},
                                                {">", Operator::greater, 3},
                                                {"<", Operator::less, 3},
                                                {">=", Operator::greater_equal, 3},
                                                {"<=", Operator::less_equal, 3},
                                                {"+", Operator::add, 4},
                                                {"-", Operator::subtract, 4},
                                                {"*", Operator::multiply, 5},
                                                {"/", Operator::divide, 5},
                                                {"%", Operator::modulo, 5},
                                                {"^", Operator::power, 6}}};
constexpr int unary_level = 5;
constexpr int power_level = 6;

constexpr std::array<std::string_view, 12> aggregations{
    "sum", "avg", "min", "max", "count", "topk", "bottomk", "quantile", "stddev", "stdvar", "group", "count_values"};

bool has_parameter(std::string_view aggregation) {
  return aggregation == "topk" || aggregation == "bottomk" || aggregation == "quantile";
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Result<NodePtr> run() {
    MYDR24_ASSIGN(NodePtr node, expression(0));
    if (peek().kind != Kind::end) return unexpected("an operator or the end");
    return node;
  }

  Result<NodePtr> run_selector() {
    MYDR24_ASSIGN(NodePtr node, selector());
    if (peek().kind != Kind::end) return unexpected("the end of the selector");
    return node;
  }

 private:
  const Token& peek() const { return tokens_[at_]; }
  Token take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool is_sign(std::string_view sign) const { return peek().kind == Kind::sign && peek().text == sign; }
  bool is_word(std::string_view word) const { return peek().kind == Kind::name && lower(peek().text) == word; }
  bool skip(std::string_view sign) {
    if (!is_sign(sign)) return false;
    take();
    return true;
  }

  Error unexpected(std::string_view wanted) const {
    const Token& token = peek();
    const std::string found = token.kind == Kind::end ? "the end" : routing::go_quoted(token.text);
    return error_at(token.column, fmt::format("unexpected {}, {} is expected", found, wanted));
  }
  Result<> expect(std::string_view sign) {
    if (!skip(sign)) return unexpected(fmt::format("\"{}\"", sign));
    return {};
  }

  Result<NodePtr> make(Node::Kind kind, Type type, std::size_t column) {
    if (++nodes_ > nodes_max) return error_at(column, "the expression has too many parts");
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->type = type;
    node->column = column;
    return node;
  }

  const Precedence* next_operator() const {
    if (peek().kind != Kind::sign && peek().kind != Kind::name) return nullptr;
    const std::string word = lower(peek().text);
    const auto found = std::ranges::find(operators, word, &Precedence::word);
    return found == operators.end() ? nullptr : found;
  }

  Result<NodePtr> expression(int level_min) {
    if (++depth_ > depth_max) return error_at(peek().column, "the expression is nested too deeply");
    MYDR24_ASSIGN(NodePtr left, unary());
    while (const Precedence* next = next_operator()) {
      if (next->level <= level_min) break;
      const std::size_t column = take().column;
      MYDR24_ASSIGN(NodePtr node, make(Node::Kind::binary, Type::vector, column));
      node->op = next->op;
      MYDR24_TRY(modifiers(*node));
      // ^ binds to the right.
      MYDR24_ASSIGN(NodePtr right, expression(next->level == power_level ? next->level - 1 : next->level));
      node->children.push_back(std::move(left));
      node->children.push_back(std::move(right));
      MYDR24_TRY(check_binary(*node));
      left = std::move(node);
    }
    --depth_;
    return left;
  }

  Result<> modifiers(Node& node) {
    if (is_word("bool")) {
      if (!is_comparison(node.op)) return error_at(peek().column, "bool goes only with a comparison");
      take();
      node.returns_bool = true;
    }
    if (!is_word("on") && !is_word("ignoring")) return {};
    node.on = lower(take().text) == "on";
    MYDR24_ASSIGN(node.labels, names());
    if (!is_word("group_left") && !is_word("group_right")) return {};
    if (is_set(node.op)) return error_at(peek().column, "no grouping goes with and, or, unless");
    node.group = lower(take().text) == "group_left" ? Node::Group::left : Node::Group::right;
    if (is_sign("(")) {
      MYDR24_ASSIGN(node.include, names());
    }
    return {};
  }

  static Result<> check_binary(Node& node) {
    const Type left = node.children[0]->type;
    const Type right = node.children[1]->type;
    for (const auto& child : node.children)
      if (child->type != Type::scalar && child->type != Type::vector)
        return error_at(child->column, fmt::format("a binary operator takes scalars and instant vectors, not a {}",
                                                   to_string(child->type)));
    const bool scalars = left == Type::scalar && right == Type::scalar;
    if (is_set(node.op) && (left == Type::scalar || right == Type::scalar))
      return error_at(node.column, fmt::format("\"{}\" goes only between instant vectors", to_string(node.op)));
    if (scalars && is_comparison(node.op) && !node.returns_bool)
      return error_at(node.column, "a comparison of scalars needs bool");
    const bool matches = node.on || !node.labels.empty() || node.group != Node::Group::one_to_one;
    if (matches && (left == Type::scalar || right == Type::scalar))
      return error_at(node.column, "on, ignoring and grouping go only between instant vectors");
    for (const std::string& label : node.include)
      if (node.on && std::ranges::find(node.labels, label) != node.labels.end())
        return error_at(node.column, fmt::format("the label {} is in on and in the grouping", label));
    node.type = scalars ? Type::scalar : Type::vector;
    return {};
  }

  Result<NodePtr> unary() {
    if (!is_sign("-") && !is_sign("+")) return postfix();
    const Token sign = take();
    if (++depth_ > depth_max) return error_at(sign.column, "the expression is nested too deeply");
    // -2 ^ 2 is -(2 ^ 2), -2 * 3 is (-2) * 3.
    MYDR24_ASSIGN(NodePtr child, expression(unary_level));
    --depth_;
    if (child->type != Type::scalar && child->type != Type::vector)
      return error_at(child->column,
                      fmt::format("a sign goes before scalars and instant vectors, not a {}", to_string(child->type)));
    if (sign.text == "+") return child;
    MYDR24_ASSIGN(NodePtr node, make(Node::Kind::negate, child->type, sign.column));
    node->children.push_back(std::move(child));
    return node;
  }

  Result<NodePtr> postfix() {
    MYDR24_ASSIGN(NodePtr node, primary());
    while (true) {
      if (is_sign("[")) {
        MYDR24_TRY(range(*node));
      } else if (is_word("offset")) {
        MYDR24_TRY(offset(*node));
      } else {
        return node;
      }
    }
  }

  Result<> range(Node& node) {
    const std::size_t column = take().column;
    MYDR24_ASSIGN(const Milliseconds length, duration());
    if (is_sign(":") || (peek().kind == Kind::name && peek().text.starts_with(':')))
      return error_at(peek().column, "subqueries are not supported");
    MYDR24_TRY(expect("]"));
    if (node.kind != Node::Kind::selector || node.type != Type::vector)
      return error_at(column, "a range goes only after a selector");
    if (node.offset != 0) return error_at(column, "the range goes before the offset");
    if (length <= 0) return error_at(column, "a range is longer than 0");
    node.range = length;
    node.type = Type::matrix;
    return {};
  }

  Result<> offset(Node& node) {
    const std::size_t column = take().column;
    const bool negative = skip("-");
    MYDR24_ASSIGN(const Milliseconds length, duration());
    if (node.kind != Node::Kind::selector) return error_at(column, "an offset goes only after a selector");
    if (node.offset != 0) return error_at(column, "there is an offset already");
    node.offset = negative ? -length : length;
    return {};
  }

  // 5m, or seconds.
  Result<Milliseconds> duration() {
    if (peek().kind != Kind::duration && peek().kind != Kind::number) return unexpected("a duration");
    const double seconds = peek().number;
    if (!(seconds >= 0 && seconds <= 100.0 * 365 * 86'400)) return error_at(peek().column, "that is too long");
    take();
    return static_cast<Milliseconds>(seconds * 1000 + 0.5);
  }

  Result<NodePtr> primary() {
    const Token token = peek();
    switch (token.kind) {
      case Kind::number:
      case Kind::duration: {
        take();
        MYDR24_ASSIGN(NodePtr node, make(Node::Kind::number, Type::scalar, token.column));
        node->number = token.number;
        return node;
      }
      case Kind::text: {
        take();
        MYDR24_ASSIGN(NodePtr node, make(Node::Kind::text, Type::text, token.column));
        node->text = token.text;
        return node;
      }
      case Kind::name:
        return named();
      case Kind::sign:
        if (token.text == "{") return selector();
        if (token.text != "(") break;
        take();
        {
          MYDR24_ASSIGN(NodePtr node, expression(0));
          MYDR24_TRY(expect(")"));
          return node;
        }
      case Kind::end:
        break;
    }
    return unexpected("an expression");
  }

  Result<NodePtr> named() {
    const std::string word = lower(peek().text);
    const bool is_call = tokens_[at_ + 1].kind == Kind::sign && tokens_[at_ + 1].text == "(";
    const bool is_grouped = tokens_[at_ + 1].kind == Kind::name &&
                            (lower(tokens_[at_ + 1].text) == "by" || lower(tokens_[at_ + 1].text) == "without");
    if (std::ranges::find(aggregations, word) != aggregations.end() && (is_call || is_grouped)) return aggregate();
    if (is_call) return call();
    if (word == "inf" || word == "nan") {
      MYDR24_ASSIGN(NodePtr node, make(Node::Kind::number, Type::scalar, take().column));
      node->number = word == "inf" ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
      return node;
    }
    return selector();
  }

  Result<> group(Node& node) {
    node.without = lower(take().text) == "without";
    MYDR24_ASSIGN(node.labels, names());
    return {};
  }

  Result<NodePtr> aggregate() {
    const Token name = take();
    MYDR24_ASSIGN(NodePtr node, make(Node::Kind::aggregate, Type::vector, name.column));
    node->text = lower(name.text);
    if (node->text == "count_values") return error_at(name.column, "count_values is not supported");
    bool is_grouped = is_word("by") || is_word("without");
    if (is_grouped) MYDR24_TRY(group(*node));
    MYDR24_TRY(expect("("));
    NodePtr parameter;
    if (has_parameter(node->text)) {
      MYDR24_ASSIGN(parameter, expression(0));
      if (parameter->type != Type::scalar)
        return error_at(parameter->column,
                        fmt::format("{} takes a scalar first, not a {}", node->text, to_string(parameter->type)));
      MYDR24_TRY(expect(","));
    }
    MYDR24_ASSIGN(NodePtr of, expression(0));
    if (of->type != Type::vector)
      return error_at(of->column, fmt::format("{} takes an instant vector, not a {}", node->text, to_string(of->type)));
    MYDR24_TRY(expect(")"));
    if (is_word("by") || is_word("without")) {
      if (std::exchange(is_grouped, true)) return unexpected("no second grouping");
      MYDR24_TRY(group(*node));
    }
    node->children.push_back(std::move(of));
    if (parameter) node->children.push_back(std::move(parameter));
    return node;
  }

  Result<NodePtr> call() {
    const Token name = take();
    MYDR24_ASSIGN(NodePtr node, make(Node::Kind::call, Type::vector, name.column));
    node->text = name.text;
    node->function = find_function(name.text);
    if (node->function == nullptr)
      return error_at(name.column, fmt::format("there is no function {}", routing::go_quoted(name.text)));
    const Function& function = *node->function;
    node->type = function.result;
    MYDR24_TRY(expect("("));
    while (!is_sign(")")) {
      if (!node->children.empty()) MYDR24_TRY(expect(","));
      const std::size_t which = std::min(node->children.size(), function.count - 1);
      MYDR24_ASSIGN(NodePtr child, expression(0));
      if (function.count == 0 || (node->children.size() >= function.count && !function.repeats))
        return error_at(child->column, fmt::format("{} takes at most {} arguments", name.text, function.count));
      if (child->type != function.arguments[which])
        return error_at(child->column, fmt::format("{} takes here: {}, not {}", name.text,
                                                   to_string(function.arguments[which]), to_string(child->type)));
      node->children.push_back(std::move(child));
    }
    take();
    if (node->children.size() < function.count_min)
      return error_at(name.column, fmt::format("{} takes at least {} arguments", name.text, function.count_min));
    if (function.kind == Function::Kind::label_replace) MYDR24_TRY(count_regex(name.column));
    return node;
  }

  Result<std::vector<std::string>> names() {
    std::vector<std::string> all;
    MYDR24_TRY(expect("("));
    while (!is_sign(")")) {
      if (!all.empty()) {
        MYDR24_TRY(expect(","));
        if (is_sign(")")) break;
      }
      if (peek().kind != Kind::name || !routing::is_label_name(peek().text, routing::Names::classic))
        return unexpected("a label name");
      all.push_back(take().text);
    }
    take();
    return all;
  }

  Result<NodePtr> selector() {
    MYDR24_ASSIGN(NodePtr node, make(Node::Kind::selector, Type::vector, peek().column));
    bool is_named = false;
    if (peek().kind == Kind::name) {
      MYDR24_ASSIGN(auto name, routing::Matcher::make(name_label, routing::Matcher::Op::equal, take().text));
      node->matchers.push_back(std::move(name));
      is_named = true;
    }
    if (is_sign("{")) {
      take();
      for (bool first = true; !is_sign("}"); first = false) {
        if (!first) {
          MYDR24_TRY(expect(","));
          if (is_sign("}")) break;
        }
        MYDR24_TRY(matcher(*node, is_named));
      }
      take();
    } else if (!is_named) {
      return unexpected("a selector");
    }
    const bool selects = std::ranges::any_of(node->matchers, [](const auto& each) { return !each.matches(""); });
    if (!selects) return error_at(node->column, "a selector needs a matcher that does not match the empty text");
    return node;
  }

  Result<> count_regex(std::size_t column) {
    if (++regexes_ <= regexes_max) return {};
    return error_at(column, fmt::format("an expression has at most {} regular expressions", regexes_max));
  }

  Result<> matcher(Node& node, bool is_named) {
    const Token label = peek();
    if (label.kind != Kind::name || label.text.find(':') != std::string::npos) return unexpected("a label name");
    take();
    using Op = routing::Matcher::Op;
    Op op = Op::equal;
    if (is_sign("!="))
      op = Op::not_equal;
    else if (is_sign("=~"))
      op = Op::matches;
    else if (is_sign("!~"))
      op = Op::not_matches;
    else if (!is_sign("="))
      return unexpected("one of = != =~ !~");
    take();
    if (peek().kind != Kind::text) return unexpected("a quoted text");
    if (label.text == name_label && is_named) return error_at(label.column, "the metric is named twice");
    const Token value = take();
    if (node.matchers.size() == routing::matchers_max) return error_at(label.column, "too many matchers");
    if (op == Op::matches || op == Op::not_matches) MYDR24_TRY(count_regex(value.column));
    auto made = routing::Matcher::make(label.text, op, value.text);
    if (!made) return error_at(value.column, made.error().text);
    node.matchers.push_back(std::move(*made));
    return {};
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t nodes_ = 0;
  std::size_t regexes_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace

std::string_view to_string(Type type) {
  constexpr std::array<std::string_view, 4> names{"scalar", "instant vector", "range vector", "text"};
  return names[static_cast<std::size_t>(type)];
}

std::string_view to_string(Operator op) { return std::ranges::find(operators, op, &Precedence::op)->word; }

Result<std::unique_ptr<Node>> parse(std::string_view expression) {
  MYDR24_ASSIGN(std::vector<Token> tokens, scan(expression));
  return Parser(std::move(tokens)).run();
}

Result<Matchers> parse_selector(std::string_view expression) {
  MYDR24_ASSIGN(std::vector<Token> tokens, scan(expression));
  MYDR24_ASSIGN(const NodePtr node, Parser(std::move(tokens)).run_selector());
  return std::move(node->matchers);
}

}  // namespace mydr24::series
