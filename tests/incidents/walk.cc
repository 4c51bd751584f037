#include "incidents/walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>

#include "alerting/oncall/settings.h"
#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::incident_walks {
namespace {

// The built-in setup, with somebody outside and somebody who wants to hear of every step.
std::string setup_text() {
  std::string text(incidents::Setup::default_text());
  const std::string_view after = R"("zone": "UTC",)";
  text.insert(text.find(after) + after.size(),
              R"("external": [{"kind": "email", "target": "authority@example.org"}],
                 "updates": [{"kind": "email", "target": "leadership@example.org"}],)");
  return text;
}

// Words, or texts in quotes; what comes after a # outside of quotes is a remark.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  bool is_quoted = false, is_open = false;
  for (const char c : line) {
    if (c == '#' && !is_quoted && !is_open) break;
    if (c == '"') {
      is_quoted = !is_quoted;
      if (is_quoted && !is_open) words.emplace_back();
      is_open = true;
    } else if ((c == ' ' || c == ',') && !is_quoted) {
      is_open = false;
    } else {
      if (!is_open) words.emplace_back();
      is_open = true;
      words.back() += c;
    }
  }
  return words;
}

std::map<std::string, std::string, std::less<>> options_of(std::span<const std::string> words) {
  std::map<std::string, std::string, std::less<>> options;
  for (const std::string& word : words)
    if (const auto equal = word.find('='); equal != word.npos) options[word.substr(0, equal)] = word.substr(equal + 1);
  return options;
}

std::string text_of(const std::map<std::string, std::string, std::less<>>& options, std::string_view name) {
  const auto found = options.find(name);
  return found == options.end() ? std::string() : found->second;
}

Microseconds duration_of(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string unit(end, text.data() + text.size());
  const std::map<std::string, double> units{{"us", 1},    {"ms", 1e3},  {"s", 1e6},
                                            {"min", 6e7}, {"h", 3.6e9}, {"d", 8.64e10}};
  return Microseconds(static_cast<std::int64_t>(number * units.at(unit)));
}

}  // namespace

struct Walk::Process {
  explicit Process(store::FakeStore& store)
      : directory(oncall::Plan::make(oncall::operations_desk()).value()),
        alerts(directory),
        book(alerts, setups),
        watcher(book) {
    alerts.attach(store);
    if (auto loaded = setups.load(store); !loaded) fmt::print("{}\n", loaded.error().text);
    book.attach(store);
    watcher.start(store);
  }
  oncall::Directory directory;
  alerts::Book alerts;
  incidents::Setups setups;
  incidents::Book book;
  incidents::Watcher watcher;
};

Walk::Walk(const std::filesystem::path& file) {
  std::ifstream in(file);
  for (std::string text; std::getline(in, text);) lines_.push_back(text);
  start_process();
  const auto made = write([&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(const auto version, process_->setups.add(transaction, setup_text(), "the walk"));
    MYDR24_TRY(process_->setups.keep_dry_run(transaction, version, {}, "the walk"));
    MYDR24_TRY(process_->setups.check_vectors(transaction, version));
    MYDR24_ASSIGN(const auto active, process_->setups.activate(transaction, version, "the walk"));
    process_->setups.publish(active, version);
    return {};
  });
  if (!made) lines_ = {made.error().text};
}

Walk::~Walk() = default;

// As after kill -9: what is in the store stays, all else is gone.
void Walk::start_process() {
  store_.forget_process();
  process_ = std::make_unique<Process>(store_);
}

Result<> Walk::write(const std::function<Result<>(store::Transaction&)>& work) {
  return store_.write(RequestClass::urgent, [&](store::Transaction& transaction) { return work(transaction); });
}

std::string Walk::run() {
  for (std::size_t i = 0; i < lines_.size(); ++i)
    if (std::string wrong = line(lines_[i]); !wrong.empty()) return fmt::format("line {}: {}", i + 1, wrong);
  return {};
}

std::string Walk::line(const std::string& text) {
  Words words = words_of(text);
  if (words.empty()) return {};
  if (words[0] != "refused:") return step(words);
  words.erase(words.begin());
  const std::string why = step(words);
  // A word of the walk that is wrong is not what was to be refused.
  for (const char* mistake : {"is no step", "is no action", "there is no incident"})
    if (why.contains(mistake)) return why;
  return why.empty() ? "it was not refused" : std::string();
}

