#include "fhir/model/narrative.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace mydr24::model {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) { return is_letter(c) || is_digit(c) || c == ':' || c == '_' || c == '-' || c == '.'; }

constexpr std::size_t attributes_max = 64;  // of one element

// Basic formatting: chapters 7 to 11 (without section 4 of chapter 9) and 15 of HTML 4, and images. Sorted.
constexpr auto elements = std::to_array<std::string_view>(
    {"a",       "abbr",  "acronym", "address", "area",     "b",   "bdo", "big",   "blockquote", "br",
     "caption", "cite",  "code",    "col",     "colgroup", "dd",  "del", "dfn",   "div",        "dl",
     "dt",      "em",    "h1",      "h2",      "h3",       "h4",  "h5",  "h6",    "hr",         "i",
     "img",     "ins",   "kbd",     "li",      "map",      "ol",  "p",   "pre",   "q",          "s",
     "samp",    "small", "span",    "strike",  "strong",   "sub", "sup", "table", "tbody",      "td",
     "tfoot",   "th",    "thead",   "tr",      "tt",       "u",   "ul",  "var"});
static_assert(std::ranges::is_sorted(elements));

// Of the same chapters, and the identity and language of XML. No event handler is among them. Sorted.
constexpr auto attribute_names = std::to_array<std::string_view>(
    {"abbr",        "accesskey", "align",   "alt",      "axis",     "bgcolor",   "border", "cellpadding",
     "cellspacing", "char",      "charoff", "charset",  "cite",     "class",     "clear",  "colspan",
     "compact",     "coords",    "dir",     "frame",    "headers",  "height",    "href",   "hreflang",
     "hspace",      "id",        "lang",    "longdesc", "name",     "noshade",   "nowrap", "rel",
     "rev",         "rowspan",   "rules",   "scope",    "shape",    "size",      "span",   "src",
     "start",       "style",     "summary", "tabindex", "title",    "type",      "usemap", "valign",
     "value",       "vspace",    "width",   "xml:id",   "xml:lang", "xml:space", "xmlns"});
static_assert(std::ranges::is_sorted(attribute_names));

bool is_address(std::string_view name) {
  return name == "href" || name == "src" || name == "cite" || name == "longdesc";
}

// The scheme of an address, in lower case, without the white space that browsers overlook.
std::string scheme_of(std::string_view address) {
  std::string scheme;
  for (const char c : address) {
    if (static_cast<unsigned char>(c) <= ' ') continue;
    if (c == ':') return scheme;
    if (!is_letter(c) && !is_digit(c) && c != '+' && c != '-' && c != '.') return {};
    scheme += is_letter(c) ? static_cast<char>(c | 0x20) : c;
  }
  return {};
}

