#pragma once

// A store in memory for the tests of modules that write resources, state, events and timers: same rules, no disk, no
// threads of its own. It searches by trying each resource; it keeps no older versions. A write is made on the caller's
// thread; followers are called by settle() and tick(), or after each write when `follow_at_once` is set.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/json/document.h"
#include "storage/store/store.h"

namespace mydr24::store {

class FakeStore : public Store {
 public:
  explicit FakeStore(const Clock& clock) : clock_(clock) {}

  PackedBody pack(std::string_view text, std::uint32_t meta_at) const override { return {std::string(text), meta_at}; }

  void submit(RequestClass, Work work, Done done) override {
    Result<> result;
    {
      const std::lock_guard lock(mutex_);
      if (refuse_writes > 0) {
        --refuse_writes;
        result = fail(Code::busy, "the queue is full");
      } else if (full) {
        // As a disk that is found to be full at the commit.
        const Data before = data_;
        result = run(work);
        data_ = before;
        if (result) result = fail(Code::full, "the disk of the database is full");
      } else {
        result = run(work);
      }
    }
    done(std::move(result));
    if (follow_at_once) pump();
  }

  using Store::read;
  Result<> read(const std::function<Result<>(Reader&)>& read, const ReadLimits&, Sequence) override {
    const std::lock_guard lock(mutex_);
    FakeTransaction view(data_, clock_.now());
    return read(view);
  }

  bool is_shared() const override { return shared; }
  bool leads() const override { return leading; }

  void add_follower(Follower& follower) override {
    {
      const std::lock_guard lock(mutex_);
      if (follower.in_every_process() || !cursors_.contains(std::string(follower.name())))
        cursors_[std::string(follower.name())] = static_cast<Sequence>(data_.sequence);
      followers_.push_back(&follower);
    }
    if (led_ || follower.in_every_process()) (void)follower.begin();
  }

  // As after a restart: the cursors stay, the followers and handlers are gone.
  void forget_process() {
    const std::lock_guard lock(mutex_);
    followers_.clear();
    handlers_.clear();
  }

  void on_timer(std::string kind, TimerHandler handler) override { handlers_[std::move(kind)] = std::move(handler); }

  void tick() override {
    for (bool found = true; found;) {
      found = false;
      std::unique_lock lock(mutex_);
      FakeTransaction view(data_, clock_.now());
      const auto due = view.due_timers(100);
      for (const Timer& timer : *due) {
        const auto handler = handlers_.find(timer.kind);
        if (handler == handlers_.end()) continue;
        Work work = [&](Transaction& transaction) -> Result<> {
          MYDR24_TRY(transaction.cancel_timer(timer.key));
          return handler->second(transaction, timer);
        };
        found = run(work).has_value() || found;
      }
      lock.unlock();
      pump();
    }
  }

  void settle() override { pump(); }

  Result<> backup(const std::filesystem::path&) override { return fail(Code::unsupported, "in memory"); }
  Result<std::vector<std::string>> verify() override { return std::vector<std::string>(); }
  Statistics statistics() const override { return {}; }
  Result<> learn(const search::CataloguePtr&) override { return {}; }  // it knows no parameters

  // Test switches.
  bool follow_at_once = false;
  bool shared = false;               // before followers are added
  std::atomic<bool> leading = true;  // seen by followers with the next settle() or tick()
  std::atomic<bool> full = false;    // every write is answered full
  int refuse_writes = 0;             // the next so many writes are answered busy

  // Every event so far of that kind.
  std::vector<Event> events_of(std::string_view kind) const {
    const std::lock_guard lock(mutex_);
    std::vector<Event> found;
    for (const Event& event : data_.events)
      if (event.kind == kind) found.push_back(event);
    return found;
  }
  std::size_t timers() const {
    const std::lock_guard lock(mutex_);
    return data_.timers.size();
  }
  std::size_t writes_of_state() const { return data_.state_writes; }
  // Bodies by type/id, and how often they were written.
  std::map<std::string, std::string> resources() const {
    const std::lock_guard lock(mutex_);
    return data_.resources;
  }
  std::int64_t versions_of(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = data_.versions.find(key);
    return found == data_.versions.end() ? 0 : found->second;
  }
  // The current body of a resource, as another module would have written it.
  void put_resource(const std::string& type, const std::string& id, std::string body) {
    const std::lock_guard lock(mutex_);
    const std::string key = type + "/" + id;
    constexpr std::string_view meta = "\"meta\":{";
    const auto at = body.find(meta);
    data_.meta_at[key] = at == body.npos ? 0 : static_cast<std::uint32_t>(at + meta.size());
    data_.resources[key] = std::move(body);
    data_.changed[key] = ++data_.sequence;
    data_.created.try_emplace(key, data_.sequence);
    data_.at[key] = clock_.now();
    ++data_.versions[key];
  }

