#include "operations/series/detail/evaluation.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "operations/series/detail/lexer.h"

namespace mydr24::series {
namespace {

constexpr Milliseconds hour_look_back = 65 * 60'000;  // where an hour has one sample
constexpr std::size_t work_between_looks = 4'096;
constexpr std::size_t made_bytes_max = 64U << 20;  // of label sets that an evaluation makes
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Milliseconds old_look_back(const Database& database, Milliseconds time) {
  const Milliseconds kept = std::chrono::milliseconds(database.settings().minutes_for).count();
  return time < database.now() - kept / 2 ? hour_look_back : look_back;
}

std::size_t bytes_of(const Labels& labels) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : labels) bytes += name.size() + value.size();
  return bytes;
}

// What a series may not have as labels, no function makes of it.
Error too_long(std::size_t column) {
  return fault_at(column,
                  fmt::format("the labels of a series would have more than {} bytes", Database::label_bytes_max));
}

}  // namespace

Error too_many_points(const EvaluationLimits& limits) {
  return fail(Code::too_costly, fmt::format("the answer has more than {} points", limits.points_max));
}

Labels without(const Labels& labels, const std::vector<std::string>& names) {
  std::vector<routing::Label> kept;
  for (const auto& label : labels)
    if (label.first != name_label && std::ranges::find(names, label.first) == names.end()) kept.push_back(label);
  return Labels(std::move(kept));
}

Labels only(const Labels& labels, const std::vector<std::string>& names) {
  std::vector<routing::Label> kept;
  for (const auto& label : labels)
    if (std::ranges::find(names, label.first) != names.end()) kept.push_back(label);
  return Labels(std::move(kept));
}

const Labels* Interner::intern(LabelsPtr labels) {
  const std::uint64_t fingerprint = routing::fingerprint(*labels);
  const auto [begin, end] = known_.equal_range(fingerprint);
  for (auto at = begin; at != end; ++at)
    if (*at->second == *labels) return at->second.get();
  const Labels* address = labels.get();
  known_.emplace(fingerprint, labels);
  owners_.emplace(address, std::move(labels));
  return address;
}
const Labels* Interner::intern(Labels labels) {
  const std::size_t before = owners_.size();
  const Labels* address = intern(std::make_shared<const Labels>(std::move(labels)));
  if (owners_.size() > before) bytes_made_ += bytes_of(*address) + address->size() * sizeof(routing::Label);
  return address;
}

Evaluation::Evaluation(const Database& database, const EvaluationLimits& limits, const Clock& clock)
    : database_(database),
      limits_(limits),
      clock_(clock),
      until_(clock.steady() + limits.time_max),
      none_(interner_.intern(Labels())) {}

Evaluation::~Evaluation() = default;

Result<> Evaluation::spend(std::size_t work) {
  const std::size_t before = work_;
  work_ += work;
  if (before / work_between_looks == work_ / work_between_looks) return {};
  if (limits_.cancelled != nullptr && *limits_.cancelled) return fail(Code::too_costly, "nobody waits for it any more");
  if (clock_.steady() >= until_)
    return fail(Code::too_costly, fmt::format("the query takes more than {} ms", limits_.time_max.count()));
  return {};
}

Result<> Evaluation::prepare(const Node& node, Milliseconds from, Milliseconds to) {
  for (const auto& child : node.children) MYDR24_TRY(prepare(*child, from, to));
  if (node.kind != Node::Kind::selector) return {};
  const auto series = database_.select(node.matchers, limits_.series_max + 1);
  // What was looked through, however little of it was found.
  MYDR24_TRY(spend(database_.series_count() + 1));
  if (series.size() > limits_.series_max)
    return fail(Code::too_costly,
                fmt::format("column {}: more than {} series are selected", node.column, limits_.series_max));
  auto& all = selected_[&node];
  const bool is_range = node.type == Type::matrix;
  const Milliseconds back = is_range ? node.range : old_look_back(database_, from - node.offset);
  for (const SeriesPtr& each : series) {
    Selected selected;
    each->read(from - node.offset - back, to - node.offset, selected.points);
    auto& samples = selected.points.samples;
    MYDR24_TRY(spend(samples.size() + 1));
    if (is_range) std::erase_if(samples, [](const Sample& sample) { return is_stale(sample.value); });
    if (samples.empty()) continue;
    samples_ += samples.size();
    if (samples_ > limits_.samples_max)
      return fail(Code::too_costly, fmt::format("the query reads more than {} samples", limits_.samples_max));
    selected.labels = interner_.intern(each->labels());
    all.push_back(std::move(selected));
  }
  return {};
}

