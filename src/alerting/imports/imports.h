#pragma once

// On-call configuration of other systems as parts of our plan: people, schedules, policies, overrides, monitors. Pure
// functions of the export and, for what depends on it, the time.
//
// Invariants
// - The parts alone make a plan (oncall::Plan::make), unless there are none.
// - What could not be carried over, and what behaves otherwise here, is in `left` with its place in the export.
// - The same export gives the same parts, byte for byte; so does a later export of what did not change.
// - No address counts as verified: somebody must answer there first.
//
// Source of the formats: GoAlert's GraphQL schema (graphql2/schema.graphql, version 0.32 and those before it, back to
// 0.24); Grafana OnCall's HTTP API reference (oncall-api-reference) and the resources of Grafana's Terraform provider.

#include <string_view>
#include <vector>

#include "alerting/oncall/plan.h"
#include "alerting/routing/adopt.h"
#include "base/core/result.h"

namespace mydr24::imports {

using routing::Left;

struct Imported {
  oncall::Documents parts;
  std::vector<Left> left;  // in the order of the export
};

inline constexpr std::size_t export_bytes_max = 32U << 20;

// The answer of a GraphQL query with users, rotations, schedules, userOverrides, escalationPolicies and services
// (docs/oncall.md has the query). Code::invalid: no JSON, an answer with errors, a list of which a page is missing, or an
// entry without an id; `where` is its place ("data.users").
Result<Imported> from_goalert(std::string_view text, Instant now);

// {"users": [...], "schedules": [...], "on_call_shifts": [...], ...}, each a list or an answer with "results"; or what
// `terraform show -json` prints. Code::invalid as above.
Result<Imported> from_grafana_oncall(std::string_view text, Instant now);

// Addresses that are verified in `present` stay so in the contacts of the same name.
void keep_verified(oncall::Documents& parts, const oncall::Documents& present);

}  // namespace mydr24::imports
