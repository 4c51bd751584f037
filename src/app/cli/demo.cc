#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <ostream>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "app/cli/commands.h"
#include "app/cli/course.h"
#include "app/cli/interrupts.h"
#include "app/cli/store_place.h"
#include "app/demo/show.h"
#include "app/server/server.h"
#include "base/json/writer.h"
#include "storage/postgres/postgres.h"

namespace mydr24::cli {

namespace {

constexpr std::string_view marker_name = ".mydr24-demo";

std::filesystem::path default_folder() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data == '/') {
    return std::filesystem::path(data) / "mydr24" / "demo";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    return std::filesystem::path(home) / ".local" / "share" / "mydr24" / "demo";
  }
  return std::filesystem::temp_directory_path() / "mydr24-demo";
}

// Makes the folder anew. Only a folder that a demo made, or an empty one, is ever removed: the marker tells.
Result<> make_folder(const std::filesystem::path& folder, bool keep) {
  std::error_code problem;
  const bool there = std::filesystem::exists(folder, problem);
  const bool empty =
      !there || (std::filesystem::is_directory(folder, problem) && std::filesystem::is_empty(folder, problem));
  const bool ours = std::filesystem::exists(folder / marker_name, problem);
  if (!empty && !ours) {
    return fail(Code::conflict, "holds data that no demo made: take another folder with --data", folder.string());
  }
  if (there && !keep) std::filesystem::remove_all(folder, problem);
  if (!problem) std::filesystem::create_directories(folder, problem);
  if (problem) return fail(Code::invalid, fmt::format("cannot be made: {}", problem.message()), folder.string());
  ::chmod(folder.c_str(), 0700);
  std::ofstream marker(folder / marker_name);
  marker << "Made by `mydr24 demo`: removed and made anew at its next start.\n";
  if (!marker) return fail(Code::invalid, "cannot be written", folder.string());
  return {};
}

// The people of the demo who are called about patients, in their order.
constexpr std::string_view people[] = {"ward nurse", "registrar"};

