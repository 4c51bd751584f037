#pragma once

// One evaluation of a tree. Label sets are interned: equal ones are one object, so that they are compared and looked up by address,
// and what a node makes of a label set is worked out once, not at each step. Private to operations/series.

#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "operations/series/detail/functions.h"
#include "operations/series/evaluate.h"

namespace re2 {
class RE2;
}

namespace mydr24::series {

struct Element {
  const Labels* labels = nullptr;
  double value = 0;
  Milliseconds time = 0;  // of the sample, where it is one
};

struct Value {
  double scalar = 0;
  std::vector<Element> vector;
};

class Interner {
 public:
  const Labels* intern(Labels labels);
  const Labels* intern(LabelsPtr labels);
  LabelsPtr shared(const Labels* labels) const { return owners_.at(labels); }
  std::size_t bytes_made() const { return bytes_made_; }  // of label sets that were made here

 private:
  std::size_t bytes_made_ = 0;
  std::unordered_multimap<std::uint64_t, LabelsPtr> known_;
  std::unordered_map<const Labels*, LabelsPtr> owners_;
};

// What a node makes of label sets.
struct Mapping {
  std::unordered_map<const Labels*, const Labels*> made;
  std::unordered_set<const Labels*> results;
  bool collides = false;  // two became one
};

class Evaluation {
 public:
  Evaluation(const Database& database, const EvaluationLimits& limits, const Clock& clock);
  ~Evaluation();

  // Reads what the tree needs for instants in [from, to].
  Result<> prepare(const Node& node, Milliseconds from, Milliseconds to);
  // At instants that ascend.
  Result<Value> at(const Node& node, Milliseconds time);
  // Of a tree that is a range alone.
  Result<std::vector<AnswerSeries>> range(const Node& node, Milliseconds time);
  Result<> spend(std::size_t work);
  LabelsPtr shared(const Labels* labels) const { return interner_.shared(labels); }

 private:
  struct Selected {
    const Labels* labels = nullptr;
    Points points;
    std::size_t begin = 0;  // of the range; unused in an instant vector
    std::size_t end = 0;    // of what lies at or before the instant
  };
  struct Side {  // of a vector match
    const std::vector<Element>& elements;
    std::size_t number;
  };

  template <class Make>
  const Labels* map(const Node& node, std::size_t which, const Labels* labels, Make make);
  const Labels* bare(const Node& node, const Labels* labels);  // without its name
  Result<> check_unique(const Node& node, std::size_t which, const std::vector<Element>& elements);

  Result<Value> value_of(const Node& node, Milliseconds time);
  Value select(const Node& node, Milliseconds time);
  Result<Value> call(const Node& node, Milliseconds time);
  Result<Value> over_range(const Node& node, Milliseconds time);
  Result<Value> each(const Node& node, Milliseconds time);
  Result<Value> absent(const Node& node, Milliseconds time);
  Result<Value> quantile(const Node& node, Milliseconds time);
  Result<Value> relabel(const Node& node, Milliseconds time);
  Result<const Labels*> replace(const Node& node, const Labels* labels);
  Result<const Labels*> join(const Node& node, const Labels* labels);
  Window window(const Node& selector, Selected& selected, Milliseconds time) const;

  // aggregate.cc
  const Labels* group_of(const Node& node, const Labels* labels);
  Result<Value> aggregate(const Node& node, Milliseconds time);
  Value best(const Node& node, std::vector<Element> elements, double count);

  // binary.cc
  Result<Value> binary(const Node& node, Milliseconds time);
  Result<Value> with_scalar(const Node& node, const Value& left, const Value& right);
  Value sets(const Node& node, const Value& left, const Value& right);
  Result<Value> match(const Node& node, const Value& left, const Value& right);
  const Labels* signature(const Node& node, std::size_t side, const Labels* labels);
  const Labels* matched(const Node& node, const Labels* many, const Labels* one);

  const Database& database_;
  const EvaluationLimits& limits_;
  const Clock& clock_;
  const std::chrono::nanoseconds until_;
  std::size_t work_ = 0;
  std::size_t samples_ = 0;
  Interner interner_;
  const Labels* const none_;
  std::unordered_map<const Node*, std::vector<Selected>> selected_;
  std::unordered_map<const Node*, std::array<Mapping, 3>> mappings_;
  std::unordered_map<const Node*, std::unordered_map<const Labels*, Mapping>> included_;  // by the side that has one
  std::unordered_map<const Node*, std::unique_ptr<re2::RE2>> expressions_;
};

template <class Make>
const Labels* Evaluation::map(const Node& node, std::size_t which, const Labels* labels, Make make) {
  Mapping& mapping = mappings_[&node][which];
  const auto found = mapping.made.find(labels);
  if (found != mapping.made.end()) return found->second;
  const Labels* made = interner_.intern(make(*labels));
  if (!mapping.results.insert(made).second) mapping.collides = true;
  mapping.made.emplace(labels, made);
  return made;
}

Error too_many_points(const EvaluationLimits& limits);

// Labels without those, or with only those.
Labels without(const Labels& labels, const std::vector<std::string>& names);
Labels only(const Labels& labels, const std::vector<std::string>& names);

}  // namespace mydr24::series
