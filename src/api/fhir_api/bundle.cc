// POST [base]: batch and transaction Bundles. An NDJSON body goes to ndjson.cc.
// Source: FHIR R4, http.html#transaction.

#include <fmt/format.h>
#include <openssl/evp.h>

#include <variant>

#include "api/fhir_api/fhir_api.h"
#include "base/async/when_all.h"
#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/writer.h"
#include "clinical/records/rewrite.h"
#include "fhir/model/validate.h"

namespace mydr24::fhir_api {
namespace {

using records::Interaction;
using records::Verb;

constexpr std::size_t worker_bytes = 64U << 10;
// Writes of a batch that are in flight together: enough to share commits, few enough to leave room in the queue.
constexpr std::size_t batch_in_flight = 64;

// What an entry asks for: a write, a read (its url), or a mistake.
using Entry = std::variant<Interaction, std::string, Error>;

Result<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return fail(Code::invalid, "data is not base64");
  std::string decoded(text.size() / 4 * 3, '\0');
  const auto length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length < 0) return fail(Code::invalid, "data is not base64");
  decoded.resize(static_cast<std::size_t>(length) - (text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0));
  return decoded;
}

// A url of an entry, taken apart. It may be absolute when it begins with our own base.
struct Target {
  std::string_view type;
  std::string_view id;
  std::string_view query;
  std::string_view rest;  // what comes after the id: "_history/2"
};

Target take_apart(std::string_view url, std::string_view fhir_base) {
  if (url.starts_with(fhir_base)) url.remove_prefix(fhir_base.size());
  if (url.starts_with('/')) url.remove_prefix(1);
  Target target;
  const auto question = url.find('?');
  if (question != url.npos) target.query = url.substr(question + 1);
  url = url.substr(0, question);
  const auto next = [&url] {
    const auto segment = url.substr(0, url.find('/'));
    url.remove_prefix(std::min(url.size(), segment.size() + 1));
    return segment;
  };
  target.type = next();
  if (url.starts_with("_history")) {
    target.rest = url;
    return target;
  }
  target.id = next();
  target.rest = url;
  return target;
}

Result<> read_body(Interaction& interaction, json::Value entry) {
  const auto resource = entry["resource"];
  if (!resource.is_object()) return fail(Code::invalid, "the entry has no resource");
  if (interaction.verb != Verb::patch) {
    interaction.resource = resource;
    return {};
  }
  if (resource["resourceType"].text() == "Parameters") {
    interaction.text = json::compact(resource);
    return {};
  }
  if (resource["resourceType"].text() != "Binary" || resource["contentType"].text() != "application/json-patch+json") {
    return fail(Code::invalid,
                "a PATCH entry carries Parameters (FHIRPath Patch), or a Binary with contentType "
                "application/json-patch+json");
  }
  MYDR24_ASSIGN(interaction.text, decode_base64(resource["data"].text()));
  return {};
}

Result<Entry> read_entry(json::Value entry, std::string where, std::string_view fhir_base) {
  const auto request = entry["request"];
  const auto method = request["method"].text();
  const auto url = request["url"].text();
  if (method.empty() || url.empty()) return fail(Code::invalid, "the entry has no request.method or request.url");
  if (method == "GET") return Entry(std::string(url));

  Interaction interaction;
  interaction.where = std::move(where);
  interaction.full_url = entry["fullUrl"].text();
  const auto target = take_apart(url, fhir_base);
  MYDR24_ASSIGN(interaction.type, known_type(target.type));
  if (method == "POST") {
    interaction.verb = Verb::create;
    if (!target.id.empty()) return fail(Code::invalid, fmt::format("POST {}: a create names only the type", url));
    if (const auto criteria = request["ifNoneExist"].text(); !criteria.empty()) {
      const auto question = criteria.find('?');
      const auto only = question == criteria.npos ? criteria : criteria.substr(question + 1);
      MYDR24_ASSIGN(interaction.condition, records::parse_criteria(fmt::format("{}?{}", interaction.type, only)));
    }
  } else if (method == "PUT" || method == "PATCH" || method == "DELETE") {
    interaction.verb = method == "PUT" ? Verb::update : method == "PATCH" ? Verb::patch : Verb::remove;
    if (target.id.empty()) {
      MYDR24_ASSIGN(interaction.condition,
                    records::parse_criteria(fmt::format("{}?{}", interaction.type, target.query)));
    } else {
      MYDR24_ASSIGN(interaction.id, known_id(target.id));
    }
  } else {
    return fail(Code::invalid,
                fmt::format("request.method is \"{}\"; it may be GET, POST, PUT, PATCH or DELETE", method));
  }
  MYDR24_ASSIGN(interaction.if_match, parse_etag(request["ifMatch"].text()));
  interaction.if_none_match_any = request["ifNoneMatch"].text() == "*";
  if (interaction.verb != Verb::remove) MYDR24_TRY(read_body(interaction, entry));
  return Entry(std::move(interaction));
}

