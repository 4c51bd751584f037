#pragma once

// What the routes of this module share.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "api/incident_api/incident_api.h"
#include "api/pipeline/json_body.h"
#include "base/json/document.h"

namespace mydr24::incident_api {

inline constexpr std::size_t body_bytes_max = 64U << 10;

using Handler = Task<> (*)(Service&, pipeline::Call&);
void add(pipeline::Router& router, Service& service, net::Method method, std::string pattern, std::string name,
         RequestClass request_class, Handler handler, std::string summary);

// A text member of a JSON object; empty when it is not there.
std::string text_of(json::Value object, std::string_view member);
std::optional<std::string> given_text(json::Value object, std::string_view member);
// The capture as a number from 0.
Result<std::size_t> number_of(std::string_view text, std::string_view where);

// Without patients: how many there are.
std::string shown(const incidents::Incident& incident);

// The text that `read` makes of one view of the store, on a worker.
Task<> answer(Service& service, pipeline::Call& call, std::function<Result<std::string>(store::Reader&)> read);

// The body, and a change of the incident that the path names; the answer is the incident. A body that is empty is {}.
using Step = std::function<Result<incidents::Incident>(store::Transaction&, std::string_view id, json::Value body,
                                                       std::string_view by)>;
Task<> change(Service& service, pipeline::Call& call, Step step);

// Runs `work` in a transaction of class emergency: in a storm nothing else is written for long.
template <class Work>
Task<Result<>> in_transaction(Service& service, Work work) {
  co_return co_await async_call<Result<>>(
      [&](auto finish) { service.store.submit(RequestClass::emergency, std::move(work), std::move(finish)); });
}

// A body that may be empty.
Task<Result<json::Document>> take_body(pipeline::Call& call, std::size_t bytes_max = body_bytes_max);

}  // namespace mydr24::incident_api
