// The screens, from the one list that the server reads as well (screens.json): what is not in it is answered 404.

import { lazy, type ComponentType, type LazyExoticComponent } from "react";
import list from "../../screens.json";
import type { IconName } from "../ui/icons";

export type ScreenId = "overview" | "board" | "patients" | "patient" | "alerts" | "incidents" | "incident" | "oncall" | "changes" | "change" | "slos" | "audit" | "access" | "settings" | "signed-in";
export type Group = "care" | "respond" | "change" | "plan" | "govern";
export const groups: readonly Group[] = ["care", "respond", "change", "plan", "govern"];

export interface Screen {
  id: ScreenId;
  path: string;
  group?: Group; // in the navigation
  key?: string; // after g
  icon?: IconName;
  in?: ScreenId; // the entry of the navigation that stands for it
}

export const screens = list as readonly Screen[];

type Loaded = LazyExoticComponent<ComponentType<{ id?: string }>>;
export const components: Record<ScreenId, Loaded> = {
  overview: lazy(() => import("./overview")),
  board: lazy(() => import("./board/index")),
  patients: lazy(() => import("./patients")),
  patient: lazy(() => import("./patient")),
  alerts: lazy(() => import("./alerts/index")),
  incidents: lazy(() => import("./incidents/index")),
  incident: lazy(() => import("./incidents/room")),
  oncall: lazy(() => import("./oncall/index")),
  changes: lazy(() => import("./changes/index")),
  change: lazy(() => import("./changes/change")),
  slos: lazy(() => import("./slos/index")),
  audit: lazy(() => import("./audit/index")),
  access: lazy(() => import("./access/index")),
  settings: lazy(() => import("./settings/index")),
  "signed-in": lazy(() => import("./signed-in")),
};
