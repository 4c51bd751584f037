#pragma once

// A story told to the book of changes and its engine on a clock that the story moves (README.md).

#include <filesystem>
#include <string>

namespace mydr24::change_walks {

// Empty when everything came as the file says; else the line and what came instead.
std::string run(const std::filesystem::path& file);

}  // namespace mydr24::change_walks
