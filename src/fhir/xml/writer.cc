#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "fhir/model/definitions.h"
#include "fhir/xml/detail/expat.h"
#include "fhir/xml/xml.h"

namespace mydr24::xml {
namespace {

using model::Element;
using model::Primitive;
using model::Type;
using model::TypeKind;

constexpr auto is_special = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = true;
  for (const unsigned char c : {'&', '<', '>', '"', '\xEF'}) table[c] = true;
  return table;
}();

// What stands for the character at text[at] in an attribute or in text, empty when it stands for itself; XML 1.0 has no
// place for control characters, U+FFFE and U+FFFF: they become U+FFFD.
std::string_view escape_of(std::string_view text, std::size_t at) {
  switch (text[at]) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\t':
      return "&#9;";
    case '\n':
      return "&#10;";
    case '\r':
      return "&#13;";
    case '\xEF': {
      const auto rest = text.substr(at + 1, 2);
      return rest == "\xBF\xBE" || rest == "\xBF\xBF" ? "\xEF\xBF\xBD" : std::string_view();
    }
    default:
      return "\xEF\xBF\xBD";
  }
}

void append_escaped(std::string& out, std::string_view text) {
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!is_special[static_cast<unsigned char>(text[at])]) continue;
    const auto escape = escape_of(text, at);
    if (escape.empty()) continue;
    out += text.substr(begin, at - begin);
    out += escape;
    begin = at + (text[at] == '\xEF' ? 3 : 1);
    at = begin - 1;
  }
  out += text.substr(begin);
}

// Where the one div of a narrative begins; nothing good when the text is no well-formed XHTML div.
struct Markup {
  bool is_div = false;
  bool has_namespace = false;
  std::size_t begin = 0;
};

class MarkupCheck {
 public:
  Markup run(std::string_view text) {
    const Parser owner = make_parser();
    if (!owner || text.size() > bytes_max) return {};
    parser_ = owner.get();
    XML_SetUserData(parser_, this);
    XML_SetStartElementHandler(parser_, [](void* self, const XML_Char* name, const XML_Char**) {
      static_cast<MarkupCheck*>(self)->start(split(name));
    });
    XML_SetEndElementHandler(parser_, [](void* self, const XML_Char*) { --static_cast<MarkupCheck*>(self)->depth_; });
    XML_SetStartDoctypeDeclHandler(
        parser_, [](void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) { stop(self); });
    XML_SetXmlDeclHandler(parser_, [](void* self, const XML_Char*, const XML_Char*, int) { stop(self); });
    XML_SetProcessingInstructionHandler(parser_, [](void* self, const XML_Char*, const XML_Char*) { stop(self); });
    const auto status = XML_Parse(parser_, text.data(), static_cast<int>(text.size()), XML_TRUE);
    return status == XML_STATUS_OK ? found_ : Markup{};
  }

 private:
  static void stop(void* self) { XML_StopParser(static_cast<MarkupCheck*>(self)->parser_, XML_FALSE); }

  void start(const Name& name) {
    if (++depth_ > depth_max) return stop(this);
    if (depth_ > 1) return;
    found_.has_namespace = name.uri == xhtml_namespace;
    found_.is_div = name.local == "div" && (found_.has_namespace || name.uri.empty());
    found_.begin = static_cast<std::size_t>(XML_GetCurrentByteIndex(parser_));
  }

  XML_Parser parser_ = nullptr;
  std::size_t depth_ = 0;
  Markup found_;
};

