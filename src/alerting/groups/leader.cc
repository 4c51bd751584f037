// Several servers on one store: one leads, that is tells receivers and ends alerts. The others write down what they are
// sent, and show what the store has.

#include "alerting/groups/detail/inside.h"
#include "base/json/document.h"

namespace mydr24::groups {
namespace {

constexpr std::chrono::seconds shown_age_max{1};

// Keys of rows that others have written.
struct Written {
  std::set<std::string> alerts;
  std::set<std::string> silences;
};

void add(const store::Event& event, Written& written) {
  const bool of_alerts = event.kind == "label.written";
  if (!of_alerts && !event.kind.starts_with("silence.")) return;
  const auto document = json::Document::parse_view(event.payload);
  if (!document) return;
  if (of_alerts) {
    for (const auto alert : document->root()["alerts"]) written.alerts.emplace(alert.text());
  } else {
    written.silences.emplace(document->root()["silence"]["id"].text());
  }
}

}  // namespace

bool Groups::Inside::lead() {
  if (another_leads()) {
    if (leading_) let_go();
    return false;
  }
  // What cannot be read yet is read with the next look, a second later.
  if (!leading_) {
    leading_ = true;
    leading_ = read_again().has_value();
  }
  return leading_;
}

// What waits is found again in the store by the server that leads now.
void Groups::Inside::let_go() {
  leading_ = false;
  // The one that is being worked off ends it by itself.
  if (!is_shifting_) clock_steps_.clear();
  unended_.clear();
  std::vector<JobPointer> waiting;
  for (auto& [name, lane] : lanes_) {
    waiting.insert(waiting.end(), lane.queue.begin(), lane.queue.end());
    lane.queue.clear();
  }
  for (const auto& [due, job] : retries_) {
    add_busy();
    waiting.push_back(job);
  }
  retries_.clear();
  for (const JobPointer& job : waiting) finish(job, false);
}

Result<> Groups::Inside::read_again() {
  auto fresh = std::make_unique<State>(state_->config());
  fresh->hold_until(started_at_ + settings_.start_delay);
  MYDR24_TRY(load(*fresh));
  for (const auto& [fingerprint, waiting] : unrecorded_)
    if (const Known* known = state_->find(fingerprint)) fresh->put(known->alert, now());
  state_ = std::move(fresh);
  read_again_at_ = clock_.steady() + shown_age_max;
  return {};
}

void Groups::Inside::catch_up() {
  if (leading_ || clock_.steady() < read_again_at_) return;
  // The database is away: what was known is shown.
  if (!read_again()) read_again_at_ = clock_.steady() + shown_age_max;
  after_change();
}

// Without a store there is nobody who leads: an emergency is told by whoever was told of it, maybe by several.
void Groups::Inside::tell_alone(const Alert& alert) {
  State alone(state_->config());
  alone.put(alert, now(), true);
  const auto room = [this](const auto& receiver, std::size_t way) { return has_room(receiver, way); };
  for (Notice& notice : alone.look(now(), 1, room)) send(std::move(notice));
}

void Groups::Inside::hand_over(std::span<const Alert> written) {
  Changes changes;
  for (const Alert& alert : written) changes.written.push_back(routing::fingerprint(alert.labels));
  add_busy();
  store_->submit(
      RequestClass::urgent, [changes](store::Transaction& transaction) { return changes.note(transaction); },
      [this](const Result<>&) { end_busy(); });
}

void Groups::Inside::take_from_others(std::vector<Alert> alerts, std::vector<Silence> silences) {
  if (!leading_) return;
  for (Silence& silence : silences) {
    const auto known = state_->silences().find(silence.id);
    if (known == state_->silences().end() || known->second.updated_at < silence.updated_at)
      state_->put(std::move(silence));
  }
  for (Alert& alert : alerts) {
    const Known* known = state_->find(routing::fingerprint(alert.labels));
    if (known == nullptr || known->alert.updated_at < alert.updated_at) state_->put(std::move(alert), now());
  }
  work();
}

// Read as they are now, which may be later than the event.
Result<> Groups::Inside::Others::follow(std::span<const store::Event> events) {
  Written written;
  for (const store::Event& event : events) add(event, written);
  if (written.alerts.empty() && written.silences.empty()) return {};
  std::vector<Alert> alerts;
  std::vector<Silence> silences;
  MYDR24_TRY(inside_.store_->read([&](store::Reader& reader) -> Result<> {
    for (const std::string& key : written.alerts) {
      MYDR24_ASSIGN(const auto row, reader.state(rows::alerts, key));
      auto alert = row ? routing::alert_from_json(*row) : Result<Alert>(fail(Code::not_found, "it is gone"));
      if (alert) alerts.push_back(std::move(*alert));
    }
    for (const std::string& key : written.silences) {
      MYDR24_ASSIGN(const auto row, reader.state(rows::silences, key));
      auto silence = row ? routing::silence_from_json(*row) : Result<Silence>(fail(Code::not_found, "it is gone"));
      if (silence) silences.push_back(std::move(*silence));
    }
    return {};
  }));
  inside_.post([inside = &inside_, alerts = std::move(alerts), silences = std::move(silences)]() mutable {
    inside->take_from_others(std::move(alerts), std::move(silences));
  });
  return {};
}

}  // namespace mydr24::groups