// The Bundle's own frame; what its resources hold is checked with each of them.
Result<std::vector<Entry>> read_entries(json::Value bundle, std::size_t entries_max, std::string_view fhir_base) {
  const auto list = bundle["entry"];
  if (list && !list.is_array()) return fail(Code::invalid, "entry is not an array", "Bundle.entry");
  if (list.size() > entries_max) {
    return fail(Code::too_large,
                fmt::format("the Bundle has {} entries, at most {} are taken: split it", list.size(), entries_max),
                "Bundle.entry");
  }
  std::vector<Entry> entries;
  std::size_t index = 0;
  for (const auto item : list) {
    auto where = fmt::format("Bundle.entry[{}]", index++);
    auto entry = read_entry(item, where, fhir_base);
    if (entry) {
      entries.push_back(std::move(*entry));
    } else {
      auto error = std::move(entry).error();
      error.where = error.where.empty() ? where : fmt::format("{}.request: {}", where, error.where);
      entries.emplace_back(std::move(error));
    }
  }
  return entries;
}

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "200 OK";
    case 201:
      return "201 Created";
    case 204:
      return "204 No Content";
    case 304:
      return "304 Not Modified";
    case 400:
      return "400 Bad Request";
    case 404:
      return "404 Not Found";
    case 409:
      return "409 Conflict";
    case 410:
      return "410 Gone";
    case 412:
      return "412 Precondition Failed";
    case 413:
      return "413 Content Too Large";
    case 422:
      return "422 Unprocessable Content";
    default:
      return {};
  }
}

std::string response_bundle(std::string_view type, const std::vector<Answer>& answers, Instant now) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("resourceType", "Bundle").field("id", make_uuid7(now)).field("type", type);
  if (!answers.empty()) out.key("entry").begin_array();
  for (const auto& answer : answers) {
    out.begin_object();
    if (!answer.body.empty() && !answer.is_outcome) out.key("resource").raw(answer.body);
    const auto status = reason(answer.status);
    out.key("response")
        .begin_object()
        .field("status", status.empty() ? fmt::format("{}", answer.status) : std::string(status));
    if (!answer.location.empty()) out.field("location", answer.location);
    if (answer.version) out.field("etag", fmt::format("W/\"{}\"", *answer.version));
    if (answer.last_modified) out.field("lastModified", format_instant(*answer.last_modified));
    if (answer.is_outcome) out.key("outcome").raw(answer.body);
    out.end_object().end_object();
  }
  if (!answers.empty()) out.end_array();
  out.end_object();
  return text;
}

// What is wrong with the Bundle itself. Its resources are checked one by one when they are written: in a batch, one that is
// wrong fails alone.
std::vector<model::Issue> frame_issues(json::Value bundle) {
  auto issues = model::validate(bundle, {.issues_max = 1000});
  std::erase_if(issues, [](const model::Issue& issue) {
    return issue.expression.starts_with("Bundle.entry[") && issue.expression.find("].resource") != std::string::npos;
  });
  return issues;
}

class BundleCall {
 public:
  BundleCall(Service& service, pipeline::Call& call) : service_(service), call_(call), fhir_base_(call.fhir_base()) {
    const auto prefer = call.request().header("Prefer");
    lenient_ = prefers_lenient(prefer);
    preference_ = preferred_return(prefer);
    if (preference_ == Return::unset) preference_ = Return::minimal;
  }

  Task<Answer> run(std::string text) {
    large_ = text.size() >= worker_bytes || call_.crowded();
    auto opened = large_ ? co_await service_.workers.run(call_.request_class(), [&] { return open(std::move(text)); })
                         : open(std::move(text));
    if (!opened) co_return Answer::of(opened.error());
    if (!frame_issues_.empty()) co_return Answer::of(records::Rejection{Code::invalid, std::move(frame_issues_)});
    const auto type = document_.root()["type"].text();
    if (type == "transaction") co_return co_await run_transaction();
    if (type == "batch") co_return co_await run_batch();
    co_return Answer::of(fail(
        Code::unprocessable,
        fmt::format("a Bundle of type \"{}\" cannot be carried out; batch and transaction can", type), "Bundle.type"));
  }

 private:
  Result<> open(std::string text) {
    auto parsed = json::Document::parse(std::move(text));
    if (!parsed) return std::move(parsed).error();
    document_ = std::move(*parsed);
    const auto type = document_.root()["resourceType"];
    if (type.text() != "Bundle") {
      return fail(
          Code::invalid,
          fmt::format("a POST to the base takes a Bundle, this is \"{}\"; post a resource to its type", type.text()),
          "resourceType");
    }
    frame_issues_ = frame_issues(document_.root());
    MYDR24_ASSIGN(entries_, read_entries(document_.root(), service_.settings.entries_max, fhir_base_));
    return {};
  }

