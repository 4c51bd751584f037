// POST /api/v1/vitals/stream: samples as NDJSON, as long as the device has something to say. What has come is written
// at once (it is never waited for more), and every line is answered when it is on disk:
//   {"line":1,"status":"stored","id":"...","version":1}       also "unchanged": the same was there already
//   {"line":2,"status":"rejected","where":"spo2","error":"..."}   it is wrong: sending it again does not help
//   {"line":3,"status":"busy","error":"..."}                  send it again

#include <fmt/format.h>

#include "api/vitals_api/vitals_api.h"
#include "base/json/writer.h"
#include "clinical/vitals/ingest.h"

namespace mydr24::vitals_api {
namespace {

constexpr std::size_t lines_at_once_max = 64;
constexpr std::string_view ndjson_type = "application/x-ndjson";
constexpr std::string_view fhir_ndjson_type = "application/fhir+ndjson";

struct Line {
  std::int64_t number = 0;
  std::string text;
};

// Cuts the body into lines: those that are there, at least one.
class Lines {
 public:
  explicit Lines(net::Exchange& exchange) : exchange_(exchange) {}

  // None at the end. Code::too_large for a line that is too long.
  Task<Result<std::vector<Line>>> next() {
    std::vector<Line> lines;
    while (lines.empty()) {
      while (lines.size() < lines_at_once_max && take(lines)) {
      }
      if (!lines.empty() || ended_) break;
      if (buffer_.size() > vitals::sample_bytes_max)
        co_return fail(Code::too_large,
                       fmt::format("line {} is longer than {} bytes", number_ + 1, vitals::sample_bytes_max));
      auto piece = co_await exchange_.read_some();
      if (!piece) co_return piece.error();
      ended_ = piece->empty();
      buffer_ += ended_ ? std::string_view("\n") : *piece;
    }
    co_return lines;
  }

 private:
  // The next line of the buffer; false when none is complete. Empty ones are passed over.
  bool take(std::vector<Line>& lines) {
    const auto end = buffer_.find('\n');
    if (end == buffer_.npos) return false;
    std::string text = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    const bool blank = text.find_first_not_of(" \t\r") == text.npos;
    if (!blank || !ended_) ++number_;
    if (!blank) lines.push_back({number_, std::move(text)});
    return true;
  }

  net::Exchange& exchange_;
  std::string buffer_;
  std::int64_t number_ = 0;
  bool ended_ = false;
};

std::string answer_of(std::int64_t line, const vitals::Ingested& ingested) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("line", line);
  if (!ingested.error) {
    writer.field("status", ingested.unchanged ? "unchanged" : "stored").field("id", ingested.id);
    writer.field("version", ingested.version);
  } else {
    writer.field("status", ingested.is_worth_repeating() ? "busy" : "rejected");
    if (!ingested.error->where.empty()) writer.field("where", ingested.error->where);
    writer.field("error", ingested.error->text);
  }
  writer.end_object();
  return out + "\n";
}

Task<std::string> store_lines(Service& service, access::Access& access, std::vector<Line> lines) {
  const vitals::SampleContext context{.now = service.clock.now()};
  auto prepared = co_await service.workers.run(RequestClass::urgent, [&] {
    std::vector<Result<records::Prepared>> samples;
    for (const Line& line : lines) samples.push_back(vitals::prepare_sample(service.records, line.text, context));
    return samples;
  });
  const auto answers = co_await async_call<std::vector<vitals::Ingested>>([&](auto done) {
    vitals::put_samples(service.records, RequestClass::urgent, std::move(prepared), access, std::move(done));
  });
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) text += answer_of(lines[i].number, answers[i]);
  co_return text;
}

Task<> stream(Service& service, pipeline::Call& call) {
  const std::string_view type = call.request().header("Content-Type");
  if (!type.starts_with(ndjson_type) && !type.starts_with(fhir_ndjson_type)) {
    co_await call.respond(
        fail(Code::invalid, fmt::format("send Content-Type: {} or {}", ndjson_type, fhir_ndjson_type), "Content-Type"));
    co_return;
  }
  auto& exchange = call.exchange();
  net::Response head;
  head.content_type = ndjson_type;
  if (!co_await call.begin_stream(std::move(head))) co_return;
  call.access().set_consents_aside();
  Lines lines(exchange);
  for (;;) {
    auto next = co_await lines.next();
    if (!next) {
      const vitals::Ingested stopped{.id = {}, .error = next.error()};
      (void)co_await exchange.write(answer_of(0, stopped));
      break;
    }
    if (next->empty()) break;
    if (!call.is_still_allowed()) {
      const vitals::Ingested stopped{.id = {}, .error = fail(Code::refused, "the token is not valid any more")};
      (void)co_await exchange.write(answer_of(0, stopped));
      break;
    }
    if (!co_await exchange.write(co_await store_lines(service, call.access(), std::move(*next)))) co_return;
  }
  (void)co_await exchange.finish();
}

}  // namespace

void add_stream_routes(pipeline::Router& router, Service& service) {
  router.add({net::Method::post, "/api/v1/vitals/stream", "vitals-stream", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await stream(service, call); },
              // It lasts as long as the device has something to say and mostly waits: a seat would be lost to it.
              admission::Cost::quick});
}

}  // namespace mydr24::vitals_api