const Labels* Evaluation::bare(const Node& node, const Labels* labels) {
  return map(node, 0, labels, [](const Labels& with_name) {
    Labels copy = with_name;
    copy.set(name_label, "");
    return copy;
  });
}

Result<> Evaluation::check_unique(const Node& node, std::size_t which, const std::vector<Element>& elements) {
  if (!mappings_[&node][which].collides) return {};
  std::unordered_set<const Labels*> seen;
  for (const Element& each : elements)
    if (!seen.insert(each.labels).second)
      return fault_at(node.column,
                      fmt::format("several series would have the labels {}", routing::to_text(*each.labels)));
  return {};
}

Value Evaluation::select(const Node& node, Milliseconds time) {
  const Milliseconds at = time - node.offset;
  Value value;
  for (Selected& each : selected_[&node]) {
    const auto& samples = each.points.samples;
    while (each.end < samples.size() && samples[each.end].time <= at) ++each.end;
    if (each.end == 0) continue;
    const Sample& sample = samples[each.end - 1];
    const Milliseconds back = each.end <= each.points.hours ? hour_look_back : look_back;
    if (sample.time > at - back && !is_stale(sample.value))
      value.vector.push_back({each.labels, sample.value, sample.time});
  }
  return value;
}

Window Evaluation::window(const Node& selector, Selected& selected, Milliseconds time) const {
  const Milliseconds to = time - selector.offset;
  const Milliseconds from = to - selector.range;
  const auto& [samples, buckets, _] = selected.points;
  while (selected.end < samples.size() && samples[selected.end].time <= to) ++selected.end;
  while (selected.begin < selected.end && samples[selected.begin].time <= from) ++selected.begin;
  const std::size_t first = std::min(selected.begin, buckets.size());
  const std::size_t last = std::min(selected.end, buckets.size());
  return {.samples = std::span(samples).subspan(selected.begin, selected.end - selected.begin),
          .buckets = std::span(buckets).subspan(first, last - first),
          .from = from,
          .to = to,
          .at = time};
}

Result<std::vector<AnswerSeries>> Evaluation::range(const Node& node, Milliseconds time) {
  std::vector<AnswerSeries> all;
  std::size_t points = 0;
  for (Selected& each : selected_[&node]) {
    const Window found = window(node, each, time);
    MYDR24_TRY(spend(found.samples.size()));
    points += found.samples.size();
    if (points > limits_.points_max) return too_many_points(limits_);
    if (!found.samples.empty()) all.push_back({shared(each.labels), {found.samples.begin(), found.samples.end()}});
  }
  return all;
}

Result<Value> Evaluation::at(const Node& node, Milliseconds time) {
  MYDR24_TRY(spend(1));
  auto value = value_of(node, time);
  if (interner_.bytes_made() > made_bytes_max)
    return fail(Code::too_costly,
                fmt::format("column {}: the query makes more than {} bytes of labels", node.column, made_bytes_max));
  return value;
}

Result<Value> Evaluation::value_of(const Node& node, Milliseconds time) {
  switch (node.kind) {
    case Node::Kind::number:
      return Value{.scalar = node.number, .vector = {}};
    case Node::Kind::text:
      return Value{};
    case Node::Kind::selector: {
      Value value = select(node, time);
      MYDR24_TRY(spend(value.vector.size()));
      return value;
    }
    case Node::Kind::call:
      return call(node, time);
    case Node::Kind::aggregate:
      return aggregate(node, time);
    case Node::Kind::binary:
      return binary(node, time);
    case Node::Kind::negate: {
      MYDR24_ASSIGN(Value value, at(*node.children[0], time));
      value.scalar = -value.scalar;
      for (Element& each : value.vector) each = {bare(node, each.labels), -each.value, time};
      MYDR24_TRY(check_unique(node, 0, value.vector));
      return value;
    }
  }
  return fail(Code::internal, "an unknown part of an expression");
}

