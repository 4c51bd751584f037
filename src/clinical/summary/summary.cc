#include "clinical/summary/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>

#include "base/core/id.h"

namespace mydr24::summary {
namespace {

constexpr std::string_view ready_space = "summary";        // patient to the document
constexpr std::string_view stale_space = "summary.stale";  // patient to a mark
constexpr std::string_view marked_space = "summary.marked";
constexpr std::string_view marked_key = "patients";
constexpr std::string_view all_marked = "all";
constexpr std::size_t kept_bytes_max = 4U << 20;

// A mark is the time of the first write that outdated the document, in microseconds; behind this while it is built.
constexpr char claimed = 'b';
// A row of the ready space: one of these and the packed document. Rows of older programs begin otherwise.
constexpr std::string_view kept_packed = "1\n";
constexpr std::string_view too_large = "-\n";  // made on the spot
// Stands for what full URLs begin with: no JSON text holds it.
const std::string base_stands_here = "\x01";

constexpr std::uint32_t marks_looked_at = 200;
constexpr std::size_t built_at_once = 8;
constexpr std::uint32_t patients_page = 200;
// After a step of length t, so many t of rest: while others write, and when nobody does.
constexpr int rest_beside_writes = 19;
constexpr int rest_alone = 4;
constexpr std::chrono::milliseconds rest_without_work{500};
constexpr std::chrono::milliseconds rest_max{5'000};

constexpr auto types = std::to_array<std::string_view>({"AllergyIntolerance", "Condition", "DeviceUseStatement",
                                                        "Immunization", "MedicationRequest", "MedicationStatement",
                                                        "Observation", "Patient", "Procedure"});

std::string_view patient_of(json::Value resource, const search::Catalogue* catalogue) {
  for (const auto* element : {"patient", "subject"}) {
    const auto reference = search::local_reference(resource[element]["reference"].text(), catalogue);
    if (reference.starts_with("Patient/")) return reference.substr(8, reference.find('/', 8) - 8);
  }
  return {};
}

std::int64_t number_of(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string with_base(std::string_view text, std::string_view fhir_base) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (std::size_t at = 0; at < text.size();) {
    const auto found = std::min(text.find(base_stands_here, at), text.size());
    out += text.substr(at, found - at);
    if (found < text.size()) out += fhir_base;
    at = found + 1;
  }
  return out;
}

// False: there is a mark already.
Result<bool> mark(store::Transaction& transaction, std::string_view patient) {
  MYDR24_ASSIGN(const auto there, transaction.state(stale_space, patient));
  if (there && !there->starts_with(claimed)) return false;
  MYDR24_TRY(transaction.set_state(stale_space, patient, fmt::to_string(to_us(transaction.now()))));
  return true;
}

constexpr store::ReadLimits in_background{.request_class = RequestClass::background};

}  // namespace

bool Summaries::concerns(std::string_view type) const { return std::ranges::binary_search(types, type); }

Result<> Summaries::react(store::Transaction& transaction, const records::Change& change) {
  const auto catalogue = records_.definitions()->catalogue;
  std::set<std::string_view> patients;
  if (change.type == "Patient") patients.insert(change.id);
  for (const auto resource : {change.resource, change.before}) {
    if (const auto patient = patient_of(resource, catalogue.get()); !patient.empty()) patients.insert(patient);
  }
  for (const auto patient : patients) MYDR24_TRY(mark(transaction, patient));
  return {};
}

Result<std::string> Summaries::get(const std::string& patient, const std::string& fhir_base) {
  std::string text;
  bool is_known = false;
  MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto row, reader.state(ready_space, patient));
    MYDR24_ASSIGN(const auto stale, reader.state(stale_space, patient));
    is_known = stale || (row && (row->starts_with(kept_packed) || row->starts_with(too_large)));
    if (row && !stale && row->starts_with(kept_packed)) {
      std::string made;
      MYDR24_TRY(codec_.unpack(std::string_view(*row).substr(kept_packed.size()), made));
      text = with_base(made, fhir_base);
      return {};
    }
    MYDR24_ASSIGN(text, build(reader, patient, fhir_base, records_.clock().now()));
    return {};
  }));
  if (!is_known) {
    // There before summaries were kept: a document that cannot be marked is as good an answer.
    (void)records_.store().write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(mark(transaction, patient));
      return {};
    });
  }
  return text;
}

// Patients that were written before summaries were kept: a page of them is marked, and how far that went is noted.
Result<std::size_t> Summaries::mark_some() {
  if (all_marked_) return 0;
  store::SearchPage page;
  bool done = false;
  MYDR24_TRY(records_.store().read(
      [&](store::Reader& reader) -> Result<> {
        MYDR24_ASSIGN(const auto row, reader.state(marked_space, marked_key));
        done = row == all_marked;
        if (done) return {};
        search::Query query;
        query.type = "Patient";
        query.count = patients_page;
        query.order = search::Order::oldest_first;
        query.cursor = row.value_or("");
        MYDR24_ASSIGN(page, reader.search(query));
        return {};
      },
      in_background, 0));
  all_marked_ = done;
  if (done) return 0;
  std::size_t marked = 0;
  MYDR24_TRY(records_.store().write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
    for (const auto& patient : page.matches) {
      MYDR24_ASSIGN(const auto ready, transaction.state(ready_space, patient.id));
      if (ready && (ready->starts_with(kept_packed) || ready->starts_with(too_large))) continue;
      MYDR24_ASSIGN(const bool is_new, mark(transaction, patient.id));
      marked += is_new ? 1 : 0;
    }
    return transaction.set_state(marked_space, marked_key,
                                 page.next_cursor.empty() ? all_marked : std::string_view(page.next_cursor));
  }));
  return marked;
}

