#pragma once

// Walks a resource along a trie of the Catalogue.

#include <algorithm>

#include "fhir/search/catalogue.h"

namespace mydr24::search {

// Calls visit(value, leaf) for every value that a leaf below `node` stands for. As deep as the trie is.
template <class Visit>
void walk(const Catalogue& catalogue, json::Value value, const Node& node, Visit& visit) {
  if (value.is_array()) {
    for (const auto item : value) walk(catalogue, item, node, visit);
    return;
  }
  for (const Leaf& leaf : node.leaves) visit(value, leaf);
  if (node.edges.empty()) return;
  const auto by_name = [](const Node::Edge& edge) { return edge.step.name; };
  for (const auto member : value) {
    const auto key = member.key();
    auto edge = std::ranges::lower_bound(node.edges, key, {}, by_name);
    for (; edge != node.edges.end() && edge->step.name == key; ++edge) {
      const Node& below = catalogue.node(edge->node);
      const Step& step = edge->step;
      if (step.where.empty() && !step.first) {
        walk(catalogue, member, below, visit);
      } else if (step.first && member.is_array()) {
        if (const auto item = member.at(0)) walk(catalogue, item, below, visit);
      } else if (member.is_array()) {
        for (const auto item : member) {
          if (item[step.where].text() == step.equals) walk(catalogue, item, below, visit);
        }
      } else if (step.where.empty() || member[step.where].text() == step.equals) {
        walk(catalogue, member, below, visit);
      }
    }
  }
}

}  // namespace mydr24::search
