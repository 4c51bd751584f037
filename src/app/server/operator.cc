// What the owner of the data folder may tell a running server besides identities: explanations, legal holds, breaches,
// the record of processing. In the name of "operator/NAME", by what the command says.

#include <fmt/format.h>

#include "app/server/access_control.h"
#include "app/server/processing_record.h"
#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::server {
Result<std::string> AccessControl::operate(json::Value command) {
  const std::string name(command["do"].text());
  const auto by = fmt::format("operator/{}", command["by"].text().substr(0, 64));
  auto& store = parts_.desk.records.store();
  const auto changed = [&](const auto& step) -> Result<std::string> {
    std::string text;
    MYDR24_TRY(store.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(const auto breach, step(transaction));
      text = breach::to_json(breach);
      return {};
    }));
    return text;
  };
  if (name == "access.explain") {
    return explain({.as = std::string(command["as"].text()),
                    .method = std::string(command["method"].text()),
                    .path = std::string(command["path"].text())},
                   nullptr);
  }
  if (name == "compliance.record") return processing_record();
  const auto holds = [this]() -> Result<std::string> {
    MYDR24_ASSIGN(const auto all, audit_->holds());
    return audit::to_json(all);
  };
  if (name == "audit.holds") return holds();
  if (name == "audit.hold") {
    MYDR24_ASSIGN(const auto until, audit::time_of(command["until"].text(), "until"));
    MYDR24_TRY(audit_->hold(command["patient"].text(), command["reason"].text(), by, until));
    return holds();
  }
  if (name == "audit.release") {
    MYDR24_TRY(audit_->release(command["patient"].text(), command["reason"].text(), by));
    return holds();
  }
  if (name == "breach.open") {
    MYDR24_ASSIGN(const auto breach, breach::breach_of(command, parts_.desk.clock.now()));
    MYDR24_ASSIGN(const auto affected, breach::find_affected(audit_->trail(), breach.accesses));
    return changed([&](store::Transaction& transaction) { return breaches_->open(transaction, breach, affected, by); });
  }
  if (name == "breach.close") {
    return changed([&](store::Transaction& transaction) {
      return breaches_->close(transaction, command["id"].text(), command["outcome"].text(), by);
    });
  }
  if (name == "breach.list") {
    constexpr std::uint32_t list_max = 1'000;
    std::string text;
    json::Writer out(text);
    out.begin_object().key("breaches").begin_array();
    MYDR24_TRY(store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto breaches, breaches_->list(reader, list_max));
      for (const auto& each : breaches) out.raw(breach::to_json(each));
      return {};
    }));
    out.end_array().end_object();
    return text;
  }
  return fail(Code::unsupported, "is no command", "do");
}

Result<std::string> AccessControl::processing_record() {
  std::vector<identity::Client> clients;
  constexpr std::uint32_t page = 500;
  MYDR24_TRY(parts_.desk.records.store().read([&](store::Reader& reader) -> Result<> {
    for (;;) {
      MYDR24_ASSIGN(auto more, identity::clients::list(reader, clients.empty() ? "" : clients.back().id, page));
      const bool ended = more.size() < page;
      std::ranges::move(more, std::back_inserter(clients));
      if (ended) return {};
    }
  }));
  return server::processing_record(parts_.desk.settings, *gatekeeper_->policy(), clients, parts_.desk.clock.now());
}

}  // namespace mydr24::server