Result<Value> Evaluation::over_range(const Node& node, Milliseconds time) {
  const auto selector = std::ranges::find(node.children, Type::matrix, [](const auto& child) { return child->type; });
  std::vector<double> parameters;
  for (const auto& child : node.children) {
    if (child->type != Type::scalar) continue;
    MYDR24_ASSIGN(const Value parameter, at(*child, time));
    parameters.push_back(parameter.scalar);
  }
  Value value;
  for (Selected& each : selected_[selector->get()]) {
    const Window found = window(**selector, each, time);
    MYDR24_TRY(spend(found.samples.size() + 1));
    double result = 0;
    if (found.samples.empty() || !node.function->over_range(found, parameters, result)) continue;
    const Labels* labels = node.function->keeps_name ? each.labels : bare(node, each.labels);
    value.vector.push_back({labels, result, time});
  }
  MYDR24_TRY(check_unique(node, 0, value.vector));
  return value;
}

Result<Value> Evaluation::each(const Node& node, Milliseconds time) {
  MYDR24_ASSIGN(Value value, at(*node.children[0], time));
  std::vector<double> parameters;
  for (std::size_t i = 1; i < node.children.size(); ++i) {
    MYDR24_ASSIGN(const Value parameter, at(*node.children[i], time));
    parameters.push_back(parameter.scalar);
  }
  // What lies between bounds that are the wrong way round is nothing.
  if (node.text == "clamp" && parameters[0] > parameters[1]) return Value{};
  MYDR24_TRY(spend(value.vector.size()));
  for (Element& element : value.vector)
    element = {bare(node, element.labels), node.function->each(element.value, parameters), time};
  MYDR24_TRY(check_unique(node, 0, value.vector));
  return value;
}

// The labels that the selector says the missing series would have.
Result<Value> Evaluation::absent(const Node& node, Milliseconds time) {
  const Node& child = *node.children[0];
  bool is_there = false;
  if (child.type == Type::matrix) {
    for (Selected& selected : selected_[&child]) is_there = !window(child, selected, time).samples.empty() || is_there;
  } else {
    MYDR24_ASSIGN(const Value value, at(child, time));
    is_there = !value.vector.empty();
  }
  if (is_there) return Value{};
  std::vector<routing::Label> labels;
  for (const auto& matcher : child.matchers) {
    const auto of_same = std::ranges::count(child.matchers, matcher.name(), [](const auto& m) { return m.name(); });
    if (matcher.op() == routing::Matcher::Op::equal && matcher.name() != name_label && of_same == 1)
      labels.emplace_back(matcher.name(), matcher.value());
  }
  return Value{.scalar = 0, .vector = {{interner_.intern(Labels(std::move(labels))), 1, time}}};
}

namespace {

struct HistogramBucket {
  double bound = 0;
  double count = 0;
};

// Counts of a histogram that is read while it grows may fall a little: they are taken as if they did not.
double quantile_of_buckets(double q, std::vector<HistogramBucket>& buckets) {
  if (std::isnan(q)) return nan;
  if (q < 0) return -std::numeric_limits<double>::infinity();
  if (q > 1) return std::numeric_limits<double>::infinity();
  std::ranges::sort(buckets, {}, &HistogramBucket::bound);
  if (buckets.empty() || !std::isinf(buckets.back().bound) || buckets.back().bound < 0) return nan;
  std::vector<HistogramBucket> merged;
  for (const HistogramBucket& each : buckets) {
    if (!merged.empty() && merged.back().bound == each.bound)
      merged.back().count += each.count;
    else
      merged.push_back(each);
  }
  double most = merged.front().count;
  for (HistogramBucket& each : merged) {
    most = std::max(most, each.count);
    each.count = most;
  }
  const double all = merged.back().count;
  if (merged.size() < 2 || all == 0 || std::isnan(all)) return nan;
  double rank = q * all;
  const auto last = merged.end() - 1;
  const auto found = std::find_if(merged.begin(), last, [&](const auto& each) { return each.count >= rank; });
  if (found == last) return (last - 1)->bound;
  if (found == merged.begin() && found->bound <= 0) return found->bound;
  double start = 0;
  double count = found->count;
  if (found != merged.begin()) {
    start = (found - 1)->bound;
    count -= (found - 1)->count;
    rank -= (found - 1)->count;
  }
  return start + (found->bound - start) * (rank / count);
}

double bound_of(std::string_view text) {
  if (text == "+Inf" || text == "Inf" || text == "inf" || text == "+inf")
    return std::numeric_limits<double>::infinity();
  double bound = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), bound);
  return fault == std::errc() && end == text.data() + text.size() ? bound : nan;
}

}  // namespace

