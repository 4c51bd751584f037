#pragma once

// The channels to the outside, made from the settings.

#include <memory>
#include <string>

#include "alerting/notify/ack_token.h"
#include "alerting/notify/address_book.h"
#include "alerting/notify/providers.h"
#include "app/server/settings.h"
#include "base/core/clock.h"
#include "base/core/result.h"
#include "storage/store/store.h"

namespace mydr24::server {

// In this order: what is named first is used by what follows.
struct Notify {
  std::unique_ptr<notify::AckTokens> tokens;
  std::unique_ptr<notify::AddressBook> addresses;
  notify::Providers providers;
};

// Code::invalid: `where` is the setting, as "notify.template_sms". The store must outlive it.
Result<std::unique_ptr<Notify>> make_notify(const Settings& settings, store::Store& store, const Clock& clock);

// Where targets that people enter may lead: server.call_networks. Code::invalid names it.
Result<net::Reach> call_reach(const ServerSection& server, const AccessSection& access);

// What can be said of the section without a store, a file or the network.
Result<> check_notify(const NotifySection& section);

// The first line of a file that holds a secret. Code::invalid names `where`.
Result<std::string> read_secret(const std::string& path, const std::string& where);

}  // namespace mydr24::server
