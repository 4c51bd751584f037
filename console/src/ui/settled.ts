import { useEffect, useState } from "react";

const settled_ms = 250;
// The value when it has not changed for a moment: what is asked of the server while somebody types.
export function useSettled<T>(value: T): T {
  const [settled, set] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => set(value), settled_ms);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
