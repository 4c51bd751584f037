// What comes in with remote write: snappy, then protobuf; and packed samples as they are read from the store.

#include "operations/series/chunk.h"
#include "operations/series/remote_write.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  using namespace mydr24::series;
  if (const auto unpacked = unsnap(bytes, 1U << 20)) (void)parse_write_request(*unpacked);
  (void)parse_write_request(bytes);
  ChunkReader reader(bytes, 100'000, columns_max);
  std::int64_t time = 0;
  Row row{};
  while (reader.next(time, row)) {
  }
  return 0;
}