// The text with every "&name;" that XML does not know shown as written.
std::string without_html_entities(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    out += text[at];
    if (text[at] != '&') continue;
    const auto name = text.substr(at + 1, text.substr(at + 1, 12).find(';'));
    constexpr std::array<std::string_view, 5> known{"lt", "gt", "amp", "quot", "apos"};
    if (!name.starts_with('#') && std::ranges::find(known, name) == known.end()) out += "amp;";
  }
  return out;
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void resource(json::Value resource, std::string_view declaration) {
    const Type* type = model::find_resource(resource["resourceType"].text());
    if (type == nullptr) return;
    open(type->name);
    out_ += declaration;
    content(*type, resource, type->name);
  }

 private:
  struct Property {
    const Element* element = nullptr;
    json::Value value;
    json::Value companion;  // of a primitive: the object with its id and extensions, or an array of them
  };

  void open(std::string_view name) {
    out_ += '<';
    out_ += name;
  }

  void close(std::string_view name) {
    out_ += "</";
    out_ += name;
    out_ += '>';
  }

  void attribute(std::string_view name, json::Value value) {
    if (!value) return;
    out_ += ' ';
    out_ += name;
    out_ += "=\"";
    append_escaped(out_, value.text());
    out_ += '"';
  }

  // Closes the start tag that is open, and writes the members of `object` as elements in the order of the definition.
  void content(const Type& type, json::Value object, std::string_view name) {
    const std::size_t begin = properties_.size();
    const bool is_resource = type.kind == TypeKind::resource;
    for (const json::Value member : object) {
      std::string_view key = member.key();
      const bool is_companion = key.starts_with('_');
      if (is_companion) key.remove_prefix(1);
      if (!is_resource && (key == "id" || (type.name == "Extension" && key == "url"))) continue;
      const Element* element = type.find(key);
      if (element == nullptr) continue;
      const auto known = std::find_if(properties_.begin() + static_cast<std::ptrdiff_t>(begin), properties_.end(),
                                      [element](const Property& one) { return one.element == element; });
      Property& property = known != properties_.end() ? *known : properties_.emplace_back(element);
      (is_companion ? property.companion : property.value) = member;
    }
    const std::size_t end = properties_.size();
    if (begin == end) {
      out_ += "/>";
      return;
    }
    out_ += '>';
    std::ranges::sort(properties_.begin() + static_cast<std::ptrdiff_t>(begin), properties_.end(), {},
                      [](const Property& one) { return one.element->slot; });
    for (std::size_t i = begin; i < end; ++i) this->property(Property(properties_[i]));
    properties_.resize(begin);
    close(name);
  }

  void property(const Property& property) {
    const Element& element = *property.element;
    if (!property.value.is_array() && !property.companion.is_array()) {
      return item(element, property.value, property.companion);
    }
    auto value = property.value.begin();
    auto companion = property.companion.begin();
    const std::size_t values = property.value.size(), companions = property.companion.size();
    for (std::size_t i = 0; i < std::max(values, companions); ++i) {
      item(element, i < values ? *value++ : json::Value(), i < companions ? *companion++ : json::Value());
    }
  }

  void item(const Element& element, json::Value value, json::Value companion) {
    if (element.type == nullptr) {
      open(element.name);
      out_ += '>';
      resource(value, {});
      close(element.name);
    } else if (element.type->primitive == Primitive::xhtml) {
      markup(value.text());
    } else if (element.type->kind == TypeKind::primitive) {
      primitive(element.name, value, companion);
    } else {
      open(element.name);
      attribute("id", value["id"]);
      if (element.type == extension_) attribute("url", value["url"]);
      content(*element.type, value, element.name);
    }
  }

  void primitive(std::string_view name, json::Value value, json::Value companion) {
    open(name);
    if (companion) attribute("id", companion["id"]);
    if (value && !value.is_null()) attribute("value", value);
    if (companion) {
      content(*extension_, companion, name);
    } else {
      out_ += "/>";
    }
  }

  // Never lets a narrative break out of its element: what is no XHTML is shown as text.
  void markup(std::string_view text) {
    const std::string declaration = " xmlns=\"" + std::string(xhtml_namespace) + "\"";
    Markup found = MarkupCheck().run(text);
    std::string mended;
    if (!found.is_div) {
      mended = without_html_entities(text);
      found = MarkupCheck().run(mended);
      if (found.is_div) text = mended;
    }
    if (!found.is_div) {
      out_ += "<div" + declaration + ">";
      append_escaped(out_, text);
      out_ += "</div>";
    } else {
      text.remove_prefix(found.begin);
      const std::size_t name_end = found.has_namespace ? 0 : std::string_view("<div").size();
      out_ += text.substr(0, name_end);
      if (!found.has_namespace) out_ += declaration;
      out_ += text.substr(name_end);
    }
  }

  std::string& out_;
  const Type* extension_ = model::find_type("Extension");
  std::vector<Property> properties_;  // of the objects that are open
};

}  // namespace

std::string from_json(json::Value resource) {
  std::string out = R"(<?xml version="1.0" encoding="UTF-8"?>)";
  out.reserve(resource.raw().size() + resource.raw().size() / 4);
  Writer(out).resource(resource, " xmlns=\"" + std::string(fhir_namespace) + "\"");
  return out;
}

}  // namespace mydr24::xml
