// The ways out: one lane for each way of each receiver, attempts until the deadline, and what became of it written down.

#include <fmt/format.h>

#include "alerting/groups/detail/inside.h"
#include "alerting/groups/payload.h"
#include "base/json/writer.h"

namespace mydr24::groups {
namespace {

constexpr std::size_t sends_max = 8;   // of one lane at the same time
constexpr std::size_t held_max = 200;  // of one lane
constexpr milliseconds deadline_least{10'000};
constexpr milliseconds attempt_max{10'000};
constexpr milliseconds retry_first{500};
constexpr milliseconds retry_max{60'000};

std::string lane_name(std::string_view receiver, std::size_t way) { return fmt::format("{}/{}", receiver, way); }

notify::SendOutcome outcome_of(const Result<net::ClientResponse>& answer) {
  if (!answer) return {notify::SendStatus::failed, 0, answer.error().text};
  const int status = answer->status;
  if (status >= 200 && status < 300) return {notify::SendStatus::delivered, status, ""};
  const bool again = status >= 500 || status == 429 || status == 408;
  return {again ? notify::SendStatus::failed : notify::SendStatus::refused, status,
          fmt::format("the receiver answered {}", status)};
}

// `text`: what went wrong, or remains to be said of a delivery.
std::string event_of(const Notice& notice, std::string_view text = {}, std::optional<int> http_status = {}) {
  std::string payload;
  json::Writer writer(payload);
  writer.begin_object()
      .field("group", std::string_view(notice.group_hash))
      .field("receiver", std::string_view(notice.receiver))
      .field("way", notice.way)
      .field("service", routing::to_string(notice.integration->service))
      .field("why", routing::to_string(notice.why))
      .field("firing", notice.entry.firing.size())
      .field("resolved", notice.entry.resolved.size());
  if (http_status) writer.field("http_status", *http_status);
  if (!text.empty()) writer.field("text", text);
  writer.end_object();
  return payload;
}

// The same for every attempt at the same message, also after a restart: what is told, and what was told before it.
std::string idempotency_key(const Notice& notice) {
  std::string text = notice.log_key + std::string(to_string(notice.why));
  for (const Fingerprint fingerprint : notice.entry.firing) text += routing::to_text(fingerprint);
  text += '/';
  for (const Fingerprint fingerprint : notice.entry.resolved) text += routing::to_text(fingerprint);
  // A repetition is a message of its own.
  if (notice.why == routing::Why::repeat) text += routing::rfc3339(notice.entry.at);
  return routing::to_text(routing::fingerprint(Labels({{"key", text}})));
}

}  // namespace

bool Groups::Inside::has_room(const routing::Receiver& receiver, std::size_t way) const {
  const auto found = lanes_.find(lane_name(receiver.name, way));
  return found == lanes_.end() || found->second.held < held_max;
}

void Groups::Inside::send(Notice notice) {
  auto job = std::make_shared<Job>();
  job->lane = lane_name(notice.receiver, notice.way);
  job->deadline = clock_.steady() + std::max(notice.interval, deadline_least);
  job->notice = std::move(notice);
  ++lanes_[job->lane].held;
  add_busy();
  // Nothing to say, but to be written down: everything is resolved and who would be told does not want to know.
  if (job->notice.alerts.empty()) return record(job);
  enter(job);
}

void Groups::Inside::enter(const JobPointer& job) {
  if (job->notice.integration->service == routing::Service::oncall && !settings_.sender) return call_oncall(job);
  Lane& lane = lanes_[job->lane];
  if (job->notice.severity == routing::Severity::emergency)
    lane.queue.push_front(job);
  else
    lane.queue.push_back(job);
  pump(lane);
}

void Groups::Inside::pump(Lane& lane) {
  while (lane.sending < sends_max && !lane.queue.empty()) {
    JobPointer job = std::move(lane.queue.front());
    lane.queue.pop_front();
    ++lane.sending;
    asio::co_spawn(context_, run(lane, std::move(job)), asio::detached);
  }
}

Task<> Groups::Inside::run(Lane& lane, JobPointer job) {
  ++job->attempt;
  notify::SendOutcome result;
  try {
    result =
        stopping_ ? notify::SendOutcome{notify::SendStatus::failed, 0, "the server stops"} : co_await attempt(*job);
  } catch (const std::exception& error) {
    result = {notify::SendStatus::failed, 0, error.what()};
  }
  --lane.sending;
  outcome(job, result);
  pump(lane);
}

Task<notify::SendOutcome> Groups::Inside::attempt(Job& job) {
  if (settings_.sender) co_return co_await settings_.sender(job.notice);
  if (job.notice.integration->service == routing::Service::email) co_return co_await mail_.send(job.notice, job.mailed);
  co_return co_await call(job);
}

Task<notify::SendOutcome> Groups::Inside::call(const Job& job) {
  const Notice& notice = job.notice;
  const routing::Integration& way = *notice.integration;
  const auto url = net::parse_url(way.url);
  if (!url) co_return notify::SendOutcome{notify::SendStatus::refused, 0, url.error().text};
  net::ClientRequest request;
  request.method = net::Method::post;
  request.url = *url;
  request.headers = {{"Content-Type", "application/json"},
                     {"User-Agent", "Alertmanager/0.25.0 MyDR24"},
                     {"Idempotency-Key", idempotency_key(notice)}};
  if (!way.authorization.empty()) request.headers.emplace_back("Authorization", way.authorization);
  if (notice.maybe_repeated || job.attempt > 1) request.headers.emplace_back("X-MyDR24-Maybe-Repeated", "true");
  switch (way.service) {
    case routing::Service::pagerduty:
      request.body = pagerduty_body(notice, settings_.external_url);
      break;
    case routing::Service::slack:
      request.body = slack_body(notice, settings_.external_url);
      break;
    default:
      request.body = webhook_body(notice, settings_.external_url);
      break;
  }
  const auto left = std::chrono::floor<milliseconds>(job.deadline - clock_.steady());
  const milliseconds least(100);
  request.time_max =
      std::clamp(left, least, std::max(least, way.time_max > milliseconds(0) ? way.time_max : attempt_max));
  co_return outcome_of(co_await client_->send(std::move(request)));
}

void Groups::Inside::outcome(const JobPointer& job, const notify::SendOutcome& result) {
  if (result.status == notify::SendStatus::delivered) {
    ++counters_.sent;
    job->remark = result.text;
    return record(job);
  }
  ++counters_.failed;
  const int doublings = std::min(job->attempt - 1, 10);
  const auto wait = std::min<milliseconds>(retry_first * (1LL << doublings), retry_max);
  const auto due = clock_.steady() + wait;
  if (stopping_) return finish(job, false);
  if (result.status == notify::SendStatus::refused || due >= job->deadline) return give_up(job, result);
  retries_.emplace(due, job);
  next_retry_ = retries_.begin()->first.count();
  end_busy();
}

// The group goes to an on-call policy: the Book calls people about it.
void Groups::Inside::call_oncall(const JobPointer& job) {
  ++job->attempt;
  store_->submit(
      class_of(job->notice.severity),
      [this, job](store::Transaction& transaction) -> Result<> {
        MYDR24_TRY(tell_book(transaction, job->notice));
        MYDR24_TRY(transaction.set_state(rows::log, job->notice.log_key, routing::to_json(job->notice.entry)));
        MYDR24_TRY(transaction.note("notification.sent", event_of(job->notice)));
        return {};
      },
      [this, job](const Result<>& written) {
        const std::string why = written ? "" : written.error().text;
        asio::post(context_, [this, job, why] {
          if (!why.empty()) return outcome(job, {notify::SendStatus::failed, 0, why});
          ++counters_.sent;
          finish(job, true);
        });
      });
}

Result<> Groups::Inside::tell_book(store::Transaction& transaction, const Notice& notice) const {
  // Emergencies of the group are in the Book by themselves.
  const std::string cause = cause_of_group(notice.log_key);
  if (!notice.fires) return end_in_book(transaction, cause, "every alert of the group is over");
  std::string values;
  json::Writer writer(values);
  writer.begin_object().field("rule", title(notice)).field("group", std::string_view(notice.group_key));
  writer.field("firing", notice.entry.firing.size()).end_object();
  MYDR24_TRY(
      book_.raise(transaction, {.source = "label",
                                .cause = cause,
                                .severity = static_cast<alerts::Severity>(*notice.fires),
                                .title = title(notice),
                                .reason = fmt::format("{} firing in {}", notice.entry.firing.size(), notice.group_key),
                                .values = std::move(values),
                                .policy = notice.integration->to}));
  return {};
}

void Groups::Inside::record(const JobPointer& job) {
  store_->submit(
      class_of(job->notice.severity),
      [job](store::Transaction& transaction) -> Result<> {
        MYDR24_TRY(transaction.set_state(rows::log, job->notice.log_key, routing::to_json(job->notice.entry)));
        if (job->attempt > 0) MYDR24_TRY(transaction.note("notification.sent", event_of(job->notice, job->remark)));
        return {};
      },
      // What could not be written down was told all the same: in this process it is not told again.
      [this, job](const Result<>&) { asio::post(context_, [this, job] { finish(job, true); }); });
}

void Groups::Inside::give_up(const JobPointer& job, const notify::SendOutcome& result) {
  ++counters_.given_up;
  store_->submit(
      RequestClass::routine,
      [job, result](store::Transaction& transaction) -> Result<> {
        MYDR24_TRY(transaction.note("notification.failed", event_of(job->notice, result.text, result.http_status)));
        return {};
      },
      [this, job](const Result<>&) { asio::post(context_, [this, job] { finish(job, false); }); });
}

void Groups::Inside::finish(const JobPointer& job, bool success) {
  --lanes_[job->lane].held;
  state_->told(job->notice, success, now());
  after_change();
  end_busy();
}

}  // namespace mydr24::groups
