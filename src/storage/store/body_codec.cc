#include "storage/store/body_codec.h"

#include <fmt/format.h>
#include <zdict.h>

#include <algorithm>

namespace mydr24::store {
namespace {

constexpr int level = 3;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

ZSTD_CCtx* compressor() {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context = [] {
    std::unique_ptr<ZSTD_CCtx, FreeContext> made(ZSTD_createCCtx());
    ZSTD_CCtx_setParameter(made.get(), ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(made.get(), ZSTD_c_checksumFlag, 1);  // the file itself has none: this finds a flipped bit
    return made;
  }();
  return context.get();
}

ZSTD_DCtx* decompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  return context.get();
}

std::string compress(std::string_view text, const ZSTD_CDict* dictionary) {
  ZSTD_CCtx* const context = compressor();
  ZSTD_CCtx_refCDict(context, dictionary);
  std::string frame;
  frame.resize_and_overwrite(ZSTD_compressBound(text.size()), [&](char* out, std::size_t size) {
    const std::size_t written = ZSTD_compress2(context, out, size, text.data(), text.size());
    return ZSTD_isError(written) != 0 ? 0 : written;
  });
  frame.shrink_to_fit();
  return frame;
}

}  // namespace

std::vector<std::unique_ptr<const BodyCodec::Dictionaries>> BodyCodec::first_set() {
  std::vector<std::unique_ptr<const Dictionaries>> sets;
  sets.push_back(std::make_unique<const Dictionaries>());
  return sets;
}

std::string BodyCodec::pack(std::string_view text) const {
  const Dictionaries& dictionaries = newest();
  return compress(text, dictionaries.empty() ? nullptr : dictionaries.back().compress.get());
}

std::size_t BodyCodec::packed_size(std::string_view text, const ZSTD_CDict* dictionary) {
  return compress(text, dictionary).size();
}

Result<> BodyCodec::unpack(std::string_view frame, std::string& text) const {
  const auto size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > body_bytes_max) {
    return fail(Code::internal, "a stored body is damaged: it does not begin with a zstd frame");
  }
  const std::uint32_t number = ZSTD_getDictID_fromFrame(frame.data(), frame.size());
  const ZSTD_DDict* dictionary = nullptr;
  if (number != 0) {
    for (const Dictionary& candidate : newest()) {
      if (candidate.number == number) dictionary = candidate.decompress.get();
    }
    if (dictionary == nullptr) {
      return fail(Code::internal, fmt::format("a stored body needs dictionary {}, which is not there", number));
    }
  }
  std::size_t outcome = 0;
  text.resize_and_overwrite(size, [&](char* out, std::size_t room) {
    outcome = dictionary != nullptr
                  ? ZSTD_decompress_usingDDict(decompressor(), out, room, frame.data(), frame.size(), dictionary)
                  : ZSTD_decompressDCtx(decompressor(), out, room, frame.data(), frame.size());
    return ZSTD_isError(outcome) != 0 ? 0 : outcome;
  });
  if (ZSTD_isError(outcome) != 0) {
    return fail(Code::internal, fmt::format("a stored body is damaged: {}", ZSTD_getErrorName(outcome)));
  }
  return {};
}

Result<> BodyCodec::add(std::string bytes) {
  Dictionary added;
  added.number = ZDICT_getDictID(bytes.data(), bytes.size());
  added.compress = {ZSTD_createCDict(bytes.data(), bytes.size(), level),
                    [](const ZSTD_CDict* dictionary) { ZSTD_freeCDict(const_cast<ZSTD_CDict*>(dictionary)); }};
  added.decompress = {ZSTD_createDDict(bytes.data(), bytes.size()),
                      [](const ZSTD_DDict* dictionary) { ZSTD_freeDDict(const_cast<ZSTD_DDict*>(dictionary)); }};
  if (added.number == 0 || !added.compress || !added.decompress) {
    return fail(Code::internal, "a stored zstd dictionary is damaged");
  }
  const std::scoped_lock lock(adding_);
  if (std::ranges::find(newest(), added.number, &Dictionary::number) != newest().end()) return {};
  auto set = std::make_unique<Dictionaries>(newest());
  set->push_back(std::move(added));
  kept_.push_back(std::move(set));
  current_.store(kept_.back().get(), std::memory_order_release);
  return {};
}

}  // namespace mydr24::store