std::string Walk::step(const Words& words) {
  if (ids_.contains(words[0])) return incident_step(words);
  return world_step(words);
}

std::string Walk::world_step(const Words& words) {
  if (words[0] == "at") {
    clock_.set(parse_date_time(words[1])->low);
    return {};
  }
  if (words[0] == "after") return pass(words[1]);
  if (words[0] == "open" || words[0] == "joins") return open(words);
  if (words[0] == "alert" || words[0] == "answer") return alert(words);
  if (words[0] == "request") return request(words);
  if (words[0] == "change") return change(words);
  if (words[0] == "storm") return storm(words);
  if (words[0] == "kill") return start_process(), std::string();
  if (words[0] == "follow") return store_.settle(), std::string();
  if (words[0] == "incidents") return count_open(words);
  if (words[0] == "outside") {
    std::size_t told = 0;
    (void)store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto rows, reader.states("alert_updates", "message/", "", 10'000));
      for (const auto& row : rows) told += row.value.find("authority@") != std::string::npos ? 1 : 0;
      return {};
    });
    return fmt::to_string(told) == words[1] ? std::string() : fmt::format("{} were told", told);
  }
  return fmt::format("\"{}\" is no step", words[0]);
}

std::string Walk::pass(const std::string& duration) {
  clock_.advance(duration_of(duration));
  store_.tick();
  store_.settle();
  return {};
}

// open NAME "TITLE" [status=] [service=] [severity=] [cause=] [source=]
std::string Walk::open(const Words& words) {
  const auto options = options_of(std::span(words).subspan(3));
  incidents::Opened opened;
  const auto done = write([&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(opened,
                  process_->book.open(transaction, {.cause = text_of(options, "cause"),
                                                    .title = words[2],
                                                    .status = text_of(options, "status"),
                                                    .service = text_of(options, "service"),
                                                    .severity = incidents::parse_severity(text_of(options, "severity")),
                                                    .by = "ann"}));
    return {};
  });
  if (!done) return done.error().text;
  if (opened.joined != (words[0] == "joins")) return opened.joined ? "it joined" : "it joined none";
  if (opened.joined && ids_[words[1]] != opened.id) return "it joined another one";
  ids_[words[1]] = opened.id;
  store_.settle();
  return {};
}

// alert CAUSE emergency|urgent|advisory "TITLE" [source=] [patient=]; answer CAUSE|NAME by PERSON: acknowledges the alert, or the
// page of an incident.
std::string Walk::alert(const Words& words) {
  const auto done = write([&](store::Transaction& transaction) -> Result<> {
    if (words[0] == "answer") {
      std::string id = alert_ids_[words[1]];
      if (const auto incident = ids_.find(words[1]); incident != ids_.end()) {
        MYDR24_ASSIGN(const auto found, incidents::Book::find(transaction, incident->second));
        id = found.page;
      }
      MYDR24_TRY(process_->alerts.acknowledge(transaction, id, words[3]));
      return {};
    }
    const auto options = options_of(std::span(words).subspan(4));
    const std::size_t severity = words[2] == "emergency" ? 0 : words[2] == "urgent" ? 1 : 2;
    const std::string source = text_of(options, "source");
    std::string values;
    if (const auto says = text_of(options, "says"); !says.empty())
      values = fmt::format(R"({{"severity":"{}","service":"{}"}})", says, text_of(options, "of"));
    MYDR24_ASSIGN(const auto raised,
                  process_->alerts.raise(transaction, {.source = source.empty() ? "vitals" : source,
                                                       .cause = words[1],
                                                       .severity = static_cast<alerts::Severity>(severity),
                                                       .patient = text_of(options, "patient"),
                                                       .title = words[3],
                                                       .values = values}));
    alert_ids_[words[1]] = raised.id;
    return {};
  });
  if (!done) return done.error().text;
  if (!text_of(options_of(words), "as").empty()) {
    store_.settle();
    (void)store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto id, reader.state(incidents::rows::alerts, alert_ids_[words[1]]));
      if (id) ids_[text_of(options_of(words), "as")] = *id;
      return {};
    });
  }
  return {};
}

// request NAME "TITLE" cause= [severity=]: of another module, through the journal.
std::string Walk::request(const Words& words) {
  const auto options = options_of(std::span(words).subspan(3));
  std::string payload;
  json::Writer out(payload);
  out.begin_object().field("title", words[2]);
  for (const auto& [name, value] : options) out.field(name, value);
  out.end_object();
  const auto done = write([&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(transaction.note(incidents::request_event, payload));
    return {};
  });
  if (!done) return done.error().text;
  return {};
}