Result<Value> Evaluation::quantile(const Node& node, Milliseconds time) {
  MYDR24_ASSIGN(const Value q, at(*node.children[0], time));
  MYDR24_ASSIGN(const Value of, at(*node.children[1], time));
  std::vector<const Labels*> order;
  std::unordered_map<const Labels*, std::vector<HistogramBucket>> histograms;
  for (const Element& element : of.vector) {
    const double bound = bound_of((*element.labels)["le"]);
    if (std::isnan(bound)) continue;
    const Labels* labels = map(node, 0, element.labels, [](const Labels& all) { return without(all, {"le"}); });
    auto& buckets = histograms[labels];
    if (buckets.empty()) order.push_back(labels);
    buckets.push_back({bound, element.value});
  }
  MYDR24_TRY(spend(of.vector.size()));
  Value value;
  for (const Labels* labels : order)
    value.vector.push_back({labels, quantile_of_buckets(q.scalar, histograms[labels]), time});
  return value;
}

namespace {

// $1, ${1}, $name and $$ of a replacement, as in Go's Regexp.Expand. Text beyond what labels may have is not all made.
std::string expand(std::string_view replacement, const re2::RE2& expression, std::span<const std::string> groups) {
  std::string out;
  for (std::size_t at = 0; at < replacement.size() && out.size() <= Database::label_bytes_max; ++at) {
    if (replacement[at] != '$' || at + 1 == replacement.size()) {
      out.push_back(replacement[at]);
      continue;
    }
    if (replacement[at + 1] == '$') {
      out.push_back('$');
      ++at;
      continue;
    }
    const bool braced = replacement[at + 1] == '{';
    std::size_t end = at + (braced ? 2 : 1);
    const std::size_t begin = end;
    while (end < replacement.size() &&
           (std::isalnum(static_cast<unsigned char>(replacement[end])) != 0 || replacement[end] == '_'))
      ++end;
    const std::string name(replacement.substr(begin, end - begin));
    if (name.empty() || (braced && (end == replacement.size() || replacement[end] != '}'))) {
      out.push_back('$');
      continue;
    }
    std::size_t number = 0;
    const auto [rest, fault] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (fault != std::errc() || rest != name.data() + name.size()) {
      const auto named = expression.NamedCapturingGroups().find(name);
      number = named == expression.NamedCapturingGroups().end() ? SIZE_MAX : static_cast<std::size_t>(named->second);
    }
    if (number < groups.size()) out += groups[number];
    at = braced ? end : end - 1;
  }
  return out;
}

}  // namespace

