#include "fhir/path/html.h"

#include <algorithm>
#include <array>
#include <vector>

namespace mydr24::path {
namespace {

constexpr auto elements = std::to_array<std::string_view>(
    {"a",   "abbr", "acronym", "b",     "big", "blockquote", "br",  "caption", "cite", "code",  "col",  "colgroup",
     "dd",  "dfn",  "div",     "dl",    "dt",  "em",         "h1",  "h2",      "h3",   "h4",    "h5",   "h6",
     "hr",  "i",    "img",     "li",    "ol",  "p",          "pre", "q",       "samp", "small", "span", "strong",
     "sub", "sup",  "table",   "tbody", "td",  "tfoot",      "th",  "thead",   "tr",   "tt",    "ul",   "var"});
static_assert(std::ranges::is_sorted(elements));

constexpr auto attributes = std::to_array<std::string_view>(
    {"abbr",        "accesskey",  "align",  "alt",     "axis",    "bgcolor", "border",   "cellhalign", "cellpadding",
     "cellspacing", "cellvalign", "char",   "charoff", "charset", "cite",    "class",    "colspan",    "compact",
     "coords",      "dir",        "frame",  "headers", "height",  "href",    "hreflang", "hspace",     "id",
     "lang",        "longdesc",   "name",   "nowrap",  "rel",     "rev",     "rowspan",  "rules",      "scope",
     "shape",       "span",       "src",    "start",   "style",   "summary", "tabindex", "title",      "type",
     "valign",      "value",      "vspace", "width"});
static_assert(std::ranges::is_sorted(attributes));

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool run() {
    skip_space();
    if (!markup() || open_.empty()) return has_content_ && open_.empty() && text_.empty();
    while (!open_.empty()) {
      if (text_.empty()) return false;
      if (text_.front() == '<' ? !markup() : !characters()) return false;
    }
    skip_space();
    return text_.empty() && has_content_;
  }

 private:
  bool markup() {
    if (text_.starts_with("<!--")) {
      const auto end = text_.find("-->");
      if (end == std::string_view::npos) return false;
      text_.remove_prefix(end + 3);
      return true;
    }
    if (text_.starts_with("</")) return end_tag();
    return text_.starts_with('<') && start_tag();
  }

  bool start_tag() {
    text_.remove_prefix(1);
    const std::string_view element = name();
    if (!std::ranges::binary_search(elements, element)) return false;
    if (open_.empty() && element != "div") return false;
    if (element == "img") has_content_ = true;
    for (;;) {
      const bool has_gap = skip_space();
      if (take("/>")) return true;
      if (take(">")) {
        open_.push_back(element);
        return open_.size() <= html_depth_max;
      }
      if (!has_gap || !attribute()) return false;
    }
  }

  bool attribute() {
    const std::string_view attribute = name();
    skip_space();
    if (attribute.empty() || !take("=")) return false;
    skip_space();
    if (text_.empty() || (text_.front() != '"' && text_.front() != '\'')) return false;
    const auto end = text_.find(text_.front(), 1);
    if (end == std::string_view::npos) return false;
    const std::string_view value = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    if (value.find('<') != std::string_view::npos) return false;
    const bool is_link = attribute == "href" || attribute == "src";
    if (is_link && (value.starts_with("javascript:") || value.starts_with("vbscript:"))) return false;
    return attribute == "xmlns" || attribute == "xml:lang" || attribute.starts_with("xmlns:") ||
           std::ranges::binary_search(attributes, attribute);
  }

  bool end_tag() {
    text_.remove_prefix(2);
    if (open_.empty() || name() != open_.back()) return false;
    skip_space();
    open_.pop_back();
    return take(">");
  }

  bool characters() {
    if (text_.front() != '&') {
      has_content_ = has_content_ || !is_space(text_.front());
      text_.remove_prefix(1);
      return true;
    }
    const auto end = text_.find(';');
    constexpr std::size_t entity_bytes_max = 12;
    if (end == std::string_view::npos || end < 2 || end > entity_bytes_max) return false;
    text_.remove_prefix(end + 1);
    has_content_ = true;
    return true;
  }

  std::string_view name() {
    const auto end = std::ranges::find_if(text_, [](char c) {
      return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '-');
    });
    const auto result = text_.substr(0, static_cast<std::size_t>(end - text_.begin()));
    text_.remove_prefix(result.size());
    return result;
  }

  bool skip_space() {
    const bool has_gap = !text_.empty() && is_space(text_.front());
    while (!text_.empty() && is_space(text_.front())) text_.remove_prefix(1);
    return has_gap;
  }

  bool take(std::string_view token) {
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }

  std::string_view text_;
  std::vector<std::string_view> open_;
  bool has_content_ = false;
};

}  // namespace

bool is_safe_html(std::string_view xhtml) { return Reader(xhtml).run(); }

}  // namespace mydr24::path
