#pragma once

// Generators at work: one process for each load, so that no class of requests waits for another one's generator, all
// begun at the same moment. The process is this program's hidden command `bench generate`.

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <vector>

#include "app/load/process.h"
#include "app/surge/load_result.h"
#include "app/surge/load_spec.h"
#include "base/core/clock.h"

namespace mydr24::surge {

class Crew {
 public:
  // Starts the processes and waits until each has its connections. `cpu` -1: any.
  static Result<Crew> gather(const std::filesystem::path& binary, int cpu, const std::vector<LoadSpec>& specs,
                             const Clock& clock);
  Crew(Crew&& other) noexcept = default;
  Crew& operator=(Crew&&) = delete;
  ~Crew();

  // Everybody begins a moment from now: the steady time at which the profiles start.
  std::chrono::nanoseconds begin();
  // Waits for the end of every profile; results in the order of the specs.
  Result<std::vector<LoadResult>> collect();
  // Ends every generator now; collect(), also one that waits on another thread, fails.
  void stop() const;

 private:
  struct Member {
    pid_t pid = -1;
    int to = -1;
    int from = -1;
    std::string unread;
    std::chrono::milliseconds length{};  // of its profile
  };
  explicit Crew(const Clock& clock) : clock_(&clock) {}
  Result<std::string> read_line(Member& member, std::chrono::milliseconds time_max);

  const Clock* clock_;
  std::vector<Member> members_;
};

// The other side: reads a spec from `in`, says when it is ready, runs at the time it is told, writes its result to `out`.
// A process exit code: 0, or 1 with the reason as the last line.
int run_generator(int in, int out, const Clock& clock);

}  // namespace mydr24::surge
