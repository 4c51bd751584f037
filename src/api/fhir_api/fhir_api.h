#pragma once

// The FHIR R4 REST API: one file per interaction. Each adds its routes to the router; what they answer is an Answer,
// the same for a request of its own and for an entry of a Bundle.
// Source: FHIR R4, http.html.

#include <atomic>
#include <chrono>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/pipeline/pipeline.h"
#include "base/async/worker_pool.h"
#include "base/net/uri.h"
#include "clinical/conformance/conformance.h"
#include "clinical/consents/consents.h"
#include "clinical/records/interaction.h"
#include "clinical/records/records.h"
#include "clinical/summary/summary.h"

namespace mydr24::fhir_api {

struct FhirSettings {
  std::size_t body_bytes_max = 32U << 20;  // one resource or Bundle
  std::size_t line_bytes_max = 4U << 20;   // one line of an NDJSON body
  std::size_t entries_max = 10'000;        // of a Bundle
  std::chrono::milliseconds search_time_max{10'000};
};

// What /metadata says about who gets in.
struct Security {
  bool pages_may_read = false;  // of other sites, from a browser
  // Where the authorization server is, without a slash at the end; empty for a moment at the start. Null: there is
  // none.
  std::function<std::string()> authorization;
};

// What every interaction needs.
struct Service {
  records::Records& records;
  WorkerPool& workers;
  const Clock& clock;
  FhirSettings settings;
  std::string software_version;
  conformance::Conformance* conformance = nullptr;  // null: nothing is being indexed
  summary::Summaries* summaries = nullptr;          // null: no $summary
  consents::Consents* consents = nullptr;           // null: Consents restrict nothing
  Security security;

  store::Store& store() const { return records.store(); }
};

// Adds every route of the API. `service` must outlive the router. Call it last: /metadata tells of the routes added so
// far.
void add_routes(pipeline::Router& router, Service& service);

// After a write: waits until conformance resources and Consents among them count, so that the next request may use the
// value set and is bound by the Consent; of the former for no longer than a second.
Task<> until_in_effect(Service& service, pipeline::Call& call, std::span<const records::Effect> effects);

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

// JSON is what the server thinks in; XML is translated at the border, both ways.
enum class Format : std::uint8_t { json, xml };
// Of the answer. Code::unsupported (406) when neither Accept nor _format allows one of them.
Result<Format> accepted_format(const net::Request& request);
// Code::unsupported (415) when the body's type is none of `allowed`.
Result<> check_content_type(const net::Request& request, std::initializer_list<std::string_view> allowed);

// Answers an Error with a status of its own: 406 and 415 are both Code::unsupported.
Task<> refuse(pipeline::Call& call, const Error& error, int status);

// True when the answer can be given in a format that the client takes; else it has been refused.
Task<bool> acceptable(pipeline::Call& call);
// The body as JSON text, whatever it came as. Nothing when it could not be had: then the call has been answered.
Task<std::optional<std::string>> take_resource(pipeline::Call& call, std::size_t bytes_max);
// The same for bodies that are no resource: one of these types, as they came.
Task<std::optional<std::string>> take_body(pipeline::Call& call, std::initializer_list<std::string_view> types,
                                           std::size_t bytes_max);

// Reads, by what stands in the path: for requests and Bundle entries alike.
Answer read(store::Store& store, access::Access& access, std::string_view type, std::string_view id,
            std::optional<std::int64_t> version, RequestClass request_class = RequestClass::routine);
Answer history(store::Store& store, access::Access& access, std::string_view type, std::string_view id,
               std::string_view query, const std::string& fhir_base, Instant now);

// Runs `work` on a worker while watching the connection: what it is given becomes true when the client has gone.
Task<Answer> run_watched(Service& service, pipeline::Call& call,
                         std::function<Answer(const std::atomic<bool>& cancelled)> work);

struct SearchRequest {
  access::Access* access = nullptr;  // never null
  std::string type;                  // empty: every type, or those of _type
  net::QueryParameters parameters;
  bool lenient = false;
  std::string fhir_base;
  std::string compartment;  // resource type; empty: none
  std::string compartment_id;
  const std::atomic<bool>* cancelled = nullptr;
  RequestClass request_class = RequestClass::routine;
};
Answer search(const Service& service, const SearchRequest& request);
// A page of it as a URL: what was understood of it, and where the page begins.
std::string page_link(const SearchRequest& request, const search::Query& query, std::string_view cursor);
// What a client's criteria mean for one type, by the definitions in force.
std::expected<search::Query, search::Refusal> parse(const Service& service, access::Access& access,
                                                    std::string_view type, const net::QueryParameters& parameters,
                                                    bool lenient, const std::string& fhir_base,
                                                    std::vector<model::Issue>* ignored = nullptr);

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
void add_operation_routes(pipeline::Router& router, Service& service);
void add_metadata_routes(pipeline::Router& router, Service& service);

inline constexpr std::initializer_list<std::string_view> resource_types{
    "application/fhir+json", "application/json", "application/fhir+xml", "application/xml", "text/xml"};

}  // namespace mydr24::fhir_api
