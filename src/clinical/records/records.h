#pragma once

// The choke point of every write of a resource: REST, bundles, import and our own modules all pass here. A write is
// made ready outside the transaction (parsed, checked, indexed, compressed: Prepared) and put inside it, where the
// reactions see it.
//
// Invariant: nothing is stored that was not validated, indexed and shown to every reaction in the same transaction.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/json/document.h"
#include "clinical/records/definitions.h"
#include "fhir/model/outcome.h"
#include "guard/access/access.h"
#include "storage/store/store.h"

namespace mydr24::records {

// What a reaction sees: one write inside its transaction.
struct Change {
  store::Action action = store::Action::create;
  std::string_view type;
  std::string_view id;
  json::Value resource;  // the new content; missing when removed
  json::Value before;    // the content it replaces; missing when created
  store::Written written;
  const search::Catalogue* catalogue = nullptr;  // in force: which absolute references are local
};

// Called inside the transaction that writes a resource, on the store's thread: an error undoes the write and is the
// client's answer. Must be quick: every write waits for it.
class Reaction {
 public:
  virtual ~Reaction() = default;
  virtual bool concerns(std::string_view type) const = 0;
  virtual Result<> react(store::Transaction& transaction, const Change& change) = 0;
};

// A resource ready to be put. Movable, bound to no thread.
struct Prepared {
  std::string type;
  std::string id;
  std::unique_ptr<json::Document> document;  // as it was sent: `id` above is the one that counts
  std::uint32_t meta_at = 0;
  std::string text;        // what is stored: compact, with id and meta
  store::PackedBody body;  // the same, compressed
  std::vector<search::IndexEntry> entries;
  search::CataloguePtr catalogue;  // by which the entries are
};

// Why a text cannot be stored: the first is what decides the status (Code::invalid or Code::unprocessable), the issues
// say all.
struct Rejection {
  Code code = Code::invalid;
  std::vector<model::Issue> issues;
};

template <class T>
using Accepted = std::expected<T, Rejection>;

// One rejection from an Error, so that both kinds of failure are told the same way.
Rejection reject(Error error);

struct PrepareOptions {
  std::string_view type;       // the type the resource must have; empty: any
  std::string_view id;         // the id it gets; empty: its own id, or a new one when it has none
  bool ignore_own_id = false;  // a create: the id in the text is not used
  bool demand_own_id = false;  // an update by REST: the text must carry `id`
};

// What a client demands of the version that is there.
struct Precondition {
  std::optional<std::int64_t> version;  // If-Match: W/"3"
  bool must_not_exist = false;          // a create under an id of our own making, or If-None-Match: *
  bool must_exist = false;              // an update where create-on-update is not wanted
  bool by_create = false;               // the client asked for a create: the history says POST, else PUT
};

class Records {
 public:
  // Without definitions: the published search parameters, and only the structure of resources is checked.
  Records(store::Store& store, const Clock& clock)
      : store_(store), clock_(clock), definitions_(std::make_shared<const Definitions>()) {}

  // Any thread, at any time.
  void use(std::shared_ptr<const Definitions> definitions) { definitions_.store(std::move(definitions)); }
  std::shared_ptr<const Definitions> definitions() const { return definitions_.load(); }

  // Before the first write. The reaction must outlive the Records.
  void add_reaction(Reaction& reaction) { reactions_.push_back(&reaction); }

  // Is told of writes that the store did not take because it has no room or cannot write (Code::full, Code::internal), with
  // the work once more, to be rehearsed (store::Rehearsal): what must not be lost with the write is found there. Called
  // before the client is answered, on any thread; before the first write.
  using Work = std::function<Result<>(store::Transaction&)>;
  void on_not_stored(std::function<void(const Work&)> handler) { on_not_stored_ = std::move(handler); }
  void not_stored(const Error& error, const Work& work) const {
    if (on_not_stored_ && (error.code == Code::full || error.code == Code::internal)) on_not_stored_(work);
  }

  // Pure but for ids and the store's dictionary: any thread.
  Accepted<Prepared> prepare(std::string text, const PrepareOptions& options) const;

  struct Outcome {
    store::Written written;
    store::Action action = store::Action::create;
    bool unchanged = false;  // the same content was there already: no new version was written
  };
  // Creates or replaces. Code::stale, Code::conflict, Code::not_found by the precondition; Code::refused when `access` may
  // not: who writes for a client gives the client's.
  Result<Outcome> put(store::Transaction& transaction, const Prepared& prepared, const Precondition& precondition = {},
                      access::Access& access = access::Access::server()) const;
  // Deletes. Deleting what is not there, already deleted or hidden succeeds with nothing.
  Result<std::optional<store::Written>> remove(store::Transaction& transaction, std::string_view type,
                                               std::string_view id, const Precondition& precondition = {},
                                               access::Access& access = access::Access::server()) const;

  store::Store& store() const { return store_; }
  const Clock& clock() const { return clock_; }

 private:
  Result<> react(store::Transaction& transaction, const Change& change) const;

  store::Store& store_;
  const Clock& clock_;
  std::atomic<std::shared_ptr<const Definitions>> definitions_;
  std::vector<Reaction*> reactions_;
  std::function<void(const Work&)> on_not_stored_;
};

// The resource text as a client reads it: meta.versionId and meta.lastUpdated put in their place. `version` has a body.
std::string render(const store::Version& version);
void append_rendered(std::string& out, const store::Version& version);

}  // namespace mydr24::records
