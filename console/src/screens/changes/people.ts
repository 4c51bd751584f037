// Who may approve what, and who is still needed.

import type { Authority, ChangePolicy, Member, ShownChange } from "../../api/changes";
import type { ChangeSummary } from "../../api/types";

// "user/cto" is "cto", as the board knows them.
export const login_of = (id: string): string => id.replace(/^user\//, "");

export interface Slot {
  authorities: readonly Authority[]; // one of these; none: any member
  by?: string;
}

const fits = (authorities: readonly Authority[], member: Member | undefined) =>
  member !== undefined && (authorities.length === 0 || member.authorities.some((each) => authorities.includes(each)));

// Each member fills one place, so that as many as can be are filled (bipartite matching, as the server does it).
export function slots_of(needed: readonly (readonly Authority[])[], approvers: readonly string[], members: readonly Member[]): Slot[] {
  const of = new Map(members.map((member) => [member.name, member]));
  const taken: (string | undefined)[] = needed.map(() => undefined);
  const place = (name: string, tried: Set<number>): boolean =>
    needed.some((authorities, at) => {
      if (tried.has(at) || !fits(authorities, of.get(name))) return false;
      tried.add(at);
      const sits = taken[at];
      if (sits !== undefined && !place(sits, tried)) return false;
      taken[at] = name;
      return true;
    });
  for (const name of approvers) place(name, new Set());
  return needed.map((authorities, at) => ({ authorities, ...(taken[at] === undefined ? {} : { by: taken[at] }) }));
}

export function slots_of_change(shown: ShownChange, policy: ChangePolicy): Slot[] {
  const { change } = shown;
  const approvers = change.approvals
    .filter((approval) => approval.digest === change.digest && login_of(approval.member) !== login_of(change.requested_by))
    .map((approval) => approval.member);
  return slots_of(policy.requirements[shown.approval] ?? [], approvers, policy.members);
}

// Every place by its name, of which there may be several: as many are open as the server says.
export function places_of({ approvals_needed, approvals_open }: Pick<ShownChange, "approvals_needed" | "approvals_open">): { slot: string; is_open: boolean }[] {
  const open = [...approvals_open];
  return approvals_needed.map((slot) => {
    const at = open.indexOf(slot);
    if (at >= 0) open.splice(at, 1);
    return { slot, is_open: at >= 0 };
  });
}

// Members who could still fill a place.
export const could_fill = (slot: Slot, policy: ChangePolicy, requested_by: string, approvers: readonly string[]): Member[] =>
  policy.members.filter((member) => fits(slot.authorities, member) && member.name !== login_of(requested_by) && !approvers.includes(member.name));

const words_of = (slot: string): Authority[] => (slot === "any member" ? [] : (slot.split(" or ") as Authority[]));

// Whether this person's approval would bring a change further.
export function waits_for(change: ChangeSummary, who: string, members: readonly Member[]): boolean {
  const me = members.find((member) => member.name === who);
  if (!me || change.state !== "proposed" || login_of(change.requested_by) === who || change.approved_by?.includes(who)) return false;
  return (change.approvals_open ?? []).some((slot) => fits(words_of(slot), me));
}
