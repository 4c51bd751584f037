// A display on the wall by its address, and the rhythm of the sound.

import { expect, test } from "vitest";
import { read_kiosk } from "../src/frame/kiosk";
import { burst } from "../src/live/sound";

test("a display is one by its address only, and rotates within bounds", () => {
  expect(read_kiosk("?rotate=30")).toBeUndefined();
  expect(read_kiosk("?kiosk=1")).toMatchObject({ rotate_s: 0, screens: ["overview", "board", "incidents", "oncall"] });
  expect(read_kiosk("?kiosk=1&rotate=30&screens=board,,slos")).toMatchObject({ rotate_s: 30, screens: ["board", "slos"] });
  expect([1, 86_400, -3, NaN].map((seconds) => read_kiosk(`?kiosk=1&rotate=${seconds}`)!.rotate_s)).toEqual([5, 3_600, 0, 0]);
});

test("the next screen keeps what makes the display, and nothing of the screen before", () => {
  expect(read_kiosk("?kiosk=1&rotate=30&theme=light&lang=ar&band=high&view=charts")!.query).toBe("?kiosk=1&rotate=30&theme=light&lang=ar");
});

test("a burst is ten pulses: three, two, and again", () => {
  const starts = burst();
  expect(starts).toHaveLength(10);
  const gaps = starts.slice(1).map((start, at) => Math.round((start - starts[at]!) * 100) / 100);
  expect(gaps).toEqual([0.25, 0.25, 0.45, 0.25, 0.75, 0.25, 0.25, 0.45, 0.25]);
});
