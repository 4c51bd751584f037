#pragma once

// What the machine did while a cell ran: the server's CPU time by thread, how much of its processor others took, and how
// long the disk took to make a page durable.

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <thread>

#include "app/load/histogram.h"
#include "base/core/clock.h"

namespace mydr24::surge {

struct MachineSample {
  std::chrono::nanoseconds at{};
  double busy_s = 0;                        // of the processor, all that is not idle
  double steal_s = 0;                       // taken by other machines
  double server_s = 0;                      // of the server's process
  std::map<std::string, double> threads_s;  // of its threads, by name without the number at its end
};
MachineSample sample_machine(pid_t server, int cpu, const Clock& clock);

struct MachineUse {
  double seconds = 0;
  double server_s = 0;
  double foreign = 0;  // share of the processor that was neither idle nor the server's
  double steal = 0;    // share
  std::map<std::string, double> threads_s;
  load::Histogram flushes;  // of the disk, see DiskWitness
  double stopped = 0;       // share of the time in which the processor did not run, see ProcessorWitness
};
MachineUse between(const MachineSample& begin, const MachineSample& end);

// Asks the disk five times a second, while it lives, to make a page of a file of its own durable: no commit is faster
// than that, and a disk that others share is at times slower by a second. So rarely that the server does not notice.
class DiskWitness {
 public:
  explicit DiskWitness(const std::filesystem::path& folder);
  // Ends it. Empty: there was no file to write.
  load::Histogram stop();

 private:
  void run(const std::stop_token& stop, const std::filesystem::path& file);

  load::Histogram flushes_;
  std::jthread thread_;  // last: it writes into what stands before it
};

// Wakes two hundred times a second on the server's processor, ahead of every thread of the server, and adds up how much
// too late it was woken: then the processor did not run at all. The accounting of steal does not say so when the
// hypervisor fetched memory meanwhile. Without CAP_SYS_NICE it cannot tell this from work, and says nothing.
class ProcessorWitness {
 public:
  explicit ProcessorWitness(int cpu);
  // Ends it. The time in which the processor did not run, in pieces of at least 5 ms.
  std::chrono::nanoseconds stop();

 private:
  void run(const std::stop_token& stop, int cpu);

  std::chrono::nanoseconds stopped_{};
  std::jthread thread_;  // last: it writes into what stands before it
};

// Kernel, processor, governor, limits: what a figure depends on, in one line.
std::string describe_machine();
bool may_raise_priority();  // CAP_SYS_NICE

}  // namespace mydr24::surge
