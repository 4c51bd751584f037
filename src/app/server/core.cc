#include "app/server/core.h"

#include <fmt/format.h>

#include "app/server/notify.h"
#include "app/server/vitals.h"
#include "clinical/records/rewrite.h"
#include "storage/postgres/postgres.h"
#include "storage/sqlite/sqlite.h"

namespace mydr24::server {
namespace {

Result<oncall::Directory> make_directory(const AlertingSection& section) {
  oncall::Settings settings{.escalate_after = std::chrono::seconds(section.escalate_after_s)};
  for (std::size_t i = 0; i < section.contacts.size(); ++i) {
    const auto& contact = section.contacts[i];
    oncall::SettingsContact made{.name = contact.name, .channels = {{.kind = notify::Kind::console}}};
    if (!contact.webhook_url.empty()) {
      notify::Address webhook{.kind = notify::Kind::webhook, .target = contact.webhook_url, .secret = {}};
      if (!contact.webhook_secret_file.empty()) {
        MYDR24_ASSIGN(webhook.secret, read_secret(contact.webhook_secret_file,
                                                  fmt::format("alerting.contacts[{}].webhook_secret_file", i)));
      }
      made.channels.push_back(std::move(webhook));
    }
    settings.contacts.push_back(std::move(made));
  }
  for (const auto& step : section.steps) settings.steps.push_back({step});
  if (settings.steps.empty() && !settings.contacts.empty()) {
    oncall::SettingsStep everybody;
    for (const auto& contact : settings.contacts) everybody.contacts.push_back(contact.name);
    settings.steps.push_back(std::move(everybody));
  }
  auto made = oncall::Directory::make(settings);
  if (made) return made;
  // The settings are called [alerting] in the file.
  auto error = std::move(made).error();
  if (error.where.starts_with("oncall.")) error.where.replace(0, 6, "alerting");
  return error;
}

// Without a slash at the end.
std::vector<std::string> own_bases(const ServerSection& section) {
  std::vector<std::string> bases;
  for (auto& url : list_of(section.base_url + "," + section.own_urls)) {
    while (url.ends_with('/')) url.pop_back();
    if (url.empty()) continue;
    bases.push_back(url + "/fhir/R4");
    bases.push_back(url + "/fhir");  // the same
  }
  return bases;
}

conformance::Settings conformance_settings(const Settings& settings) {
  const auto& section = settings.validation;
  return {.packages = list_of(section.packages),
          .own_bases = own_bases(settings.server),
          .checks = {.bindings = section.bindings == "on",
                     .invariants = section.invariants == "on",
                     .profiles = section.profiles == "on"}};
}

sqlite::Settings store_settings(const StoreSection& section, const telemetry::Log& log) {
  sqlite::Settings settings;
  settings.folder = section.path;
  settings.writer_cache_bytes = static_cast<std::size_t>(section.cache_mib) << 20;
  settings.reader_cache_bytes = static_cast<std::size_t>(section.reader_cache_mib) << 20;
  settings.log = [&log](telemetry::Level level, std::string_view line) {
    log.write(level, "store", {{"detail", line}});
  };
  return settings;
}

Result<std::unique_ptr<store::Store>> open_store(const Settings& all, const telemetry::Log& log, const Clock& clock,
                                                 ThreadWeights& weights, bool serves) {
  const StoreSection& section = all.store;
  const auto writer_begun = [&weights] { weights.begin(ThreadKind::writer, 0); };
  const auto line = [&log](telemetry::Level level, std::string_view text) {
    log.write(level, "store", {{"detail", text}});
  };
  if (section.url.empty()) {
    auto settings = store_settings(section, log);
    settings.writer_begun = writer_begun;
    settings.key_file = all.encryption.key_file;
    if (!serves) sqlite::settle_for_bulk(settings);
    return sqlite::open(settings, clock);
  }
  postgres::Settings settings;
  settings.url = section.url;
  settings.read_urls = list_of(section.read_urls);
  settings.may_lead = serves;
  settings.log = line;
  settings.writer_begun = writer_begun;
  return postgres::open(settings, clock);
}

}  // namespace

Core::~Core() {
  if (summaries) summaries->stop();
  if (conformance) conformance->stop();
  store.reset();
}

Result<> Core::open(const Settings& settings, const telemetry::Log& log, ThreadWeights& weights, const Clock& clock,
                    bool serves) {
  MYDR24_ASSIGN(auto made, make_directory(settings.alerting));
  directory = std::make_unique<oncall::Directory>(std::move(made));
  book = std::make_unique<alerts::Book>(*directory);
  watch = std::make_unique<vitals::Watch>(*book, watch_settings(settings.vitals));
  MYDR24_ASSIGN(store, open_store(settings, log, clock, weights, serves));
  records = std::make_unique<records::Records>(*store, clock);
  conformance = std::make_unique<conformance::Conformance>(*records, log);
  summaries = std::make_unique<summary::Summaries>(*records);
  consents = std::make_unique<consents::Consents>(*records);
  records->add_reaction(*watch);
  records->add_reaction(*conformance);
  records->add_reaction(*summaries);
  records->add_reaction(*consents);
  book->attach(*store);
  MYDR24_TRY(directory->load(*store));
  watch->attach(*store);
  auto definitions = conformance_settings(settings);
  definitions.keeps_own_bases = !serves;
  MYDR24_TRY(conformance->start(definitions));
  store->add_follower(*conformance);
  return {};
}

}  // namespace mydr24::server
