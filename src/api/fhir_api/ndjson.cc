// Large sets as application/fhir+ndjson, streamed with constant memory: POST [base] stores one resource a line under
// its own id (as an update would) and answers with one line for every resource it could not store and one at the end
// that counts; GET [base]/Type with that Accept header streams every match of a search.

#include <fmt/format.h>

#include "api/fhir_api/brown_out.h"
#include "api/fhir_api/fhir_api.h"

namespace mydr24::fhir_api {
namespace {

// Lines that are made ready and written together: one commit, small enough not to stand in front of an emergency.
constexpr std::size_t slice_lines = 16;
constexpr std::size_t slice_bytes = 512U << 10;
constexpr std::string_view ndjson_type = "application/fhir+ndjson";

struct Line {
  std::int64_t number = 0;
  std::string text;
};

// Cuts a stream of bytes into lines.
class LineReader {
 public:
  LineReader(net::Exchange& exchange, std::size_t line_bytes_max)
      : exchange_(exchange), line_bytes_max_(line_bytes_max) {}

  // The next lines, empty ones left out; none at the end.
  Task<Result<std::vector<Line>>> next() {
    std::vector<Line> lines;
    std::size_t bytes = 0;
    while (lines.size() < slice_lines && bytes < slice_bytes) {
      const auto end = buffer_.find('\n', begin_);
      if (end == buffer_.npos) {
        if (buffer_.size() - begin_ > line_bytes_max_) {
          co_return fail(Code::too_large, fmt::format("line {} is longer than {} bytes", number_ + 1, line_bytes_max_));
        }
        if (ended_) {
          take(lines, buffer_.size());
          break;
        }
        auto piece = co_await exchange_.read_some();
        if (!piece) co_return piece.error();
        ended_ = piece->empty();
        buffer_.erase(0, begin_);
        begin_ = 0;
        buffer_ += *piece;
        continue;
      }
      bytes += end - begin_;
      take(lines, end);
    }
    co_return lines;
  }

 private:
  void take(std::vector<Line>& lines, std::size_t end) {
    const auto text = std::string_view(buffer_).substr(begin_, end - begin_);
    begin_ = std::min(end + 1, buffer_.size());
    if (text.empty() && ended_) return;
    ++number_;
    if (text.find_first_not_of(" \t\r") != text.npos) lines.push_back({number_, std::string(text)});
  }

  net::Exchange& exchange_;
  std::size_t line_bytes_max_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::int64_t number_ = 0;
  bool ended_ = false;
};

struct ReadyLine {
  std::int64_t number = 0;
  records::Prepared prepared;
};

struct Slice {
  std::vector<ReadyLine> ready;
  std::int64_t stored = 0;
  std::string rejected;  // NDJSON of OperationOutcomes
  std::int64_t rejected_count = 0;
};

void reject(Slice& slice, std::int64_t line, records::Rejection rejection) {
  for (auto& issue : rejection.issues) issue.diagnostics = fmt::format("line {}: {}", line, issue.diagnostics);
  slice.rejected += model::operation_outcome(rejection.issues);
  slice.rejected += '\n';
  ++slice.rejected_count;
}

Slice prepare(const records::Records& records, std::vector<Line> lines) {
  Slice slice;
  for (auto& line : lines) {
    auto prepared = records.prepare(std::move(line.text), {});
    if (prepared) {
      slice.ready.push_back({line.number, std::move(*prepared)});
    } else {
      reject(slice, line.number, std::move(prepared).error());
    }
  }
  return slice;
}

Task<Result<>> store_slice(Service& service, access::Access& access, Slice& slice) {
  co_return co_await async_call<Result<>>([&](auto finish) {
    service.store().submit(
        RequestClass::background,
        [&](store::Transaction& transaction) -> Result<> {
          access.begin_writes(transaction);
          for (const auto& line : slice.ready) {
            const auto done = service.records.put(transaction, line.prepared, {}, access);
            // Refused before anything of it was written: the other lines stand.
            if (!done && done.error().code == Code::refused) {
              reject(slice, line.number, records::reject(done.error()));
            } else if (!done) {
              return done.error();
            } else {
              ++slice.stored;
            }
          }
          return access.end_writes(transaction);
        },
        std::move(finish));
  });
}

}  // namespace

Task<> import_stream(Service& service, pipeline::Call& call) {
  auto& exchange = call.exchange();
  LineReader reader(exchange, service.settings.line_bytes_max);
  net::Response head;
  head.content_type = ndjson_type;
  if (!co_await call.begin_stream(std::move(head))) co_return;
  std::int64_t stored = 0, rejected = 0;
  std::string failure;
  for (;;) {
    co_await rest_while_browned_out(call);
    auto lines = co_await reader.next();
    if (!lines) {
      failure = model::operation_outcome(lines.error());
      break;
    }
    if (lines->empty()) break;
    auto slice = co_await service.workers.run(RequestClass::background,
                                              [&] { return prepare(service.records, std::move(*lines)); });
    if (const auto done = co_await store_slice(service, call.access(), slice); !done) {
      failure = model::operation_outcome(done.error());
      break;
    }
    stored += slice.stored;
    rejected += slice.rejected_count;
    if (!slice.rejected.empty() && !co_await exchange.write(slice.rejected)) co_return;
  }
  if (!failure.empty()) failure += '\n';
  const model::Issue summary{model::Severity::information, "informational",
                             fmt::format("{} resources stored, {} rejected{}", stored, rejected,
                                         failure.empty() ? "" : "; stopped before the end"),
                             ""};
  failure += model::operation_outcome(std::span(&summary, 1)) + "\n";
  if (co_await exchange.write(failure)) (void)co_await exchange.finish();
}

bool wants_ndjson(const net::Request& request) { return request.header("Accept").starts_with(ndjson_type); }

bool sends_ndjson(const net::Request& request) { return request.header("Content-Type").starts_with(ndjson_type); }

Task<> stream_search(Service& service, pipeline::Call& call, net::QueryParameters parameters) {
  const auto type = known_type(call.capture(0));
  if (!type) {
    co_await call.respond(type.error());
    co_return;
  }
  auto query = parse(service, call.access(), *type, parameters, prefers_lenient(call.request().header("Prefer")),
                     call.fhir_base());
  if (!query) {
    co_await call.respond(400, query.error().issues);
    co_return;
  }
  query->count = 200;
  bool begun = false;
  do {
    std::string piece;
    const auto done = co_await service.workers.run(RequestClass::background, [&] {
      return call.access().read(service.store(), [&](store::Reader& reader) -> Result<> {
        MYDR24_ASSIGN(const auto page, reader.search(*query));
        query->cursor = page.next_cursor;
        for (const auto& match : page.matches) {
          records::append_rendered(piece, match);
          piece += '\n';
        }
        return {};
      });
    });
    if (!done && !begun) {
      co_await call.respond(done.error());
      co_return;
    }
    if (!done) co_return;  // the connection closes without the end mark: the client sees that it is not complete
    if (!begun) {
      net::Response head;
      head.content_type = ndjson_type;
      call.access().note_incomplete();
      if (!co_await call.begin_stream(std::move(head))) co_return;
      begun = true;
    }
    if (!piece.empty() && !co_await call.exchange().write(piece)) co_return;
  } while (!query->cursor.empty());
  (void)co_await call.exchange().finish();
}

}  // namespace mydr24::fhir_api
