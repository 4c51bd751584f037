#include "clinical/summary/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "base/json/writer.h"

namespace mydr24::summary {
namespace {

constexpr std::string_view ready_space = "summary";        // patient to the document and where it was made for
constexpr std::string_view stale_space = "summary.stale";  // patient to the line of the journal that outdated it
constexpr std::string_view event_kind = "summary.stale";
constexpr std::size_t kept_bytes_max = 4U << 20;

constexpr auto types = std::to_array<std::string_view>({"AllergyIntolerance", "Condition", "DeviceUseStatement",
                                                        "Immunization", "MedicationRequest", "MedicationStatement",
                                                        "Observation", "Patient", "Procedure"});

std::string_view patient_of(json::Value resource) {
  for (const auto* element : {"patient", "subject"}) {
    const auto reference = resource[element]["reference"].text();
    if (reference.starts_with("Patient/")) return reference.substr(8, reference.find('/', 8) - 8);
  }
  return {};
}

std::int64_t number_of(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// A ready document is kept behind the base that its URLs begin with, and a line end.
std::string row_of(const std::string& fhir_base, const std::string& text) { return fhir_base + "\n" + text; }

}  // namespace

bool Summaries::concerns(std::string_view type) const { return std::ranges::binary_search(types, type); }

Result<> Summaries::react(store::Transaction& transaction, const records::Change& change) {
  std::set<std::string_view> patients;
  if (change.type == "Patient") patients.insert(change.id);
  for (const auto resource : {change.resource, change.before}) {
    if (const auto patient = patient_of(resource); !patient.empty()) patients.insert(patient);
  }
  for (const auto patient : patients) {
    MYDR24_ASSIGN(const auto ready, transaction.state(ready_space, patient));
    if (!ready) continue;
    // The write that outdates it first has it made anew; those that follow only move the mark.
    MYDR24_ASSIGN(const auto stale, transaction.state(stale_space, patient));
    if (!stale) {
      std::string payload;
      json::Writer(payload).begin_object().field("patient", patient).end_object();
      MYDR24_TRY(transaction.note(event_kind, payload));
    }
    MYDR24_TRY(transaction.set_state(stale_space, patient, fmt::to_string(change.written.sequence)));
  }
  return {};
}

Result<> Summaries::keep(const std::string& patient, const std::string& fhir_base, const std::string& text,
                         store::Sequence as_of) {
  return records_.store().write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(const auto stale, transaction.state(stale_space, patient));
    if (stale && number_of(*stale) > as_of) {
      // Overtaken: what is ready stays marked, and is made once more.
      std::string payload;
      json::Writer(payload).begin_object().field("patient", patient).end_object();
      MYDR24_TRY(transaction.note(event_kind, payload));
      return {};
    }
    if (stale) MYDR24_TRY(transaction.erase_state(stale_space, patient));
    return transaction.set_state(ready_space, patient, row_of(fhir_base, text));
  });
}

Result<std::string> Summaries::get(const std::string& patient, const std::string& fhir_base) {
  std::string text;
  bool asked_before = false;
  MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto row, reader.state(ready_space, patient));
    MYDR24_ASSIGN(const auto stale, reader.state(stale_space, patient));
    asked_before = row.has_value();
    if (row && !stale && row->starts_with(row_of(fhir_base, ""))) text = row->substr(fhir_base.size() + 1);
    if (row) return {};
    MYDR24_ASSIGN(const auto head, reader.current_head("Patient", patient));
    if (!head) return fail(Code::not_found, fmt::format("Patient/{} does not exist", patient));
    if (head->action == store::Action::remove) return fail(Code::gone, fmt::format("Patient/{} was deleted", patient));
    return {};
  }));
  if (!text.empty()) return text;
  if (!asked_before) {
    // From here on writes leave a mark: none can come between the building and the keeping unseen.
    MYDR24_TRY(records_.store().write(RequestClass::routine, [&](store::Transaction& transaction) {
      return transaction.set_state(ready_space, patient, row_of(fhir_base, ""));
    }));
  }
  store::Sequence as_of = 0;
  MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(as_of, reader.last_sequence());
    MYDR24_ASSIGN(text, build(reader, patient, fhir_base, records_.clock().now()));
    return {};
  }));
  if (text.size() > kept_bytes_max) return text;
  // A document whose keeping fails is as good an answer.
  (void)keep(patient, fhir_base, text, as_of);
  return text;
}

Result<> Summaries::follow(std::span<const store::Event> events) {
  std::set<std::string> patients;
  for (const auto& event : events) {
    if (event.kind != event_kind) continue;
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(event.payload));
    patients.emplace(document.root()["patient"].text());
  }
  for (const auto& patient : patients) {
    std::string text, fhir_base;
    store::Sequence as_of = 0;
    bool gone = false;
    MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto row, reader.state(ready_space, patient));
      if (!row) return {};
      fhir_base = row->substr(0, row->find('\n'));
      MYDR24_ASSIGN(as_of, reader.last_sequence());
      auto built = build(reader, patient, fhir_base, records_.clock().now());
      gone = !built && (built.error().code == Code::gone || built.error().code == Code::not_found);
      if (!built && !gone) return built.error();
      if (built) text = std::move(*built);
      return {};
    }));
    if (gone || text.size() > kept_bytes_max) {
      MYDR24_TRY(records_.store().write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
        MYDR24_TRY(transaction.erase_state(stale_space, patient));
        return transaction.erase_state(ready_space, patient);
      }));
    } else if (!text.empty()) {
      MYDR24_TRY(keep(patient, fhir_base, text, as_of));
    }
  }
  return {};
}

}  // namespace mydr24::summary
