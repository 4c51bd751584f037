#include "storage/sqlite/sealed_vfs.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <optional>
#include <shared_mutex>
#include <vector>

#include "storage/sqlite/connection.h"
#include "storage/sqlite/kept_pages.h"
#include "storage/sqlite/sealed_page.h"

namespace mydr24::sqlite {
namespace {

constexpr auto page_size = static_cast<sqlite3_int64>(sealed_page_bytes);
constexpr auto frame_size = static_cast<sqlite3_int64>(frame_bytes);
constexpr auto wal_header_size = static_cast<sqlite3_int64>(wal_header_bytes);
constexpr auto frame_header_size = static_cast<sqlite3_int64>(frame_header_bytes);
constexpr std::size_t salt_at = 8;  // in a frame's header

thread_local std::string page_fault;

struct Context {
  sqlite3_vfs* base;
  const keyring::Keyring* keys;
  // Held while pages are written where they stand, which checkpoints only do to pages that nobody reads.
  std::shared_mutex resealing;
};

// What a step of reseal() asks of the file of the connection, by sqlite3_file_control().
constexpr int reseal_control = 0x4d44;
struct ResealRequest {
  std::uint32_t first;
  std::size_t pages_max;
  keyring::Generation below;
  SealedVfs::Resealed done;
};

// One open file. The system's file stands behind it in memory, where SQLite made room for both.
class SealedFile {
 public:
  SealedFile(sqlite3_file* real, Context& context, const char* path)
      : real_(real), context_(context), sealer_(*context.keys), path_(path) {}
  virtual ~SealedFile() = default;
  SealedFile(const SealedFile&) = delete;
  SealedFile& operator=(const SealedFile&) = delete;

  sqlite3_file* real() const { return real_; }
  virtual int read(unsigned char* to, int size, sqlite3_int64 at) = 0;
  virtual int write(const unsigned char* from, int size, sqlite3_int64 at) = 0;
  virtual int truncate(sqlite3_int64 size) = 0;
  virtual int reseal(ResealRequest&) { return SQLITE_NOTFOUND; }
  // What is still in memory goes to the system.
  virtual int flush() { return SQLITE_OK; }

 protected:
  int pread(void* to, std::size_t size, sqlite3_int64 at) {
    return real_->pMethods->xRead(real_, to, static_cast<int>(size), at);
  }
  int pwrite(const void* from, std::size_t size, sqlite3_int64 at) {
    return real_->pMethods->xWrite(real_, from, static_cast<int>(size), at);
  }
  int fault(int code, sqlite3_int64 at, std::string_view what) {
    page_fault = fmt::format("{} at byte {}: {}", path_.filename().string(), at, what);
    sqlite3_log(code, "%s", page_fault.c_str());
    return code;
  }
  PageSealer& sealer() { return sealer_; }
  Context& context() { return context_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  sqlite3_file* const real_;
  Context& context_;
  PageSealer sealer_;
  const std::filesystem::path path_;
};

class DatabaseFile final : public SealedFile {
 public:
  using SealedFile::SealedFile;

  int read(unsigned char* to, int size, sqlite3_int64 at) override {
    if (size == page_size && at % page_size == 0) return read_page(to, at);
    // Page 1 is also read in pieces, before its size is known.
    auto rest = static_cast<std::size_t>(size);
    while (rest > 0) {
      const auto inside = static_cast<std::size_t>(at % page_size);
      const std::size_t piece = std::min(rest, sealed_page_bytes - inside);
      if (const int code = read_page(page_.data(), at - static_cast<sqlite3_int64>(inside)); code != SQLITE_OK) {
        std::memset(to, 0, rest);
        return code;
      }
      std::memcpy(to, page_.data() + inside, piece);
      to += piece;
      at += static_cast<sqlite3_int64>(piece);
      rest -= piece;
    }
    return SQLITE_OK;
  }

  int write(const unsigned char* from, int size, sqlite3_int64 at) override {
    if (size != page_size || at % page_size != 0) return fault(SQLITE_IOERR_WRITE, at, "only whole pages are written");
    if (const int code = fill(at); code != SQLITE_OK) return code;
    return write_page(from, at);
  }

