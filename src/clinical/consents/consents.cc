#include "clinical/consents/consents.h"

#include "base/json/writer.h"

namespace mydr24::consents {
namespace {

constexpr std::string_view changed = "consent.changed";
constexpr std::uint32_t page = 500;

}  // namespace

Result<> Consents::start() {
  records_.store().add_follower(*this);
  const std::lock_guard lock(mutex_);
  if (!has_begun_) return fail(Code::internal, "the Consents in force could not be read");
  return {};
}

Result<> Consents::react(store::Transaction& transaction, const records::Change& change) {
  std::string payload;
  json::Writer(payload).begin_object().field("id", change.id).end_object();
  MYDR24_TRY(transaction.note(changed, payload));
  return {};
}

Result<> Consents::begin() {
  std::vector<access::Consent> consents;
  store::Sequence last = 0;
  MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(last, reader.last_sequence());
    search::Query query;
    query.type = "Consent";
    query.count = page;
    do {
      MYDR24_ASSIGN(const auto found, reader.search(query));
      for (const auto& version : found.matches) {
        MYDR24_ASSIGN(const auto document, json::Document::parse_view(version.body));
        if (auto consent = access::parse_consent(document.root())) {
          tell(*consent);
          consents.push_back(std::move(*consent));
        }
      }
      query.cursor = found.next_cursor;
    } while (!query.cursor.empty());
    return {};
  }));
  book_.assign(std::move(consents));
  const std::lock_guard lock(mutex_);
  last_ = last;
  has_begun_ = true;
  followed_.notify_all();
  return {};
}

Result<> Consents::follow(std::span<const store::Event> events) {
  MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
    for (const auto& event : events) {
      if (event.kind != changed) continue;
      MYDR24_ASSIGN(const auto payload, json::Document::parse_view(event.payload));
      const auto id = payload.root()["id"].text();
      MYDR24_ASSIGN(const auto version, reader.current("Consent", id));
      json::Document document;
      if (version && version->action != store::Action::remove) {
        MYDR24_ASSIGN(document, json::Document::parse_view(version->body));
      }
      auto consent = access::parse_consent(document.root());
      if (consent) {
        tell(*consent);
        book_.put(std::move(*consent));
      } else {
        book_.erase(id);
      }
    }
    return {};
  }));
  const std::lock_guard lock(mutex_);
  last_ = events.back().sequence;
  followed_.notify_all();
  return {};
}

void Consents::wait_until_in_effect(store::Sequence sequence, std::chrono::milliseconds time_max) {
  std::unique_lock lock(mutex_);
  followed_.wait_for(lock, time_max, [&] { return last_ > sequence; });
}

}  // namespace mydr24::consents
