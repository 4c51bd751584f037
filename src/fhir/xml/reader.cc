#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/core/markup.h"
#include "base/json/writer.h"
#include "fhir/model/definitions.h"
#include "fhir/xml/detail/expat.h"
#include "fhir/xml/xml.h"

namespace mydr24::xml {
namespace {

using model::Element;
using model::Primitive;
using model::Type;
using model::TypeKind;

// As RFC 8259, section 6, has it.
bool is_json_number(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - begin;
  };
  const auto skip = [&](std::string_view any_of) {
    const bool found = at < text.size() && any_of.find(text[at]) != std::string_view::npos;
    if (found) ++at;
    return found;
  };
  skip("-");
  const bool zero = at < text.size() && text[at] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (skip(".") && digits() == 0) return false;
  if (skip("eE")) {
    skip("+-");
    if (digits() == 0) return false;
  }
  return at == text.size();
}

// Text that does not look like its type becomes a string: validation says what is wrong with it, and where.
void append_literal(std::string& out, Primitive primitive, std::string_view text) {
  bool literal = false;
  switch (primitive) {
    case Primitive::boolean:
      literal = text == "true" || text == "false";
      break;
    case Primitive::integer:
    case Primitive::unsigned_int:
    case Primitive::positive_int:
    case Primitive::decimal:
      literal = is_json_number(text);
      break;
    default:
      break;
  }
  if (literal) {
    out += text;
  } else {
    json::append_quoted(out, text);
  }
}

// An element that is open. What is written for it stands at the end of the output.
struct Frame {
  enum class Kind : std::uint8_t { object, primitive, holder };  // a holder has one resource inside

  Kind kind = Kind::object;
  const Type* type = nullptr;        // of an object
  const Element* element = nullptr;  // what the parent knows it as; nullptr for a resource
  std::uint32_t depth = 0;           // JSON brackets that are open
  std::uint64_t seen = 0;            // slots
  bool has_value = false;            // of a primitive; of a holder: its resource
  bool has_companion = false;        // of a primitive: its id and extensions are being written
  std::size_t companion_begin = 0;

  // The property of this object that was met last, and how many items it has.
  const Element* open = nullptr;
  std::size_t count = 0;
  // When those are primitives that repeat: where the property begins in the output, and the array of companions.
  std::size_t array_begin = 0;
  bool any_value = false;
  std::size_t companion_count = 0;
  std::string companions;
};

class Reader {
 public:
  explicit Reader(std::string_view source) : parser_(make_parser()), source_(source) {}

  Result<std::string> run() {
    if (!parser_) return fail(Code::internal, "no memory for an XML parser");
    set_handlers();
    out_.reserve(source_.size());
    const auto status = XML_Parse(parser_.get(), source_.data(), static_cast<int>(source_.size()), XML_TRUE);
    if (failure_) return std::move(*failure_);
    if (status != XML_STATUS_OK) {
      return fail(Code::invalid, at_position(XML_ErrorString(XML_GetErrorCode(parser_.get()))), path());
    }
    return std::move(out_);
  }

 private:
  using Attributes = const XML_Char**;

  void set_handlers() {
    XML_Parser parser = parser_.get();
    XML_SetUserData(parser, this);
    XML_SetElementHandler(
        parser, [](void* self, const XML_Char* name, Attributes atts) { of(self).start(split(name), atts); },
        [](void* self, const XML_Char* name) { of(self).end(split(name)); });
    XML_SetCharacterDataHandler(parser, [](void* self, const XML_Char* text, int size) {
      of(self).text({text, static_cast<std::size_t>(size)});
    });
    XML_SetStartDoctypeDeclHandler(parser, [](void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) {
      of(self).refuse("a DOCTYPE is not accepted: take it out, and write characters instead of entities");
    });
    XML_SetProcessingInstructionHandler(parser, [](void* self, const XML_Char*, const XML_Char*) {
      if (of(self).size_ > 0) of(self).refuse("a processing instruction is not accepted inside a resource");
    });
    XML_SetStartNamespaceDeclHandler(parser, [](void* self, const XML_Char* prefix, const XML_Char*) {
      if (prefix == nullptr) of(self).declares_default_ = true;
    });
  }
  static Reader& of(void* self) { return *static_cast<Reader*>(self); }

  // ---- errors

