#pragma once

// What one request may see and do, and what it has seen: handed along with the request to everything that reads or writes
// for it. The one way to a resource on behalf of a client.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/telemetry/traces.h"
#include "guard/access/caller.h"
#include "guard/access/guarded_reader.h"
#include "guard/access/principal.h"
#include "guard/access/sight.h"
#include "storage/store/store.h"

namespace mydr24::access {

// Thread-safe: the entries of a batch are carried out together.
class Access {
 public:
  // The server itself: everything.
  Access();
  Access(std::shared_ptr<const Caller> caller, const Clock& clock) : caller_(std::move(caller)), clock_(&clock) {}
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;
  // For what the server does of itself; keeps no account of what was seen.
  static Access& server();

  const Principal& principal() const { return caller_->principal; }
  const Caller& caller() const { return *caller_; }
  const Sight& sight() const { return *caller_->sight; }
  bool is_unlimited() const { return sight().is_unlimited(); }

  // As Store::read, with a Reader that shows what may be seen.
  Result<> read(store::Store& store, const std::function<Result<>(store::Reader&)>& read,
                const store::ReadLimits& limits, store::Sequence after);
  Result<> read(store::Store& store, const std::function<Result<>(store::Reader&)>& read) {
    return this->read(store, read, {}, store::Store::everything_committed);
  }
  // The same on a Reader that is there, such as a Transaction.
  Result<> read(store::Reader& reader, const std::function<Result<>(store::Reader&)>& read);

  // Code::not_found when there is such a resource and it is hidden: for what is told of it from elsewhere than its body.
  Result<> check_shown(store::Store& store, std::string_view type, std::string_view id);

  // Whether a resource that is made on the spot, and not read from the store, may be shown; it then counts as seen.
  Result<bool> shows(store::Reader& reader, const store::Version& version);

  // Before a resource is written. `there`: what stands under that id, also when it is hidden or deleted. Code::refused.
  // What is visible and may not be changed is told; of what is hidden no more than that the id cannot be used.
  Result<> check_put(store::Reader& reader, std::string_view type, std::string_view id,
                     const std::optional<store::Version>& there, json::Value resource, bool by_create);
  // Before one is deleted. False: it is hidden, and the answer is that of one that is not there.
  Result<bool> check_remove(store::Reader& reader, const store::Version& there);

  // One resource that was written.
  struct Written {
    Permission action = Permission::create;  // create, update, remove
    std::string type, id;
    std::int64_t version = 0;
    std::vector<std::string> patients;
  };
  // How writes are told of in their own transaction; once for each, before it ends. None: they are not.
  using NoteWrites = std::function<Result<>(store::Transaction&, std::span<const Written>)>;
  void note_writes_by(NoteWrites note) { note_ = std::move(note); }
  // Around the writes of one transaction, inside it; wrote() for each. `body`: the text that was written or deleted.
  void begin_writes(const store::Transaction& transaction);
  void wrote(const store::Transaction& transaction, Permission action, std::string_view type, std::string_view id,
             std::int64_t version, std::string_view body);
  Result<> end_writes(store::Transaction& transaction);
  // Whether a write of this request has been told of.
  bool has_noted() const { return has_noted_; }

  // For what monitors deliver: what is measured of somebody in care is written down and watched, whatever Consents say of who
  // may read it. Before anything is written.
  void set_consents_aside();

  // Whether a Consent of that patient is in force, whatever it says: what was made of the whole record is then not for this
  // request.
  bool has_consent(std::string_view patient) const;

  // Who is told how long reads and writes take. Null: nobody. It must live as long as this.
  void trace_by(telemetry::Trace* trace) { trace_ = trace; }
  telemetry::Trace* trace() const { return trace_; }

  // What the audit tells of the answer.
  void note_patient(std::string_view id);
  void note_incomplete();  // more than are named: an export
  std::vector<std::string> patients() const;
  bool patients_complete() const;

 private:
  void take(const Seen& seen);

  std::shared_ptr<const Caller> caller_;
  const Clock* clock_ = nullptr;  // null: the server itself
  NoteWrites note_;
  telemetry::Trace* trace_ = nullptr;
  // A write that is rehearsed because its store is full has another transaction, on another thread.
  std::map<const store::Transaction*, std::vector<Written>> written_;
  std::atomic<bool> has_noted_ = false;
  mutable std::mutex mutex_;
  Seen seen_;
};

}  // namespace mydr24::access
