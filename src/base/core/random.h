#pragma once

// Random bits of the system's generator. Thread-safe.

#include <cstddef>
#include <cstdint>

namespace mydr24 {

// Straight from the kernel: for secrets.
void fill_random(unsigned char* to, std::size_t count);
// From many that were asked for at once, at most 4,096 bytes: a system call for every id would cost more than the id. What was
// handed out is wiped where it lay.
void take_random(unsigned char* to, std::size_t count);
// The same as a number; never 0.
std::uint64_t random64();

}  // namespace mydr24