// The pager that records has the port behind those of the three listeners.
Result<std::unique_ptr<demo::Show>> make_show(const DemoOptions& options, const Clock& clock) {
  demo::ShowSettings settings{.pace = options.pace, .binary = std::filesystem::read_symlink("/proc/self/exe")};
  if (options.pace > 0 && options.port > 0 && options.port <= 65'532)
    settings.pager_port = static_cast<std::uint16_t>(options.port + 3);
  try {
    return std::make_unique<demo::Show>(settings, clock);
  } catch (const std::runtime_error& error) {
    return fail(Code::invalid, fmt::format("{}: take another --port", error.what()), "pager");
  }
}

server::Settings demo_settings(const DemoOptions& options, const demo::Show& show,
                               const std::filesystem::path& folder) {
  server::Settings settings;
  settings.server.listen = fmt::format("127.0.0.1:{}", options.port);
  settings.server.admin =
      fmt::format("127.0.0.1:{}", options.port == 0 || options.port == 65'535 ? 0 : options.port + 1);
  settings.store.path = folder.string();
  settings.store.url = options.store;
  settings.log.level = "warn";
  settings.demo = true;
  settings.console = {.site = "Demo hospital", .zone = options.zone};
  settings.access.mode = "off";  // nothing in it is real, and it is on this machine only
  for (const std::string_view who : people) {
    settings.alerting.contacts.push_back(
        {std::string(who), options.pace > 0 ? show.pager_url(who) : std::string(), std::string()});
    settings.alerting.steps.push_back({std::string(who)});
  }
  return settings;
}

// With a script it moves the patients; without one they fall ill by themselves, the first at once.
HospitalSettings hospital_settings(const DemoOptions& options) {
  using std::chrono::seconds;
  if (options.pace <= 0)
    return {
        .patients = options.patients, .first_onset = seconds(2), .onset_interval = seconds(30), .decline = seconds(45)};
  const auto paced = [&options](int life) { return seconds(std::max(1, static_cast<int>(life / options.pace))); };
  return {.patients = options.patients,
          .deteriorating = 0,
          .decline = paced(120),
          .plateau = std::chrono::hours(24),
          .recovery = paced(60)};
}

CourseSettings course_settings(const DemoOptions& options) {
  CourseSettings settings;
  if (options.pace > 1)
    settings.interval =
        std::max(std::chrono::milliseconds(1000), std::chrono::milliseconds(static_cast<int>(5000 / options.pace)));
  return settings;
}

// The hospital's life, on a thread of its own, until stopped.
class DemoHospital {
 public:
  DemoHospital(const DemoOptions& options, records::Records& records, const Clock& clock)
      : clock_(clock),
        course_(course_settings(options)),
        sink_(sink_to_records(records)),
        start_(clock.now()),
        hospital_(hospital_settings(options), start_) {}
  ~DemoHospital() { stop(); }

  Result<> admit() { return admit_all(hospital_, *sink_, counts_); }

  void begin() {
    thread_ = std::thread([this] {
      const auto pause = [this](std::chrono::milliseconds time) {
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, time, [this] { return stopping_; })) return true;
        for (const auto& [number, worse] : moves_) worse ? hospital_.worsen(number) : hospital_.treat(number);
        moves_.clear();
        return false;
      };
      // One failed round (a queue that is full for a moment) does not end the demo.
      while (!pause(std::chrono::milliseconds(0))) {
        result_ = run_course(hospital_, *sink_, course_, clock_, start_, pause, counts_);
        if (!result_ && pause(std::chrono::seconds(1))) return;
      }
    });
  }

  // What the script moves; at the beginning of the next round.
  demo::Ward ward() {
    const auto move = [this](std::size_t number, bool worse) {
      const std::lock_guard lock(mutex_);
      moves_.emplace_back(number, worse);
    };
    return {.patients = hospital_.patients(),
            .id = [this](std::size_t number) { return hospital_.patient_id(number); },
            .worsen = [move](std::size_t number) { move(number, true); },
            .treat = [move](std::size_t number) { move(number, false); }};
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  // After stop().
  const CourseCounts& counts() const { return counts_; }
  const Result<>& result() const { return result_; }

 private:
  const Clock& clock_;
  const CourseSettings course_;
  std::unique_ptr<HospitalSink> sink_;
  Instant start_;
  Hospital hospital_;
  CourseCounts counts_;
  Result<> result_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::size_t, bool>> moves_;  // patient, to the worse
  bool stopping_ = false;
  std::thread thread_;
};

Result<std::int64_t> count(store::Store& store, std::string_view type) {
  std::int64_t number = 0;
  MYDR24_TRY(store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(number, reader.count_resources(type));
    return {};
  }));
  return number;
}

// Whoever reaches a demo sees and changes everything: it takes an empty database, and with --keep one that a demo filled.
Result<> check_database(const DemoOptions& options, const Clock& clock) {
  if (!is_url(options.store)) return fail(Code::invalid, "is no postgres:// URL", options.store);
  MYDR24_ASSIGN(const auto migrations, postgres::migrations(options.store));
  if (std::ranges::none_of(migrations, &postgres::Migration::applied)) return {};
  MYDR24_ASSIGN(const auto store, open_place(options.store, "", true, clock));
  MYDR24_ASSIGN(const std::int64_t resources, count(*store, ""));
  if (resources == 0) return {};
  const std::string place = shown_place(options.store);
  if (!options.keep)
    return fail(Code::conflict, "holds data: name an empty database, or --keep what a demo left", place);
  const std::string first = Hospital(hospital_settings(options), clock.now()).patient_id(0);
  bool ours = false;
  MYDR24_TRY(store->read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto patient, reader.current_head("Patient", first));
    ours = patient.has_value();
    return {};
  }));
  if (!ours) return fail(Code::conflict, "holds data that no demo made: name an empty database", place);
  return {};
}

