#include "storage/sqlite/sealed_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace mydr24::sqlite {
namespace {

// Little-endian, as the machines are that this runs on.
static_assert(std::endian::native == std::endian::little);

constexpr std::size_t body_bytes = sealed_page_bytes - reserved_bytes;
constexpr std::size_t checksum_at = 16;  // in a frame's header
constexpr std::size_t checksum_bytes = frame_header_bytes - checksum_at;

struct Seal {
  crypto::Nonce nonce;
  crypto::Tag tag;
  keyring::Generation generation;
};
static_assert(sizeof(Seal) == reserved_bytes);

using Context = std::array<char, 17>;

std::string_view text_of(const Context& context) { return {context.data(), context.size()}; }

Context context_of(PageNumber number) {
  Context context{'p'};
  std::memcpy(&context[1], &number, sizeof number);
  return context;
}

Context context_of(const unsigned char* frame_header) {
  Context context{'f'};
  std::memcpy(&context[1], frame_header, checksum_at);
  return context;
}

}  // namespace

keyring::Generation PageSealer::generation_of(const unsigned char* page) {
  keyring::Generation generation = 0;
  std::memcpy(&generation, page + sealed_page_bytes - sizeof generation, sizeof generation);
  return generation;
}

crypto::Sealer* PageSealer::sealer(keyring::Generation generation) {
  for (const auto& [known, sealer] : sealers_)
    if (known == generation) return sealer.get();
  const auto key = keys_.key(generation);
  if (!key) {
    fault_ = fmt::format("{} {}", key.error().where, key.error().text);
    return nullptr;
  }
  sealers_.emplace_back(generation, std::make_unique<crypto::Sealer>(*key));
  return sealers_.back().second.get();
}

bool PageSealer::check_reserved(const unsigned char* page) {
  const bool zeros = std::all_of(page + body_bytes, page + sealed_page_bytes, [](auto byte) { return byte == 0; });
  if (!zeros) fault_ = "its reserved bytes are in use";
  return zeros;
}

bool PageSealer::changed() {
  fault_ = "is not what was sealed there";
  return false;
}

bool PageSealer::seal(PageNumber number, const unsigned char* page, Page& sealed) {
  Seal seal;
  seal.generation = keys_.newest();
  crypto::Sealer* const with = sealer(seal.generation);
  if (with == nullptr || !check_reserved(page)) return false;
  const std::size_t skip = number == 1 ? sealed_mark.size() : 0;
  if (skip > 0) std::ranges::copy(sealed_mark, sealed.begin());
  nonces_.next(seal.nonce);
  const std::array parts{crypto::Sealer::Part{page + skip, sealed.data() + skip, body_bytes - skip}};
  with->seal(seal.nonce, text_of(context_of(number)), parts, seal.tag);
  std::memcpy(sealed.data() + body_bytes, &seal, sizeof seal);
  return true;
}

bool PageSealer::open(PageNumber number, unsigned char* page) {
  Seal seal;
  std::memcpy(&seal, page + body_bytes, sizeof seal);
  crypto::Sealer* const with = sealer(seal.generation);
  if (with == nullptr) return false;
  const std::size_t skip = number == 1 ? sealed_mark.size() : 0;
  if (skip > 0 && std::memcmp(page, sealed_mark.data(), skip) != 0) return changed();
  const std::array parts{crypto::Sealer::Part{page + skip, page + skip, body_bytes - skip}};
  if (!with->open(seal.nonce, text_of(context_of(number)), parts, seal.tag)) return changed();
  if (skip > 0) std::memcpy(page, plain_mark.data(), skip);
  std::memset(page + body_bytes, 0, reserved_bytes);
  return true;
}

bool PageSealer::seal(const FrameHeader& header, const unsigned char* page, Frame& sealed) {
  Seal seal;
  seal.generation = keys_.newest();
  crypto::Sealer* const with = sealer(seal.generation);
  if (with == nullptr || !check_reserved(page)) return false;
  std::ranges::copy(header, sealed.begin());
  nonces_.next(seal.nonce);
  const std::array<crypto::Sealer::Part, 2> parts{
      {{header.data() + checksum_at, sealed.data() + checksum_at, checksum_bytes},
       {page, sealed.data() + frame_header_bytes, body_bytes}}};
  with->seal(seal.nonce, text_of(context_of(header.data())), parts, seal.tag);
  std::memcpy(sealed.data() + frame_header_bytes + body_bytes, &seal, sizeof seal);
  return true;
}

bool PageSealer::open(const Frame& sealed, FrameHeader& header, unsigned char* page) {
  Seal seal;
  std::memcpy(&seal, sealed.data() + frame_header_bytes + body_bytes, sizeof seal);
  crypto::Sealer* const with = sealer(seal.generation);
  if (with == nullptr) return false;
  std::copy_n(sealed.begin(), checksum_at, header.begin());
  const std::array<crypto::Sealer::Part, 2> parts{
      {{sealed.data() + checksum_at, header.data() + checksum_at, checksum_bytes},
       {sealed.data() + frame_header_bytes, page, body_bytes}}};
  if (!with->open(seal.nonce, text_of(context_of(sealed.data())), parts, seal.tag)) return changed();
  std::memset(page + body_bytes, 0, reserved_bytes);
  return true;
}

}  // namespace mydr24::sqlite
