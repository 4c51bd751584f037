#pragma once

#include <cstdint>

namespace mydr24::admission {

// What a route's requests need, and so which seats they take. quick: microseconds on the I/O thread, or a stream that
// mostly sleeps: none. work: a worker's time. write: a little time, then a commit. by_method: GET and
// operations work, all else writes.
enum class Cost : std::uint8_t { by_method, quick, work, write };

}  // namespace mydr24::admission