 private:
  struct Data {
    std::int64_t sequence = 0;
    std::map<std::pair<std::string, std::string>, std::string> state;
    std::map<std::string, Timer> timers;
    std::vector<Event> events;
    std::map<std::string, std::string> resources;  // current bodies, by type/id
    std::map<std::string, std::int64_t> versions;
    std::map<std::string, std::uint32_t> meta_at;
    std::map<std::string, std::int64_t> created, changed;  // lines of the journal
    std::map<std::string, Instant> at;
    std::size_t state_writes = 0;
  };

  class FakeTransaction : public Transaction {
   public:
    FakeTransaction(Data& data, Instant now) : data_(data), now_(now) {}

    Result<std::optional<Version>> current(std::string_view type, std::string_view id) override {
      const std::string key = std::string(type) + "/" + std::string(id);
      const auto written = data_.versions.find(key);
      if (written == data_.versions.end()) return std::optional<Version>();
      Version version;
      version.type = type;
      version.id = id;
      version.version = written->second;
      const auto found = data_.resources.find(key);
      if (found == data_.resources.end()) {
        version.action = Action::remove;
      } else {
        version.action = version.version == 1 ? Action::create : Action::update;
        version.body = found->second;
        version.meta_at = data_.meta_at[key];
      }
      return std::optional(std::move(version));
    }
    Result<std::optional<Version>> current_head(std::string_view type, std::string_view id) override {
      return current(type, id);
    }
    Result<std::optional<Version>> version(std::string_view, std::string_view, std::int64_t) override {
      return fail(Code::unsupported, "not in the fake");
    }
    Result<std::vector<Version>> history(const HistoryQuery&) override {
      return fail(Code::unsupported, "not in the fake");
    }
    // As a store orders and pages; the cursor is how many went before.
    Result<SearchPage> search(const search::Query& query) override {
      struct Item {
        std::string key;
        std::vector<std::optional<std::string>> sort;
      };
      std::vector<Item> items;
      for (const auto& [key, body] : data_.resources) {
        if (!key.starts_with(query.type + "/") || !all_hold(query.conditions, key, query.catalogue.get())) continue;
        Item& item = items.emplace_back(key);
        MYDR24_ASSIGN(const auto document, json::Document::parse_view(body));
        for (const auto& sort : query.sort) {
          item.sort.push_back(search::sort_key(document.root(), sort, query.catalogue.get()));
        }
      }
      std::ranges::sort(items, [&](const Item& a, const Item& b) {
        for (std::size_t i = 0; i < query.sort.size(); ++i) {
          if (a.sort[i] == b.sort[i]) continue;
          if (!a.sort[i] || !b.sort[i]) return a.sort[i].has_value();
          return query.sort[i].descending ? *a.sort[i] > *b.sort[i] : *a.sort[i] < *b.sort[i];
        }
        const auto& places = query.by_last_updated ? data_.changed : data_.created;
        const auto x = place(places, a.key), y = place(places, b.key);
        return query.order == search::Order::newest_first ? x > y : x < y;
      });
      SearchPage page;
      if (query.total != search::Total::none || query.count == 0) page.total = static_cast<std::int64_t>(items.size());
      std::size_t from = query.cursor.empty() ? 0 : std::strtoul(query.cursor.c_str(), nullptr, 10);
      for (; from < items.size() && page.matches.size() < query.count; ++from) {
        MYDR24_ASSIGN(auto version, current(query.type, items[from].key.substr(query.type.size() + 1)));
        page.matches.push_back(std::move(*version));
      }
      if (query.count > 0 && from < items.size()) page.next_cursor = std::to_string(from);
      return page;
    }
    Result<std::int64_t> count_resources(std::string_view) override {
      return static_cast<std::int64_t>(data_.resources.size());
    }

    Result<std::optional<std::string>> state(std::string_view space, std::string_view key) override {
      const auto found = data_.state.find({std::string(space), std::string(key)});
      if (found == data_.state.end()) return std::optional<std::string>();
      return std::optional(found->second);
    }
    Result<std::vector<StateRow>> states(std::string_view space, std::string_view prefix, std::string_view after,
                                         std::uint32_t count) override {
      std::vector<StateRow> rows;
      auto row = data_.state.upper_bound({std::string(space), std::string(after)});
      for (; row != data_.state.end() && row->first.first == space && rows.size() < count; ++row)
        if (row->first.second.starts_with(prefix)) rows.push_back({row->first.second, row->second});
      return rows;
    }
    Result<std::vector<Event>> events(Sequence after, std::uint32_t count) override {
      std::vector<Event> found;
      for (const Event& event : data_.events)
        if (event.sequence > after && found.size() < count) found.push_back(event);
      return found;
    }
    Result<Sequence> last_sequence() override { return data_.sequence; }