void say_ready(server::System& system, const server::Settings& settings, std::chrono::duration<double> time,
               const Terminal& terminal) {
  const std::int64_t patients = count(system.store(), "Patient").value_or(0);
  const std::int64_t resources = count(system.store(), "").value_or(0);
  const std::string url = system.base_url();
  if (terminal.json) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("schema", "mydr24.demo.v1").field("url", url).field("admin", system.admin_url());
    writer.field("patients", patients).field("resources", resources).field("note", "demo data, no real patients");
    writer.end_object();
    terminal.out << text << '\n';
  } else {
    terminal.out << fmt::format(
        "MyDR24 {}  {}\n"
        "  store    {}  {} patients, {} resources  ({:.1f} s)\n"
        "  console  {}/\n"
        "  FHIR     {}/fhir/R4\n"
        "  admin    {}\n"
        "  try      curl '{}/fhir/R4/Patient?_count=3'\n"
        "           curl '{}/metrics'\n"
        "           mydr24 simulate --scenario mass-casualty --server {} --emergency-server {}\n",
        product_version, terminal.paint("yellow", "demo data, no real patients", true),
        settings.store.url.empty() ? settings.store.path : shown_place(settings.store.url), grouped(patients),
        grouped(resources), time.count(), url, url, system.admin_url(), url, system.admin_url(), url,
        system.emergency_url());
    terminal.err << terminal.paint("yellow", "DEMO: simulated patients, no security, no promise to keep the data.")
                 << " Do not put real patients in. Ctrl-C ends it.\n";
  }
  terminal.out.flush();
  terminal.err.flush();
}

}  // namespace

int run_demo(const DemoOptions& options, const Terminal& terminal) {
  std::chrono::milliseconds time_max{0};
  if (!options.stop_after.empty()) {
    const auto parsed = parse_duration(options.stop_after);
    if (!parsed) return terminal.fail(Exit::usage, parsed.error());
    time_max = *parsed;
  }
  const std::filesystem::path folder = options.data.empty() ? default_folder() : std::filesystem::path(options.data);
  if (!options.store.empty()) {
    if (const auto checked = check_database(options, terminal.clock); !checked) return terminal.fail(checked.error());
  }
  if (const auto made = make_folder(folder, options.keep); !made) return terminal.fail(made.error());

  Interrupts interrupts;
  const auto began = terminal.clock.steady();
  const auto show = make_show(options, terminal.clock);
  if (!show) return terminal.fail(show.error());
  const server::Settings settings = demo_settings(options, **show, folder);
  auto system =
      server::start(settings, terminal.clock, [&show](pipeline::Router& router) { (*show)->add_routes(router); });
  if (!system) return terminal.fail(system.error());

  DemoHospital hospital(options, (*system)->records(), terminal.clock);
  // With --keep the patients are there already: admitting them again would change their dates.
  if (count((*system)->store(), "Encounter").value_or(0) < options.patients) {
    if (const auto admitted = hospital.admit(); !admitted) return terminal.fail(admitted.error());
  }
  say_ready(**system, settings, terminal.clock.steady() - began, terminal);
  hospital.begin();
  const auto say = [&terminal](const std::string& line) {
    if (!terminal.json) terminal.err << line << std::endl;
  };
  if (const auto begun = (*show)->begin((*system)->base_url(), (*system)->emergency_url(), hospital.ward(), say);
      !begun)
    return terminal.fail(begun.error());
  if (time_max.count() > 0) {
    interrupts.wait_for(time_max);
  } else {
    interrupts.wait();
  }
  (*show)->stop();
  hospital.stop();
  (*system)->drain();
  system->reset();
  if (!hospital.result()) return terminal.fail(hospital.result().error());
  if (!terminal.json) {
    terminal.err << fmt::format("{} observations in {} rounds. Bye.\n", grouped(hospital.counts().observations),
                                grouped(hospital.counts().rounds));
  }
  return static_cast<int>(Exit::ok);
}

}  // namespace mydr24::cli
