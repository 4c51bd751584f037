#include <fmt/format.h>

#include <ostream>

#include "app/cli/commands.h"
#include "app/cli/interrupts.h"
#include "app/server/server.h"
#include "base/telemetry/log.h"

namespace mydr24::cli {

int run_serve(const ConfigOptions& options, const Terminal& terminal) {
  const auto config = server_settings_or_exit(options, terminal);
  if (!config) return config.error();
  const server::Settings& settings = config->settings;
  Interrupts interrupts;
  auto system = server::start(settings, terminal.clock);
  if (!system) return terminal.fail(system.error());

  const telemetry::LogSettings log_settings = telemetry::log_settings(settings.log.level, settings.log.format);
  const telemetry::Log log(log_settings, terminal.clock, terminal.out);
  if (log_settings.format == telemetry::Format::text) {
    terminal.out << fmt::format(
        "MyDR24 {}\n"
        "  FHIR      {}/fhir/R4\n"
        "  console   {}/\n"
        "  emergency {}\n"
        "  admin     {}\n"
        "  store     {}\n"
        "Ctrl-C ends it.\n",
        product_version, (*system)->base_url(), (*system)->base_url(),
        (*system)->emergency_url().empty() ? "none" : (*system)->emergency_url(), (*system)->admin_url(),
        settings.store.path);
  } else {
    log.write(telemetry::Level::info, "ready",
              {{"url", (*system)->base_url()},
               {"emergency_url", (*system)->emergency_url()},
               {"admin", (*system)->admin_url()},
               {"version", product_version}});
  }
  terminal.out.flush();

  interrupts.wait();
  log.info("stopping", {{"drain_time_max_ms", settings.server.drain_time_max_ms}});
  (*system)->drain();
  system->reset();
  log.info("stopped");
  return static_cast<int>(Exit::ok);
}

}  // namespace mydr24::cli
