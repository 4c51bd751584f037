#pragma once

// The value an evaluation works with: like path::Item, but trivially copied. Texts are views into the document, the
// program or the evaluation's own Texts. Private to fhir/path.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/json/document.h"
#include "fhir/model/definitions.h"
#include "fhir/path/path.h"

namespace mydr24::path {

struct Cell {
  ItemKind kind = ItemKind::element;
  std::int64_t number = 0;            // of a boolean (0 or 1) and an integer
  const model::Type* type = nullptr;  // of an element
  json::Value value;                  // of an element
  json::Value extended;               // of an element
  std::string_view text;              // of the other computed kinds; of a quantity its number
  std::string_view unit;              // of a quantity; of a string that type() made: type_info_mark

  bool is_element() const { return kind == ItemKind::element; }
};
static_assert(std::is_trivially_copyable_v<Cell>);

inline constexpr std::string_view type_info_mark = "type()";

inline Cell boolean_cell(bool value) {
  Cell cell;
  cell.kind = ItemKind::boolean;
  cell.number = value ? 1 : 0;
  return cell;
}
inline Cell integer_cell(std::int64_t value) {
  Cell cell;
  cell.kind = ItemKind::integer;
  cell.number = value;
  return cell;
}
inline Cell text_cell(ItemKind kind, std::string_view text, std::string_view unit = {}) {
  Cell cell;
  cell.kind = kind;
  cell.text = text;
  cell.unit = unit;
  return cell;
}
inline Cell string_cell(std::string_view text) { return text_cell(ItemKind::string, text); }

// A collection during evaluation: the first cells lie inside it, so that most expressions allocate nothing.
class Sequence {
 public:
  Sequence() = default;
  Sequence(Sequence&& other) noexcept { take(other); }
  Sequence& operator=(Sequence&& other) noexcept {
    if (this != &other) {
      heap_.reset();
      capacity_ = inline_count;
      take(other);
    }
    return *this;
  }
  Sequence(const Sequence&) = delete;
  Sequence& operator=(const Sequence&) = delete;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Cell* data() { return std::launder(reinterpret_cast<Cell*>(raw())); }
  const Cell* data() const { return std::launder(reinterpret_cast<const Cell*>(raw())); }
  Cell* begin() { return data(); }
  Cell* end() { return data() + size_; }
  const Cell* begin() const { return data(); }
  const Cell* end() const { return data() + size_; }
  const Cell& operator[](std::size_t i) const { return data()[i]; }
  Cell& operator[](std::size_t i) { return data()[i]; }
  const Cell& back() const { return data()[size_ - 1]; }
  std::span<const Cell> cells() const { return {data(), size_}; }

  void push(const Cell& cell) {
    const Cell copy = cell;  // it may lie in the storage that grow() leaves
    if (size_ == capacity_) grow(size_ + 1);
    ::new (raw() + size_ * sizeof(Cell)) Cell(copy);
    ++size_;
  }
  void append(std::span<const Cell> cells) {
    if (cells.empty()) return;
    if (size_ + cells.size() > capacity_) grow(size_ + cells.size());
    std::memcpy(raw() + size_ * sizeof(Cell), cells.data(), cells.size() * sizeof(Cell));
    size_ += cells.size();
  }
  void truncate(std::size_t size) { size_ = std::min(size_, size); }
  void clear() { size_ = 0; }

 private:
  static constexpr std::size_t inline_count = 2;

  std::byte* raw() { return heap_ ? heap_.get() : inline_; }
  const std::byte* raw() const { return heap_ ? heap_.get() : inline_; }

  void grow(std::size_t needed) {
    const std::size_t capacity = std::max(needed, capacity_ * 4);
    auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity * sizeof(Cell));
    std::memcpy(larger.get(), raw(), size_ * sizeof(Cell));
    heap_ = std::move(larger);
    capacity_ = capacity;
  }
  void take(Sequence& other) noexcept {
    size_ = other.size_;
    if (other.heap_) {
      heap_ = std::move(other.heap_);
      capacity_ = other.capacity_;
      other.capacity_ = inline_count;
    } else {
      std::memcpy(inline_, other.inline_, size_ * sizeof(Cell));
    }
    other.size_ = 0;
  }

  std::size_t size_ = 0;
  std::size_t capacity_ = inline_count;
  std::unique_ptr<std::byte[]> heap_;
  alignas(Cell) std::byte inline_[inline_count * sizeof(Cell)];
};

}  // namespace mydr24::path
