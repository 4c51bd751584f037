#pragma once

// Settings of the platform that change while it runs: thresholds, limits, switches. Each is defined by the module
// that it is about, with type, range and default; every change is a version in the store that says who, why and by
// which change, and any version can be put back.
//
// Invariants
// - A value that is in force was checked against its definition.
// - The value of a process is the one of the narrowest scope that it belongs to; without any, the default.
// - Every process on the store applies a value after its commit; a process that starts applies what is in force.
//
// In the store: space "live_settings", "now/NAME" and "past/NAME/VERSION".
// Event: setting.changed {"setting", "version"}.

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "storage/store/store.h"

namespace mydr24::live_settings {

enum class Type : std::uint8_t { integer, number, boolean, word };
std::string_view to_string(Type type);

struct Definition {
  std::string name;  // "alerting.clear_days": letters, digits, '_' and '.'
  Type type = Type::integer;
  std::string unit;  // "s", "days", "MiB"; may be empty
  double low = 0;    // of integer and number: the range, both ends included
  double high = 0;
  std::vector<std::string> words;  // of word: what it may be
  std::string standard;            // the default, as text
  std::string about;               // a sentence
  std::string module;              // who applies it: "alerting/alerts"
  bool emergency = false;          // emergencies pass what it changes
  bool routine = false;            // a change of it by itself is of low risk: a standard change may make it
  // In every process after the commit, and at the start. Must be quick and must not call back. An error is a fault
  // of the process: the value is in force all the same. Null: `within` does it.
  std::function<Result<>(const std::string& value)> apply;
  // In the transaction that sets it, for what the store itself keeps; such a setting has the scope "all" only. An
  // error refuses the change. `value`: also the default when the setting goes back to none.
  std::function<Result<>(store::Transaction&, const std::string& value, std::string_view by)> within;
  // With `within`: what the store keeps now, which others may have changed too.
  std::function<Result<std::string>(store::Reader&)> read;
};

// "all", "lab", "non-clinical", or "ward/", "region/", "tenant/" and a name of 1 to 64 letters, digits, '-', '_',
// '.'.
inline constexpr std::string_view everywhere = "all";
bool is_scope(std::string_view text);
// How far a scope exposes: lab 0, non-clinical 1, ward 2, region 3, tenant 4, all 5.
int exposure_of(std::string_view scope);

// Values by scope; what is not here is as the default.
using Values = std::map<std::string, std::string, std::less<>>;

struct Version {
  std::string setting;
  int version = 0;  // 0: never changed
  Values values;
  std::string by, why, change;  // change: id of the change that made it; empty: none did
  Instant at;
};
std::string to_json(const Version& version);

struct Set {
  std::string setting;
  std::string scope{everywhere};
  std::optional<std::string> value;  // none: as wider scopes, or the default
  std::string by, why, change;
};

inline constexpr std::size_t scopes_max = 100;  // of one setting
inline constexpr std::size_t text_bytes_max = 1'000;

class Registry : public store::Follower {
 public:
  // `scopes`: what this process belongs to beside "all". `failed`: told of values that could not be applied.
  explicit Registry(store::Store& store, std::set<std::string> scopes = {},
                    std::function<void(std::string_view setting, const Error& error)> failed = {});

  // Before attach(). Code::invalid: a definition that contradicts itself, or a name that is taken.
  Result<> add(Definition definition);
  const std::map<std::string, Definition, std::less<>>& definitions() const { return definitions_; }
  // Before the store's first submit: follows changes from then on.
  void attach() { store_.add_follower(*this); }
  // Applies what is in force. At the start, after attach().
  Result<> load();

  // The value as it is kept ("007" is "7"). Code::not_found: no such setting; Code::invalid says what it may be.
  Result<std::string> check(std::string_view setting, std::string_view scope, std::string_view value) const;
  // The version in force; first a new one when others have changed what the store keeps, so that it can be put back.
  Result<Version> settled(store::Transaction& transaction, std::string_view setting) const;
  // A new version. The same value again is one too.
  Result<Version> set(store::Transaction& transaction, const Set& set) const;
  // A new version with the values of that one; 0: the default everywhere. Code::not_found.
  Result<Version> put_back(store::Transaction& transaction, std::string_view setting, int version, std::string_view by,
                           std::string_view why, std::string_view change) const;
  // The one in force: version 0 when it never was changed. Code::not_found: no such setting.
  Result<Version> current(store::Reader& reader, std::string_view setting) const;
  // Newest first, at most `count`.
  Result<std::vector<Version>> history(store::Reader& reader, std::string_view setting, std::uint32_t count) const;

  // What this process has applied, and of which version.
  std::string value(std::string_view setting) const;
  int applied_version(std::string_view setting) const;

  std::string_view name() const override { return "live_settings"; }
  bool in_every_process() const override { return true; }
  Result<> begin() override { return load(); }
  Result<> follow(std::span<const store::Event> events) override;

 private:
  const Definition* find(std::string_view setting) const;
  std::string value_of(const Definition& definition, const Values& values) const;
  Result<Version> kept(store::Reader& reader, std::string_view setting) const;
  Result<Version> record(store::Transaction& transaction, Version next) const;
  Result<Version> write(store::Transaction& transaction, const Definition& definition, Version next) const;
  void apply(const Definition& definition, const Version& version);

  store::Store& store_;
  const std::set<std::string> scopes_;
  const std::function<void(std::string_view, const Error&)> failed_;
  std::map<std::string, Definition, std::less<>> definitions_;
  struct Applied {
    int version = -1;  // none yet
    std::string value;
  };
  mutable std::mutex mutex_;  // guards applied_
  std::mutex applying_;
  std::map<std::string, Applied, std::less<>> applied_;
};

}  // namespace mydr24::live_settings