// Some whose mark has settled, or was left by a process that ended while it built.
Result<std::vector<std::string>> Summaries::due() {
  std::vector<std::string> patients;
  const auto now = records_.clock().now();
  bool at_end = false;
  for (int round = 0; round < 2 && patients.empty(); ++round) {
    do {
      std::vector<store::StateRow> rows;
      MYDR24_TRY(records_.store().read(
          [&](store::Reader& reader) -> Result<> {
            MYDR24_ASSIGN(rows, reader.states(stale_space, "", next_, marks_looked_at));
            return {};
          },
          in_background, 0));
      for (const auto& [patient, value] : rows) {
        if (patients.size() == built_at_once) break;
        next_ = patient;
        if (value.starts_with(claimed) || from_us(number_of(value)) + settle_time <= now) patients.push_back(patient);
      }
      at_end = rows.size() < marks_looked_at;
    } while (patients.empty() && !at_end);
    if (patients.size() < built_at_once) next_.clear();
  }
  return patients;
}

// What is written from now on leaves a mark of its own.
Result<store::Sequence> Summaries::claim(const std::vector<std::string>& patients) {
  store::Sequence as_of = 0;
  claim_ = claimed + make_uuid7(records_.clock().now());
  MYDR24_TRY(records_.store().write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
    for (const auto& patient : patients) {
      MYDR24_TRY(transaction.set_state(stale_space, patient, claim_));
    }
    MYDR24_ASSIGN(as_of, transaction.last_sequence());
    return {};
  }));
  return as_of;
}

Result<Summaries::Built> Summaries::build_one(const std::string& patient, store::Sequence as_of) {
  Built built{.patient = patient, .row = {}};
  MYDR24_TRY(records_.store().read(
      [&](store::Reader& reader) -> Result<> {
        const auto text = build(reader, patient, base_stands_here, records_.clock().now());
        if (text) {
          built.row =
              text->size() > kept_bytes_max ? std::string(too_large) : std::string(kept_packed) + codec_.pack(*text);
        } else if (text.error().code != Code::gone && text.error().code != Code::not_found) {
          return text.error();
        }
        return {};
      },
      in_background, as_of));
  return built;
}

Result<> Summaries::keep(const std::vector<Built>& built) {
  return records_.store().write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
    for (const auto& [patient, row] : built) {
      MYDR24_ASSIGN(const auto stale, transaction.state(stale_space, patient));
      // Overtaken: it stays marked, and is made once more.
      if (!stale || *stale != claim_) continue;
      MYDR24_TRY(transaction.erase_state(stale_space, patient));
      MYDR24_TRY(row.empty() ? transaction.erase_state(ready_space, patient)
                             : transaction.set_state(ready_space, patient, row));
    }
    return {};
  });
}

Result<std::size_t> Summaries::step() {
  MYDR24_ASSIGN(const auto marked, mark_some());
  MYDR24_ASSIGN(const auto patients, due());
  if (patients.empty()) return marked;
  MYDR24_ASSIGN(const auto as_of, claim(patients));
  std::vector<Built> all;
  for (const auto& patient : patients) {
    MYDR24_ASSIGN(auto built, build_one(patient, as_of));
    all.push_back(std::move(built));
  }
  MYDR24_TRY(keep(all));
  return marked + patients.size();
}

void Summaries::start(const telemetry::Log& log) {
  thread_ = std::thread([this, &log] { work(log); });
}

void Summaries::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Summaries::work(const telemetry::Log& log) {
  constexpr std::int64_t writes_of_a_step = 3;
  std::int64_t writes = 0;
  for (std::unique_lock lock(mutex_); !stopping_;) {
    lock.unlock();
    const auto begun = records_.clock().steady();
    const auto done = step();
    const auto took = records_.clock().steady() - begun;
    const auto written = records_.store().statistics().writes;
    const bool others_write = std::exchange(writes, written) + writes_of_a_step < written;
    std::chrono::nanoseconds rest = rest_without_work;
    if (!done) {
      log.warn("summaries cannot be built", {{"detail", done.error().text}});
      rest = rest_max;
    } else if (*done > 0) {
      rest = std::min<std::chrono::nanoseconds>(took * (others_write ? rest_beside_writes : rest_alone), rest_max);
    }
    lock.lock();
    wake_.wait_for(lock, rest, [this] { return stopping_; });
  }
}

}  // namespace mydr24::summary
