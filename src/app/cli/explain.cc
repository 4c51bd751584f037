#include <fmt/format.h>

#include <ostream>

#include "app/cli/commands.h"
#include "app/server/server.h"
#include "base/net/client.h"
#include "base/net/uri.h"

namespace mydr24::cli {
namespace {

Result<std::string> ask(const std::string& admin, const std::string& search) {
  net::ClientRequest request;
  MYDR24_ASSIGN(request.url, net::parse_url(fmt::format("{}/explain?search={}", admin, net::percent_encode(search))));
  MYDR24_ASSIGN(auto response, net::send_blocking(std::move(request)));
  if (response.status == 200) return std::move(response.body);
  return fail(Code::invalid, fmt::format("the server answered {}: {}", response.status, response.body), admin);
}

}  // namespace

int run_explain(const ConfigOptions& options, const std::string& search, const std::string& admin,
                const Terminal& terminal) {
  Result<std::string> text;
  if (!admin.empty()) {
    text = ask(admin, search);
  } else {
    const auto config = settings_or_exit(options, terminal);
    if (!config) return config.error();
    const auto workbench = server::open_workbench(config->settings, terminal.clock);
    if (!workbench) return terminal.fail(workbench.error());
    text = server::explain((*workbench)->records(), search);
  }
  if (!text) return terminal.fail(text.error());
  terminal.out << *text << '\n';
  return static_cast<int>(Exit::ok);
}

}  // namespace mydr24::cli
