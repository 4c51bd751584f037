#pragma once

// Effects on the world outside the store: HTTP, webhooks, programs.

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/net/client.h"
#include "operations/changes/engine.h"

namespace mydr24::changes {

// Runs a program without a shell, with PATH and nothing else in its environment. Its output, at most
// output_bytes_max of it, when it ends with 0. Code::conflict: it ended otherwise (the end of its output is in the
// text); Code::busy: it was killed, with what it had started, when `time_max` was over or `stopping` was set.
Result<std::string> run_program(const Command& command, std::chrono::milliseconds time_max,
                                const std::atomic<bool>& stopping);
inline constexpr std::size_t output_bytes_max = 64U << 10;

// A header that shows who asks, as long as it is held.
struct Shown {
  std::string header;  // empty: none is needed
  std::string value;
  std::shared_ptr<const void> held;
};

struct OutsideSettings {
  std::function<std::string()> base_url;  // of this server, for paths; empty: not yet known
  net::Reach reach;                       // where absolute URLs may lead
  std::string ca_file;
  std::string version;              // of the software, for User-Agent
  std::function<bool()> is_ending;  // this server: its own paths answer no more; null: it is not
  // Null: there are none.
  std::function<Result<std::int64_t>(const std::string& search)> fhir;
  std::function<std::optional<double>(const std::string& name, const std::string& scope)> metric;
  std::function<std::optional<double>(const std::string& slo)> burn;
  // For that URL or path of this server.
  std::function<Result<Shown>(const std::string& credential, const std::string& url)> credential;
  // Of the policy: what scaling runs. Null: there are none.
  std::function<Result<Command>(const std::string& name)> command;
};

// A request is waited for at most this long, whatever its time limit: stop() does not end it.
inline constexpr std::chrono::seconds request_time_max{30};

class Outside : public Effects {
 public:
  explicit Outside(OutsideSettings settings) : settings_(std::move(settings)) {}
  // What runs ends soon, programs at once, and decides nothing any more.
  void stop() { stopping_ = true; }

  Result<Answer> http(const Check& check) override;
  Result<> webhook(const Step& step, std::string_view delivery) override;
  Result<std::string> command(const Command& command, std::chrono::milliseconds time_max) override;
  Result<std::int64_t> read_scale(const Scale& scale, std::chrono::milliseconds time_max) override;
  Result<> set_scale(const Scale& scale, std::int64_t number, std::string_view delivery,
                     std::chrono::milliseconds time_max) override;
  Result<std::int64_t> fhir(const std::string& search) override;
  std::optional<double> metric(const std::string& name, const std::string& scope) override;
  std::optional<double> burn(const std::string& slo) override;
  bool stopping() const override { return stopping_ || (settings_.is_ending && settings_.is_ending()); }

 private:
  // Who wrote the URL: a plan's leads where settings.reach allows, the operator's anywhere.
  enum class By : std::uint8_t { plan, policy };
  Result<net::ClientResponse> send(net::ClientRequest request, const std::string& url,
                                   const std::string& credential = {}, By by = By::plan) const;

  const OutsideSettings settings_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace mydr24::changes
