#include "clinical/vitals/rules.h"

namespace mydr24::vitals {

std::string_view default_rules_text() {
  return R"({
  "format": "mydr24.vitals-rules.v1",
  "name": "built in",
  "rules": [
    {"id": "news2-high", "signal": "news2_band", "at_least": 3, "clear": 1, "severity": "emergency",
     "class": "life-threat", "title": "Early warning score: high, emergency assessment"},
    {"id": "news2-medium", "signal": "news2_band", "at_least": 2, "clear": 1, "severity": "urgent",
     "class": "sustained", "persist": {"seconds": 30}, "title": "Early warning score: medium, urgent assessment"},
    {"id": "news2-red", "signal": "news2_band", "at_least": 1, "clear": 1, "severity": "urgent",
     "class": "sustained", "persist": {"seconds": 30}, "title": "Early warning score: one vital sign in the red"},
    {"id": "respiration-lowest", "signal": "respiration", "at_most": 4, "clear": 7, "severity": "emergency",
     "class": "life-threat", "population": "all", "title": "Breathing hardly or not at all"},
    {"id": "respiration-highest", "signal": "respiration", "at_least": 40, "clear": 36, "severity": "emergency",
     "class": "life-threat", "title": "Breathing very fast"},
    {"id": "spo2-lowest", "signal": "spo2", "at_most": 79, "clear": 84, "severity": "emergency", "class": "life-threat",
     "population": "all", "title": "Oxygen saturation very low"},
    {"id": "pulse-lowest", "signal": "pulse", "at_most": 30, "clear": 38, "severity": "emergency",
     "class": "life-threat", "population": "all", "title": "Heart rate very low or none"},
    {"id": "pulse-highest", "signal": "pulse", "at_least": 160, "clear": 145, "severity": "emergency",
     "class": "life-threat", "title": "Heart rate very high"},
    {"id": "systolic-lowest", "signal": "systolic", "at_most": 70, "clear": 80, "severity": "emergency",
     "class": "life-threat", "title": "Blood pressure very low"},
    {"id": "unresponsive", "signal": "consciousness", "at_least": 4, "clear": 4, "severity": "emergency",
     "class": "life-threat", "population": "all", "title": "Unresponsive"},
    {"id": "coma", "signal": "coma_score", "at_most": 8, "clear": 9, "severity": "emergency", "class": "life-threat",
     "population": "all", "title": "Coma: the airway is in danger"}
  ]
})";
}

}  // namespace mydr24::vitals
