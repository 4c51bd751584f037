#pragma once

// What the machine did while a cell ran: the server's CPU time by thread, and how much of its processor others took.

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>

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
};
MachineUse between(const MachineSample& begin, const MachineSample& end);

// Kernel, processor, governor, limits: what a figure depends on, in one line.
std::string describe_machine();
bool may_raise_priority();  // CAP_SYS_NICE

}  // namespace mydr24::surge
