// What the parts of a write cost by themselves, in processor time: `./dev bench micro`, or with a filter
// `./dev bench micro -- --benchmark_filter=news2`. The end-to-end figures are those of the other benches.

#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/core/id.h"
#include "base/crypto/password.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "base/telemetry/traces.h"
#include "clinical/vitals/news2.h"
#include "fhir/path/path.h"
#include "fhir/search/search.h"
#include "fhir/terminology/terminology.h"
#include "fhir/validation/validation.h"
#include "guard/admission/admission.h"
#include "guard/audit/log.h"
#include "guard/audit/verify.h"
#include "guard/identity/identity.h"
#include "storage/sqlite/sealed_page.h"
#include "storage/store/fake_store.h"

namespace mydr24 {
namespace {

// A vital sign as a monitor sends it.
constexpr std::string_view vital_sign =
    R"({"resourceType":"Observation","id":"v","meta":{"tag":[{"system":"http://t.example","code":"a"}]},"status":"final",)"
    R"("category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category",)"
    R"("code":"vital-signs","display":"Vital Signs"}]}],"code":{"coding":[{"system":"http://loinc.org",)"
    R"("code":"8867-4","display":"Heart rate"}]},"subject":{"reference":"Patient/anna"},)"
    R"("effectiveDateTime":"2026-03-01T08:00:00Z","performer":[{"reference":"Practitioner/nurse"}],)"
    R"("valueQuantity":{"value":135,"unit":"beats/minute","system":"http://unitsofmeasure.org","code":"/min"}})";

const json::Document& document() {
  static const json::Document parsed = [] {
    auto made = json::Document::parse(std::string(vital_sign));
    if (!made) throw std::runtime_error(made.error().text);
    return std::move(*made);
  }();
  return parsed;
}

void parse(benchmark::State& state) {
  for (auto _ : state) {
    auto parsed = json::Document::parse_view(vital_sign);
    benchmark::DoNotOptimize(parsed);
  }
}
BENCHMARK(parse);

void print(benchmark::State& state) {
  const auto root = document().root();
  for (auto _ : state) {
    auto text = json::compact(root);
    benchmark::DoNotOptimize(text);
  }
}
BENCHMARK(print);

void extract_index_entries(benchmark::State& state) {
  const auto root = document().root();
  for (auto _ : state) {
    auto entries = search::extract(root);
    benchmark::DoNotOptimize(entries);
  }
}
BENCHMARK(extract_index_entries);

// Structure, required bindings, invariants and the profiles it claims: as on every write.
void validate_vital_sign(benchmark::State& state) {
  const auto validator = validation::Validator::base(terminology::Terminology::published());
  const validation::Request request;
  const auto root = document().root();
  if (!validator->validate(root, request).empty()) state.SkipWithError("the vital sign is not valid");
  for (auto _ : state) {
    auto issues = validator->validate(root, request);
    benchmark::DoNotOptimize(issues);
  }
}
BENCHMARK(validate_vital_sign);

void fhirpath(benchmark::State& state, const char* text) {
  const auto expression = path::Expression::compile(text, model::find_resource("Observation"));
  if (!expression) return state.SkipWithError(expression.error().text.c_str());
  const auto root = document().root();
  const path::Environment environment{.resource = root, .root_resource = root};
  for (auto _ : state) {
    auto found = expression->evaluate(root, environment);
    benchmark::DoNotOptimize(found);
  }
}
BENCHMARK_CAPTURE(fhirpath, member, "Observation.code.coding.code");
BENCHMARK_CAPTURE(fhirpath, where, "category.coding.where(system.exists() and code = 'vital-signs').exists()");
BENCHMARK_CAPTURE(fhirpath, arithmetic, "value.ofType(Quantity).value > 100 and value.ofType(Quantity).unit.exists()");

void news2(benchmark::State& state) {
  const vitals::Inputs inputs{.respiration = 24,
                              .spo2 = 91,
                              .oxygen = true,
                              .systolic = 105,
                              .pulse = 115,
                              .consciousness = vitals::Consciousness::alert,
                              .temperature = 38.4};
  for (auto _ : state) {
    auto score = vitals::news2(inputs);
    benchmark::DoNotOptimize(score);
  }
}
BENCHMARK(news2);

void classify(benchmark::State& state) {
  admission::Facts facts;
  facts.path = "/fhir/R4/Observation";
  facts.writes = true;
  facts.content_length = vital_sign.size();
  for (auto _ : state) {
    benchmark::DoNotOptimize(facts);
    auto request_class = admission::classify(facts);
    benchmark::DoNotOptimize(request_class);
  }
}
BENCHMARK(classify);

// A bearer token that was met before: what each request pays for saying who asks.
class AnyoneWithAToken : public net::Headers {
 public:
  AnyoneWithAToken() {
    const auto make = [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(const auto registered,
                    identity::clients::add(transaction, {.id = "export",
                                                         .name = "export",
                                                         .proof = identity::ClientProof::secret,
                                                         .grant_types = {"client_credentials"}}));
      MYDR24_ASSIGN(const auto issued,
                    identity_.grants().issue_for_machine(transaction, registered.client,
                                                         "system/Patient.rs system/Observation.cruds"));
      authorization_ = "Bearer " + issued.token;
      return {};
    };
    if (!store_.write(RequestClass::routine, make)) throw std::runtime_error("no token was issued");
    request_.headers = this;
  }
  std::string_view operator[](std::string_view name) const override {
    return name == "Authorization" ? std::string_view(authorization_) : std::string_view();
  }
  bool is_known() {
    const auto principal = identity_.authenticate(request_, clock_.now());
    return principal && principal->is_known();
  }

