#include "app/cli/store_import.h"

#include <fmt/format.h>

#include <thread>

#include "fhir/model/outcome.h"

namespace mydr24::cli {

namespace {

void count(ImportCounts& counts, const records::Records::Outcome& outcome) {
  ++(outcome.unchanged ? counts.unchanged : outcome.action == store::Action::create ? counts.created : counts.updated);
}

}  // namespace

StoreImport::StoreImport(records::Records& records, const std::vector<std::filesystem::path>& files, ImportState state,
                         ImportReport& report)
    : records_(records),
      files_(files),
      state_(std::move(state)),
      key_(import_key(state_.paths)),
      report_(report),
      counts_(state_.counts) {}

StoreImport::~StoreImport() {
  std::unique_lock lock(mutex_);
  landed_.wait(lock, [this] { return std::ranges::all_of(flights_, [](const auto& flight) { return flight->done; }); });
}

Result<> StoreImport::begin() {
  if (state_.next_slice > 0) return {};
  return records_.store().write(RequestClass::background, [this](store::Transaction& transaction) {
    return transaction.set_state(import_space, key_, state_.encode());
  });
}

Result<> StoreImport::write_position(store::Transaction& transaction, Flight& flight, const ImportCounts& counts) {
  MYDR24_ASSIGN(auto state, load_import(transaction, key_));
  if (!state || state->next_slice != flight.slice.number) {
    flight.out_of_turn = true;
    return fail(Code::conflict, "a slice of the import is out of turn");
  }
  state->next_slice = flight.slice.number + 1;
  state->position = flight.slice.after;
  state->file = state->position.file < files_.size() ? files_[state->position.file].string() : "";
  state->counts.add(counts);
  return transaction.set_state(import_space, key_, state->encode());
}

Result<> StoreImport::write_slice(store::Transaction& transaction, Flight& flight) {
  flight.out_of_turn = false;
  flight.counts = {};
  flight.counts.rejected = static_cast<std::int64_t>(flight.slice.rejections.size());
  for (const ReadyResource& resource : flight.slice.resources) {
    MYDR24_ASSIGN(const auto outcome, records_.put(transaction, resource.prepared));
    count(flight.counts, outcome);
  }
  return write_position(transaction, flight, flight.counts);
}

void StoreImport::submit(Flight& flight) {
  records_.store().submit(
      RequestClass::background,
      [this, &flight](store::Transaction& transaction) { return write_slice(transaction, flight); },
      [this, &flight](Result<> result) {
        const std::lock_guard lock(mutex_);
        flight.result = std::move(result);
        flight.done = true;
        landed_.notify_all();
      });
}

Result<> StoreImport::write(ReadySlice slice) {
  current_file_ = files_[slice.file].filename().string();
  if (!slice.interactions.empty()) return write_transaction(std::move(slice));
  while (flights_.size() >= slices_in_flight_max) MYDR24_TRY(retire_one());
  flights_.push_back(std::make_unique<Flight>());
  flights_.back()->slice = std::move(slice);
  submit(*flights_.back());
  // What has landed already is counted without waiting.
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (flights_.empty() || !flights_.front()->done) return {};
    }
    MYDR24_TRY(retire_one());
  }
}

Result<> StoreImport::retire_one() {
  Flight& flight = *flights_.front();
  {
    std::unique_lock lock(mutex_);
    landed_.wait(lock, [&] { return flight.done; });
  }
  if (!flight.result) MYDR24_TRY(retry(flight));
  retired(flight);
  flights_.pop_front();
  return {};
}

void StoreImport::retired(Flight& flight) {
  counts_.add(flight.counts);
  for (const ImportRejection& rejection : flight.slice.rejections) {
    report_.reject(files_[flight.slice.file].string(), rejection);
  }
}

Result<> StoreImport::retry(Flight& flight) {
  Result<> result = flight.result;
  for (int attempt = 0; !result && attempt < attempts_max; ++attempt) {
    if (result.error().code == Code::busy) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    } else if (!flight.out_of_turn) {
      break;
    }
    result = records_.store().write(RequestClass::background,
                                    [&](store::Transaction& transaction) { return write_slice(transaction, flight); });
  }
  if (result) return {};
  const bool store_at_fault = result.error().code == Code::internal || result.error().code == Code::busy;
  if (store_at_fault || flight.out_of_turn) return result;
  return write_one_by_one(flight);
}

Result<> StoreImport::write_one_by_one(Flight& flight) {
  flight.counts = {};
  for (const ReadyResource& resource : flight.slice.resources) {
    records::Records::Outcome outcome;
    const auto result =
        records_.store().write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
          MYDR24_ASSIGN(outcome, records_.put(transaction, resource.prepared));
          return {};
        });
    if (result) {
      count(flight.counts, outcome);
    } else if (result.error().code == Code::internal || result.error().code == Code::busy) {
      return result;
    } else {
      flight.slice.rejections.push_back({resource.line, model::operation_outcome(result.error())});
    }
  }
  flight.counts.rejected = static_cast<std::int64_t>(flight.slice.rejections.size());
  return records_.store().write(RequestClass::background, [&](store::Transaction& transaction) {
    return write_position(transaction, flight, flight.counts);
  });
}

Result<> StoreImport::write_transaction(ReadySlice slice) {
  while (!flights_.empty()) MYDR24_TRY(retire_one());
  Flight flight;
  flight.slice = std::move(slice);
  const auto effects = records::execute_blocking(records_, access::Access::server(), RequestClass::background,
                                                 flight.slice.interactions);
  if (effects) {
    for (const records::Effect& effect : *effects) {
      switch (effect.kind) {
        case records::Effect::Kind::created:
          ++flight.counts.created;
          break;
        case records::Effect::Kind::updated:
          ++flight.counts.updated;
          break;
        default:
          ++flight.counts.unchanged;
          break;
      }
    }
  } else {
    const Code code = effects.error().code;
    if (code == Code::internal || code == Code::busy) {
      const auto& issues = effects.error().issues;
      return fail(code, issues.empty() ? "the store failed" : issues[0].diagnostics);
    }
    flight.slice.rejections.push_back({1, model::operation_outcome(effects.error().issues)});
  }
  flight.counts.rejected = static_cast<std::int64_t>(flight.slice.rejections.size());
  MYDR24_TRY(records_.store().write(RequestClass::background, [&](store::Transaction& transaction) {
    return write_position(transaction, flight, flight.counts);
  }));
  retired(flight);
  return {};
}

Result<> StoreImport::finish(bool complete) {
  while (!flights_.empty()) MYDR24_TRY(retire_one());
  if (!complete) return {};
  return records_.store().write(RequestClass::background, [this](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(auto state, load_import(transaction, key_));
    if (!state) return {};
    state->done = true;
    return transaction.set_state(import_space, key_, state->encode());
  });
}

}  // namespace mydr24::cli