  Task<Answer> run_transaction() {
    std::vector<Interaction> interactions;
    for (auto& entry : entries_) {
      if (const auto* error = std::get_if<Error>(&entry)) co_return Answer::of(*error);
      if (auto* interaction = std::get_if<Interaction>(&entry)) interactions.push_back(std::move(*interaction));
    }
    auto effects = co_await records::execute(service_.records, call_.access(), call_.request_class(), interactions,
                                             large_ ? &service_.workers : nullptr);
    if (!effects) co_return Answer::of(effects.error());
    co_await until_in_effect(service_, call_, *effects);
    std::vector<Answer> answers;
    std::size_t written = 0;
    for (auto& entry : entries_) {
      if (const auto* url = std::get_if<std::string>(&entry)) {
        answers.push_back(get(*url));
      } else {
        answers.push_back(answer((*effects)[written++], preference_));
      }
    }
    co_return finish("transaction-response", answers);
  }

  Task<Answer> run_batch() {
    std::vector<Answer> answers(entries_.size());
    for (std::size_t from = 0; from < entries_.size(); from += batch_in_flight) {
      const auto to = std::min(entries_.size(), from + batch_in_flight);
      std::vector<Task<bool>> tasks;
      for (auto i = from; i < to; ++i) tasks.push_back(run_alone(entries_[i], answers[i]));
      co_await when_all(std::move(tasks));
    }
    co_return finish("batch-response", answers);
  }

  Task<bool> run_alone(Entry& entry, Answer& result) {
    if (const auto* error = std::get_if<Error>(&entry)) {
      result = Answer::of(*error);
    } else if (const auto* url = std::get_if<std::string>(&entry)) {
      result = co_await service_.workers.run(call_.request_class(), [&] { return get(*url); });
    } else {
      std::vector<Interaction> one;
      one.push_back(std::move(std::get<Interaction>(entry)));
      auto effects = co_await records::execute(service_.records, call_.access(), call_.request_class(), one,
                                               large_ ? &service_.workers : nullptr);
      if (effects) co_await until_in_effect(service_, call_, *effects);
      result = effects ? answer(effects->front(), preference_) : Answer::of(effects.error());
    }
    co_return true;
  }

  Answer get(std::string_view url) const {
    const auto target = take_apart(url, fhir_base_);
    if (const auto type = known_type(target.type); !type) return Answer::of(type.error());
    if (target.rest.starts_with("_history/")) {
      const auto version = parse_etag(target.rest.substr(9));
      if (!version) return Answer::of(version.error());
      return read(service_.store(), call_.access(), target.type, target.id, *version);
    }
    if (target.rest == "_history")
      return history(service_.store(), call_.access(), target.type, target.id, target.query, fhir_base_,
                     service_.clock.now());
    if (!target.id.empty()) return read(service_.store(), call_.access(), target.type, target.id, std::nullopt);
    const auto parameters = net::parse_query(target.query);
    if (!parameters) return Answer::of(fail(Code::invalid, "the query string is malformed"));
    SearchRequest request;
    request.access = &call_.access();
    request.type = target.type;
    request.parameters = *parameters;
    request.lenient = lenient_;
    request.fhir_base = fhir_base_;
    return search(service_, request);
  }

  Answer finish(std::string_view type, const std::vector<Answer>& answers) const {
    Answer result;
    result.body = response_bundle(type, answers, service_.clock.now());
    return result;
  }

  Service& service_;
  pipeline::Call& call_;
  std::string fhir_base_;
  bool lenient_ = false;
  Return preference_ = Return::minimal;
  bool large_ = false;
  json::Document document_;
  std::vector<model::Issue> frame_issues_;
  std::vector<Entry> entries_;
};

Task<> handle_post(Service& service, pipeline::Call& call) {
  const auto& request = call.request();
  if (sends_ndjson(request)) {
    co_await import_stream(service, call);
    co_return;
  }
  if (!co_await acceptable(call)) co_return;
  auto body = co_await take_resource(call, service.settings.body_bytes_max);
  if (!body) co_return;
  BundleCall bundle(service, call);
  co_await send(call, co_await bundle.run(std::move(*body)));
}

}  // namespace

void add_bundle_routes(pipeline::Router& router, Service& service) {
  // A monitor may send its signs as one Bundle; bulk ones are told apart by their size (admission).
  router.add({net::Method::post, "/fhir", "transaction", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await handle_post(service, call); }});
}

}  // namespace mydr24::fhir_api