 private:
  ManualClock clock_{Instant(std::chrono::seconds(1'800'000'000))};
  store::FakeStore store_{clock_};
  telemetry::Log log_{{.level = telemetry::Level::error}, clock_};
  identity::Identity identity_{store_, clock_, {}, log_};
  std::string authorization_;
  net::Request request_;
};

void authenticate(benchmark::State& state) {
  static AnyoneWithAToken somebody;
  for (auto _ : state) {
    const bool known = somebody.is_known();
    if (!known) state.SkipWithError("the token is not known");
    benchmark::DoNotOptimize(known);
  }
}
BENCHMARK(authenticate)->Threads(1)->Threads(2);

void hash_password(benchmark::State& state) {
  for (auto _ : state) {
    auto phc = crypto::hash_password("correct horse battery");
    benchmark::DoNotOptimize(phc);
  }
}
BENCHMARK(hash_password)->Unit(benchmark::kMillisecond);

// What an exchange of a short request for a short answer costs in the kernel alone, with that many connections: the floor
// under every answer, a refusal included. "CPU" is of this thread, which plays the server; another one plays the clients.
void kernel_exchange(benchmark::State& state) {
  const auto connections = static_cast<std::size_t>(state.range(0));
  constexpr std::string_view request =
      "GET /fhir/R4/Patient?family=a HTTP/1.1\r\nHost: 127.0.0.1:8024\r\nAccept: */*\r\n\r\n";
  constexpr std::string_view answer =
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n";
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, any, size) != 0 || ::listen(listener, SOMAXCONN) != 0 ||
      ::getsockname(listener, any, &size) != 0)
    return state.SkipWithError("no listener");
  const int server_poll = ::epoll_create1(0);
  const int client_poll = ::epoll_create1(0);
  std::vector<int> clients;
  std::vector<int> servers;
  const auto watch = [](int poll, int socket) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{.events = EPOLLIN, .data = {.fd = socket}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event);
  };
  for (std::size_t i = 0; i < connections; ++i) {
    clients.push_back(::socket(AF_INET, SOCK_STREAM, 0));
    if (::connect(clients.back(), any, size) != 0) return state.SkipWithError("no connection");
    servers.push_back(::accept(listener, nullptr, nullptr));
    watch(client_poll, clients.back());
    watch(server_poll, servers.back());
  }
  const auto answer_ready = [](int poll, std::string_view with) {
    std::array<epoll_event, 64> events;
    std::array<char, 4096> buffer;
    const int ready = ::epoll_wait(poll, events.data(), events.size(), 100);
    for (int i = 0; i < ready; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      if (::recv(socket, buffer.data(), buffer.size(), 0) > 0)
        (void)::send(socket, with.data(), with.size(), MSG_NOSIGNAL);
    }
    return ready;
  };
  std::atomic<bool> stop = false;
  std::thread other([&] {
    for (const int socket : clients) (void)::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
    while (!stop) answer_ready(client_poll, request);
  });
  std::int64_t answered = 0;
  while (state.KeepRunningBatch(64)) {
    for (std::int64_t more = 64; more > 0;) {
      const int ready = answer_ready(server_poll, answer);
      more -= ready;
      answered += ready;
    }
  }
  stop = true;
  other.join();
  state.SetItemsProcessed(answered);
  for (const int socket : clients) ::close(socket);
  for (const int socket : servers) ::close(socket);
  for (const int file : {listener, server_poll, client_poll}) ::close(file);
}
BENCHMARK(kernel_exchange)->Arg(256)->Arg(4'000)->MinTime(2);

std::filesystem::path make_folder(const std::string& name) {
  std::string pattern = (std::filesystem::temp_directory_path() / ("mydr24-" + name + "-XXXXXX")).string();
  return ::mkdtemp(pattern.data());
}

std::filesystem::path make_key_file(const std::filesystem::path& folder) {
  auto file = folder / "key";
  std::ofstream(file) << std::string(64, '5');
  ::chmod(file.c_str(), 0600);
  return file;
}

// What encryption adds to a page of the embedded store, on its way to the disk and back.
struct SealedPage {
  std::filesystem::path folder = make_folder("page");
  std::shared_ptr<keyring::Keyring> keys =
      keyring::Keyring::create(folder / "keys.json", make_key_file(folder), from_us(0)).value();
  sqlite::PageSealer sealer{*keys};
  sqlite::Page page{};
  sqlite::Page sealed{};

  SealedPage() {
    for (std::size_t i = 0; i < page.size() - sqlite::reserved_bytes; ++i) page[i] = static_cast<unsigned char>(i * 31);
    if (!sealer.seal(7, page.data(), sealed)) throw std::runtime_error(sealer.fault());
  }
  ~SealedPage() { std::filesystem::remove_all(folder); }
};

void page_seal(benchmark::State& state) {
  SealedPage one;
  for (auto _ : state)
    if (!one.sealer.seal(7, one.page.data(), one.sealed)) state.SkipWithError("not sealed");
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(sqlite::sealed_page_bytes));
}
BENCHMARK(page_seal);

// With the copy that the read itself makes.
void page_open(benchmark::State& state) {
  SealedPage one;
  for (auto _ : state) {
    one.page = one.sealed;
    if (!one.sealer.open(7, one.page.data())) state.SkipWithError("not opened");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(sqlite::sealed_page_bytes));
}
BENCHMARK(page_open);

// An audit trail on the disk of the temporary folder.
struct Trail {
  std::filesystem::path folder;
  std::unique_ptr<audit::Log> log;

