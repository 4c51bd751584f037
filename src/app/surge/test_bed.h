#pragma once

// The server under test: `mydr24 serve` pinned to a processor of its own, in one of three modes, on data made once.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "app/load/process.h"
#include "app/surge/wire.h"

namespace mydr24::surge {

enum class Mode : std::uint8_t {
  naive,         // admission off: one listener, one queue, nothing is refused
  full,          // admission with the rights that this process has
  unprivileged,  // admission without CAP_SYS_NICE
};
inline constexpr std::size_t mode_count = 3;
std::string_view to_string(Mode mode);
std::optional<Mode> parse_mode(std::string_view name);

// Patients of the loads: ids "p-0" ... with a few Observations each, and "a-0" ... for the alarms.
inline constexpr std::size_t patients = 1000;
inline constexpr std::size_t alarm_patients = 4000;
inline constexpr std::string_view patient_prefix = "p";
inline constexpr std::string_view alarm_prefix = "a";

// A data folder with the patients, and a certificate, made once for all servers of a bench.
class Stage {
 public:
  static Result<std::unique_ptr<Stage>> make(const std::filesystem::path& binary);

  const std::filesystem::path& binary() const { return binary_; }
  std::filesystem::path data() const { return folder_.path() / "stage"; }
  std::filesystem::path certificate_file() const { return folder_.path() / "certificate.pem"; }
  std::filesystem::path key_file() const { return folder_.path() / "key.pem"; }

 private:
  explicit Stage(std::filesystem::path binary) : binary_(std::move(binary)) {}
  std::filesystem::path binary_;
  load::TempFolder folder_;
};

struct BedOptions {
  Mode mode = Mode::full;
  int cpu = -1;
  bool tls = false;
  bool empty = false;       // no patients
  bool access = false;      // access control and audit on: requests show the token of a nurse's application
  std::string webhook_url;  // of the contact that alerts call; empty: the console only
};

class TestBed {
 public:
  static Result<std::unique_ptr<TestBed>> start(const Stage& stage, const BedOptions& options);

  load::Server& server() { return *server_; }
  // Where emergencies go: their own listener, when the mode has one.
  const load::Endpoint& emergency() const { return server_->emergency(); }
  const load::Endpoint& general() const { return server_->endpoint(); }
  // A line of the head, with its CRLF; empty without access control.
  const std::string& authorization() const { return authorization_; }
  const std::filesystem::path& folder() const { return folder_.path(); }  // where its data lie

 private:
  TestBed() = default;
  load::TempFolder folder_;
  std::optional<load::Server> server_;
  std::string authorization_;
};

}  // namespace mydr24::surge