  std::string at_position(std::string_view problem) const {
    return fmt::format("line {}, column {}: {}", XML_GetCurrentLineNumber(parser_.get()),
                       XML_GetCurrentColumnNumber(parser_.get()) + 1, problem);
  }

  // The element that is open, as FHIRPath.
  std::string path() const {
    std::string out;
    for (std::size_t i = 0; i < size_; ++i) {
      const Frame& frame = frames_[i];
      if (frame.element == nullptr) {
        if (i == 0) out = frame.type->name;
        continue;
      }
      out += '.';
      out += frame.element->choice.empty() ? frame.element->name : frame.element->choice;
      if (frame.element->repeats) fmt::format_to(std::back_inserter(out), "[{}]", frames_[i - 1].count - 1);
    }
    return out;
  }

  void refuse(std::string_view problem, Code code = Code::invalid) {
    if (failure_) return;
    failure_ = fail(code, at_position(problem), path());
    XML_StopParser(parser_.get(), XML_FALSE);
  }

  // ---- elements

  void start(const Name& name, Attributes atts) {
    const bool own_default = std::exchange(declares_default_, false);
    if (failure_) return;
    if (markup_depth_ > 0) return start_markup(name, atts);
    if (size_ > 0 && frames_[size_ - 1].kind != Frame::Kind::holder) return start_property(name, atts, own_default);
    if (name.uri != fhir_namespace) return refuse_namespace(name, fhir_namespace);
    if (size_ > 0 && std::exchange(frames_[size_ - 1].has_value, true))
      return refuse("only one resource may stand here");
    const Type* type = model::find_resource(name.local);
    if (type == nullptr) return refuse(fmt::format("'{}' is no resource type of FHIR R4", excerpt(name.local)));
    if (!push(Frame::Kind::object, nullptr, type, 1)) return;
    out_ += "{\"resourceType\":";
    json::append_quoted(out_, type->name);
    attributes(atts);
  }

  void start_property(const Name& name, Attributes atts, bool own_default) {
    Frame& parent = frames_[size_ - 1];
    const Element* element = find(parent, name.local);
    if (element == nullptr) return refuse(fmt::format("unknown element '{}'", excerpt(name.local)));
    const Primitive primitive = element->type == nullptr ? Primitive::none : element->type->primitive;
    const auto expected = primitive == Primitive::xhtml ? xhtml_namespace : fhir_namespace;
    if (name.uri != expected) return refuse_namespace(name, expected);
    if (is_attribute(parent, *element)) {
      return refuse(fmt::format("'{}' is an attribute here, not an element", element->name));
    }
    if (!open_property(parent, *element)) return;
    if (parent.kind == Frame::Kind::primitive) begin_companion();
    if (primitive == Primitive::xhtml) {
      raw_markup_ = own_default && name.prefix.empty();
      key(element->name);
      markup_begin_ = static_cast<std::size_t>(XML_GetCurrentByteIndex(parser_.get()));
      return start_markup(name, atts);
    }
    if (element->type != nullptr && element->type->kind == TypeKind::primitive) {
      return start_primitive(*element, atts);
    }
    begin_item(parent, *element);
    const auto kind = element->type == nullptr ? Frame::Kind::holder : Frame::Kind::object;
    if (!push(kind, element, element->type, kind == Frame::Kind::object ? 1 : 0)) return;
    if (kind == Frame::Kind::object) out_ += '{';
    attributes(atts);
  }

  void end(const Name& name) {
    if (failure_) return;
    if (markup_depth_ > 0) return end_markup(name);
    Frame& frame = frames_[size_ - 1];
    close_property(frame);
    if (failure_) return;
    switch (frame.kind) {
      case Frame::Kind::object:
        out_ += '}';
        break;
      case Frame::Kind::holder:
        if (!frame.has_value) return refuse("a resource must stand inside");
        break;
      case Frame::Kind::primitive:
        if (!end_primitive(frame)) return;
        break;
    }
    --size_;
  }

  void text(std::string_view data) {
    if (failure_) return;
    if (markup_depth_ > 0) {
      if (!raw_markup_) append_xml(markup_, data);
      return;
    }
    if (data.find_first_not_of(" \t\r\n") != std::string_view::npos) {
      refuse("text is not accepted here: values stand in the attribute 'value'");
    }
  }

  static std::string_view excerpt(std::string_view text) { return text.substr(0, 64); }

