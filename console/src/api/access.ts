// People, roles and decisions, as access control tells of them.

import { keepPreviousData } from "@tanstack/react-query";
import { ask } from "./client";
import { client } from "./queries";
import { useRead } from "./read";

export interface User {
  name: string;
  display?: string;
  roles: string[];
  fhirUser?: string;
  disabled: boolean;
  has_password: boolean;
  second_factor: boolean;
  needs_second_factor: boolean;
  locked_s?: number; // the next attempt to log in has to wait
  created: string;
  last_login?: string;
  version: string; // of what administrators decide of it
}
export interface Profile {
  display: string;
  roles: readonly string[];
  fhirUser: string;
}
export interface Invitation {
  url: string; // told once
  expires: string;
}
export interface Decided {
  user: User;
  invitation?: Invitation;
}
export interface Grant {
  types: string[]; // "*": every one
  not_types?: string[];
  permissions: string; // letters of "cruds"
  compartment?: "own";
  criteria?: string;
  purposes?: string[];
}
export interface Role {
  name: string;
  text: string;
  privileged: boolean;
  second_factor: boolean;
  purpose?: string;
  purposes?: string[];
  labels?: string[]; // system|code; "*": all
  fhir?: Grant[];
  break_glass?: Grant[];
  operations: string[];
}
export interface RoutePart {
  name: string;
  method: string;
  path: string;
}
export interface AccessPolicy {
  sensitive?: string[];
  roles: Role[];
  operations: RoutePart[];
}
export interface Explanation {
  as: string;
  roles: string[];
  interaction: string;
  allowed: boolean;
  rule: string;
  visible?: boolean; // of one resource, when the asker may know it
  allowed_roles?: string[]; // not of what anybody may
}
export interface Tenant {
  name: string;
  tier: string; // empty: there are no tenants
  hosts: string[];
  queues?: number;
  queues_of?: number;
  requests_per_s: number; // 0: no limit
  requests_used: number; // share of what may come at once, 0 to 1
  storage_bytes: number;
  storage_bytes_max: number; // 0: no limit
  tiers: { name: string; queues: number; requests_per_s: number; storage_bytes: number }[];
}

export interface AccessAnswers {
  "POST /api/v1/access/users": Decided;
  "PUT /api/v1/access/users/{id}": Decided;
  "POST /api/v1/access/users/{id}/disable": Decided;
  "POST /api/v1/access/users/{id}/enable": Decided;
  "POST /api/v1/access/users/{id}/invitation": Decided;
  "DELETE /api/v1/access/users/{id}/second-factor": Decided;
  "DELETE /api/v1/sessions/{id}": undefined;
  "GET /api/v1/access/users": { users: User[]; next?: string };
  "GET /api/v1/access/policy": AccessPolicy;
  "GET /api/v1/access/explain": Explanation;
  "GET /api/v1/access/tenant": Tenant;
}

const people_every_ms = 15_000;
const page = 500;
export const people_max = 5_000;

export const useUsers = () =>
  useRead({
    queryKey: ["access", "users"],
    queryFn: async ({ signal }) => {
      const users: User[] = [];
      let next: string | undefined;
      do {
        const answer = await ask("GET /api/v1/access/users", { query: { count: page, after: next }, signal });
        users.push(...answer.users);
        next = answer.next;
      } while (next !== undefined && users.length < people_max);
      return { users, more: next !== undefined };
    },
    refetchInterval: people_every_ms,
  });

export const useAccessPolicy = () =>
  useRead({ queryKey: ["access", "policy"], queryFn: ({ signal }) => ask("GET /api/v1/access/policy", { signal }), staleTime: 60_000 });

export interface Question {
  as: string;
  method: string;
  path: string;
}
export const useExplanation = (question: Question) =>
  useRead({
    queryKey: ["access", "explain", question],
    queryFn: ({ signal }) => ask("GET /api/v1/access/explain", { query: { ...question }, signal }),
    enabled: question.as !== "" && question.path !== "",
    placeholderData: keepPreviousData,
  });

export const useTenant = () =>
  useRead({ queryKey: ["access", "tenant"], queryFn: ({ signal }) => ask("GET /api/v1/access/tenant", { signal }), refetchInterval: 5_000 });

export const read_users_again = () => client.invalidateQueries({ queryKey: ["access", "users"] });
export const read_sessions_again = () => client.invalidateQueries({ queryKey: ["sessions"] });
