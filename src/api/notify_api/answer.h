#pragma once

// What a person's answer does to the alert, whichever way it came. Private to api/notify_api.

#include <functional>
#include <string>
#include <string_view>

#include "api/notify_api/notify_api.h"
#include "base/async/task.h"

namespace mydr24::notify_api {

enum class Action { acknowledge, close };

// What became of an answer.
struct Answered {
  alerts::Alert alert;
  bool done = false;  // by this answer; else it had been done before
  std::string by;     // who did it, now or then
  Instant at;
};

// "Acknowledged by nurse.", "Already acknowledged by nurse at 2026-...", for SMS, voice and pages.
std::string sentence(const Answered& answered, Action action);

// Inside a transaction. `via` for the alert's history: link, sms, voice, chat, pagerduty. Code::not_found.
Result<Answered> answer(const Service& service, store::Transaction& transaction, std::string_view alert_id,
                        Action action, std::string_view by, std::string_view via);

// The same with a token, once for each action; `by` empty: the contact that the token was made for.
Result<Answered> answer_by_token(const Service& service, store::Transaction& transaction, const notify::Claims& claims,
                                 Action action, std::string_view by, std::string_view via);

// A write of the highest class.
Task<Result<>> write(const Service& service, store::Work work);

// What `work` answers to a provider's message of that name. Sent again, the message has no effect and the same answer.
using Reply = std::function<Result<std::string>(store::Transaction&)>;
Task<Result<std::string>> once(const Service& service, std::string message, Reply work);

// The body of a provider's call, at most provider_body_bytes_max.
Task<Result<std::string>> read_body(pipeline::Call& call);

// How a provider addressed this request: link_base, or the Host header, with the target as sent.
std::string called_url(const Service& service, const pipeline::Call& call);

Task<> send_text(pipeline::Call& call, int status, std::string_view content_type, std::string body);

}  // namespace mydr24::notify_api
