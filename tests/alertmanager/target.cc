#include "alertmanager/target.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include "support/live.h"

namespace mydr24::alertmanager {
namespace {

namespace fs = std::filesystem;

class Ours : public Target {
 public:
  explicit Ours(const TargetOptions& options) {
    load::write_text(folder_.path() / "alertmanager.yml", options.config);
    // Who is let in on a busy machine is not what is told here.
    config_ = fmt::format(
        "[admission]\nmode = \"off\"\n[alerting]\nrouting = \"{}\"\nroute_prefix = \"{}\"\nstart_delay_ms = {}\n{}\n",
        (folder_.path() / "alertmanager.yml").string(), options.prefix, static_cast<int>(options.start_delay * 1000),
        options.settings);
    start();
  }
  std::string url() const override {
    return fmt::format("http://{}:{}", server_->endpoint().host, server_->endpoint().port);
  }
  void kill_and_restart() override {
    server_->kill();
    start();
  }
  load::Server& server() { return *server_; }

 private:
  void start() {
    auto server = load::Server::start({.binary = live::binary(), .data = folder_.path() / "data", .config = config_});
    if (!server) throw std::runtime_error(server.error().text);
    server_.reset();
    server_.emplace(std::move(*server));
  }
  load::TempFolder folder_;
  std::string config_;
  std::optional<load::Server> server_;
};

// A port that was free a moment ago.
int free_port() {
  const auto server = net::serve({}, [](net::Exchange&) -> Task<> { co_return; });
  if (!server) throw std::runtime_error("no port is free");
  return (*server)->port();
}

class Real : public Target {
 public:
  explicit Real(const TargetOptions& options) : prefix_(options.prefix), port_(free_port()) {
    load::write_text(folder_.path() / "alertmanager.yml", options.config);
    start();
  }
  std::string url() const override { return fmt::format("http://127.0.0.1:{}", port_); }
  void kill_and_restart() override {
    child_.reset();
    start();
  }

 private:
  void start() {
    const auto log = folder_.path() / "log";
    std::vector<std::string> arguments{
        "prometheus-alertmanager", "--config.file=" + (folder_.path() / "alertmanager.yml").string(),
        "--storage.path=" + (folder_.path() / "data").string(), fmt::format("--web.listen-address=127.0.0.1:{}", port_),
        "--cluster.listen-address="};
    if (!prefix_.empty()) arguments.push_back("--web.route-prefix=" + prefix_);
    child_.emplace(std::move(arguments), log);
    const auto ready = [&] { return call(net::Method::get, url() + prefix_ + "/-/ready").status == 200; };
    if (!eventually(ready, std::chrono::seconds(30)))
      throw std::runtime_error("prometheus-alertmanager does not start: " + load::read_text(log));
  }

  load::TempFolder folder_;
  std::string prefix_;
  int port_;
  std::optional<Child> child_;
};

}  // namespace

std::unique_ptr<Target> start_ours(const TargetOptions& options) { return std::make_unique<Ours>(options); }
std::unique_ptr<Target> start_real(const TargetOptions& options) { return std::make_unique<Real>(options); }

// Between fork and exec only what is allowed beside other threads.
Child::Child(std::vector<std::string> arguments, const std::filesystem::path& log) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0) _exit(1);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  close(out);
}

void Child::stop() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

bool has_program(const std::string& name) {
  std::istringstream path(std::getenv("PATH") != nullptr ? std::getenv("PATH") : "");
  for (std::string folder; std::getline(path, folder, ':');)
    if (fs::exists(fs::path(folder) / name)) return true;
  return false;
}

bool real_alertmanager() { return has_program("prometheus-alertmanager"); }

Reply call(net::Method method, const std::string& url, std::string body,
           std::vector<std::pair<std::string, std::string>> headers) {
  net::ClientRequest request;
  request.method = method;
  request.url = *net::parse_url(url);
  request.headers = std::move(headers);
  if (!body.empty() &&
      std::ranges::none_of(request.headers, [](const auto& header) { return header.first == "Content-Type"; }))
    request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::move(body);
  request.time_max = std::chrono::seconds(60);
  const auto answer = net::send_blocking(std::move(request));
  return answer ? Reply{answer->status, answer->body} : Reply{0, answer.error().text};
}

Hooks::Hooks(std::vector<Hook> manners) : manners_(std::move(manners)) {
  auto server = net::serve({}, [this](net::Exchange& exchange) { return receive(exchange); });
  if (!server) throw std::runtime_error(server.error().text);
  server_ = std::move(*server);
}

std::string Hooks::url(std::string_view name) const {
  return fmt::format("http://127.0.0.1:{}/{}", server_->port(), name);
}

Task<> Hooks::receive(net::Exchange& exchange) {
  const auto at = Clock::now();
  std::string name(exchange.request().path.substr(1));
  std::string headers;
  for (const std::string_view header : {"Idempotency-Key", "X-MyDR24-Maybe-Repeated", "Authorization"})
    if (const auto value = exchange.request().header(header); !value.empty())
      headers += fmt::format("{}: {}\n", header, value);
  const auto body = co_await exchange.read_body(64U << 20);
  const auto manner = std::ranges::find(manners_, name, &Hook::name);
  const double now = std::chrono::duration<double>(at - start_.load()).count();
  std::string how;
  if (manner != manners_.end() && now < manner->until) how = manner->manner;
  if (how == "hang") co_await exchange.sleep(std::chrono::milliseconds(1000));
  if (body && how.empty()) {
    const std::lock_guard lock(mutex_);
    arrivals_.push_back({std::move(name), at, *body, std::move(headers)});
  }
  co_await exchange.respond({.status = how == "fail" ? 500 : 200});
}

std::vector<Hooks::Arrival> Hooks::arrivals() const {
  const std::lock_guard lock(mutex_);
  return arrivals_;
}

bool Hooks::wait(std::size_t count, std::chrono::milliseconds time_max) const {
  return eventually([&] { return arrivals().size() >= count; }, time_max);
}

}  // namespace mydr24::alertmanager
