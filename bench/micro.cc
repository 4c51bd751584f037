// What the parts of a write cost by themselves, in processor time: `./dev bench micro`, or with a filter
// `./dev bench micro -- --benchmark_filter=news2`. The end-to-end figures are those of the other benches.

#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/crypto/password.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "clinical/vitals/news2.h"
#include "fhir/path/path.h"
#include "fhir/search/search.h"
#include "fhir/terminology/terminology.h"
#include "fhir/validation/validation.h"
#include "guard/admission/admission.h"
#include "guard/identity/identity.h"
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

}  // namespace
}  // namespace mydr24

BENCHMARK_MAIN();