// Reads the markup once, from the left.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<std::string> run() {
    while (at_ < text_.size() && problem_.empty()) {
      if (text_[at_] == '<') {
        markup();
      } else if (text_[at_] == '&') {
        entity();
      } else {
        character();
      }
    }
    if (problem_.empty() && !open_.empty()) fail(fmt::format("<{}> is not closed", open_.back()));
    if (problem_.empty() && !root_seen_) fail("there is no <div>");
    if (problem_.empty()) return std::nullopt;
    return std::move(problem_);
  }

  bool has_content() const { return has_content_; }

 private:
  void fail(std::string problem) { problem_ = std::move(problem); }
  bool at(std::string_view text) const { return text_.substr(at_).starts_with(text); }
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  void character() {
    if (!is_space(text_[at_])) {
      if (open_.empty()) return fail("there is text outside of the <div>");
      has_content_ = true;
    }
    ++at_;
  }

  void entity() {
    const auto end = text_.find(';', at_);
    constexpr std::size_t length_max = 12;
    const auto name = text_.substr(at_ + 1, end == std::string_view::npos ? length_max : end - at_ - 1);
    constexpr auto of_xml = std::to_array<std::string_view>({"amp", "apos", "gt", "lt", "quot"});
    const bool number = name.size() > 1 && name[0] == '#' &&
                        (name[1] == 'x' ? name.size() > 2 && std::ranges::all_of(name.substr(2),
                                                                                 [](char c) {
                                                                                   return is_digit(c) ||
                                                                                          (c >= 'a' && c <= 'f') ||
                                                                                          (c >= 'A' && c <= 'F');
                                                                                 })
                                        : std::ranges::all_of(name.substr(1), is_digit));
    if (end == std::string_view::npos || (!number && std::ranges::find(of_xml, name) == of_xml.end())) {
      return fail(fmt::format("'&{}' is no entity of XML", name.substr(0, length_max)));
    }
    has_content_ = true;
    at_ = end + 1;
  }

  void markup() {
    if (at("<!--")) {
      const auto end = text_.find("-->", at_ + 4);
      if (end == std::string_view::npos) return fail("a comment is not closed");
      at_ = end + 3;
    } else if (at("<![CDATA[")) {
      const auto end = text_.find("]]>", at_);
      if (end == std::string_view::npos || open_.empty()) return fail("a CDATA section is not closed, or not inside");
      has_content_ = true;
      at_ = end + 3;
    } else if (at("<!") || at("<?")) {
      fail("neither a document type nor a processing instruction may be there");
    } else if (at("</")) {
      close();
    } else {
      open();
    }
  }

  std::string_view name() {
    const auto begin = at_;
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  void close() {
    at_ += 2;
    const auto tag = name();
    skip_space();
    if (!at(">")) return fail(fmt::format("</{} is not closed", tag));
    ++at_;
    if (open_.empty() || open_.back() != tag) return fail(fmt::format("</{}> closes what is not open", tag));
    open_.pop_back();
  }

  void open() {
    ++at_;
    const auto tag = name();
    if (tag.empty()) return fail("'<' must be written &lt;");
    if (!std::ranges::binary_search(elements, tag)) return fail(fmt::format("<{}> is not allowed", tag.substr(0, 40)));
    if (open_.empty() && (root_seen_ || tag != "div")) return fail("there must be one <div> around everything");
    root_seen_ = true;
    if (tag == "img") has_content_ = true;
    attributes(tag);
    if (!problem_.empty()) return;
    if (at("/>")) {
      at_ += 2;
    } else if (at(">")) {
      ++at_;
      open_.push_back(tag);
      if (open_.size() > narrative_depth_max) fail("it is nested too deep");
    } else {
      fail(fmt::format("<{} is not closed", tag));
    }
  }

  void attributes(std::string_view tag) {
    std::vector<std::string_view> seen;
    while (true) {
      const auto before = at_;
      skip_space();
      if (at_ == text_.size() || text_[at_] == '>' || text_[at_] == '/') return;
      const auto attribute = name();
      if (attribute.empty() || before + attribute.size() == at_) return fail(fmt::format("<{}> is malformed", tag));
      skip_space();
      if (!at("=")) return fail(fmt::format("the attribute {} has no value", attribute));
      ++at_;
      skip_space();
      const char quote = at_ < text_.size() ? text_[at_] : ' ';
      const auto end = quote == '"' || quote == '\'' ? text_.find(quote, at_ + 1) : std::string_view::npos;
      if (end == std::string_view::npos) return fail(fmt::format("the value of {} is not in quotes", attribute));
      const auto value = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
      if (seen.size() >= attributes_max) return fail(fmt::format("<{}> has too many attributes", tag));
      if (std::ranges::find(seen, attribute) != seen.end()) return fail(fmt::format("{} is there twice", attribute));
      seen.push_back(attribute);
      check(tag, attribute, value);
      if (!problem_.empty()) return;
    }
  }

  void check(std::string_view tag, std::string_view attribute, std::string_view value) {
    std::string lower(attribute);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    if (!std::ranges::binary_search(attribute_names, lower) && !lower.starts_with("xmlns:")) {
      return fail(fmt::format("the attribute {} of <{}> is not allowed", attribute.substr(0, 40), tag));
    }
    if (value.find('<') != std::string_view::npos) return fail(fmt::format("the value of {} holds '<'", attribute));
    if (lower == "xmlns" && value != "http://www.w3.org/1999/xhtml") return fail("the namespace must be that of XHTML");
    if (!is_address(lower)) return;
    const std::string scheme = scheme_of(value);
    if (scheme == "javascript" || scheme == "vbscript" || (scheme == "data" && tag != "img")) {
      fail(fmt::format("the address in {} of <{}> is active content", attribute, tag));
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string_view> open_;
  std::string problem_;
  bool root_seen_ = false, has_content_ = false;
};

}  // namespace

std::optional<std::string> narrative_problem(std::string_view xhtml) { return Reader(xhtml).run(); }

bool narrative_has_content(std::string_view xhtml) {
  Reader reader(xhtml);
  const auto problem = reader.run();
  return problem.has_value() || reader.has_content();  // one complaint is enough
}

bool has_html_tag(std::string_view text) {
  for (auto at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
    std::size_t name = at + 1;
    if (name < text.size() && text[name] == '/') ++name;
    std::size_t end = name;
    while (end < text.size() && (is_letter(text[end]) || is_digit(text[end]))) ++end;
    if (end == name || !is_letter(text[name])) continue;
    const auto close = text.find_first_of("<>", end);
    if (close == std::string_view::npos || text[close] != '>') continue;
    const auto rest = text.substr(end, close - end);
    const bool attributes = !rest.empty() && is_space(rest[0]) && rest.find('=') != std::string_view::npos;
    if (attributes || std::ranges::all_of(rest, [](char c) { return is_space(c) || c == '/'; })) return true;
  }
  return false;
}

}  // namespace mydr24::model