// change ID "TITLE" service= ends_as= [as=NAME]: it goes back.
std::string Walk::change(const Words& words) {
  const auto options = options_of(std::span(words).subspan(3));
  std::string payload;
  json::Writer(payload)
      .begin_object()
      .field("id", words[1])
      .field("title", words[2])
      .field("service", text_of(options, "service"))
      .field("state", "rolling_back")
      .field("ends_as", text_of(options, "ends_as"))
      .end_object();
  const auto done = write([&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(transaction.note("change.rollback_begun", payload));
    return {};
  });
  if (!done) return done.error().text;
  store_.settle();
  (void)store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto id, incidents::Book::find_unresolved(reader, "change/" + words[1]));
    if (id) ids_[text_of(options, "as")] = *id;
    return {};
  });
  return {};
}

// storm COUNT SOURCE: so many emergencies with causes of their own.
std::string Walk::storm(const Words& words) {
  std::size_t count = 0;
  std::from_chars(words[1].data(), words[1].data() + words[1].size(), count);
  const auto done = write([&](store::Transaction& transaction) -> Result<> {
    for (std::size_t i = 0; i < count; ++i)
      MYDR24_TRY(process_->alerts.raise(transaction, {.source = words[2],
                                                      .cause = fmt::format("{}/{}", words[2], i),
                                                      .severity = alerts::Severity::emergency,
                                                      .title = "one of many"}));
    return {};
  });
  store_.settle();
  return done ? std::string() : done.error().text;
}

std::string Walk::count_open(const Words& words) {
  std::size_t count = 0;
  (void)store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto page, incidents::Book::list(reader, false, "", 500));
    count = page.summaries.size();
    // Those that the walk did not open get the names of their titles.
    for (const std::string& summary : page.summaries) {
      MYDR24_ASSIGN(const auto document, json::Document::parse_view(summary));
      ids_.try_emplace(std::string(document.root()["title"].text()), document.root()["id"].text());
    }
    return {};
  });
  return fmt::to_string(count) == words[1] ? std::string() : fmt::format("{} are not over", count);
}

Result<incidents::Incident> Walk::find(const std::string& name) {
  incidents::Incident found;
  MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(found, incidents::Book::find(reader, ids_[name]));
    return {};
  }));
  return found;
}

std::string Walk::incident_step(const Words& words) {
  const auto incident = find(words[0]);
  if (!incident) return incident.error().text;
  if (words[1] == "is") return is(*incident, words);
  if (words[1] == "has" || words[1] == "timeline" || words[1] == "verifies") return has(*incident, words);
  if (words[1] == "tamper") return tamper(*incident, words);
  const auto done = write([&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(act(transaction, ids_[words[0]], words));
    return {};
  });
  store_.settle();
  return done ? std::string() : done.error().text;
}

// NAME is WORD...: state, severity, rule, "breached", "paused", "escalated", "told outside" ...
std::string Walk::is(const incidents::Incident& incident, const Words& words) {
  for (const std::string& word : std::span(words).subspan(2)) {
    const bool holds = word == to_string(incident.state) || word == to_string(incident.severity) ||
                       word == incident.classified.rule || (word == "escalated" && incident.escalated) ||
                       (word == "paused" && incident.paused_at) || (word == "breach" && incident.breach) ||
                       word == incident.acknowledged_by || word == incident.team;
    if (!holds)
      return fmt::format("it is {}, {}, rule \"{}\"", to_string(incident.severity), to_string(incident.state),
                         incident.classified.rule);
  }
  return {};
}

