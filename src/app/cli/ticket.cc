#include <fmt/format.h>

#include <ostream>

#include "app/cli/commands.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"
#include "guard/admission/ticket.h"

namespace mydr24::cli {
namespace {

// A ticket cannot be taken back: one that is lost ends with the day.
constexpr std::chrono::hours valid_max{24};

Result<RequestClass> class_of(std::string_view name) {
  for (const auto each :
       {RequestClass::emergency, RequestClass::urgent, RequestClass::routine, RequestClass::background}) {
    if (to_string(each) == name) return each;
  }
  return fail(Code::invalid, fmt::format("there is no class \"{}\"", name), "--class");
}

struct Issued {
  std::string text;
  Instant expires;
};

Result<Issued> issue(const TicketOptions& options, const std::string& key_file, Instant now) {
  if (key_file.empty()) {
    return fail(Code::invalid, "no key signs tickets: set admission.ticket_key_file or give --key-file",
                "admission.ticket_key_file");
  }
  MYDR24_ASSIGN(const auto raises_to, class_of(options.raises_to));
  MYDR24_ASSIGN(const auto valid, parse_duration(options.valid));
  if (valid < std::chrono::seconds(1) || valid > valid_max)
    return fail(Code::invalid, fmt::format("{} is not between 1s and 24h", options.valid), "--valid");
  MYDR24_ASSIGN(const auto key, admission::read_ticket_key(key_file));
  Issued issued{.text = {}, .expires = now + valid};
  MYDR24_ASSIGN(issued.text, admission::issue_ticket(key, raises_to, options.tenant, issued.expires));
  return issued;
}

}  // namespace

int run_ticket(const TicketOptions& options, const Terminal& terminal) {
  std::string key_file = options.key_file;
  if (key_file.empty()) {
    const auto config = server_settings_or_exit(options.config, terminal);
    if (!config) return config.error();
    key_file = config->settings.admission.ticket_key_file;
  }
  const auto issued = issue(options, key_file, terminal.clock.now());
  if (!issued) return terminal.fail(issued.error());
  if (terminal.json) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("schema", "mydr24.ticket.v1").field("ticket", issued->text);
    writer.field("class", options.raises_to).field("tenant", options.tenant);
    writer.field("expires", format_instant(issued->expires)).end_object();
    terminal.out << text << '\n';
  } else {
    terminal.out << issued->text << '\n';
  }
  return static_cast<int>(Exit::ok);
}

}  // namespace mydr24::cli
