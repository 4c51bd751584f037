#include "alerting/notify/detail/mail_format.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerting/notify/mailer.h"
#include "base/core/date_time.h"
#include "base/crypto/base64.h"

namespace mydr24::notify {
namespace {

constexpr std::size_t line_max = 76;
constexpr std::size_t word_bytes_max = 42;  // 56 characters of base64 in an encoded word of at most 75

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string without_controls(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(out, is_control, ' ');
  return out;
}

// What may stand between the angle brackets of a Message-ID.
std::string id_text(std::string_view id) {
  std::string out;
  for (const char c : id)
    if (!is_control(c) && static_cast<unsigned char>(c) < 0x7f && c != ' ' && c != '<' && c != '>') out += c;
  return out;
}

std::string mailbox(std::string_view text) {
  const std::size_t open = text.rfind('<');
  if (open == text.npos) return bare_address(text);
  std::string_view name = text.substr(0, open);
  while (name.ends_with(' ')) name.remove_suffix(1);
  if (name.empty()) return bare_address(text);
  std::string plain = header_text(name);
  if (is_ascii(name)) {
    std::erase_if(plain, [](char c) { return c == '"' || c == '\\'; });
    plain = "\"" + plain + "\"";
  }
  return fmt::format("{} <{}>", plain, bare_address(text));
}

void part(std::string& out, std::string_view type, std::string_view text) {
  out += fmt::format("Content-Type: {}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", type);
  out += quoted_printable(text);
}

}  // namespace

std::string bare_address(std::string_view text) {
  const std::size_t open = text.rfind('<');
  if (open != text.npos) {
    text.remove_prefix(open + 1);
    text = text.substr(0, text.find('>'));
  }
  std::string out;
  for (const char c : text)
    if (!is_control(c) && c != ' ' && c != '<' && c != '>') out += c;
  return out;
}

std::string domain_of(std::string_view address) {
  const std::string bare = bare_address(address);
  const std::size_t at = bare.rfind('@');
  return at == bare.npos || at + 1 == bare.size() ? "localhost" : bare.substr(at + 1);
}

std::string quoted_printable(std::string_view text) {
  std::string out;
  std::size_t column = 0;
  const auto put = [&](std::string_view piece) {
    if (column + piece.size() > line_max - 1) {
      out += "=\r\n";
      column = 0;
    }
    out += piece;
    column += piece.size();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r') continue;
    if (c == '\n') {
      out += "\r\n";
      column = 0;
      continue;
    }
    const bool at_end = i + 1 == text.size() || text[i + 1] == '\n' || text[i + 1] == '\r';
    const bool plain = (c > 0x20 && c < 0x7f && c != '=') || (c == ' ' && !at_end);
    put(plain ? std::string(1, c) : fmt::format("={:02X}", static_cast<unsigned char>(c)));
  }
  if (column > 0) out += "\r\n";
  return out;
}

std::string header_text(std::string_view text) {
  const std::string clean = without_controls(text);
  if (is_ascii(clean)) return clean;
  std::string out;
  for (std::size_t i = 0; i < clean.size();) {
    std::size_t end = std::min(i + word_bytes_max, clean.size());
    // Not inside a character.
    while (end < clean.size() && end > i + 1 && (static_cast<unsigned char>(clean[end]) & 0xC0U) == 0x80U) --end;
    if (!out.empty()) out += "\r\n ";
    out += fmt::format("=?UTF-8?B?{}?=", crypto::base64(std::string_view(clean).substr(i, end - i)));
    i = end;
  }
  return out;
}

std::string mail_text(const Mail& mail, Instant date, std::string_view boundary) {
  std::string when = format_http_date(date);
  when.replace(when.size() - 3, 3, "+0000");  // RFC 5322, 3.3: "GMT" is obsolete
  std::string out = fmt::format("Date: {}\r\nFrom: {}\r\nTo: {}\r\nSubject: {}\r\n", when, mailbox(mail.from),
                                mailbox(mail.to), header_text(mail.subject));
  if (!mail.message_id.empty()) out += fmt::format("Message-ID: <{}>\r\n", id_text(mail.message_id));
  if (!mail.references.empty()) {
    out += fmt::format("In-Reply-To: <{}>\r\nReferences:", id_text(mail.references.back()));
    for (const std::string& reference : mail.references) out += fmt::format(" <{}>", id_text(reference));
    out += "\r\n";
  }
  if (mail.urgent) out += "Importance: high\r\nX-Priority: 1\r\n";
  out += "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n";
  if (mail.html.empty()) {
    part(out, "text/plain", mail.text);
    return out;
  }
  out += fmt::format("Content-Type: multipart/alternative; boundary=\"{}\"\r\n\r\n--{}\r\n", boundary, boundary);
  part(out, "text/plain", mail.text);
  out += fmt::format("--{}\r\n", boundary);
  part(out, "text/html", mail.html);
  out += fmt::format("--{}--\r\n", boundary);
  return out;
}

}  // namespace mydr24::notify
