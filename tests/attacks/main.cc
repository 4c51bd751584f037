#include "hospital.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  // The server ends with the tests, and what it kept must verify.
  class Ending : public testing::Environment {
   public:
    void TearDown() override { mydr24::attacks::Hospital::close(); }
  };
  testing::AddGlobalTestEnvironment(new Ending);
  return RUN_ALL_TESTS();
}
