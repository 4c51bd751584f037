#include "guard/audit/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json/document.h"
#include "base/json/writer.h"
#include "guard/audit/detail/record.h"
#include "guard/audit/detail/segment.h"

namespace mydr24::audit {
namespace {

namespace fs = std::filesystem;

// What a matching line must contain: most lines are passed over without being parsed.
std::vector<std::string> needles_of(const Query& query) {
  std::vector<std::string> needles;
  const auto add = [&](const std::string& text) {
    if (text.empty()) return;
    json::append_quoted(needles.emplace_back(), text);
  };
  if (!query.or_everyone) add(query.patient);
  add(query.principal);
  add(query.id);
  add(query.override_id);
  add(query.request_id);
  add(query.interaction);
  add(query.resource_id);
  return needles;
}

class Search {
 public:
  explicit Search(const Query& query) : query_(query), needles_(needles_of(query)) {}

  // Blocks of the segment that may hold matches, ascending.
  std::vector<std::uint32_t> blocks_of(const Segment& segment) const {
    std::vector<std::uint32_t> blocks(segment.blocks());
    for (std::uint32_t i = 0; i < blocks.size(); ++i) blocks[i] = i;
    const Index* index = segment.index();
    if (index == nullptr) return blocks;
    if (query_.since && index->latest < *query_.since) return {};
    if (query_.until && index->earliest >= *query_.until) return {};
    const auto narrow = [&](std::vector<std::uint32_t> found) {
      std::vector<std::uint32_t> both;
      std::ranges::set_intersection(blocks, found, std::back_inserter(both));
      blocks = std::move(both);
    };
    const auto frames = [&](KeyKind kind, std::string_view text) {
      const auto found = index->frames_of(index_key(kind, text));
      return std::vector<std::uint32_t>(found.begin(), found.end());
    };
    if (!query_.patient.empty()) {
      std::vector<std::uint32_t> either = frames(KeyKind::patient, query_.patient);
      if (query_.or_everyone) {
        std::vector<std::uint32_t> united;
        std::ranges::set_union(either, frames(KeyKind::everyone, {}), std::back_inserter(united));
        either = std::move(united);
      }
      narrow(std::move(either));
    }
    if (!query_.principal.empty()) narrow(frames(KeyKind::principal, query_.principal));
    if (!query_.override_id.empty()) narrow(frames(KeyKind::override, query_.override_id));
    return blocks;
  }

  std::optional<Found> match(std::string_view text) const {
    for (const std::string& needle : needles_)
      if (!text.contains(needle)) return std::nullopt;
    const auto line = parse_line(text);
    if (!line || line->kind != Kind::entry) return std::nullopt;
    const auto document = json::Document::parse_view(line->body);
    if (!document) return std::nullopt;
    auto entry = entry_of(document->root());
    if (!entry || !matches(query_, *entry)) return std::nullopt;
    return Found{.number = line->number, .entry = std::move(*entry)};
  }

 private:
  const Query& query_;
  std::vector<std::string> needles_;
};

// What retention took away since the folder was listed is not there: nothing.
Result<std::optional<Segment>> open_if_there(const Trail& trail, std::int64_t first) {
  auto segment = Segment::open(trail, first);
  if (segment) return std::optional(std::move(*segment));
  if (segment.error().code == Code::not_found) return std::optional<Segment>();
  return segment.error();
}

std::vector<std::string_view> lines_of(std::string_view block) {
  std::vector<std::string_view> lines;
  for_each_line(block, [&](std::string_view line) {
    lines.push_back(line);
    return true;
  });
  return lines;
}

}  // namespace

bool matches(const Query& query, const Entry& entry) {
  const auto same = [](const std::string& asked, const std::string& has) { return asked.empty() || asked == has; };
  if (!query.patient.empty() && std::ranges::find(entry.patients, query.patient) == entry.patients.end() &&
      !(query.or_everyone && entry.patients_cut))
    return false;
  return same(query.principal, entry.principal) && same(query.tenant, entry.tenant) && same(query.id, entry.id) &&
         same(query.override_id, entry.override_id) && same(query.request_id, entry.request_id) &&
         same(query.interaction, entry.interaction) && same(query.resource_type, entry.resource_type) &&
         same(query.resource_id, entry.resource_id) && (!query.action || *query.action == entry.action) &&
         (!query.outcome || *query.outcome == entry.outcome) &&
         (!query.failures || entry.outcome != Outcome::success) && (!query.since || entry.at >= *query.since) &&
         (!query.until || entry.at < *query.until);
}

Result<Page> search(const Trail& trail, const Query& query, std::size_t limit, std::string_view cursor,
                    std::size_t blocks_max) {
  if (limit < 1 || limit > page_entries_max)
    return fail(Code::invalid, fmt::format("a page has 1 to {} entries", page_entries_max), "limit");
  std::int64_t below = INT64_MAX;
  if (!cursor.empty()) {
    const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), below);
    if (error != std::errc{} || end != cursor.data() + cursor.size()) return fail(Code::invalid, "is none", "cursor");
  }
  MYDR24_ASSIGN(const auto segments, segments_in(trail.folder));
  const Search look(query);
  Page page;
  std::size_t blocks_read = 0;
  std::string block;
  for (auto first = segments.rbegin(); first != segments.rend(); ++first) {
    if (*first >= below) continue;
    MYDR24_ASSIGN(const auto segment, open_if_there(trail, *first));
    if (!segment) continue;
    const auto blocks = look.blocks_of(*segment);
    for (auto number = blocks.rbegin(); number != blocks.rend(); ++number) {
      MYDR24_TRY(segment->read(*number, block));
      const auto lines = lines_of(block);
      for (auto text = lines.rbegin(); text != lines.rend(); ++text) {
        auto found = look.match(*text);
        if (!found || found->number >= below) continue;
        page.entries.push_back(std::move(*found));
        if (page.entries.size() < limit) continue;
        page.next = std::to_string(page.entries.back().number);
        return page;
      }
      if (++blocks_read < blocks_max || lines.empty()) continue;
      if (const auto line = parse_line(lines.front()); line) {
        page.next = std::to_string(line->number);
        return page;
      }
    }
  }
  return page;
}

Result<> for_each(const Trail& trail, const Query& query, const std::function<bool(const Found&)>& see) {
  MYDR24_ASSIGN(const auto segments, segments_in(trail.folder));
  const Search look(query);
  std::string block;
  bool go_on = true;
  for (const std::int64_t first : segments) {
    MYDR24_ASSIGN(const auto segment, open_if_there(trail, first));
    if (!segment) continue;
    for (const std::uint32_t number : look.blocks_of(*segment)) {
      MYDR24_TRY(segment->read(number, block));
      for_each_line(block, [&](std::string_view text) {
        const auto found = look.match(text);
        go_on = !found || see(*found);
        return go_on;
      });
      if (!go_on) return {};
    }
  }
  return {};
}

}  // namespace mydr24::audit
