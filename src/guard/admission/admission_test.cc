#include "guard/admission/admission.h"

#include <gtest/gtest.h>

namespace mydr24::admission {
namespace {

TEST(Admission, TheRouteDecides) {
  EXPECT_EQ(classify({.route = RequestClass::emergency}), RequestClass::emergency);
  EXPECT_EQ(classify({.route = RequestClass::routine}), RequestClass::routine);
}

TEST(Admission, WritingAnObservationIsUrgentReadingItIsNot) {
  EXPECT_EQ(classify({.path = "/fhir/R4/Observation", .writes = true}), RequestClass::urgent);
  EXPECT_EQ(classify({.path = "/fhir/R4/Observation", .writes = false}), RequestClass::routine);
  EXPECT_EQ(classify({.path = "/fhir/R4/Patient", .writes = true}), RequestClass::routine);
}

TEST(Admission, AClientMayLowerItsClassButNotRaiseIt) {
  EXPECT_EQ(classify({.route = RequestClass::routine, .class_header = "background"}), RequestClass::background);
  EXPECT_EQ(classify({.route = RequestClass::routine, .class_header = "emergency"}), RequestClass::routine);
  EXPECT_EQ(classify({.route = RequestClass::routine, .class_header = "nonsense"}), RequestClass::routine);
}

TEST(Admission, ALargeBodyIsBulkWork) {
  EXPECT_EQ(classify({.route = RequestClass::urgent, .content_length = bulk_bytes}), RequestClass::background);
  EXPECT_EQ(classify({.route = RequestClass::urgent, .content_length = bulk_bytes - 1}), RequestClass::urgent);
  EXPECT_EQ(classify({.listener = RequestClass::emergency, .stream = true}), RequestClass::background);
}

TEST(Admission, ListenerTicketAndPatientRaiseTheClass) {
  EXPECT_EQ(classify({.listener = RequestClass::emergency}), RequestClass::emergency);
  EXPECT_EQ(classify({.listener = RequestClass::emergency, .route = RequestClass::background}),
            RequestClass::background);
  EXPECT_EQ(classify({.ticket = RequestClass::urgent}), RequestClass::urgent);
  EXPECT_EQ(classify({.ticket = RequestClass::emergency, .class_header = "routine"}), RequestClass::routine);
  EXPECT_EQ(classify({.patient_in_emergency = true}), RequestClass::urgent);
  EXPECT_EQ(classify({.route = RequestClass::background, .patient_in_emergency = true}), RequestClass::background);
}

}  // namespace
}  // namespace mydr24::admission