  void refuse_namespace(const Name& name, std::string_view expected) {
    refuse(fmt::format("the element '{}' must be in the namespace {}", excerpt(name.local), expected));
  }

  const Element* find(const Frame& parent, std::string_view name) const {
    if (parent.kind == Frame::Kind::object) return parent.type->find(name);
    return name == "extension" ? extension_->find("extension") : nullptr;
  }

  // FHIR R4, xml.html: the id of an element and the url of an extension are attributes.
  bool is_attribute(const Frame& parent, const Element& element) const {
    if (parent.kind != Frame::Kind::object || parent.type->kind == TypeKind::resource) return false;
    return element.name == "id" || (parent.type == extension_ && element.name == "url");
  }

  // `brackets`: those of its own; an array that it stands in counts as well.
  bool push(Frame::Kind kind, const Element* element, const Type* type, std::uint32_t brackets) {
    const std::uint32_t depth =
        (size_ > 0 ? frames_[size_ - 1].depth : 0) + brackets + (element != nullptr && element->repeats ? 1 : 0);
    if (depth > depth_max) {
      refuse(fmt::format("elements are nested too deep: {} is the limit", depth_max), Code::too_large);
      return false;
    }
    if (size_ == frames_.size()) frames_.emplace_back();
    Frame& frame = frames_[size_++];
    std::string companions = std::move(frame.companions);
    companions.clear();
    frame = Frame{.kind = kind, .type = type, .element = element, .depth = depth};
    frame.companions = std::move(companions);
    return true;
  }

  void key(std::string_view name, std::string_view prefix = {}) {
    if (out_.back() != '{') out_ += ',';
    out_ += '"';
    out_ += prefix;
    out_ += name;
    out_ += "\":";
  }

  // Goes on with the property, or closes the one before and begins this one.
  bool open_property(Frame& parent, const Element& element) {
    if (parent.open == &element && element.repeats) {
      ++parent.count;
      return true;
    }
    close_property(parent);
    const std::uint64_t bit = std::uint64_t{1} << element.slot;
    if ((parent.seen & bit) != 0) {
      refuse(element.repeats ? fmt::format("all '{}' must stand together", element.name)
                             : fmt::format("'{}' may be here only once", element.name));
      return false;
    }
    parent.seen |= bit;
    parent.open = &element;
    parent.count = 1;
    parent.any_value = false;
    parent.companion_count = 0;
    parent.array_begin = out_.size();
    return true;
  }

  void begin_item(const Frame& parent, const Element& element) {
    if (parent.count > 1) {
      out_ += ',';
      return;
    }
    key(element.name);
    if (element.repeats) out_ += '[';
  }

  void close_property(Frame& frame) {
    if (frame.open == nullptr || !frame.open->repeats) return;
    const Element& element = *std::exchange(frame.open, nullptr);
    out_ += ']';
    if (element.type == nullptr || element.type->kind != TypeKind::primitive) return;
    if (!frame.any_value) out_.resize(frame.array_begin);
    if (frame.companion_count == 0) return;
    pad_companions(frame, frame.count);
    key(element.name, "_");
    out_ += '[';
    out_ += frame.companions;
    out_ += ']';
    frame.companions.clear();
  }

  static void pad_companions(Frame& frame, std::size_t count) {
    for (; frame.companion_count < count; ++frame.companion_count) {
      frame.companions += frame.companion_count == 0 ? "null" : ",null";
    }
  }

  void attributes(Attributes atts) {
    Frame& frame = frames_[size_ - 1];
    for (; *atts != nullptr; atts += 2) {
      const Name name = split(atts[0]);
      if (name.uri == schema_instance_namespace) continue;
      const Element* element =
          name.uri.empty() && frame.kind == Frame::Kind::object ? frame.type->find(name.local) : nullptr;
      if (element == nullptr || !is_attribute(frame, *element)) return refuse_attribute(name);
      frame.seen |= std::uint64_t{1} << element->slot;
      key(element->name);
      json::append_quoted(out_, atts[1]);
    }
  }

  void refuse_attribute(const Name& name) { refuse(fmt::format("unknown attribute '{}'", excerpt(name.local))); }

  // ---- primitives

