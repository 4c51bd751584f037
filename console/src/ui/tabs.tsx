// Parts of one screen, each with an address of its own.

import { Link, useLocation } from "wouter";

export interface Tab {
  id: string;
  title: string;
}
export function Tabs({ label, tabs, current, param = "tab" }: { label: string; tabs: readonly Tab[]; current: string; param?: string }) {
  const [path] = useLocation();
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <Link key={tab.id} href={`${path}?${param}=${tab.id}`} aria-current={tab.id === current ? "page" : undefined}>
          {tab.title}
        </Link>
      ))}
    </nav>
  );
}