  int truncate(sqlite3_int64 size) override {
    if (const int code = fill(size); code != SQLITE_OK) return code;
    known_size_ = size;
    return real()->pMethods->xTruncate(real(), size);
  }

 private:
  static PageNumber number_at(sqlite3_int64 at) { return static_cast<PageNumber>(at / page_size + 1); }

  int read_page(unsigned char* to, sqlite3_int64 at) {
    const int code = pread(to, sealed_page_bytes, at);
    // Beyond the end, or the beginning of a page that a crash kept from being written.
    if (code == SQLITE_IOERR_SHORT_READ) std::memset(to, 0, sealed_page_bytes);
    if (code != SQLITE_OK) return code;
    if (sealer().open(number_at(at), to) || reread(to, at)) return SQLITE_OK;
    return fault(SQLITE_IOERR_DATA, at, fmt::format("page {} {}", number_at(at), sealer().fault()));
  }

  // It may just have been sealed anew.
  bool reread(unsigned char* to, sqlite3_int64 at) {
    const std::shared_lock lock(context().resealing);
    return pread(to, sealed_page_bytes, at) == SQLITE_OK && sealer().open(number_at(at), to);
  }

  int write_page(const unsigned char* from, sqlite3_int64 at) {
    if (!sealer().seal(number_at(at), from, page_))
      return fault(SQLITE_IOERR_WRITE, at, fmt::format("page {}: {}", number_at(at), sealer().fault()));
    const int code = pwrite(page_.data(), page_.size(), at);
    if (code == SQLITE_OK) known_size_ = std::max(known_size_, at + page_size);
    return code;
  }

 public:
  int reseal(ResealRequest& request) override {
    sqlite3_int64 size = 0;
    if (const int code = real()->pMethods->xFileSize(real(), &size); code != SQLITE_OK) return code;
    const auto pages = static_cast<std::size_t>(size / page_size);
    const std::size_t begin = request.first - 1;
    const std::size_t end = std::min(pages, begin + request.pages_max);
    request.done.next = end < pages ? static_cast<std::uint32_t>(end + 1) : 0;
    if (begin >= end) return SQLITE_OK;
    const auto at = [](std::size_t page) { return static_cast<sqlite3_int64>(page) * page_size; };
    std::vector<unsigned char> bytes((end - begin) * sealed_page_bytes);
    if (const int code = pread(bytes.data(), bytes.size(), at(begin)); code != SQLITE_OK) return code;
    std::vector<KeptPage> old;
    std::vector<Page> anew;
    for (std::size_t page = begin; page < end; ++page) {
      const unsigned char* const stored = bytes.data() + (page - begin) * sealed_page_bytes;
      if (PageSealer::generation_of(stored) >= request.below) continue;
      KeptPage& kept = old.emplace_back(KeptPage{.number = number_at(at(page))});
      std::memcpy(kept.bytes.data(), stored, sealed_page_bytes);
      Page plain = kept.bytes;
      if (!sealer().open(kept.number, plain.data()))
        return fault(SQLITE_IOERR_DATA, at(page), fmt::format("page {} {}", kept.number, sealer().fault()));
      if (!sealer().seal(kept.number, plain.data(), anew.emplace_back()))
        return fault(SQLITE_IOERR_WRITE, at(page), fmt::format("page {}: {}", kept.number, sealer().fault()));
    }
    if (old.empty()) return SQLITE_OK;
    if (const auto kept = keep_pages(path(), old); !kept)
      return fault(SQLITE_IOERR_WRITE, at(begin), kept.error().text);
    for (std::size_t i = 0; i < old.size(); ++i) {
      const std::unique_lock lock(context().resealing);
      if (const int code = pwrite(anew[i].data(), anew[i].size(), at(old[i].number - 1)); code != SQLITE_OK)
        return code;
    }
    if (const int code = real()->pMethods->xSync(real(), SQLITE_SYNC_NORMAL); code != SQLITE_OK) return code;
    if (const auto gone = forget_pages(path()); !gone) return fault(SQLITE_IOERR_WRITE, at(begin), gone.error().text);
    request.done.pages = old.size();
    return SQLITE_OK;
  }

