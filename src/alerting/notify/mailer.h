#pragma once

// Sends mail to one SMTP submission server (RFC 6409) on a thread of its own: no caller's thread waits for the network.
//
// Invariants
// - Every send() ends: delivered, refused or failed, at the latest after time_max, also when the server hangs.
// - A mail's header never holds a line end that a value brought along.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/notify/channel.h"
#include "base/async/task.h"
#include "base/core/clock.h"
#include "base/core/result.h"

namespace mydr24::notify {

enum class MailTls : std::uint8_t {
  required,       // STARTTLS, or no mail
  implicit,       // TLS from the first byte (port 465)
  opportunistic,  // STARTTLS when the server offers it
  none,           // plain: on loopback
};

struct MailerSettings {
  std::string host;
  std::uint16_t port = 587;
  MailTls tls = MailTls::required;
  std::string ca_file;  // in place of the system's certificates
  std::string user;     // empty: no AUTH
  std::string password;
  std::string hello;                           // our name in EHLO; empty: the machine's
  std::chrono::milliseconds time_max{10'000};  // one mail, from the connection to the last answer
  std::size_t transfers_max = 16;              // at the same time
  std::size_t waiting_max = 10'000;            // beyond: failed at once
};

struct Mail {
  std::string from;  // "Name <a@b>" or "a@b"
  std::string to;    // "a@b"
  std::string subject;
  std::string text;
  std::string html;                     // empty: plain text only
  std::string message_id;               // without angle brackets
  std::vector<std::string> references;  // without angle brackets, oldest first; the last one is In-Reply-To
  bool urgent = false;                  // marked so, and sent before others that wait
};

// The mail as it goes over the wire (RFC 5322, MIME), CRLF line ends. `boundary` separates its two forms.
std::string mail_text(const Mail& mail, Instant date, std::string_view boundary);

class Mailer {
 public:
  // Code::invalid: no host. Starts the thread.
  static Result<std::unique_ptr<Mailer>> make(MailerSettings settings, const Clock& clock);
  // Sends that are under way end failed.
  ~Mailer();
  Mailer(const Mailer&) = delete;
  Mailer& operator=(const Mailer&) = delete;

  // From any thread; goes on on the caller's. 2xx delivered; a 5xx answer and a refused login are refused; no connection,
  // no time, no TLS and 4xx are failed. http_status is the last SMTP reply code.
  Task<SendOutcome> send(Mail mail);

 private:
  struct Inside;
  explicit Mailer(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace mydr24::notify
