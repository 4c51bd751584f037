// National Early Warning Score 2 (Royal College of Physicians, 2017), chart 1: where the bands of each parameter lie. The score
// itself is made by the server; this only draws its bands behind values.

import type { SignName } from "../api/types";

export interface BandRange {
  low: number; // up from here ...
  high: number; // ... to here, both included
  points: 0 | 1 | 2 | 3;
}

const inf = Infinity;
const ranges = (...rows: [number, number, 0 | 1 | 2 | 3][]): BandRange[] => rows.map(([low, high, points]) => ({ low, high, points }));

export const news2_bands: Record<SignName, BandRange[]> = {
  respiration: ranges([-inf, 8, 3], [9, 11, 1], [12, 20, 0], [21, 24, 2], [25, inf, 3]),
  spo2: ranges([-inf, 91, 3], [92, 93, 2], [94, 95, 1], [96, inf, 0]),
  oxygen: ranges([0, 0, 0], [1, inf, 2]),
  systolic: ranges([-inf, 90, 3], [91, 100, 2], [101, 110, 1], [111, 219, 0], [220, inf, 3]),
  pulse: ranges([-inf, 40, 3], [41, 50, 1], [51, 90, 0], [91, 110, 1], [111, 130, 2], [131, inf, 3]),
  consciousness: ranges([0, 0, 0], [1, inf, 3]),
  temperature: ranges([-inf, 35, 3], [35.1, 36, 1], [36.1, 38, 0], [38.1, 39, 1], [39.1, inf, 2]),
};

// SpO2 scale 2, for people whose target is 88 to 92 %: how it counts above 92 depends on whether oxygen is given.
export const spo2_scale_2_on_air = ranges([-inf, 83, 3], [84, 85, 2], [86, 87, 1], [88, inf, 0]);
export const spo2_scale_2_on_oxygen = ranges([-inf, 83, 3], [84, 85, 2], [86, 87, 1], [88, 92, 0], [93, 94, 1], [95, 96, 2], [97, inf, 3]);

export function bands_of(name: SignName, spo2_scale: 1 | 2, on_oxygen: boolean): readonly BandRange[] {
  if (name !== "spo2" || spo2_scale === 1) return news2_bands[name];
  return on_oxygen ? spo2_scale_2_on_oxygen : spo2_scale_2_on_air;
}

// The unit in which the table's numbers are whole.
export const grain: Record<SignName, number> = {
  respiration: 1,
  spo2: 1,
  oxygen: 1,
  systolic: 1,
  pulse: 1,
  consciousness: 1,
  temperature: 0.1,
};

export function points_of(bands: readonly BandRange[], value: number, unit: number): number {
  const rounded = Math.round(value / unit) * unit;
  return bands.find((band) => rounded >= band.low - unit / 10 && rounded <= band.high + unit / 10)?.points ?? 0;
}

export const acvpu = ["A", "C", "V", "P", "U"] as const;
export const sign_names: readonly SignName[] = ["respiration", "spo2", "oxygen", "systolic", "pulse", "consciousness", "temperature"];
export const sign_units: Record<SignName, string> = {
  respiration: "/min",
  spo2: "%",
  oxygen: "",
  systolic: "mmHg",
  pulse: "/min",
  consciousness: "",
  temperature: "°C",
};
