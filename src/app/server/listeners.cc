#include "app/server/listeners.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "app/server/tenants.h"
#include "base/json/writer.h"

namespace mydr24::server {
namespace {

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

Result<Address> parse_address(std::string_view text, std::string where) {
  const auto colon = text.rfind(':');
  int port = -1;
  if (colon != text.npos) {
    const auto digits = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size()) port = -1;
  }
  if (colon == text.npos || colon == 0 || port < 0 || port > 65535) {
    return fail(Code::invalid, fmt::format("\"{}\" is no address; write HOST:PORT, as 127.0.0.1:8024", text),
                std::move(where));
  }
  return Address{std::string(text.substr(0, colon)), static_cast<std::uint16_t>(port)};
}

std::string url(std::string_view host, std::uint16_t port, bool secure) {
  return fmt::format("{}://{}:{}", secure ? "https" : "http", host, port);
}

constexpr std::string_view automatic = "auto";
constexpr int emergency_port_distance = 2;
constexpr std::chrono::milliseconds lag_every{10};
// Clients that all reconnect at once: what handshakes may take of one processor.
constexpr double handshake_share = 0.25;

// "auto": two ports above the general one; any free one when that has no fixed port, or none above.
Result<Address> emergency_address(const ServerSection& section, const Address& general) {
  if (section.emergency_listen != automatic) return parse_address(section.emergency_listen, "server.emergency_listen");
  const int port = general.port + emergency_port_distance;
  return Address{general.host, static_cast<std::uint16_t>(general.port == 0 || port > 65535 ? 0 : port)};
}

std::string lower_host(std::string_view header) {
  // An IPv6 address has colons of its own, in brackets.
  const auto colon = header.rfind(':');
  if (colon != header.npos && header.find(']', colon) == header.npos) header = header.substr(0, colon);
  std::string host(header);
  std::ranges::transform(host, host.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return host;
}

// "north.Xy..." of "Bearer north.Xy...": see identity::Settings::tenant.
std::string_view tenant_of_token(std::string_view authorization) {
  constexpr std::string_view scheme = "Bearer ";
  if (!authorization.starts_with(scheme)) return {};
  const auto token = authorization.substr(scheme.size());
  const auto dot = token.find('.');
  return dot == token.npos ? std::string_view() : token.substr(0, dot);
}

Task<> answer_problem(net::Exchange& exchange, int status, std::string_view detail) {
  net::Response response{.status = status, .content_type = "application/problem+json"};
  json::Writer(response.body)
      .begin_object()
      .field("type", "about:blank")
      .field("title", status == 421 ? "Misdirected Request" : "Not Found")
      .field("status", status)
      .field("detail", detail)
      .end_object();
  co_await exchange.respond(std::move(response));
}

// The pipelines of one listener, by tenant.
class Doors {
 public:
  void add(const Door& door, std::unique_ptr<pipeline::Pipeline> pipeline) {
    if (door.tenant.empty()) only_ = pipeline.get();
    for (const auto& host : door.hosts) by_host_.emplace(host, pipeline.get());
    by_name_.emplace(door.tenant, pipeline.get());
    pipelines_.push_back(std::move(pipeline));
  }

  void count_misdirected(telemetry::Counter counter) { misdirected_ = std::move(counter); }

  Task<> serve(net::Exchange& exchange) const {
    const auto* pipeline = only_ != nullptr ? only_ : find(exchange.request());
    if (pipeline == nullptr) {
      misdirected_.add();
      co_await answer_problem(
          exchange, 421, "no tenant of this server has that host name: ask by one of its names, or with a token of it");
    } else {
      co_await pipeline->serve(exchange);
    }
  }
  const pipeline::Pipeline* named(std::string_view tenant) const {
    const auto found = by_name_.find(tenant);
    return found == by_name_.end() ? nullptr : found->second;
  }

 private:
  const pipeline::Pipeline* find(const net::Request& request) const {
    const auto found = by_host_.find(lower_host(request.header("Host")));
    return found != by_host_.end() ? found->second : named(tenant_of_token(request.header("Authorization")));
  }

  std::vector<std::unique_ptr<pipeline::Pipeline>> pipelines_;
  const pipeline::Pipeline* only_ = nullptr;
  telemetry::Counter misdirected_;
  std::map<std::string, const pipeline::Pipeline*, std::less<>> by_host_;
  std::map<std::string, const pipeline::Pipeline*, std::less<>> by_name_;
};

class OpenListeners final : public Listeners {
 public:
  explicit OpenListeners(const ListenerParts& parts) : parts_(parts) {
    for (auto& [status, counter] : malformed_) {
      counter = parts.metrics.counter("http_malformed_total",
                                      "What came that was no request, by the status it was refused with",
                                      {{"status", fmt::to_string(status)}});
    }
    const auto misdirected =
        parts.metrics.counter("http_misdirected_total", "Requests answered 421: for a host that is no tenant's");
    doors_.count_misdirected(misdirected);
    emergency_doors_.count_misdirected(misdirected);
  }

  Result<> open() {
    const auto& section = parts_.settings.server;
    MYDR24_ASSIGN(const auto general, parse_address(section.listen, "server.listen"));
    MYDR24_ASSIGN(const auto admin, parse_address(section.admin, "server.admin"));
    if (!is_on_loopback(section.admin)) {
      return fail(
          Code::invalid,
          fmt::format("\"{}\" is not on this machine: the admin listener asks for no password; use 127.0.0.1 or [::1]",
                      section.admin),
          "server.admin");
    }
    for (const auto& door : parts_.doors) {
      auto settings = door.settings;
      settings.admission = control();
      doors_.add(door, make_pipeline(door, settings));
      admin_doors_.add(door, std::make_unique<pipeline::Pipeline>(door.admin_router, pipeline::PipelineSettings{},
                                                                  door.metrics, door.log, door.clock));
    }
    admin_pipeline_ = std::make_unique<pipeline::Pipeline>(parts_.admin_router, pipeline::PipelineSettings{},
                                                           parts_.metrics, parts_.log, parts_.clock);
    if (has_emergency_listener(parts_.settings)) {
      MYDR24_ASSIGN(const auto emergency, emergency_address(section, general));
      MYDR24_TRY(open_emergency(emergency));
    }
    auto to = common(general, ThreadKind::io);
    to.threads = section.threads > 0 ? static_cast<std::size_t>(section.threads) : usable_processors();
    to.tls = tls_of(Listener::general);
    if (parts_.admission != nullptr) {
      measure(to, parts_.admission->general_lag());
      to.handshake_share = handshake_share;
    }
    MYDR24_ASSIGN(general_, net::serve(to, [this](net::Exchange& exchange) { return doors_.serve(exchange); }));
    general_host_ = general.host;

    to = common(admin, ThreadKind::guard);
    to.connections_max = 64;
    to.thread_begun = [](std::size_t) { ::pthread_setname_np(::pthread_self(), "admin-io"); };
    MYDR24_ASSIGN(admin_, net::serve(to, [this](net::Exchange& exchange) { return serve_admin(exchange); }));
    admin_host_ = admin.host;
    return {};
  }

  std::string base_url() const override { return url(general_host_, general_->port(), is_secure()); }
  std::string admin_url() const override { return url(admin_host_, admin_->port(), false); }
  std::string emergency_url() const override {
    return emergency_ ? url(emergency_host_, emergency_->port(), is_secure()) : std::string();
  }

  void drain() override {
    if (general_) general_->drain();
    if (emergency_) emergency_->drain();
  }

 private:
  admission::Control* control() const { return parts_.admission != nullptr ? &parts_.admission->control() : nullptr; }
  // The board's thread numbers are the listener's.
  static void measure(net::ServerSettings& to, LagBoard& board) {
    to.lag_interval = lag_every;
    to.loop_lag = [&board](std::size_t thread, std::chrono::nanoseconds lag) { board.note(thread, lag); };
  }
  static std::unique_ptr<pipeline::Pipeline> make_pipeline(const Door& door,
                                                           const pipeline::PipelineSettings& settings) {
    return std::make_unique<pipeline::Pipeline>(door.router, settings, door.metrics, door.log, door.clock);
  }
  Task<> serve_admin(net::Exchange& exchange) const {
    const auto tenant = exchange.request().header(tenant_header);
    const auto* pipeline = tenant.empty() ? admin_pipeline_.get() : admin_doors_.named(tenant);
    if (pipeline == nullptr) {
      co_await answer_problem(exchange, 404, fmt::format("there is no tenant of the name in {}", tenant_header));
    } else {
      co_await pipeline->serve(exchange);
    }
  }
  using Listener = admission::Listener;
  net::TlsSettings tls_of(Listener listener) const {
    const auto& section = parts_.settings.server;
    net::TlsSettings tls{section.tls_certificate_file, section.tls_key_file, {}};
    if (listener == Listener::emergency || section.tls_client_listeners == "all")
      tls.client_ca_file = section.tls_client_ca_file;
    return tls;
  }
  bool is_secure() const { return !parts_.settings.server.tls_certificate_file.empty(); }

  Result<> open_emergency(const Address& address) {
    const auto& section = parts_.settings.server;
    for (const auto& door : parts_.doors) {
      auto settings = door.settings;
      settings.admission = control();
      settings.listener_class = RequestClass::emergency;
      settings.listener = admission::Listener::emergency;
      emergency_doors_.add(door, make_pipeline(door, settings));
    }
    auto to = common(address, ThreadKind::emergency_io);
    to.threads = 1;
    to.connections_max = static_cast<std::size_t>(section.emergency_connections_max);
    to.tls = tls_of(Listener::emergency);
    if (parts_.admission != nullptr) measure(to, parts_.admission->emergency_lag());
    auto opened = net::serve(to, [this](net::Exchange& exchange) { return emergency_doors_.serve(exchange); });
    if (!opened && opened.error().where == "address") {
      return fail(opened.error().code, opened.error().text, "server.emergency_listen");
    }
    MYDR24_ASSIGN(emergency_, std::move(opened));
    emergency_host_ = address.host;
    return {};
  }

  net::ServerSettings common(const Address& address, ThreadKind kind) const {
    const auto& from = parts_.settings.server;
    net::ServerSettings to;
    to.address = address.host;
    to.port = address.port;
    to.connections_max = static_cast<std::size_t>(from.connections_max);
    to.header_time_max = std::chrono::milliseconds(from.header_time_max_ms);
    to.idle_time_max = std::chrono::milliseconds(from.idle_time_max_ms);
    to.body_idle_time_max = std::chrono::milliseconds(from.body_idle_time_max_ms);
    to.drain_time_max = std::chrono::milliseconds(from.drain_time_max_ms);
    to.thread_begun = [&weights = parts_.weights, kind](std::size_t number) { weights.begin(kind, number); };
    to.refused = [this](int status) {
      const auto found = malformed_.find(status);
      if (found != malformed_.end()) found->second.add();
    };
    return to;
  }

  const ListenerParts parts_;
  std::map<int, telemetry::Counter> malformed_{{400, {}}, {408, {}}, {417, {}}, {431, {}}, {505, {}}};
  Doors doors_;
  Doors emergency_doors_;
  Doors admin_doors_;
  std::unique_ptr<pipeline::Pipeline> admin_pipeline_;
  std::string general_host_;
  std::string admin_host_;
  std::string emergency_host_;
  std::unique_ptr<net::Server> general_;
  std::unique_ptr<net::Server> admin_;
  std::unique_ptr<net::Server> emergency_;
};

}  // namespace

bool has_emergency_listener(const Settings& settings) {
  return settings.admission.mode == "full" && !settings.server.emergency_listen.empty();
}

Result<std::unique_ptr<Listeners>> listen(const ListenerParts& parts) {
  auto listeners = std::make_unique<OpenListeners>(parts);
  MYDR24_TRY(listeners->open());
  return std::unique_ptr<Listeners>(std::move(listeners));
}

}  // namespace mydr24::server
