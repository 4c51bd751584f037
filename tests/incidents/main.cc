#include "incidents/walk.h"
#include "walks.h"

int main(int argc, char** argv) {
  return mydr24::walks::run_all(argc, argv, "incidents", [](const std::filesystem::path& file) {
    return mydr24::incident_walks::Walk(file).run();
  });
}
