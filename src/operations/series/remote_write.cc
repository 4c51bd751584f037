#include "operations/series/remote_write.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <unordered_set>

#include "operations/series/detail/bytes.h"

namespace mydr24::series {
namespace {

constexpr std::array<std::string_view, 8> types{"unknown",        "counter", "gauge", "histogram",
                                                "gaugehistogram", "summary", "info",  "stateset"};

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[i]);
  return value;
}

// What overlaps its own end is repeated.
bool copy(std::string& out, std::size_t offset, std::size_t length, std::size_t size) {
  if (offset == 0 || offset > out.size() || length > size - out.size()) return false;
  if (offset >= length) {
    out.append(out, out.size() - offset, length);
    return true;
  }
  for (std::size_t i = 0; i < length; ++i) out.push_back(out[out.size() - offset]);
  return true;
}

bool literal(std::string& out, BytesReader& bytes, unsigned tag, std::size_t size) {
  std::uint64_t length = (tag >> 2U) + 1ULL;
  if (length > 60) length = little_endian(bytes.take(length - 60)) + 1ULL;
  const std::string_view text = bytes.take(length);
  if (bytes.broken() || length > size - out.size()) return false;
  out += text;
  return true;
}

// A field of a message: its number and kind, or what has to be left out of it.
struct Field {
  std::uint64_t number = 0;
  unsigned wire = 0;
};
Field take_field(BytesReader& bytes) {
  const std::uint64_t key = bytes.varint();
  return {key >> 3U, static_cast<unsigned>(key & 7U)};
}
bool skip(BytesReader& bytes, unsigned wire) {
  if (wire == 0)
    bytes.varint();
  else if (wire == 1)
    bytes.take(8);
  else if (wire == 2)
    bytes.text();
  else if (wire == 5)
    bytes.take(4);
  else
    return false;
  return !bytes.broken();
}

Error broken(std::string_view what) { return fail(Code::invalid, fmt::format("the {} is no valid protobuf", what)); }

Result<routing::Label> parse_label(std::string_view message) {
  BytesReader bytes(message);
  routing::Label label;
  while (!bytes.done()) {
    const auto [number, wire] = take_field(bytes);
    if (number == 1 && wire == 2)
      label.first = bytes.text();
    else if (number == 2 && wire == 2)
      label.second = bytes.text();
    else if (!skip(bytes, wire))
      return broken("label");
  }
  if (bytes.broken()) return broken("label");
  return label;
}

Result<Sample> parse_sample(std::string_view message) {
  BytesReader bytes(message);
  Sample sample;
  while (!bytes.done()) {
    const auto [number, wire] = take_field(bytes);
    if (number == 1 && wire == 1)
      sample.value = std::bit_cast<double>(bytes.fixed64());
    else if (number == 2 && wire == 0)
      sample.time = static_cast<Milliseconds>(bytes.varint());
    else if (!skip(bytes, wire))
      return broken("sample");
  }
  if (bytes.broken()) return broken("sample");
  return sample;
}

Result<> parse_series(std::string_view message, WriteRequest& request, std::size_t& samples) {
  BytesReader bytes(message);
  std::vector<routing::Label> labels;
  std::unordered_set<std::string> names;
  WrittenSeries series;
  while (!bytes.done()) {
    const auto [number, wire] = take_field(bytes);
    if (number == 1 && wire == 2) {
      MYDR24_ASSIGN(routing::Label label, parse_label(bytes.text()));
      if (labels.size() == Database::labels_max) return fail(Code::invalid, "a series has too many labels");
      if (!names.insert(label.first).second)
        return fail(Code::invalid, fmt::format("the label {} is there twice", routing::go_quoted(label.first)));
      labels.push_back(std::move(label));
    } else if (number == 2 && wire == 2) {
      if (++samples > write_samples_max) return fail(Code::too_large, "too many samples in one request");
      MYDR24_ASSIGN(const Sample sample, parse_sample(bytes.text()));
      series.samples.push_back(sample);
    } else {
      if (number == 4) ++request.histograms;
      if (!skip(bytes, wire)) return broken("series");
    }
  }
  if (bytes.broken()) return broken("series");
  series.labels = Labels(std::move(labels));
  request.series.push_back(std::move(series));
  return {};
}

