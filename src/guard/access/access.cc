#include "guard/access/access.h"

#include <fmt/format.h>

namespace mydr24::access {

Access::Access() {
  static const auto server = [] {
    auto caller = std::make_shared<Caller>();
    caller->principal.kind = PrincipalKind::system;
    caller->principal.id = "system";
    return caller;
  }();
  caller_ = server;
}

Access& Access::server() {
  static Access access;
  return access;
}

Result<> Access::read(store::Store& store, const std::function<Result<>(store::Reader&)>& read,
                      const store::ReadLimits& limits, store::Sequence after) {
  const telemetry::TraceTimer timer(trace_, "store read");
  if (clock_ == nullptr) return store.read(read, limits, after);
  return store.read([&](store::Reader& reader) { return this->read(reader, read); }, limits, after);
}

Result<> Access::read(store::Reader& reader, const std::function<Result<>(store::Reader&)>& read) {
  if (clock_ == nullptr) return read(reader);
  Seen seen;
  GuardedReader guarded(reader, *caller_, *clock_, &seen);
  auto done = read(guarded);
  take(seen);
  return done;
}

Result<> Access::check_shown(store::Store& store, std::string_view type, std::string_view id) {
  if (is_unlimited()) return {};
  return store.read(
      [&](store::Reader& reader) -> Result<> {
        MYDR24_ASSIGN(const auto there, reader.current(type, id));
        if (!there) return {};
        GuardedReader guarded(reader, *caller_, *clock_, nullptr);
        MYDR24_ASSIGN(const bool visible, guarded.sees(*there));
        return visible ? Result<>() : fail(Code::not_found, fmt::format("{}/{} does not exist", type, id));
      },
      {}, 0);
}

Result<bool> Access::shows(store::Reader& reader, const store::Version& version) {
  if (clock_ == nullptr) return true;
  GuardedReader guarded(reader, *caller_, *clock_, nullptr);
  MYDR24_ASSIGN(const bool visible, guarded.sees(version));
  if (!visible) return false;
  Seen seen;
  seen.note(version.type, version.id, version.body, caller_->catalogue.get());
  take(seen);
  return true;
}

Result<> Access::check_put(store::Reader& reader, std::string_view type, std::string_view id,
                           const std::optional<store::Version>& there, json::Value resource, bool by_create) {
  if (clock_ == nullptr) return {};
  Seen seen;
  seen.note(type, id, resource.raw(), caller_->catalogue.get());
  take(seen);
  if (is_unlimited()) return {};
  GuardedReader guarded(reader, *caller_, *clock_, nullptr);
  const bool replaces = there && there->action != store::Action::remove;
  const auto permission = replaces || !by_create ? Permission::update : Permission::create;
  const auto refuse = [&] {
    return fail(Code::refused,
                fmt::format("you may not {} {}", permission == Permission::create ? "create this" : "write",
                            permission == Permission::create ? std::string(type) : fmt::format("{}/{}", type, id)));
  };
  if (replaces) {
    MYDR24_ASSIGN(const bool good, guarded.sees(*there, Permission::update));
    if (!good) return refuse();
  } else if (permission == Permission::update) {
    // Whether an id is free is not told to who does not see everything under these ids.
    const auto& reach = sight().reach(Permission::update, type);
    if (reach.extent == Reach::Extent::some && !reach.labels_only) return refuse();
    if (!sight().may(Permission::create, type)) return refuse();
  }
  MYDR24_ASSIGN(const bool good, guarded.may_write(permission, type, resource));
  return good ? Result<>() : refuse();
}

Result<bool> Access::check_remove(store::Reader& reader, const store::Version& there) {
  if (clock_ == nullptr) return true;
  GuardedReader guarded(reader, *caller_, *clock_, nullptr);
  MYDR24_ASSIGN(const bool visible, guarded.sees(there));
  if (!visible) return false;
  MYDR24_ASSIGN(const bool good, guarded.sees(there, Permission::remove));
  if (!good) return fail(Code::refused, fmt::format("you may not delete {}/{}", there.type, there.id));
  Seen seen;
  seen.note(there.type, there.id, there.body, caller_->catalogue.get());
  take(seen);
  return true;
}

void Access::begin_writes(const store::Transaction& transaction) {
  if (!note_) return;
  const std::lock_guard lock(mutex_);
  written_[&transaction].clear();
}

void Access::wrote(const store::Transaction& transaction, Permission action, std::string_view type, std::string_view id,
                   std::int64_t version, std::string_view body) {
  if (!note_) return;
  Seen about;
  about.note(type, id, body, caller_->catalogue.get());
  const std::lock_guard lock(mutex_);
  written_[&transaction].push_back({.action = action,
                                    .type = std::string(type),
                                    .id = std::string(id),
                                    .version = version,
                                    .patients = about.patients()});
}

Result<> Access::end_writes(store::Transaction& transaction) {
  if (!note_) return {};
  std::vector<Written> written;
  {
    const std::lock_guard lock(mutex_);
    written = std::move(written_[&transaction]);
    written_.erase(&transaction);
  }
  if (written.empty()) return {};
  MYDR24_TRY(note_(transaction, written));
  has_noted_ = true;
  return {};
}

void Access::set_consents_aside() {
  if (caller_->denials == nullptr) return;
  auto caller = std::make_shared<Caller>(*caller_);
  caller->denials = nullptr;
  caller_ = std::move(caller);
}

bool Access::has_consent(std::string_view patient) const {
  return caller_->denials != nullptr && caller_->denials->book().has(patient);
}

void Access::take(const Seen& seen) {
  const std::lock_guard lock(mutex_);
  for (const auto& patient : seen.patients()) seen_.note_patient(patient);
  if (!seen.complete()) seen_.note_incomplete();
}

void Access::note_patient(std::string_view id) {
  if (clock_ == nullptr) return;
  const std::lock_guard lock(mutex_);
  seen_.note_patient(id);
}

void Access::note_incomplete() {
  if (clock_ == nullptr) return;
  const std::lock_guard lock(mutex_);
  seen_.note_incomplete();
}

std::vector<std::string> Access::patients() const {
  const std::lock_guard lock(mutex_);
  return seen_.patients();
}

bool Access::patients_complete() const {
  const std::lock_guard lock(mutex_);
  return seen_.complete();
}

}  // namespace mydr24::access