    Instant now() const override { return now_; }
    Result<Written> put(const Put& put) override {
      const std::string key = std::string(put.type) + "/" + std::string(put.id);
      if (put.action == Action::remove) {
        data_.resources.erase(key);
      } else {
        data_.resources[key] = put.body->bytes;
        data_.meta_at[key] = put.body->meta_at;
      }
      data_.changed[key] = ++data_.sequence;
      data_.created.try_emplace(key, data_.sequence);
      data_.at[key] = now_;
      return Written{++data_.versions[key], data_.sequence, now_};
    }
    Result<Sequence> note(std::string_view kind, std::string_view payload) override {
      data_.events.push_back({++data_.sequence, now_, std::string(kind), std::string(payload)});
      return data_.sequence;
    }
    Result<> set_state(std::string_view space, std::string_view key, std::string_view value) override {
      data_.state[{std::string(space), std::string(key)}] = value;
      ++data_.state_writes;
      return {};
    }
    Result<> erase_state(std::string_view space, std::string_view key) override {
      data_.state.erase({std::string(space), std::string(key)});
      return {};
    }
    Result<> set_timer(const Timer& timer) override {
      data_.timers[timer.key] = timer;
      return {};
    }
    Result<> cancel_timer(std::string_view key) override {
      data_.timers.erase(std::string(key));
      return {};
    }
    // It has no index rows: every search reads the bodies.
    Result<> reindex(std::string_view, std::string_view, std::int64_t, std::span<const search::IndexEntry>,
                     std::span<const search::IndexEntry>) override {
      return {};
    }
    Result<std::vector<Timer>> due_timers(std::uint32_t count) override {
      std::vector<Timer> due;
      for (const auto& [key, timer] : data_.timers)
        if (timer.due <= now_) due.push_back(timer);
      std::ranges::sort(due, {}, &Timer::due);
      if (due.size() > count) due.resize(count);
      return due;
    }

   private:
    static std::int64_t place(const std::map<std::string, std::int64_t>& places, const std::string& key) {
      const auto found = places.find(key);
      return found == places.end() ? 0 : found->second;
    }

    bool all_hold(std::span<const search::Condition> conditions, const std::string& key,
                  const search::Catalogue* catalogue) const {
      const auto found = data_.resources.find(key);
      if (found == data_.resources.end()) return false;
      const auto document = json::Document::parse_view(found->second);
      if (!document) return false;
      const auto at = data_.at.find(key);
      const search::MatchContext context{
          .now = now_,
          .last_updated = at == data_.at.end() ? Instant() : at->second,
          .catalogue = catalogue,
          .chain =
              [&](const search::Condition& chain, std::span<const std::string> targets) {
                return std::ranges::any_of(
                    targets, [&](const std::string& target) { return all_hold(chain.parts, target, catalogue); });
              },
          .has =
              [&](const search::Condition& has, std::string_view reference) {
                return std::ranges::any_of(data_.resources, [&](const auto& other) {
                  return other.first.starts_with(std::string(has.parameter->type) + "/") &&
                         refers(other.second, has, reference, catalogue) && all_hold(has.parts, other.first, catalogue);
                });
              }};
      return std::ranges::all_of(conditions, [&](const search::Condition& condition) {
        return search::matches(condition, document->root(), context);
      });
    }
    static bool refers(const std::string& body, const search::Condition& has, std::string_view reference,
                       const search::Catalogue* catalogue) {
      const auto document = json::Document::parse_view(body);
      return document && std::ranges::any_of(search::extract(document->root(), *has.parameter, catalogue),
                                             [&](const auto& entry) { return entry.value == reference; });
    }

    Data& data_;
    Instant now_;
  };

  Result<> run(Work& work) {
    Data before = data_;
    FakeTransaction transaction(data_, clock_.now());
    Result<> result = work(transaction);
    if (!result) data_ = std::move(before);
    return result;
  }

  void pump() {
    const std::unique_lock pumping(pump_mutex_, std::try_to_lock);
    if (!pumping) return;
    if (const bool leads = leading; led_.exchange(leads) != leads)
      for (Follower* follower : followers_)
        if (!follower->in_every_process()) leads ? (void)follower->begin() : follower->end();
    for (bool more = true; more;) {
      more = false;
      for (Follower* follower : followers_) {
        if (!led_ && !follower->in_every_process()) continue;
        std::vector<Event> events;
        {
          const std::lock_guard lock(mutex_);
          FakeTransaction view(data_, clock_.now());
          events = *view.events(cursors_[std::string(follower->name())], 100);
        }
        if (events.empty() || !follower->follow(events)) continue;
        const std::lock_guard lock(mutex_);
        cursors_[std::string(follower->name())] = events.back().sequence;
        more = true;
      }
    }
  }

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::mutex pump_mutex_;
  Data data_;
  std::vector<Follower*> followers_;
  std::atomic<bool> led_ = true;
  std::map<std::string, Sequence> cursors_;
  std::map<std::string, TimerHandler> handlers_;
};

}  // namespace mydr24::store
