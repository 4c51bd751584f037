#include "api/mqtt/mqtt.h"

#include <fmt/format.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <future>
#include <mutex>
#include <thread>

#include "base/core/id.h"
#include "clinical/vitals/ingest.h"

namespace mydr24::mqtt {
namespace {

constexpr int poll_ms = 500;
constexpr int qos = 1;

struct Message {
  std::string topic;
  std::string payload;
};

struct Destroy {
  void operator()(mosquitto* client) const { mosquitto_destroy(client); }
};
using Client = std::unique_ptr<mosquitto, Destroy>;

std::string_view patient_of(std::string_view topic) {
  const auto slash = topic.rfind('/');
  const std::string_view last = slash == topic.npos ? std::string_view() : topic.substr(slash + 1);
  return is_fhir_id(last) ? last : std::string_view();
}

Result<> check(int code, std::string_view what) {
  if (code == MOSQ_ERR_SUCCESS) return {};
  return fail(Code::busy, fmt::format("{}: {}", what, mosquitto_strerror(code)));
}

}  // namespace

// The thread, and what it does on one connection after the other. libmosquitto is driven by hand: an acknowledgement
// that it has made ready stays in its queue until loop_write() is called, which happens only when the messages are on
// disk. (In threaded mode it writes nothing from within reading; handle_publish.c and packet_mosq.c of 2.0 tell.)
class Subscriber::Loop {
 public:
  Loop(Settings settings, const records::Records& records, const Clock& clock, const telemetry::Log& log)
      : settings_(std::move(settings)), records_(records), clock_(clock), log_(log), wake_(eventfd(0, EFD_CLOEXEC)) {}
  ~Loop() {
    stopping_ = true;
    const std::uint64_t one = 1;
    (void)!::write(wake_, &one, sizeof one);
    if (thread_.joinable()) thread_.join();
    ::close(wake_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Result<> begin() {
    if (wake_ < 0) return fail(Code::internal, "no event descriptor for the MQTT thread");
    // What is wrong with the settings is found now, an unreachable broker is tried again and again.
    MYDR24_ASSIGN(const Client client, make_client());
    thread_ = std::thread([this] { run(); });
    return {};
  }

  const Counters& counters() const { return counters_; }

 private:
  void run() {
    auto pause = settings_.retry_first;
    while (!stopping_) {
      const auto connections = counters_.connections.load();
      const Result<> ended = serve_once();
      counters_.connected = false;
      if (stopping_) return;
      if (!ended) log_.write(telemetry::Level::warn, "mqtt", {{"detail", ended.error().text}});
      if (counters_.connections != connections) pause = settings_.retry_first;
      wait(pause);
      pause = std::min(pause * 2, settings_.retry_max);
    }
  }

  void wait(std::chrono::milliseconds time) const {
    pollfd wake{.fd = wake_, .events = POLLIN, .revents = 0};
    (void)::poll(&wake, 1, static_cast<int>(time.count()));
  }

  Result<Client> make_client() {
    static std::once_flag once;
    std::call_once(once, [] { mosquitto_lib_init(); });
    Client client(mosquitto_new(settings_.client_id.c_str(), false, this));
    if (!client) return fail(Code::invalid, "the client id of MQTT is not accepted", "mqtt.client_id");
    mosquitto_threaded_set(client.get(), true);
    const int version = settings_.protocol == Protocol::v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311;
    MYDR24_TRY(check(mosquitto_int_option(client.get(), MOSQ_OPT_PROTOCOL_VERSION, version), "MQTT version"));
    if (!settings_.username.empty())
      MYDR24_TRY(check(mosquitto_username_pw_set(client.get(), settings_.username.c_str(), settings_.password.c_str()),
                       "user"));
    if (settings_.tls && settings_.ca_file.empty())
      MYDR24_TRY(check(mosquitto_int_option(client.get(), MOSQ_OPT_TLS_USE_OS_CERTS, 1), "TLS"));
    if (settings_.tls && !settings_.ca_file.empty()) {
      const int code = mosquitto_tls_set(client.get(), settings_.ca_file.c_str(), nullptr, nullptr, nullptr, nullptr);
      if (code != MOSQ_ERR_SUCCESS)
        return fail(Code::invalid, fmt::format("cannot use \"{}\": {}", settings_.ca_file, mosquitto_strerror(code)),
                    "mqtt.ca_file");
    }
    mosquitto_connect_v5_callback_set(client.get(), on_connect);
    mosquitto_subscribe_v5_callback_set(client.get(), on_subscribe);
    mosquitto_message_v5_callback_set(client.get(), on_message);
    return client;
  }

  // From one connection to its end. An error says why it ended.
  Result<> serve_once() {
    MYDR24_ASSIGN(const Client client, make_client());
    refusal_.clear();
    batch_.clear();
    mosquitto_property* properties = nullptr;
    if (settings_.protocol == Protocol::v5)
      (void)mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                         static_cast<std::uint32_t>(settings_.session_expiry.count()));
    const int connected =
        mosquitto_connect_bind_v5(client.get(), settings_.host.c_str(), settings_.port,
                                  static_cast<int>(settings_.keep_alive.count()), nullptr, properties);
    mosquitto_property_free_all(&properties);
    MYDR24_TRY(check(connected, "cannot connect to the MQTT broker"));
    while (!stopping_) MYDR24_TRY(turn(client.get()));
    mosquitto_disconnect(client.get());
    (void)mosquitto_loop_write(client.get(), 1);
    return {};
  }

  // One round: read what is there, write it down, acknowledge it.
  Result<> turn(mosquitto* client) {
    std::array<pollfd, 2> waiting{};
    waiting[0] = {.fd = mosquitto_socket(client), .events = POLLIN, .revents = 0};
    waiting[1] = {.fd = wake_, .events = POLLIN, .revents = 0};
    if (waiting[0].fd < 0) return fail(Code::busy, "the MQTT broker closed the connection");
    if (mosquitto_want_write(client)) waiting[0].events |= POLLOUT;
    (void)::poll(waiting.data(), waiting.size(), poll_ms);
    if ((waiting[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      std::size_t before = 0;
      do {
        before = batch_.size();
        MYDR24_TRY(check(mosquitto_loop_read(client, 1), "reading from the MQTT broker"));
      } while (batch_.size() > before && batch_.size() < messages_at_once_max);
    }
    if (!refusal_.empty()) return fail(Code::busy, refusal_);
    if (!batch_.empty()) MYDR24_TRY(write_down());
    if (mosquitto_want_write(client)) MYDR24_TRY(check(mosquitto_loop_write(client, 1), "writing to the MQTT broker"));
    return check(mosquitto_loop_misc(client), "the MQTT connection");
  }

  // Blocks until all are on disk. An error: at least one was not taken, none may be acknowledged.
  Result<> write_down() {
    const Instant now = clock_.now();
    std::shared_ptr<access::Access> access;
    if (settings_.access) {
      MYDR24_ASSIGN(access, settings_.access());
    }
    std::vector<std::string> patients;
    std::vector<Result<records::Prepared>> samples;
    for (const Message& message : batch_) {
      samples.push_back(vitals::prepare_sample(
          records_, message.payload, {.now = now, .patient = patient_of(message.topic), .needs_identity = true}));
      patients.emplace_back(patient_of(message.topic));
    }
    batch_.clear();
    std::promise<std::vector<vitals::Ingested>> promise;
    auto done = promise.get_future();
    vitals::put_samples(records_, RequestClass::urgent, std::move(samples), access ? *access : access::Access::server(),
                        [&promise](std::vector<vitals::Ingested> answers) { promise.set_value(std::move(answers)); });
    std::int64_t postponed = 0;
    const auto answers = done.get();
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const vitals::Ingested& answer = answers[i];
      if (answer.is_stored()) {
        ++counters_.stored;
      } else if (answer.is_worth_repeating()) {
        ++postponed;
      } else {
        ++counters_.rejected;
        if (answer.error->code == Code::refused && settings_.refused) settings_.refused(patients[i]);
        if (rejected_limit_.admit(clock_))
          log_.write(telemetry::Level::warn, "mqtt",
                     {{"detail", fmt::format("a message was rejected: {}", to_string(answer.error->code))}});
      }
    }
    counters_.postponed += postponed;
    if (postponed == 0) return {};
    return fail(Code::busy,
                fmt::format("the store did not take {} messages: the broker is to send them again", postponed));
  }

  static void on_connect(mosquitto* client, void* loop, int code, int, const mosquitto_property*) {
    auto& self = *static_cast<Loop*>(loop);
    if (code != 0) {
      self.refusal_ = fmt::format("the MQTT broker refused the connection: {}", self.settings_.protocol == Protocol::v5
                                                                                    ? mosquitto_reason_string(code)
                                                                                    : mosquitto_connack_string(code));
      return;
    }
    for (const std::string& topic : self.settings_.topics)
      (void)mosquitto_subscribe(client, nullptr, topic.c_str(), qos);
  }

  static void on_subscribe(mosquitto*, void* loop, int, int count, const int* granted, const mosquitto_property*) {
    constexpr int refused_from = 128;
    auto& self = *static_cast<Loop*>(loop);
    for (int i = 0; i < count; ++i)
      if (granted[i] >= refused_from) self.refusal_ = "the MQTT broker refused a subscription";
    if (!self.refusal_.empty()) return;
    ++self.counters_.connections;
    self.counters_.connected = true;
  }

  static void on_message(mosquitto*, void* loop, const mosquitto_message* message, const mosquitto_property*) {
    auto& self = *static_cast<Loop*>(loop);
    ++self.counters_.received;
    // One byte more than a sample may have is enough to be refused by.
    const auto bytes = std::min(static_cast<std::size_t>(message->payloadlen), vitals::sample_bytes_max + 1);
    self.batch_.push_back({message->topic, std::string(static_cast<const char*>(message->payload), bytes)});
  }

  const Settings settings_;
  const records::Records& records_;
  const Clock& clock_;
  const telemetry::Log& log_;
  const int wake_;
  Counters counters_;
  telemetry::LogLimit rejected_limit_{std::chrono::seconds(10)};
  std::atomic<bool> stopping_ = false;
  std::vector<Message> batch_;  // of the thread
  std::string refusal_;         // of the thread
  std::thread thread_;
};

Subscriber::Subscriber(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
Subscriber::~Subscriber() = default;

Result<std::unique_ptr<Subscriber>> Subscriber::start(Settings settings, const records::Records& records,
                                                      const Clock& clock, const telemetry::Log& log) {
  auto loop = std::make_unique<Loop>(std::move(settings), records, clock, log);
  MYDR24_TRY(loop->begin());
  return std::unique_ptr<Subscriber>(new Subscriber(std::move(loop)));
}

const Counters& Subscriber::counters() const { return loop_->counters(); }

}  // namespace mydr24::mqtt