  explicit Trail(std::size_t segment_bytes = audit::Settings().segment_bytes, bool encrypted = false)
      : folder(make_folder("trail")) {
    audit::Settings settings{.folder = folder, .segment_bytes = segment_bytes};
    if (encrypted) settings.encryption_key_file = make_key_file(folder);
    auto opened = audit::Log::open(settings, system_clock());
    if (!opened) throw std::runtime_error(opened.error().text);
    log = std::move(*opened);
  }
  ~Trail() {
    log.reset();
    std::filesystem::remove_all(folder);
  }

  // A nurse reads a result through an application.
  static audit::Entry entry(int patient) {
    const Instant now = system_clock().now();
    audit::Entry made{.at = now, .request_id = make_uuid7(now)};
    made.interaction = "read";
    made.http_status = 200;
    made.principal_kind = access::PrincipalKind::person;
    made.principal = "user/anna.schmidt";
    made.name = "Anna Schmidt";
    made.client = "ward-app";
    made.roles = {"nurse"};
    made.session = "0198f69f-11aa-7d2e-8b90-aa01bb02cc03";
    made.fhir_user = "Practitioner/12";
    made.address = "10.20.30.40";
    made.purpose = "TREAT";
    made.resource_type = "Observation";
    made.resource_id = make_uuid7(now);
    made.resource_version = "1";
    made.patients = {"patient-" + std::to_string(patient)};
    made.rule = "role nurse reads patients of the ward";
    return made;
  }
};
std::unique_ptr<Trail> trail;

// Until the bytes are with the operating system; the sync runs beside it. Of one thread, and of four at once.
void audit_append(benchmark::State& state) {
  std::vector<std::int64_t> times_ns;
  times_ns.reserve(1U << 20);
  int patient = 0;
  std::chrono::nanoseconds lag_max{0};
  for (auto _ : state) {
    audit::Entry entry = Trail::entry(++patient % 10'000);
    if (patient % 1'000 == 0) lag_max = std::max(lag_max, trail->log->lag());
    const auto began = system_clock().steady();
    if (!trail->log->append(std::move(entry))) state.SkipWithError("refused");
    times_ns.push_back((system_clock().steady() - began).count());
  }
  std::ranges::sort(times_ns);
  const auto quantile_us = [&](double share) {
    const auto at = static_cast<std::size_t>(share * static_cast<double>(times_ns.size() - 1));
    return benchmark::Counter(static_cast<double>(times_ns[at]) / 1000, benchmark::Counter::kAvgThreads);
  };
  state.counters["p50_us"] = quantile_us(0.5);
  state.counters["p99_us"] = quantile_us(0.99);
  state.counters["lag_max_ms"] =
      benchmark::Counter(std::chrono::duration<double, std::milli>(lag_max).count(), benchmark::Counter::kAvgThreads);
}
BENCHMARK(audit_append)
    ->Setup([](const benchmark::State&) { trail = std::make_unique<Trail>(); })
    ->Teardown([](const benchmark::State&) { trail.reset(); })
    ->Threads(1)
    ->Threads(4)
    ->MinTime(3)
    ->UseRealTime();
BENCHMARK(audit_append)
    ->Name("audit_append_encrypted")
    ->Setup([](const benchmark::State&) { trail = std::make_unique<Trail>(audit::Settings().segment_bytes, true); })
    ->Teardown([](const benchmark::State&) { trail.reset(); })
    ->Threads(1)
    ->Threads(4)
    ->MinTime(3)
    ->UseRealTime();

// So many entries in sealed segments of 8 MiB, 20 of them of the patient "rare".
void fill_trail(const benchmark::State& state) {
  trail = std::make_unique<Trail>(8U << 20);
  const std::int64_t every = state.range(0) / 20;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    audit::Entry entry = Trail::entry(static_cast<int>(i % 10'000));
    if (i % every == every / 2) entry.patients = {"rare"};
    if (!trail->log->append(std::move(entry))) throw std::runtime_error("refused");
  }
  if (!trail->log->rotate() || !trail->log->sync()) throw std::runtime_error("not ended");
  trail->log->settle();
}

// Who opened this patient.
void audit_look_up(benchmark::State& state) {
  for (auto _ : state) {
    const auto page = trail->log->search({.patient = "rare"}, 100);
    if (!page || page->entries.size() != 20) state.SkipWithError("not what was written");
  }
}
BENCHMARK(audit_look_up)
    ->Arg(500'000)
    ->Iterations(50)
    ->Unit(benchmark::kMillisecond)
    ->Setup(fill_trail)
    ->Teardown([](const benchmark::State&) { trail.reset(); });

// Every line, every signature, every index.
void audit_verify(benchmark::State& state) {
  for (auto _ : state) {
    const auto done = audit::verify({.folder = trail->folder});
    if (!done || !done->findings.empty()) state.SkipWithError("not what was written");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(audit_verify)
    ->Arg(500'000)
    ->Iterations(2)
    ->Unit(benchmark::kMillisecond)
    ->Setup(fill_trail)
    ->Teardown([](const benchmark::State&) {
      std::uintmax_t bytes = 0;
      int sealed = 0;
      for (const auto& file : std::filesystem::directory_iterator(trail->folder)) {
        bytes += file.file_size();
        sealed += file.path().extension() == ".zst" ? 1 : 0;
      }
      const auto written = trail->log->statistics();
      const double entries = static_cast<double>(written.entries);
      std::printf("audit_verify: %.1f bytes a line, %.1f on disk, %d sealed segments\n",
                  static_cast<double>(written.bytes) / entries, static_cast<double>(bytes) / entries, sealed);
      trail.reset();
    });

// What tracing adds to a request that is not traced: nothing chose it, and at its end it was neither slow nor failed.
void trace_not_chosen(benchmark::State& state) {
  telemetry::Traces traces({.sample_per_million = state.range(0)}, system_clock());
  for (auto _ : state) {
    auto trace = traces.begin({});
    if (trace == nullptr) trace = traces.begin_late({}, std::chrono::milliseconds(1), false);
    benchmark::DoNotOptimize(trace);
  }
}
BENCHMARK(trace_not_chosen)->Arg(0)->Arg(1);

// And to one that is, with the spans of a write.
void trace_chosen(benchmark::State& state) {
  telemetry::Traces traces({.sample_per_million = 1'000'000}, system_clock());
  int ended = 0;
  for (auto _ : state) {
    auto trace = traces.begin({});
    for (const auto* const name :
         {"admission wait", "access decision", "store queue", "store transaction", "store commit"}) {
      const telemetry::TraceTimer timer(trace.get(), name);
    }
    traces.end(std::move(trace), {.name = "POST /fhir/{type}",
                                  .attributes = {{"http.route", "/fhir/{type}"}, {"http.response.status_code", 201}}});
    if (++ended % 512 == 0) benchmark::DoNotOptimize(traces.take());
  }
}
BENCHMARK(trace_chosen);

}  // namespace
}  // namespace mydr24

BENCHMARK_MAIN();
