#pragma once

// What the routes of this module share: reading JSON bodies, changing the plan, answering.

#include <optional>
#include <string>

#include "alerting/oncall/coverage.h"
#include "api/oncall_api/oncall_api.h"
#include "api/pipeline/query.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::oncall_api {

inline constexpr std::size_t body_bytes_max = 8U << 20;

Task<> send(pipeline::Call& call, Result<std::string> json);

// The body as JSON. Code::invalid without Content-Type: application/json, which a page of another site cannot send.
Task<Result<json::Document>> read_json(pipeline::Call& call, std::size_t bytes_max = body_bytes_max);

// The capture as it was meant.
Result<std::string> name_of(pipeline::Call& call, std::size_t capture);

using pipeline::Query;

// A text member of a JSON object; empty when it is not there.
std::string text_of(json::Value object, std::string_view member);

// Makes the change and everything that follows from it for alerts and monitors in one transaction, and puts the plan in
// force after the commit.
Task<Result<oncall::PlanPointer>> change_plan(OnCall& oncall, oncall::Change change);

// The members "from" to "gaps" of what a coverage proof found.
void write_coverage(json::Writer& out, const oncall::Coverage& found);

// The answer to GET /api/v1/oncall/shifts: `query` has schedule, and may have from, to, and layer: the place of one layer, whose
// rotation is then given as it would be without leave, overrides and temporary shifts.
Result<std::string> shifts(const oncall::Plan& plan, Instant now, std::string_view query);

// Runs `work` in a transaction of class emergency.
template <class Work>
Task<Result<>> in_transaction(OnCall& oncall, Work work) {
  co_return co_await async_call<Result<>>(
      [&](auto finish) { oncall.store.submit(RequestClass::emergency, std::move(work), std::move(finish)); });
}

}  // namespace mydr24::oncall_api
