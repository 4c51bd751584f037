#include "oncall/walk.h"
#include "walks.h"

int main(int argc, char** argv) {
  return mydr24::walks::run_all(
      argc, argv, "oncall", [](const std::filesystem::path& file) { return mydr24::oncall_walks::Walk(file).run(); });
}
