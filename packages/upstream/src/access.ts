import type { AddressRange, HostPattern } from '@chain407/core';
import type { TimeWindow } from './time-window.ts';
import type { User } from './users/user-store.ts';

/** What a rule asks for; an empty list asks for nothing. */
export interface Condition {
  readonly users: readonly string[];
  readonly groups: readonly string[];
  readonly from: readonly AddressRange[];
  readonly to: readonly HostPattern[];
  readonly methods: readonly string[];
  readonly when: TimeWindow | undefined;
}

export type AccessRule =
  | { readonly kind: 'allow'; readonly condition: Condition }
  | { readonly kind: 'deny'; readonly condition: Condition; readonly status: 403 | 407 };

/** Of one request; `user` is missing where nobody was asked. */
export interface AccessFacts {
  readonly user: User | undefined;
  /** The client's address. */
  readonly from: string;
  readonly host: string;
  readonly port: number;
  readonly method: string;
  readonly now: Date;
}

export type AccessDecision =
  | { readonly allow: true }
  | { readonly allow: false; readonly status: 403 | 407; readonly why: string };

const ALLOWED: AccessDecision = { allow: true };

/** The first rule that matches decides; what matches none is denied. */
export function decide(rules: readonly AccessRule[], facts: AccessFacts): AccessDecision {
  const i = rules.findIndex(({ condition }) => matches(condition, facts));
  const rule = rules[i];
  if (rule?.kind === 'allow') return ALLOWED;
  const who = facts.user?.name ?? 'anybody';
  const why = rule === undefined ? `no access rule allows ${who}` : `access rule ${i + 1} denies ${who}`;
  return { allow: false, status: rule?.status ?? 403, why: `${why} ${facts.method} to ${facts.host}:${facts.port}` };
}

function matches({ users, groups, from, to, methods, when }: Condition, facts: AccessFacts): boolean {
  const { user } = facts;
  // A rule for users or groups says nothing of somebody who has no name.
  if (users.length > 0 && (user === undefined || !users.includes(user.name))) return false;
  if (groups.length > 0 && !groups.some((group) => user?.groups.includes(group) === true)) return false;
  if (from.length > 0 && !from.some((range) => range.contains(facts.from))) return false;
  if (to.length > 0 && !to.some((pattern) => pattern.matches(facts.host, facts.port))) return false;
  if (methods.length > 0 && !methods.includes(facts.method)) return false;
  return when === undefined || when.contains(facts.now);
}
