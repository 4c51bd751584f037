#include "clinical/vitals/ingest.h"

#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include "base/core/date_time.h"
#include "base/json/document.h"

namespace mydr24::vitals {
namespace {

// Shared by the writes of one call; the last one to end answers.
struct Batch {
  std::vector<Result<records::Prepared>> samples;
  std::vector<Ingested> answers;
  std::atomic<std::size_t> waiting = 1;  // the call itself
  std::move_only_function<void(std::vector<Ingested>)> done;

  void end_one() {
    if (--waiting == 0) done(std::move(answers));
  }
};

// Of the Observation that is there already; nothing when there is none.
Result<std::optional<Instant>> time_of(store::Store& store, std::string_view id) {
  std::optional<Instant> time;
  MYDR24_TRY(store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto current, reader.current("Observation", id));
    if (!current || current->body.empty()) return {};
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(current->body));
    if (const auto range = parse_date_time(document.root()["effectiveDateTime"].text())) time = range->low;
    return {};
  }));
  return time;
}

}  // namespace

bool Ingested::is_worth_repeating() const {
  return error && (error->code == Code::busy || error->code == Code::full || error->code == Code::internal ||
                   error->code == Code::stale);
}

Result<records::Prepared> prepare_sample(const records::Records& records, std::string_view text,
                                         const SampleContext& context) {
  MYDR24_ASSIGN(Sample sample, observation_of(text, context));
  if (sample.has_arrival_time) {
    // A value of an hour ago that is sent again is no value of now.
    MYDR24_ASSIGN(const auto first, time_of(records.store(), sample.id));
    SampleContext then = context;
    then.now = first.value_or(context.now);
    MYDR24_ASSIGN(sample, observation_of(text, then));
  }
  auto prepared = records.prepare(std::move(sample.text), {.type = "Observation", .id = sample.id});
  if (prepared) return std::move(*prepared);
  const records::Rejection& rejection = prepared.error();
  if (rejection.issues.empty()) return fail(rejection.code, "the Observation was refused");
  return fail(rejection.code, rejection.issues.front().diagnostics, rejection.issues.front().expression);
}

void put_samples(const records::Records& records, RequestClass request_class,
                 std::vector<Result<records::Prepared>> samples, access::Access& access,
                 std::move_only_function<void(std::vector<Ingested>)> done) {
  const auto batch = std::make_shared<Batch>();
  batch->samples = std::move(samples);
  batch->answers.resize(batch->samples.size());
  batch->done = std::move(done);
  for (std::size_t i = 0; i < batch->samples.size(); ++i) {
    Ingested& answer = batch->answers[i];
    if (!batch->samples[i]) {
      answer.error = batch->samples[i].error();
      continue;
    }
    answer.id = batch->samples[i]->id;
    ++batch->waiting;
    const auto work = [&records, &access, batch, i](store::Transaction& transaction) -> Result<> {
      access.begin_writes(transaction);
      MYDR24_ASSIGN(const records::Records::Outcome outcome, records.put(transaction, *batch->samples[i], {}, access));
      batch->answers[i].version = outcome.written.version;
      batch->answers[i].unchanged = outcome.unchanged;
      return access.end_writes(transaction);
    };
    records.store().submit(request_class, work, [&records, batch, i, work](const Result<>& result) {
      if (!result) {
        records.not_stored(result.error(), work);
        batch->answers[i].error = result.error();
      }
      batch->end_one();
    });
  }
  batch->end_one();
}

}  // namespace mydr24::vitals
