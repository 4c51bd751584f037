import { useSyncExternalStore } from "react";

const phone = matchMedia("(max-width: 47.5rem)");
export const useIsPhone = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      phone.addEventListener("change", listener);
      return () => phone.removeEventListener("change", listener);
    },
    () => phone.matches,
  );

const plain_px = 16;
const root_px = () => parseFloat(getComputedStyle(document.documentElement).fontSize);
// How large everything is against the usual: on a wall, on a wide screen, or as a person chose in the browser.
export const useScale = (): number =>
  useSyncExternalStore(
    (listener) => {
      window.addEventListener("resize", listener);
      return () => window.removeEventListener("resize", listener);
    },
    () => root_px() / plain_px,
  );
