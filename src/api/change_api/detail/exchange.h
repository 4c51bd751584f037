#pragma once

// What the routes of this module share: reading bodies, answering with what a transaction or a look at the store
// gives.

#include <string>

#include "api/change_api/change_api.h"
#include "api/pipeline/json_body.h"
#include "base/json/document.h"

namespace mydr24::change_api {

// A JSON object of at most plan_bytes_max bytes. Code::invalid without Content-Type: application/json, which a page
// of another site cannot send.
Task<Result<json::Document>> read_body(pipeline::Call& call);
std::string text_of(json::Value object, std::string_view member);

// Who acts, by their login, which no other account has: a display name is nobody's own. An application: "client/ID".
// Where nobody is asked who they are: `said`.
std::string acting(pipeline::Call& call, std::string_view said);

template <class Text>
Task<> answer(pipeline::Call& call, Result<Text> text, int status = 200) {
  if (!text) {
    co_await call.respond(text.error());
    co_return;
  }
  co_await pipeline::send_json(call, status, std::move(*text));
}

// Answers with what `work`, a function of a transaction, gives back as JSON.
template <class Work>
Task<> answer_write(Desk& desk, pipeline::Call& call, Work work, int status = 200) {
  std::string text;
  const auto done = co_await async_call<Result<>>([&](auto finish) {
    desk.store.submit(
        RequestClass::urgent,
        [&](store::Transaction& transaction) -> Result<> {
          MYDR24_ASSIGN(text, work(transaction));
          return {};
        },
        std::move(finish));
  });
  co_await answer(call, done ? Result<std::string>(std::move(text)) : Result<std::string>(done.error()), status);
}

// The same of a reader, on a worker: it may look at many rows.
template <class Look>
Task<> answer_read(Desk& desk, pipeline::Call& call, Look look) {
  auto text = co_await desk.workers.run(call.request_class(), [&]() -> Result<std::string> {
    std::string found;
    MYDR24_TRY(desk.store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(found, look(reader));
      return {};
    }));
    return found;
  });
  co_await answer(call, std::move(text));
}

}  // namespace mydr24::change_api