 private:
  // SQLite leaves pages out that are free when it makes the file larger.
  int fill(sqlite3_int64 end) {
    if (end <= known_size_) return SQLITE_OK;
    sqlite3_int64 size = 0;
    if (const int code = real()->pMethods->xFileSize(real(), &size); code != SQLITE_OK) return code;
    constexpr Page zeros{};
    for (sqlite3_int64 at = size / page_size * page_size; at < end; at += page_size)
      if (const int code = write_page(zeros.data(), at); code != SQLITE_OK) return code;
    known_size_ = std::max(size, end);
    return SQLITE_OK;
  }

  Page page_;
  sqlite3_int64 known_size_ = 0;  // the file is not shorter
};

class LogFile final : public SealedFile {
 public:
  using SealedFile::SealedFile;

  int read(unsigned char* to, int size, sqlite3_int64 at) override {
    if (const int code = flush(); code != SQLITE_OK) return code;
    if (at + size <= wal_header_size) return pread(to, static_cast<std::size_t>(size), at);
    const sqlite3_int64 inside = inside_frame(at);
    if (size == page_size && inside == frame_header_size) return read_page(to, at - inside);
    if (size == frame_size && inside == 0) return recover_frame(to, at);
    if (inside >= 0 && inside + size <= frame_size) return read_piece(to, size, at - inside, inside);
    return fault(SQLITE_IOERR_READ, at, "the log is read by frames");
  }

  // A frame comes as its header, then its page: both go to the disk in one write. A header without its page, or a page
  // without its header, changes one that is there.
  int write(const unsigned char* from, int size, sqlite3_int64 at) override {
    const sqlite3_int64 inside = inside_frame(at);
    if (size == page_size && inside == frame_header_size) return write_page(from, at - inside);
    if (const int code = flush(); code != SQLITE_OK) return code;
    if (size == frame_header_size && inside == 0) {
      std::memcpy(header_.data(), from, header_.size());
      header_at_ = at;
      return SQLITE_OK;
    }
    if (at + size <= wal_header_size) return pwrite(from, static_cast<std::size_t>(size), at);
    return fault(SQLITE_IOERR_WRITE, at, "only whole pages and headers of the log are written");
  }

  int truncate(sqlite3_int64 size) override {
    if (const int code = flush(); code != SQLITE_OK) return code;
    return real()->pMethods->xTruncate(real(), size);
  }

  int flush() override {
    if (!header_at_) return SQLITE_OK;
    const sqlite3_int64 at = *std::exchange(header_at_, std::nullopt);
    FrameHeader before;
    Page page;
    if (const int code = load(at, before, page.data()); code != SQLITE_OK) return code;
    return store(header_, page.data(), at);
  }

 private:
  static sqlite3_int64 inside_frame(sqlite3_int64 at) {
    return at < wal_header_size ? -1 : (at - wal_header_size) % frame_size;
  }
  static sqlite3_int64 frame_number(sqlite3_int64 at) { return (at - wal_header_size) / frame_size + 1; }

  int load(sqlite3_int64 at, FrameHeader& header, unsigned char* page) {
    if (const int code = pread(frame_.data(), frame_.size(), at); code != SQLITE_OK) return code;
    if (sealer().open(frame_, header, page)) return SQLITE_OK;
    return fault(SQLITE_IOERR_DATA, at, fmt::format("frame {} of the log {}", frame_number(at), sealer().fault()));
  }

  int store(const FrameHeader& header, const unsigned char* page, sqlite3_int64 at) {
    if (sealer().seal(header, page, frame_)) return pwrite(frame_.data(), frame_.size(), at);
    return fault(SQLITE_IOERR_WRITE, at, fmt::format("frame {} of the log: {}", frame_number(at), sealer().fault()));
  }

