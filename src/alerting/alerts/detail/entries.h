#pragma once

// Writes an alert with its place in the lists, and its events. Private to alerting/alerts.

#include <string_view>
#include <vector>

#include "alerting/alerts/alert.h"
#include "alerting/alerts/rows.h"
#include "base/json/writer.h"
#include "storage/store/store.h"

namespace mydr24::alerts::entries {

// `before`: as it stands; null when it is new.
Result<> save(store::Transaction& transaction, const Alert* before, const Alert& alert);

void write_event(json::Writer& writer, const Alert& alert);

// What every event of an alert says; `more` adds to it.
template <class More>
Result<> note(store::Transaction& transaction, std::string_view kind, const Alert& alert, More more) {
  std::string payload;
  json::Writer writer(payload);
  writer.begin_object();
  write_event(writer, alert);
  more(writer);
  writer.end_object();
  return rows::note(transaction, kind, alert.id, payload);
}

// People are called; `by`: because somebody asked for it.
Result<> note_call(store::Transaction& transaction, std::string_view kind, const Alert& alert,
                   const std::vector<Delivery>& deliveries, std::string_view by = {});

}  // namespace mydr24::alerts::entries
