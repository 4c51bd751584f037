// Drawn on a 24 x 24 grid with strokes of the text's colour. Always beside a word, so hidden from assistive technology.

import { memo } from "react";

const paths = {
  pulse: "M3 12h4l3-8 4 16 3-8h4",
  bed: "M3 18V7M3 14h18v4M21 14v-2a3 3 0 0 0-3-3h-7v5M7 11.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4 21c.6-4 3.700-6 8-6s7.400 2 8 6",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4",
  flag: "M5 21V4M5 4h12l-2.500 4L17 12H5",
  branch: "M6 8v8M6 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4M6 20a2 2 0 1 0 0-4 2 2 0 0 0 0 4M18 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4M18 10c0 4-4 4.500-10.500 6.500",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14M16 16l5 5",
  up: "M12 19V5M6 11l6-6 6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  same: "M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  menu: "M4 7h16M4 12h16M4 17h16",
  eye: "M2 12s3.600-7 10-7 10 7 10 7-3.600 7-10 7-10-7-10-7M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6",
  "eye-off": "M4 4l16 16M9.500 5.400A9.800 9.800 0 0 1 12 5c6.400 0 10 7 10 7a17 17 0 0 1-3.300 4M6.300 7.300A16.500 16.500 0 0 0 2 12s3.600 7 10 7a10 10 0 0 0 4.500-1.100",
  sound: "M4 9.500v5h4l5 4v-13l-5 4zM16.500 9a4 4 0 0 1 0 6M19 6.500a8 8 0 0 1 0 11",
  "sound-off": "M4 9.500v5h4l5 4v-13l-5 4zM16.500 9.500l5 5M21.500 9.500l-5 5",
  out: "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
  pause: "M9 5v14M15 5v14",
  play: "M7 5l12 7-12 7z",
  link: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  duty: "M4 6h16v14H4zM4 10h16M8 3.500v4M16 3.500v4M8 15l2.500 2.500L16 13",
  gauge: "M4 19a9 9 0 1 1 16 0M12 15l4-6",
  trail: "M6 3h9l4 4v14H6zM9 11h7M9 15h7M9 7h3",
  key: "M8 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 12h9v4M17 12v3",
  sliders: "M4 7h9M17 7h3M15 9.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5M4 17h3M11 17h9M9 19.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5",
  back: "M15 5l-7 7 7 7",
  on: "M9 5l7 7-7 7",
  check: "M5 12.500l4.500 4.500L19 7.500",
} as const;

export type IconName = keyof typeof paths | Status;

// One shape for each status: it is told apart without colour.
export type Status = "safe" | "watch" | "urgent" | "emergency" | "info" | "neutral";

const shapes: Record<Status, string> = {
  safe: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M8 12.300l2.800 2.700L16 9.500",
  watch: "M12 2.500 21.500 12 12 21.500 2.500 12zM12 8v5M12 16v.1",
  urgent: "M12 3.500 22 20.500H2zM12 10v5M12 17.700v.1",
  emergency: "M8 2.500h8L21.500 8v8L16 21.500H8L2.500 16V8zM12 7v6.500M12 16.700v.1",
  info: "M4 4h16v16H4zM12 11v5.500M12 7.800v.1",
  neutral: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M8 12h8",
};

export const Icon = memo(function Icon({ name, className }: { name: IconName; className?: string }) {
  const d = name in shapes ? shapes[name as Status] : paths[name as keyof typeof paths];
  return (
    <svg className={className ? `icon ${className}` : "icon"} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={d} />
    </svg>
  );
});
