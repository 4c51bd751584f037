#pragma once

// Where a trail is, and what opens it when it is encrypted (docs/audit.md): its folder then has a keys.json of its own.

#include <filesystem>
#include <memory>

#include "base/core/result.h"
#include "storage/keyring/keyring.h"

namespace mydr24::audit {

struct Trail {
  // Without keys: what is encrypted of it cannot be read. See open_trail().
  explicit Trail(std::filesystem::path of, std::shared_ptr<const keyring::Keyring> with = nullptr)
      : folder(std::move(of)), keys(std::move(with)) {}

  std::filesystem::path folder;
  std::shared_ptr<const keyring::Keyring> keys;
};

// For reading. `key_file` is looked at only when the trail is encrypted. Code::refused: it is, and no key file is given,
// or another one.
Result<Trail> open_trail(const std::filesystem::path& folder, const std::filesystem::path& key_file);

}  // namespace mydr24::audit