Result<> parse_metadata(std::string_view message, WriteRequest& request) {
  BytesReader bytes(message);
  std::string name;
  Description description{.type = "unknown", .help = {}, .unit = {}};
  while (!bytes.done()) {
    const auto [number, wire] = take_field(bytes);
    if (number == 1 && wire == 0) {
      if (const std::uint64_t type = bytes.varint(); type < types.size()) description.type = types[type];
    } else if (number == 2 && wire == 2) {
      name = bytes.text();
    } else if (number == 4 && wire == 2) {
      description.help = bytes.text();
    } else if (number == 5 && wire == 2) {
      description.unit = bytes.text();
    } else if (!skip(bytes, wire)) {
      return broken("metadata");
    }
  }
  if (bytes.broken()) return broken("metadata");
  request.metadata.emplace_back(std::move(name), std::move(description));
  return {};
}

std::string_view reason(Appended appended) {
  switch (appended) {
    case Appended::out_of_order:
      return "out of order sample";
    case Appended::conflicting:
      return "duplicate sample for timestamp";
    case Appended::bad_time:
      return "the time of a sample is too far from the server's";
    default:
      return "";
  }
}

void refuse(const WrittenSeries& written, std::size_t samples, std::string_view why, WriteOutcome& outcome) {
  if (outcome.refused == 0) outcome.why = fmt::format("{}: {}", why, routing::to_text(written.labels));
  outcome.refused += samples;
}

void append(Database& database, const WrittenSeries& written, WriteOutcome& outcome) {
  auto series = database.series(written.labels);
  for (const Sample& sample : written.samples) {
    if (!series) {
      refuse(written, 1, series.error().text, outcome);
      continue;
    }
    auto appended = database.append(**series, sample.time, sample.value);
    if (appended == Appended::gone) {
      series = database.series(written.labels);
      if (series) appended = database.append(**series, sample.time, sample.value);
    }
    if (appended == Appended::kept)
      ++outcome.kept;
    else if (appended == Appended::duplicate)
      ++outcome.duplicates;
    else
      refuse(written, 1, reason(appended), outcome);
  }
}

}  // namespace

Result<std::string> unsnap(std::string_view packed, std::size_t bytes_max) {
  const Error invalid = fail(Code::invalid, "the body is not in snappy's block format");
  BytesReader bytes(packed);
  const std::uint64_t size = bytes.varint();
  if (bytes.broken()) return invalid;
  if (size > bytes_max)
    return fail(Code::too_large, fmt::format("the body has more than {} bytes unpacked", bytes_max));
  std::string out;
  // A copy of three bytes makes at most 64.
  if (size / 22 > packed.size()) return invalid;
  out.reserve(size);
  while (!bytes.done()) {
    const auto tag = static_cast<unsigned char>(bytes.take(1).front());
    bool good = true;
    if ((tag & 3U) == 0) {
      good = literal(out, bytes, tag, size);
    } else if ((tag & 3U) == 1) {
      const std::uint32_t low = little_endian(bytes.take(1));
      good = !bytes.broken() && copy(out, (tag >> 5U) << 8U | low, ((tag >> 2U) & 7U) + 4U, size);
    } else {
      const std::uint32_t offset = little_endian(bytes.take((tag & 3U) == 2 ? 2 : 4));
      good = !bytes.broken() && copy(out, offset, (tag >> 2U) + 1U, size);
    }
    if (!good) return invalid;
  }
  if (bytes.broken() || out.size() != size) return invalid;
  return out;
}

Result<WriteRequest> parse_write_request(std::string_view message) {
  BytesReader bytes(message);
  WriteRequest request;
  std::size_t samples = 0;
  while (!bytes.done()) {
    const auto [number, wire] = take_field(bytes);
    if (number == 1 && wire == 2) {
      if (request.series.size() == write_series_max) return fail(Code::too_large, "too many series in one request");
      MYDR24_TRY(parse_series(bytes.text(), request, samples));
    } else if (number == 3 && wire == 2) {
      if (request.metadata.size() == Database::descriptions_max) return fail(Code::too_large, "too much metadata");
      MYDR24_TRY(parse_metadata(bytes.text(), request));
    } else if (!skip(bytes, wire)) {
      return broken("request");
    }
  }
  if (bytes.broken()) return broken("request");
  return request;
}

WriteOutcome append(Database& database, const WriteRequest& request, const Owner& owner) {
  WriteOutcome outcome;
  for (const auto& [name, description] : request.metadata) database.describe(name, description);
  for (const WrittenSeries& written : request.series) {
    if (!owner.job.empty() && written.labels["job"] == owner.job && written.labels["instance"] == owner.instance)
      refuse(written, written.samples.size(), "the server counts these itself", outcome);
    else
      append(database, written, outcome);
  }
  return outcome;
}

}  // namespace mydr24::series
