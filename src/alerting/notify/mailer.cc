#include "alerting/notify/mailer.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include "alerting/notify/detail/mail_format.h"
#include "base/core/id.h"

namespace mydr24::notify {
namespace {

using Done = std::move_only_function<void(SendOutcome)>;

// One mail on its way. Belongs to the Mailer's thread from the moment it is taken from the queue.
struct Job {
  Mail mail;
  Done done;
  std::string text;
  std::size_t sent = 0;
  CURL* easy = nullptr;
  curl_slist* recipients = nullptr;
  std::array<char, CURL_ERROR_SIZE> error{};

  Job(Mail what, Done then) : mail(std::move(what)), done(std::move(then)) {}
  ~Job() {
    curl_slist_free_all(recipients);
    if (easy != nullptr) curl_easy_cleanup(easy);
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
};

std::size_t read_mail(char* to, std::size_t size, std::size_t count, void* from) {
  auto& job = *static_cast<Job*>(from);
  const std::size_t bytes = std::min(size * count, job.text.size() - job.sent);
  std::memcpy(to, job.text.data() + job.sent, bytes);
  job.sent += bytes;
  return bytes;
}

std::string server_url(const MailerSettings& settings) {
  const bool is_ipv6 = settings.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}/{}", settings.tls == MailTls::implicit ? "smtps" : "smtp", is_ipv6 ? "[" : "",
                     settings.host, is_ipv6 ? "]" : "", settings.port, settings.hello);
}

long use_ssl(MailTls tls) {
  switch (tls) {
    case MailTls::required:
    case MailTls::implicit:
      return CURLUSESSL_ALL;
    case MailTls::opportunistic:
      return CURLUSESSL_TRY;
    case MailTls::none:
      break;
  }
  return CURLUSESSL_NONE;
}

SendOutcome outcome_of(CURLcode code, long reply, std::string_view error) {
  if (code == CURLE_OK) return {.status = SendStatus::delivered};
  // A login may also fail for now (454): that is tried again.
  const bool is_final = reply >= 500 || (code == CURLE_LOGIN_DENIED && reply < 400);
  SendOutcome outcome{.status = is_final ? SendStatus::refused : SendStatus::failed};
  outcome.text = fmt::format("the mail server: {}", error.empty() ? curl_easy_strerror(code) : error);
  return outcome;
}

// Once a process, before the first handle.
void begin_curl() {
  static const CURLcode begun = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)begun;
}

}  // namespace

struct Mailer::Inside {
  Inside(MailerSettings given, const Clock& the_clock)
      : settings(std::move(given)), clock(the_clock), url(server_url(settings)), multi(curl_multi_init()) {
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(settings.transfers_max));
    thread = std::thread([this] { run(); });
  }
  ~Inside() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    curl_multi_wakeup(multi);
    thread.join();
    curl_multi_cleanup(multi);
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

  void submit(Mail mail, Done done) {
    {
      const std::lock_guard lock(mutex);
      if (stopping) return done(stopped());
      if (waiting.size() >= settings.waiting_max)
        return done({.status = SendStatus::failed, .text = "too many mails wait for the mail server"});
      const auto place = mail.urgent ? waiting.begin() + static_cast<std::ptrdiff_t>(urgent_waiting++) : waiting.end();
      waiting.insert(place, std::make_unique<Job>(std::move(mail), std::move(done)));
    }
    curl_multi_wakeup(multi);
  }

  std::unique_ptr<Job> take() {
    const std::lock_guard lock(mutex);
    if (stopping || waiting.empty()) return nullptr;
    auto job = std::move(waiting.front());
    waiting.pop_front();
    if (urgent_waiting > 0) --urgent_waiting;
    return job;
  }

  void begin(std::unique_ptr<Job> job) {
    job->text = mail_text(job->mail, clock.now(), make_secret());
    job->easy = curl_easy_init();
    CURL* const easy = job->easy;
    job->recipients = curl_slist_append(nullptr, bare_address(job->mail.to).c_str());
    const long time_max = static_cast<long>(settings.time_max.count());
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_USE_SSL, use_ssl(settings.tls));
    if (!settings.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, settings.ca_file.c_str());
    if (!settings.user.empty()) {
      curl_easy_setopt(easy, CURLOPT_USERNAME, settings.user.c_str());
      curl_easy_setopt(easy, CURLOPT_PASSWORD, settings.password.c_str());
    }
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, bare_address(job->mail.from).c_str());
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, job->recipients);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_mail);
    curl_easy_setopt(easy, CURLOPT_READDATA, job.get());
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, job->error.data());
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, time_max);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, time_max);
    curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, std::max(1L, time_max / 1000));
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, connection_idle_max_s);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
    curl_multi_add_handle(multi, easy);
    active.emplace(easy, std::move(job));
  }

  void collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      CURL* const easy = message->easy_handle;
      auto job = std::move(active.extract(easy).mapped());
      long reply = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply);
      curl_multi_remove_handle(multi, easy);
      job->done(outcome_of(code, reply, job->error.data()));
    }
  }

  void run() {
    while (true) {
      while (active.size() < settings.transfers_max) {
        auto job = take();
        if (!job) break;
        begin(std::move(job));
      }
      int running = 0;
      curl_multi_perform(multi, &running);
      collect();
      {
        const std::lock_guard lock(mutex);
        if (stopping) break;
        if (!waiting.empty() && active.size() < settings.transfers_max) continue;
      }
      curl_multi_poll(multi, nullptr, 0, poll_ms, nullptr);
    }
    // Or curl would wait for the server's last word on what is cut off.
    for (const curl_socket_t fd : sockets) ::shutdown(fd, SHUT_RDWR);
    for (auto& [easy, job] : active) {
      curl_multi_remove_handle(multi, easy);
      job->done(stopped());
    }
    active.clear();
    const std::lock_guard lock(mutex);
    for (const auto& job : waiting) job->done(stopped());
    waiting.clear();
  }

  static curl_socket_t open_socket(void* inside, curlsocktype, curl_sockaddr* address) {
    const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) return CURL_SOCKET_BAD;
    static_cast<Inside*>(inside)->sockets.insert(fd);
    return fd;
  }
  static int close_socket(void* inside, curl_socket_t fd) {
    static_cast<Inside*>(inside)->sockets.erase(fd);
    return ::close(fd);
  }

  static SendOutcome stopped() { return {.status = SendStatus::failed, .text = "the server is stopping"}; }

  static constexpr int poll_ms = 1000;
  static constexpr long connection_idle_max_s = 20;

  const MailerSettings settings;
  const Clock& clock;
  const std::string url;
  CURLM* const multi;
  std::unordered_map<CURL*, std::unique_ptr<Job>> active;  // the thread's own
  std::set<curl_socket_t> sockets;                         // likewise: open now

  std::mutex mutex;
  std::deque<std::unique_ptr<Job>> waiting;  // urgent ones first
  std::size_t urgent_waiting = 0;
  bool stopping = false;
  std::thread thread;
};

Mailer::Mailer(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
Mailer::~Mailer() = default;

Result<std::unique_ptr<Mailer>> Mailer::make(MailerSettings settings, const Clock& clock) {
  if (settings.host.empty()) return fail(Code::invalid, "there is no mail server: set notify.smtp_host");
  begin_curl();
  return std::unique_ptr<Mailer>(new Mailer(std::make_unique<Inside>(std::move(settings), clock)));
}

Task<SendOutcome> Mailer::send(Mail mail) {
  co_return co_await async_call<SendOutcome>([&](auto done) { inside_->submit(std::move(mail), std::move(done)); });
}

}  // namespace mydr24::notify
