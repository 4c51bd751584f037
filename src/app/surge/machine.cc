#include "app/surge/machine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <sstream>
#include <thread>

#include "app/load/process.h"

namespace mydr24::surge {
namespace {

namespace fs = std::filesystem;

// /proc/stat, proc(5): user nice system idle iowait irq softirq steal, in ticks.
void read_processor(int cpu, MachineSample& sample) {
  const double tick_s = 1.0 / static_cast<double>(::sysconf(_SC_CLK_TCK));
  const std::string name = fmt::format("cpu{} ", cpu);
  std::istringstream lines(load::read_text("/proc/stat"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name)) continue;
    std::istringstream words(line.substr(name.size()));
    double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
    words >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal;
    sample.busy_s = (user + nice + system + irq + softirq) * tick_s;
    sample.steal_s = steal * tick_s;
    return;
  }
}

void read_threads(pid_t server, MachineSample& sample) {
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/task", server), problem)) {
    std::string name = load::read_text(entry.path() / "comm");
    while (!name.empty() && (name.back() == '\n' || name.back() == '-' || (name.back() >= '0' && name.back() <= '9')))
      name.pop_back();
    // schedstat: nanoseconds on a processor, then waiting for one.
    sample.threads_s[name] += std::strtod(load::read_text(entry.path() / "schedstat").c_str(), nullptr) / 1e9;
  }
}

}  // namespace

MachineSample sample_machine(pid_t server, int cpu, const Clock& clock) {
  MachineSample sample;
  sample.at = clock.steady();
  read_processor(cpu, sample);
  clockid_t process{};
  timespec time{};
  if (::clock_getcpuclockid(server, &process) == 0 && ::clock_gettime(process, &time) == 0)
    sample.server_s = static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  read_threads(server, sample);
  return sample;
}

MachineUse between(const MachineSample& begin, const MachineSample& end) {
  MachineUse use;
  use.seconds = std::chrono::duration<double>(end.at - begin.at).count();
  use.server_s = end.server_s - begin.server_s;
  if (use.seconds > 0) {
    use.foreign = std::max(0.0, end.busy_s - begin.busy_s - use.server_s) / use.seconds;
    use.steal = (end.steal_s - begin.steal_s) / use.seconds;
  }
  for (const auto& [name, seconds] : end.threads_s) {
    const auto before = begin.threads_s.find(name);
    use.threads_s[name] = seconds - (before == begin.threads_s.end() ? 0 : before->second);
  }
  return use;
}

DiskWitness::DiskWitness(const std::filesystem::path& folder)
    : thread_([this, file = folder / "witness"](const std::stop_token& stop) { run(stop, file); }) {}

void DiskWitness::run(const std::stop_token& stop, const std::filesystem::path& file) {
  constexpr std::chrono::milliseconds pause{200};
  constexpr std::array<char, 4096> page{};
  const int fd = ::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return;
  // The first one gives the file its room on the disk, which the others only write again, as commits into a log do.
  for (bool first = true; !stop.stop_requested(); first = false) {
    const auto begin = std::chrono::steady_clock::now();
    if (::pwrite(fd, page.data(), page.size(), 0) != static_cast<ssize_t>(page.size()) || ::fdatasync(fd) != 0) break;
    if (!first) flushes_.record(std::chrono::steady_clock::now() - begin);
    std::this_thread::sleep_for(pause);
  }
  ::close(fd);
}

load::Histogram DiskWitness::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  return flushes_;
}

ProcessorWitness::ProcessorWitness(int cpu) : thread_([this, cpu](const std::stop_token& stop) { run(stop, cpu); }) {}

void ProcessorWitness::run(const std::stop_token& stop, int cpu) {
  constexpr std::chrono::milliseconds pause{5};
  constexpr std::chrono::milliseconds counted_from{5};
  constexpr int priority = 60;  // above what the server gives its own threads and the bench its generators
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(static_cast<std::size_t>(cpu), &only);
  const sched_param parameter{.sched_priority = priority};
  if (::sched_setaffinity(0, sizeof only, &only) != 0 || ::sched_setscheduler(0, SCHED_FIFO, &parameter) != 0) return;
  for (auto due = std::chrono::steady_clock::now() + pause; !stop.stop_requested(); due += pause) {
    std::this_thread::sleep_until(due);
    const auto late = std::chrono::steady_clock::now() - due;
    if (late < counted_from) continue;
    stopped_ += late;
    due += late;
  }
}

std::chrono::nanoseconds ProcessorWitness::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  return stopped_;
}

std::string describe_machine() {
  utsname kernel{};
  ::uname(&kernel);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  std::string model = "unknown processor";
  std::istringstream lines(load::read_text("/proc/cpuinfo"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("model name")) continue;
    model = line.substr(line.find(':') + 2);
    break;
  }
  std::string governor = load::read_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  if (!governor.empty()) governor.pop_back();
  return fmt::format("{} x {}, Linux {}, governor {}, {} descriptors, {}", std::thread::hardware_concurrency(), model,
                     kernel.release, governor.empty() ? "none" : governor, limit.rlim_max,
                     may_raise_priority() ? "CAP_SYS_NICE" : "without CAP_SYS_NICE");
}

bool may_raise_priority() {
  std::istringstream lines(load::read_text("/proc/self/status"));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("CapEff:")) return (std::strtoull(line.c_str() + 7, nullptr, 16) >> CAP_SYS_NICE & 1U) != 0;
  return false;
}

}  // namespace mydr24::surge
