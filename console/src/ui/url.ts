// The state of a screen is in its address: it can be sent to somebody, and Back undoes it.

import { useCallback } from "react";
import { useLocation, useSearch } from "wouter";

export function useParam(name: string): [string, (value: string) => void] {
  const search = useSearch();
  const [path, go] = useLocation();
  const value = new URLSearchParams(search).get(name) ?? "";
  const set = useCallback(
    (next: string) => {
      const parameters = new URLSearchParams(window.location.search);
      if (next) parameters.set(name, next);
      else parameters.delete(name);
      const text = parameters.toString();
      go(text ? `${path}?${text}` : path, { replace: true });
    },
    [name, path, go],
  );
  return [value, set];
}