  void start_primitive(const Element& element, Attributes atts) {
    std::optional<std::string_view> value, id;
    for (; *atts != nullptr; atts += 2) {
      const Name name = split(atts[0]);
      if (name.uri == schema_instance_namespace) continue;
      if (name.uri.empty() && name.local == "value") {
        value = atts[1];
      } else if (name.uri.empty() && name.local == "id") {
        id = atts[1];
      } else {
        return refuse_attribute(name);
      }
    }
    Frame& parent = frames_[size_ - 1];
    if (element.repeats || value) begin_item(parent, element);
    if (value) {
      append_literal(out_, element.type->primitive, *value);
      parent.any_value = true;
    } else if (element.repeats) {
      out_ += "null";
    }
    if (!push(Frame::Kind::primitive, &element, element.type, 1)) return;
    frames_[size_ - 1].has_value = value.has_value();
    if (id) {
      begin_companion();
      key("id");
      json::append_quoted(out_, *id);
    }
  }

  // The object with the id and the extensions of the primitive that is open.
  void begin_companion() {
    Frame& frame = frames_[size_ - 1];
    if (std::exchange(frame.has_companion, true)) return;
    if (!frame.element->repeats) key(frame.element->name, "_");
    frame.companion_begin = out_.size();
    out_ += '{';
  }

  bool end_primitive(Frame& frame) {
    if (!frame.has_companion) {
      if (!frame.has_value) refuse("neither a value nor an extension is there");
      return frame.has_value;
    }
    out_ += '}';
    if (!frame.element->repeats) return true;
    // It waits for the end of the array of values.
    Frame& parent = frames_[size_ - 2];
    pad_companions(parent, parent.count - 1);
    if (parent.companion_count++ > 0) parent.companions += ',';
    parent.companions.append(out_, frame.companion_begin);
    out_.resize(frame.companion_begin);
    return true;
  }

  // ---- the narrative

  // Markup that stands for itself is taken as written; where it leans on namespaces declared further out, it is
  // written anew without prefixes.
  void start_markup(const Name& name, Attributes atts) {
    if (name.uri != xhtml_namespace) return refuse_namespace(name, xhtml_namespace);
    if (raw_markup_ && !name.prefix.empty()) return refuse("a narrative is written without namespace prefixes");
    if (++markup_depth_ > depth_max) {
      return refuse(fmt::format("the narrative is nested too deep: {} is the limit", depth_max), Code::too_large);
    }
    if (!raw_markup_) {
      markup_ += '<';
      markup_ += name.local;
      if (markup_depth_ == 1) fmt::format_to(std::back_inserter(markup_), " xmlns=\"{}\"", xhtml_namespace);
    }
    for (; *atts != nullptr; atts += 2) {
      const Name attribute = split(atts[0]);
      if (!attribute.uri.empty() && attribute.uri != xml_namespace) return refuse_attribute(attribute);
      if (raw_markup_) continue;
      markup_ += attribute.uri.empty() ? " " : " xml:";
      markup_ += attribute.local;
      markup_ += "=\"";
      append_xml(markup_, atts[1]);
      markup_ += '"';
    }
    if (!raw_markup_) markup_ += '>';
  }

  void end_markup(const Name& name) {
    if (!raw_markup_) fmt::format_to(std::back_inserter(markup_), "</{}>", name.local);
    if (--markup_depth_ > 0) return;
    if (raw_markup_) {
      const auto end = static_cast<std::size_t>(XML_GetCurrentByteIndex(parser_.get())) +
                       static_cast<std::size_t>(XML_GetCurrentByteCount(parser_.get()));
      json::append_quoted(out_, source_.substr(markup_begin_, end - markup_begin_));
    } else {
      json::append_quoted(out_, markup_);
      markup_.clear();
    }
  }

  Parser parser_;
  std::string_view source_;
  const Type* extension_ = model::find_type("Extension");
  std::string out_;
  std::optional<Error> failure_;
  std::vector<Frame> frames_;  // of which the first size_ are open; the others keep their memory
  std::size_t size_ = 0;
  bool declares_default_ = false;  // the element that begins next declares the default namespace
  bool raw_markup_ = false;
  std::size_t markup_depth_ = 0;
  std::size_t markup_begin_ = 0;
  std::string markup_;
};

}  // namespace

Result<std::string> to_json(std::string_view xml) {
  if (xml.size() > bytes_max) return fail(Code::too_large, fmt::format("more than {} bytes of XML", bytes_max));
  return Reader(xml).run();
}

}  // namespace mydr24::xml
