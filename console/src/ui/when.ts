// Times and days as plans are read: with the day of the week, without the year.

import { useMemo } from "react";
import { useIntl } from "react-intl";

export interface When {
  moment: (at: string | number) => string; // Mon 30 Nov, 08:00
  day: (at: number) => string; // Mon 30 Nov
  weekday: (at: number) => string;
}

export function useWhen(): When {
  const intl = useIntl();
  return useMemo(
    () => ({
      moment: (at) => intl.formatDate(at, { weekday: "short", day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", hour12: false }),
      day: (at) => intl.formatDate(at, { weekday: "short", day: "2-digit", month: "short" }),
      weekday: (at) => intl.formatDate(at, { weekday: "short" }),
    }),
    [intl],
  );
}
