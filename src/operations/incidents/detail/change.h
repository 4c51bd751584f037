#pragma once

// The frame of every change of one incident. Private to operations/incidents.

#include "operations/incidents/book.h"

namespace mydr24::incidents {

template <class Change>
Result<Incident> Book::change(store::Transaction& transaction, std::string_view id, Change change) const {
  MYDR24_ASSIGN(Incident incident, find(transaction, id));
  const std::string place = rows::list_key(incident);
  const Result<> done = change(incident);
  if (!done) return done.error();
  MYDR24_TRY(rows::save(transaction, place, incident));
  return incident;
}

}  // namespace mydr24::incidents
