#include "guard/audit/writes.h"

#include <utility>

#include "base/core/id.h"
#include "base/json/document.h"

namespace mydr24::audit {
namespace {

Entry unreadable(const store::Event& event, const Error& error) {
  Entry entry{.at = event.at, .action = Action::execute};
  entry.interaction = write_event;
  entry.outcome = Outcome::serious_failure;
  entry.principal_kind = access::PrincipalKind::system;
  entry.rule = "an entry of the journal cannot be read: " + error.where + " " + error.text;
  return entry;
}

Result<Entry> read_entry(const store::Event& event) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(event.payload));
  return entry_of(document.root());
}

}  // namespace

Result<store::Sequence> note_write(store::Transaction& transaction, Entry entry) {
  if (entry.id.empty()) entry.id = make_uuid7(transaction.now());
  return transaction.note(write_event, to_json(entry));
}

Result<> WriteFollower::follow(std::span<const store::Event> events) {
  for (const store::Event& event : events) {
    if (event.kind != write_event) continue;
    auto entry = read_entry(event);
    if (!entry) entry = unreadable(event, entry.error());
    entry->store_sequence = event.sequence;
    MYDR24_TRY(log_.append_once(std::move(*entry)));
  }
  return {};
}

}  // namespace mydr24::audit
