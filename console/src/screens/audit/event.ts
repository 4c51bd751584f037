// An AuditEvent (IHE BALP) as people ask for it: who, what, whom, why.

import type { Coding } from "../../api/fhir";
import type { AuditEvent } from "../../api/platform";

export interface Access {
  id: string;
  at: string;
  who: string;
  role: string;
  what: string; // read, search-type, break-glass ...
  action: string;
  resources: string[];
  patient: string;
  outcome: string; // 0: done, 4 and 8: refused, 12: failed
  purpose: string;
  rule: string;
  address: string;
  request: string;
  query: string;
  under_override: boolean;
}

const override_system = "https://mydr24.org/fhir/NamingSystem/emergency-override";

// FHIR's and our own interactions are words; what DICOM numbers is called by its name.
const name_of = (coding: Coding | undefined): string => (/^\d+$/.test(coding?.code ?? "") ? coding?.display : coding?.code) ?? coding?.code ?? "";

function decoded(text: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  } catch {
    return text;
  }
}

export function access_of(event: AuditEvent): Access {
  const agents = event.agent ?? [];
  const who = agents.find((agent) => agent.requestor) ?? agents[0];
  const entities = event.entity ?? [];
  const references = entities.flatMap((entity) => (entity.what?.reference ? [entity.what.reference] : []));
  const patient = references.find((reference) => reference.startsWith("Patient/"))?.split("/")[1] ?? "";
  const encoded = entities.find((entity) => entity.query)?.query;
  return {
    id: event.id,
    at: event.recorded,
    who: who?.name ?? who?.altId ?? who?.who?.display ?? "-",
    role: (who?.role ?? []).flatMap((role) => role.text ?? []).join(", "),
    what: name_of(event.subtype?.[0] ?? event.type),
    action: event.action ?? "",
    resources: [...new Set(references)],
    patient,
    outcome: event.outcome ?? "",
    purpose: [...new Set((event.purposeOfEvent ?? []).flatMap((purpose) => purpose.coding?.[0]?.code ?? []))].join(", "),
    rule: event.outcomeDesc ?? "",
    address: agents.find((agent) => !agent.requestor && agent.network?.address)?.network?.address ?? "",
    request: entities.find((entity) => entity.type?.code === "XrequestId")?.what?.identifier?.value ?? "",
    query: encoded ? decoded(encoded) : "",
    under_override: event.subtype?.some((each) => each.code === "110127") === true || entities.some((entity) => (entity.what?.identifier as { system?: string } | undefined)?.system === override_system),
  };
}

export interface Lane {
  who: string;
  accesses: Access[];
}
// Whoever came most often first.
export function lanes_of(accesses: readonly Access[], most: number): Lane[] {
  const found = new Map<string, Access[]>();
  for (const access of accesses) found.set(access.who, [...(found.get(access.who) ?? []), access]);
  return [...found].map(([who, theirs]) => ({ who, accesses: theirs })).sort((a, b) => b.accesses.length - a.accesses.length).slice(0, most);
}
