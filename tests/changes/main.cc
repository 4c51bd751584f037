#include "changes/walk.h"
#include "walks.h"

int main(int argc, char** argv) {
  return mydr24::walks::run_all(argc, argv, "changes",
                                [](const std::filesystem::path& file) { return mydr24::change_walks::run(file); });
}
