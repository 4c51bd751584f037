#include "guard/audit/detail/sealing.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>
#include <system_error>

#include "guard/audit/trail.h"

namespace mydr24::audit {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr char line_mark = '~';
constexpr char escape = 0x10;
constexpr char escaped_newline = 'J';
constexpr char escaped_escape = 'P';
constexpr std::string_view line_context = "mydr24 audit line";
constexpr std::string_view file_mark = "MYDR24S1";
constexpr std::uint32_t skippable_magic = 0x184D2A5D;

struct Head {
  keyring::Generation generation;
  crypto::Nonce nonce;
  crypto::Tag tag;
};
static_assert(sizeof(Head) == 32);

struct FrameHead {
  std::uint32_t magic = skippable_magic;
  std::uint32_t size = 0;
};

unsigned char* octets(char* bytes) { return reinterpret_cast<unsigned char*>(bytes); }
const unsigned char* octets(const char* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }

void append_escaped(std::string& out, std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t plain = 0;
    while (plain < bytes.size() && bytes[plain] != '\n' && bytes[plain] != escape) ++plain;
    out += bytes.substr(0, plain);
    if (plain == bytes.size()) return;
    out += escape;
    out += bytes[plain] == '\n' ? escaped_newline : escaped_escape;
    bytes.remove_prefix(plain + 1);
  }
}

bool unescape(std::string_view text, std::string& out) {
  out.clear();
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find(escape), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return true;
    if (text.size() < 2 || (text[1] != escaped_newline && text[1] != escaped_escape)) return false;
    out += text[1] == escaped_newline ? '\n' : escape;
    text.remove_prefix(2);
  }
  return true;
}

std::string frame_context(std::int64_t segment, std::size_t number) {
  return fmt::format("mydr24 audit frame {} {}", segment, number);
}

bool is_sealed_frame(std::string_view stored) {
  FrameHead head;
  if (stored.size() < sizeof head) return false;
  std::memcpy(&head, stored.data(), sizeof head);
  return head.magic == skippable_magic;
}

}  // namespace

Result<Trail> open_trail(const std::filesystem::path& folder, const std::filesystem::path& key_file) {
  const auto file = folder / keyring::file_name;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return Trail(folder);
  if (key_file.empty()) {
    return fail(Code::refused, "is encrypted: name its key file (encryption.key_file, --encryption-key-file)",
                folder.string());
  }
  MYDR24_ASSIGN(auto keys, keyring::Keyring::open(file, key_file));
  return Trail(folder, std::move(keys));
}

crypto::Sealer* Sealing::sealer(keyring::Generation generation) {
  for (const auto& [known, sealer] : sealers_)
    if (known == generation) return sealer.get();
  if (keys_ == nullptr) return nullptr;
  const auto key = keys_->key(generation);
  if (!key) return nullptr;
  sealers_.emplace_back(generation, std::make_unique<crypto::Sealer>(*key));
  return sealers_.back().second.get();
}

Result<> Sealing::seal(std::string& out, std::string_view text, std::string_view context) {
  Head head;
  head.generation = keys_->newest();
  crypto::Sealer* const with = sealer(head.generation);
  if (with == nullptr) return fail(Code::internal, "the newest key of the trail is not there");
  nonces_.next(head.nonce);
  const std::size_t at = out.size();
  out.resize(at + sizeof head + text.size());
  const std::array parts{crypto::Sealer::Part{octets(text.data()), octets(out.data() + at + sizeof head), text.size()}};
  with->seal(head.nonce, context, parts, head.tag);
  std::memcpy(out.data() + at, &head, sizeof head);
  return {};
}

bool Sealing::open(std::string_view sealed, std::string_view context, std::string& text) {
  Head head;
  if (sealed.size() < sizeof head) return false;
  std::memcpy(&head, sealed.data(), sizeof head);
  crypto::Sealer* const with = sealer(head.generation);
  if (with == nullptr) return false;
  sealed.remove_prefix(sizeof head);
  text.resize(sealed.size());
  const std::array parts{crypto::Sealer::Part{octets(sealed.data()), octets(text.data()), sealed.size()}};
  return with->open(head.nonce, context, parts, head.tag);
}

Result<> Sealing::append_line(std::string& out, std::string_view line) {
  if (!seals()) {
    out += line;
    return {};
  }
  room_.clear();
  MYDR24_TRY(seal(room_, line, line_context));
  out += line_mark;
  append_escaped(out, room_);
  return {};
}

std::string_view Sealing::open_line(std::string_view stored, std::string& room) {
  if (!stored.starts_with(line_mark)) return stored;
  if (!unescape(stored.substr(1), room_) || !open(room_, line_context, room)) return stored;
  return room;
}

bool Sealing::is_sealed_line(std::string_view stored) { return stored.starts_with(line_mark); }

bool Sealing::has_key_of(std::string_view stored) {
  keyring::Generation generation = 0;
  if (!unescape(stored.substr(1), room_) || room_.size() < sizeof generation) return true;  // it is torn
  std::memcpy(&generation, room_.data(), sizeof generation);
  return sealer(generation) != nullptr;
}

Result<std::string> Sealing::seal_frame(std::string_view frame, std::int64_t segment, std::size_t number) {
  if (!seals()) return std::string(frame);
  const FrameHead head{.size = static_cast<std::uint32_t>(sizeof(Head) + frame.size())};
  std::string out(sizeof head, '\0');
  std::memcpy(out.data(), &head, sizeof head);
  MYDR24_TRY(seal(out, frame, frame_context(segment, number)));
  return out;
}

Result<std::string> Sealing::open_frame(std::string_view stored, std::int64_t segment, std::size_t number) {
  if (!is_sealed_frame(stored)) return std::string(stored);
  std::string frame;
  if (open(stored.substr(sizeof(FrameHead)), frame_context(segment, number), frame)) return frame;
  return fail(Code::invalid, keys_ == nullptr ? "is encrypted, and no key is given" : "holds a damaged frame");
}

Result<std::string> Sealing::seal_file(std::string_view content, std::string_view what) {
  if (!seals()) return std::string(content);
  std::string out(file_mark);
  MYDR24_TRY(seal(out, content, what));
  return out;
}

Result<std::string> Sealing::open_file(std::string content, std::string_view what) {
  if (!content.starts_with(file_mark)) return content;
  std::string text;
  if (open(std::string_view(content).substr(file_mark.size()), what, text)) return text;
  return fail(Code::invalid, keys_ == nullptr ? "is encrypted, and no key is given" : "is damaged");
}

}  // namespace mydr24::audit
