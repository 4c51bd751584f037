// How screens read: as TanStack Query does, but what is shown stands still while a person holds it. The reading itself goes on.

import { hashKey, useQuery, type QueryKey, type UseQueryOptions, type UseQueryResult } from "@tanstack/react-query";
import { useRef } from "react";
import { useIsHeld } from "../live/hold";

export type Read<T> = UseQueryResult<T, Error>;

export function useRead<Raw, T = Raw>(options: UseQueryOptions<Raw, Error, T, QueryKey>): Read<T> {
  const read = useQuery(options);
  const is_held = useIsHeld();
  const key = hashKey(options.queryKey);
  const shown = useRef({ key, read });
  // Another question was asked, or there was no answer yet: then nothing stood there to be held.
  if (!is_held || shown.current.key !== key || shown.current.read.data === undefined) shown.current = { key, read };
  return shown.current.read;
}
