// Reads published packages. Source: the FHIR NPM package specification, and POSIX ustar for the archive.

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "fhir/validation/validation.h"

namespace mydr24::validation {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 50'000;
constexpr std::size_t packed_bytes_max = 256U << 20;
constexpr std::size_t unpacked_bytes_max = 1U << 30;
constexpr std::size_t file_bytes_max = 64U << 20;
constexpr std::size_t block = 512;

Result<std::string> read_file(const fs::path& path, std::size_t bytes_max) {
  std::error_code problem;
  const auto size = fs::file_size(path, problem);
  if (problem) return fail(Code::not_found, fmt::format("{}: {}", path.string(), problem.message()));
  if (size > bytes_max) return fail(Code::too_large, fmt::format("{} has {} bytes", path.string(), size));
  std::ifstream file(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file && !file.eof()) return fail(Code::not_found, fmt::format("{} cannot be read", path.string()));
  return text;
}

Result<std::string> inflate_all(std::string_view packed, const std::string& path) {
  z_stream stream{};
  constexpr int gzip_or_zlib = 15 + 32;
  if (inflateInit2(&stream, gzip_or_zlib) != Z_OK) return fail(Code::internal, "zlib does not start");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string out, piece(1U << 20, '\0');
  int state = Z_OK;
  while (state == Z_OK && out.size() <= unpacked_bytes_max) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(piece, 0, piece.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (out.size() > unpacked_bytes_max) return fail(Code::too_large, "unpacked it is larger than 1 GiB", path);
  if (state != Z_STREAM_END) return fail(Code::invalid, "it is no gzip file, or a damaged one", path);
  return out;
}

std::string_view field(std::string_view header, std::size_t begin, std::size_t size) {
  const auto text = header.substr(begin, size);
  return text.substr(0, text.find('\0'));
}

// Keeps what is JSON and a resource; anything else in a package is none of ours.
void keep(Package& package, std::string_view name, std::string text) {
  if (!name.ends_with(".json")) return;
  auto document = json::Document::parse(std::move(text), {.bytes_max = file_bytes_max});
  if (!document) return;
  const auto root = document->root();
  const bool manifest = name.ends_with("package.json") && !root["resourceType"].exists();
  if (manifest) {
    package.name = root["name"].text();
    package.version = root["version"].text();
  }
  if (root["resourceType"].is_string()) {
    package.resources.push_back(std::make_unique<json::Document>(std::move(*document)));
  }
}

Result<Package> from_archive(const std::string& path) {
  MYDR24_ASSIGN(const std::string packed, read_file(path, packed_bytes_max));
  MYDR24_ASSIGN(const std::string all, inflate_all(packed, path));
  Package package;
  std::size_t files = 0;
  for (std::size_t at = 0; at + block <= all.size();) {
    const auto header = std::string_view(all).substr(at, block);
    if (header[0] == '\0') break;  // the end is marked by empty blocks
    auto digits = field(header, 124, 12);
    while (digits.starts_with(' ')) digits.remove_prefix(1);
    std::size_t size = 0;
    const auto [stop, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 8);
    at += block;
    if (bad != std::errc() || size > all.size() - at) return fail(Code::invalid, "its tar archive is damaged", path);
    if (++files > files_max) return fail(Code::too_large, "it has too many files", path);
    const auto name = field(header, 0, 100);
    const char kind = header[156];
    // Only the files of the package's own folder: examples and tests lie in others.
    const bool own = name.starts_with("package/") && std::ranges::count(name, '/') == 1;
    if ((kind == '0' || kind == '\0') && own && size <= file_bytes_max) keep(package, name, all.substr(at, size));
    at += (size + block - 1) / block * block;
  }
  return package;
}

Result<Package> from_folder(const fs::path& path) {
  const auto folder = fs::exists(path / "package/package.json") ? path / "package" : path;
  std::vector<fs::path> files;
  std::error_code problem;
  for (fs::directory_iterator one(folder, problem), end; !problem && one != end; one.increment(problem)) {
    if (one->path().extension() == ".json" && one->is_regular_file(problem)) files.push_back(one->path());
    if (files.size() > files_max) return fail(Code::too_large, "it has too many files", path.string());
  }
  if (problem) return fail(Code::not_found, problem.message(), path.string());
  std::ranges::sort(files);
  Package package;
  std::size_t bytes = 0;
  for (const auto& file : files) {
    MYDR24_ASSIGN(std::string text, read_file(file, file_bytes_max));
    bytes += text.size();
    if (bytes > unpacked_bytes_max) return fail(Code::too_large, "it is larger than 1 GiB", path.string());
    keep(package, file.filename().string(), std::move(text));
  }
  return package;
}

}  // namespace

Result<Package> load_package(const std::string& path) {
  std::error_code problem;
  if (fs::is_directory(path, problem)) return from_folder(path);
  if (!fs::exists(path, problem)) return fail(Code::not_found, "there is no such package", path);
  return from_archive(path);
}

}  // namespace mydr24::validation