  int read_page(unsigned char* to, sqlite3_int64 at) {
    FrameHeader header;
    const int code = load(at, header, to);
    if (code == SQLITE_IOERR_SHORT_READ) std::memset(to, 0, sealed_page_bytes);
    return code;
  }

  // When a transaction wrote a page twice, SQLite reads checksums and frames again to make new checksums.
  int read_piece(unsigned char* to, int size, sqlite3_int64 at, sqlite3_int64 inside) {
    std::array<unsigned char, frame_bytes> whole;
    FrameHeader header;
    if (const int code = load(at, header, whole.data() + frame_header_bytes); code != SQLITE_OK) return code;
    std::ranges::copy(header, whole.begin());
    std::memcpy(to, whole.data() + inside, static_cast<std::size_t>(size));
    return SQLITE_OK;
  }

  // Recovery reads on until it meets a frame that does not fit. One that cannot be opened is made not to fit.
  int recover_frame(unsigned char* to, sqlite3_int64 at) {
    FrameHeader header;
    unsigned char* const page = to + frame_header_bytes;
    int code = load(at, header, page);
    if (code == SQLITE_IOERR_DATA) {
      std::copy_n(frame_.begin(), header.size(), header.begin());
      for (std::size_t i = salt_at; i < header.size(); ++i) header[i] = static_cast<unsigned char>(~header[i]);
      code = SQLITE_OK;
    }
    std::memcpy(to, header.data(), header.size());
    if (code != SQLITE_OK) std::memset(to, 0, frame_bytes);
    return code;
  }

  int write_page(const unsigned char* page, sqlite3_int64 at) {
    if (header_at_ == at) {
      header_at_.reset();
      return store(header_, page, at);
    }
    if (const int code = flush(); code != SQLITE_OK) return code;
    FrameHeader header;
    Page before;
    if (const int code = load(at, header, before.data()); code != SQLITE_OK) return code;
    return store(header, page, at);
  }

  FrameHeader header_{};  // waits for its page
  std::optional<sqlite3_int64> header_at_;
  Frame frame_;
};

struct OpenFile {
  sqlite3_file head;  // what SQLite sees
  SealedFile* file;
};

sqlite3_file* real_place(OpenFile* open) { return reinterpret_cast<sqlite3_file*>(open + 1); }
SealedFile& sealed(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file)->file; }
sqlite3_file* real(sqlite3_file* file) { return sealed(file).real(); }

int close_file(sqlite3_file* file) {
  SealedFile* const closed = &sealed(file);
  const int flushed = closed->flush();
  const int code = closed->real()->pMethods->xClose(closed->real());
  delete closed;
  return flushed != SQLITE_OK ? flushed : code;
}

int read_file(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  return sealed(file).read(static_cast<unsigned char*>(to), size, at);
}
int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  return sealed(file).write(static_cast<const unsigned char*>(from), size, at);
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) { return sealed(file).truncate(size); }

int sync_file(sqlite3_file* file, int flags) {
  if (const int code = sealed(file).flush(); code != SQLITE_OK) return code;
  return real(file)->pMethods->xSync(real(file), flags);
}
int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  if (const int code = sealed(file).flush(); code != SQLITE_OK) return code;
  return real(file)->pMethods->xFileSize(real(file), size);
}

int lock_file(sqlite3_file* file, int level) { return real(file)->pMethods->xLock(real(file), level); }
int unlock_file(sqlite3_file* file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }
int check_lock(sqlite3_file* file, int* held) { return real(file)->pMethods->xCheckReservedLock(real(file), held); }
int control_file(sqlite3_file* file, int what, void* argument) {
  if (what == reseal_control) return sealed(file).reseal(*static_cast<ResealRequest*>(argument));
  return real(file)->pMethods->xFileControl(real(file), what, argument);
}
int sector_size(sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); }
// Nothing that lets SQLite read or write less or more than a page at a time.
int characteristics(sqlite3_file* file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file)) & SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** to) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, to);
}
int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}
void order_shared(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }
int unmap_shared(sqlite3_file* file, int remove) { return real(file)->pMethods->xShmUnmap(real(file), remove); }