// NAME has alerts N | duplicates N | term T | review due TIME | page open|acknowledged|resolved; NAME timeline KIND...;
// NAME verifies
std::string Walk::has(const incidents::Incident& incident, const Words& words) {
  std::string found;
  (void)store_.read([&](store::Reader& reader) -> Result<> {
    if (words[1] == "verifies") {
      MYDR24_ASSIGN(const auto problems, incidents::timeline::verify(reader, incident));
      found = problems.empty() ? std::string() : problems.front();
    } else if (words[1] == "timeline") {
      MYDR24_ASSIGN(const auto rows, incidents::timeline::read(reader, incident.id, 0, 1'000));
      for (const std::string& row : rows) {
        MYDR24_ASSIGN(const auto document, json::Document::parse_view(row));
        const std::string_view kind = document.root()["entry"]["kind"].text();
        if (!kind.starts_with("alert.")) found += fmt::format("{}{}", found.empty() ? "" : " ", kind);
      }
    } else if (words[2] == "page") {
      MYDR24_ASSIGN(const auto page, alerts::Book::find(reader, incident.page));
      found = page ? std::string(alerts::to_string(page->state)) : "none";
    }
    return {};
  });
  if (words[1] == "verifies") return found;
  if (words[1] == "timeline") {
    const std::string wanted = fmt::format("{}", fmt::join(std::span(words).subspan(2), " "));
    return found == wanted ? std::string() : "it is " + found;
  }
  const std::string& what = words[2];
  if (what == "alerts") found = fmt::to_string(incident.alert_count);
  if (what == "linked") found = fmt::to_string(incident.alerts.size());
  if (what == "duplicates") found = fmt::to_string(incident.duplicates.size());
  if (what == "role") found = incident.roles.contains(words[3]) ? words[3] : "nobody";
  if (what == "review") found = incident.review ? format_instant(incident.review->due) : "none";
  if (what == "term") found = incidents::contains(incident.classified.terms, words[3]) ? words[3] : "not that term";
  return found == words[3] ? std::string() : "it is " + found;
}

// NAME tamper N by FROM TO: changes a row of the timeline behind everybody's back.
std::string Walk::tamper(const incidents::Incident& incident, const Words& words) {
  const std::string key = fmt::format("{}/{:0>8}", incident.id, words[2]);
  const auto done = write([&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(auto row, transaction.state(incidents::timeline::space, key));
    if (!row) return fail(Code::not_found, "there is no such entry");
    if (words[3] == "gone") return transaction.erase_state(incidents::timeline::space, key);
    const auto at = row->find(words[3]);
    if (at == row->npos) return fail(Code::not_found, "it does not say so");
    row->replace(at, words[3].size(), words[4]);
    return transaction.set_state(incidents::timeline::space, key, *row);
  });
  return done ? std::string() : done.error().text;
}

// NAME ACTION by PERSON "TEXT"
Result<incidents::Incident> Walk::act(store::Transaction& transaction, const std::string& id, const Words& words) {
  const incidents::Book& book = process_->book;
  const std::string& action = words[1];
  const std::string by = words.size() > 3 ? words[3] : std::string(),
                    text = words.size() > 4 ? words[4] : std::string();
  if (action == "ack") return book.acknowledge(transaction, id, by, text);
  if (action == "mitigate") return book.mitigate(transaction, id, by, text);
  if (action == "resolve") return book.resolve(transaction, id, by, text);
  if (action == "close") return book.close(transaction, id, by);
  if (action == "pause") return book.pause(transaction, id, by, text);
  if (action == "resume") return book.resume(transaction, id, by);
  if (action == "note") return book.note(transaction, id, by, text);
  if (action == "merge") return book.merge(transaction, id, ids_[words[2]], by.empty() ? "ann" : by);
  if (action == "severity")
    return book.set_severity(transaction, id, *incidents::parse_severity(words[2]), "ann",
                             words.size() > 3 ? words[3] : "");
  return review(transaction, id, words);
}

// NAME review SUMMARY ROOT_CAUSE; NAME action "TEXT" [owner=] [due=] [place=] [done]; NAME close-review
Result<incidents::Incident> Walk::review(store::Transaction& transaction, const std::string& id, const Words& words) {
  const incidents::Book& book = process_->book;
  if (words[1] == "review")
    return book.edit_review(transaction, id, {.summary = words[2], .root_cause = words[3]}, "ann");
  if (words[1] == "close-review") return book.close_review(transaction, id, "ann");
  if (words[1] != "action") return fail(Code::invalid, fmt::format("\"{}\" is no action", words[1]));
  const auto options = options_of(std::span(words).subspan(2));
  incidents::Book::ActionEdit edit{.done = incidents::contains(words, "done")};
  if (const auto place = text_of(options, "place"); !place.empty())
    edit.place = static_cast<std::size_t>(place.front() - '0');
  else
    edit.text = words[2];
  if (const auto owner = text_of(options, "owner"); !owner.empty()) edit.owner = owner;
  if (const auto due = text_of(options, "due"); !due.empty()) edit.due = parse_date_time(due)->low;
  return book.edit_action(transaction, id, edit, "ann");
}

}  // namespace mydr24::incident_walks
