#pragma once

// The FHIR R4 REST API: one file per interaction. Each adds its routes to the router; what they answer is an Answer,
// the same for a request of its own and for an entry of a Bundle.
// Source: FHIR R4, http.html.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/pipeline/pipeline.h"
#include "base/async/worker_pool.h"
#include "base/net/uri.h"
#include "clinical/records/interaction.h"
#include "clinical/records/records.h"

namespace mydr24::fhir_api {

struct FhirSettings {
  std::size_t body_bytes_max = 32U << 20;  // one resource or Bundle
  std::size_t line_bytes_max = 4U << 20;   // one line of an NDJSON body
  std::size_t entries_max = 10'000;        // of a Bundle
};

// What every interaction needs.
struct Service {
  records::Records& records;
  WorkerPool& workers;
  const Clock& clock;
  FhirSettings settings;
  std::string software_version;

  store::Store& store() const { return records.store(); }
};

// Adds every route of the API. `service` must outlive the router. Call it last: /metadata tells of the routes added so
// far.
void add_routes(pipeline::Router& router, Service& service);

// An answer without its transport.
struct Answer {
  int status = 200;
  std::string body;  // a resource as JSON; may be empty
  bool is_outcome = false;
  std::optional<std::int64_t> version;
  std::optional<Instant> last_modified;
  std::string location;  // relative to the FHIR base: "Patient/1/_history/2"

  static Answer of(const Error& error);
  static Answer of(const records::Rejection& rejection);
};

// ---- parts that more than one interaction uses

// Prefer: return=...; the default is representation for single writes and minimal inside Bundles.
enum class Return : std::uint8_t { unset, minimal, representation, outcome };
Return preferred_return(std::string_view prefer);
bool prefers_lenient(std::string_view prefer);

// The answer to a write of one resource.
Answer answer(const records::Effect& effect, Return preference);

// Sends it, with ETag, Last-Modified and Location; minds If-None-Match and If-Modified-Since of reads (304).
Task<> send(pipeline::Call& call, Answer answer);

// The type named in the path when the server knows it, else an Error that names it and the nearest known one.
Result<std::string> known_type(std::string_view type);
Result<std::string> known_id(std::string_view id);

// W/"3", "3" or 3 as in If-Match; nothing when the header is empty, an Error when it is malformed.
Result<std::optional<std::int64_t>> parse_etag(std::string_view text);

// Code::unsupported (406) when neither Accept nor _format allows JSON; (415) when the body's type is none of `allowed`.
Result<> check_accept(const net::Request& request);
Result<> check_content_type(const net::Request& request, std::initializer_list<std::string_view> allowed);

// Answers an Error with a status of its own: 406 and 415 are both Code::unsupported.
Task<> refuse(pipeline::Call& call, const Error& error, int status);
// Answers why a body could not be read: an unknown Content-Encoding is 415 (RFC 9110, section 8.4).
Task<> refuse_body(pipeline::Call& call, const Error& error);

// Reads, by what stands in the path: for requests and Bundle entries alike.
Answer read(store::Store& store, std::string_view type, std::string_view id, std::optional<std::int64_t> version);
Answer history(store::Store& store, std::string_view type, std::string_view id, std::string_view query,
               const std::string& fhir_base, Instant now);
Answer search(store::Store& store, std::string_view type, const net::QueryParameters& parameters, bool lenient,
              const std::string& fhir_base, Instant now);

// NDJSON both ways (ndjson.cc): whether a request asks for it or brings it, and the streams.
bool wants_ndjson(const net::Request& request);
bool sends_ndjson(const net::Request& request);
Task<> stream_search(Service& service, pipeline::Call& call, net::QueryParameters parameters);
Task<> import_stream(Service& service, pipeline::Call& call);

// One route set per file.
void add_read_routes(pipeline::Router& router, Service& service);
void add_write_routes(pipeline::Router& router, Service& service);
void add_history_routes(pipeline::Router& router, Service& service);
void add_search_routes(pipeline::Router& router, Service& service);
void add_bundle_routes(pipeline::Router& router, Service& service);
void add_metadata_routes(pipeline::Router& router, Service& service);

inline constexpr std::initializer_list<std::string_view> json_types{"application/fhir+json", "application/json"};

}  // namespace mydr24::fhir_api