// Version 2: the file itself is never mapped.
constexpr sqlite3_io_methods methods{.iVersion = 2,
                                     .xClose = close_file,
                                     .xRead = read_file,
                                     .xWrite = write_file,
                                     .xTruncate = truncate_file,
                                     .xSync = sync_file,
                                     .xFileSize = size_of_file,
                                     .xLock = lock_file,
                                     .xUnlock = unlock_file,
                                     .xCheckReservedLock = check_lock,
                                     .xFileControl = control_file,
                                     .xSectorSize = sector_size,
                                     .xDeviceCharacteristics = characteristics,
                                     .xShmMap = map_shared,
                                     .xShmLock = lock_shared,
                                     .xShmBarrier = order_shared,
                                     .xShmUnmap = unmap_shared,
                                     .xFetch = nullptr,
                                     .xUnfetch = nullptr};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* given) {
  auto& context = *static_cast<Context*>(vfs->pAppData);
  auto* const open = reinterpret_cast<OpenFile*>(file);
  open->head.pMethods = nullptr;
  if (name == nullptr || (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0) {
    page_fault = "an encrypted store keeps no journal and no temporary file";
    return SQLITE_CANTOPEN;
  }
  sqlite3_file* const beneath = real_place(open);
  const int code = context.base->xOpen(context.base, name, beneath, flags, given);
  if (code != SQLITE_OK) {
    if (beneath->pMethods != nullptr) beneath->pMethods->xClose(beneath);
    return code;
  }
  if ((flags & SQLITE_OPEN_WAL) != 0) {
    open->file = new LogFile(beneath, context, name);
  } else {
    open->file = new DatabaseFile(beneath, context, name);
  }
  open->head.pMethods = &methods;
  return SQLITE_OK;
}

}  // namespace

Result<std::unique_ptr<SealedVfs>> SealedVfs::make(std::shared_ptr<const keyring::Keyring> keys) {
  static std::atomic<int> count{0};
  configure_library();
  sqlite3_vfs* const base = sqlite3_vfs_find("unix");
  if (base == nullptr) return fail(Code::unsupported, "this SQLite has no file layer named unix");
  std::unique_ptr<SealedVfs> made(new SealedVfs(std::move(keys)));
  made->name_ = fmt::format("mydr24-sealed-{}", ++count);
  made->vfs_ = *base;
  made->vfs_.pNext = nullptr;
  made->vfs_.zName = made->name_.c_str();
  made->vfs_.szOsFile = static_cast<int>(sizeof(OpenFile)) + base->szOsFile;
  made->vfs_.pAppData = new Context{.base = base, .keys = made->keys_.get(), .resealing = {}};
  made->vfs_.xOpen = open_file;
  sqlite3_vfs_register(&made->vfs_, 0);
  return made;
}

Result<SealedVfs::Resealed> SealedVfs::reseal(sqlite3* connection, std::uint32_t first, std::size_t pages_max,
                                              keyring::Generation below) {
  ResealRequest request{.first = first, .pages_max = pages_max, .below = below, .done = {}};
  const int code = sqlite3_file_control(connection, "main", reseal_control, &request);
  if (code == SQLITE_OK) return request.done;
  return fail((code & 0xff) == SQLITE_FULL ? Code::full : Code::internal,
              fmt::format("pages cannot be sealed anew: {} ({})", sqlite3_errstr(code), page_fault));
}

SealedVfs::~SealedVfs() {
  sqlite3_vfs_unregister(&vfs_);
  delete static_cast<Context*>(vfs_.pAppData);
}

FileKind kind_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::array<char, sealed_mark.size()> bytes{};
  in.read(bytes.data(), bytes.size());
  const std::string_view head(bytes.data(), static_cast<std::size_t>(in.gcount()));
  if (head.empty()) return FileKind::none;
  if (head == plain_mark) return FileKind::plain;
  return head == sealed_mark ? FileKind::sealed : FileKind::other;
}

const std::string& last_page_fault() { return page_fault; }

}  // namespace mydr24::sqlite