Result<const Labels*> Evaluation::replace(const Node& node, const Labels* labels) {
  const auto text = [&](std::size_t which) -> const std::string& { return node.children[which]->text; };
  auto& expression = expressions_[&node];
  if (!expression) {
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_max_mem(1 << 20);
    expression = std::make_unique<re2::RE2>(text(4), options);
    if (!expression->ok())
      return fault_at(node.children[4]->column, fmt::format("bad regular expression: {}", expression->error()));
    if (!routing::is_label_name(text(1), routing::Names::classic))
      return fault_at(node.children[1]->column, "that is no label name");
  }
  bool fits = true;
  const Labels* replaced = map(node, 0, labels, [&](const Labels& before) {
    const std::string_view source = before[text(3)];
    const auto count = static_cast<std::size_t>(expression->NumberOfCapturingGroups()) + 1;
    std::vector<re2::StringPiece> found(count);
    Labels after = before;
    const re2::StringPiece input(source.data(), source.size());
    if (!expression->Match(input, 0, input.size(), re2::RE2::ANCHOR_BOTH, found.data(), static_cast<int>(count)))
      return after;
    std::vector<std::string> groups;
    for (const auto& each : found) groups.emplace_back(each.data() == nullptr ? "" : std::string(each));
    after.set(text(1), expand(text(2), *expression, groups));
    fits = bytes_of(after) <= Database::label_bytes_max;
    return after;
  });
  if (!fits) return too_long(node.column);
  return replaced;
}

Result<const Labels*> Evaluation::join(const Node& node, const Labels* labels) {
  bool fits = true;
  const Labels* made = map(node, 0, labels, [&](const Labels& before) {
    std::string joined;
    for (std::size_t i = 3; i < node.children.size() && joined.size() <= Database::label_bytes_max; ++i) {
      if (i > 3) joined += node.children[2]->text;
      joined += before[node.children[i]->text];
    }
    Labels after = before;
    after.set(node.children[1]->text, joined);
    fits = bytes_of(after) <= Database::label_bytes_max;
    return after;
  });
  if (!fits) return too_long(node.column);
  return made;
}

Result<Value> Evaluation::relabel(const Node& node, Milliseconds time) {
  MYDR24_ASSIGN(Value value, at(*node.children[0], time));
  const bool replaces = node.function->kind == Function::Kind::label_replace;
  if (!replaces && !routing::is_label_name(node.children[1]->text, routing::Names::classic))
    return fault_at(node.children[1]->column, "that is no label name");
  for (Element& each : value.vector) {
    MYDR24_ASSIGN(each.labels, replaces ? replace(node, each.labels) : join(node, each.labels));
  }
  MYDR24_TRY(check_unique(node, 0, value.vector));
  return value;
}

Result<Value> Evaluation::call(const Node& node, Milliseconds time) {
  using Kind = Function::Kind;
  const auto kind = node.function->kind;
  if (kind == Kind::over_range) return over_range(node, time);
  if (kind == Kind::each) return each(node, time);
  if (kind == Kind::absent || kind == Kind::absent_over_time) return absent(node, time);
  if (kind == Kind::histogram_quantile) return quantile(node, time);
  if (kind == Kind::label_join || kind == Kind::label_replace) return relabel(node, time);
  if (kind == Kind::time) return Value{.scalar = static_cast<double>(time) / 1000, .vector = {}};
  MYDR24_ASSIGN(Value value, at(*node.children[0], time));
  // Equal ones in the order of their labels; what is no number last.
  const auto sort = [&value](bool descends) {
    std::ranges::sort(value.vector, [descends](const Element& a, const Element& b) {
      if (std::isnan(a.value) != std::isnan(b.value)) return std::isnan(b.value);
      if (a.value != b.value && !std::isnan(a.value)) return descends ? a.value > b.value : a.value < b.value;
      return *a.labels < *b.labels;
    });
  };
  switch (kind) {
    case Kind::scalar:
      return Value{.scalar = value.vector.size() == 1 ? value.vector.front().value : nan, .vector = {}};
    case Kind::vector:
      return Value{.scalar = 0, .vector = {{none_, value.scalar, time}}};
    case Kind::sort:
    case Kind::sort_desc:
      sort(kind == Kind::sort_desc);
      return value;
    default:
      break;
  }
  // timestamp: of the samples themselves, or of the evaluation.
  const bool of_samples = node.children[0]->kind == Node::Kind::selector;
  for (Element& element : value.vector)
    element = {bare(node, element.labels), static_cast<double>(of_samples ? element.time : time) / 1000, time};
  MYDR24_TRY(check_unique(node, 0, value.vector));
  return value;
}

}  // namespace mydr24::series
