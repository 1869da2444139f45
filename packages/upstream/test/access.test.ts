import { configFromObject, validate } from '@chain407/core';
import { describe, expect, test } from '@jest/globals';
import type { AccessFacts } from '../src/access.ts';
import { decide } from '../src/access.ts';
import type { UpstreamConfig } from '../src/config.ts';
import { upstreamSchema } from '../src/config.ts';
import { parseTimeWindow } from '../src/time-window.ts';

function rules(access: unknown): UpstreamConfig['access'] {
  const users = [{ name: 'alice', password: { value: 'x' } }];
  const validated = validate(upstreamSchema('/'), configFromObject({ users, access }));
  if (!validated.ok) throw new Error(validated.problems.map(({ message }) => message).join());
  return validated.value.access;
}

const ALICE = { name: 'alice', groups: ['staff'] };
const FACTS: AccessFacts = {
  user: ALICE,
  from: '10.1.2.3',
  host: 'www.example',
  port: 443,
  method: 'CONNECT',
  now: new Date('2026-11-23T10:00:00'),
};

describe('access rules', () => {
  test.each([
    ['no conditions', { allow: {} }, true],
    ['the user', { allow: { users: ['alice'] } }, true],
    ['another user', { allow: { users: ['bob'] } }, false],
    ['a group of the user', { allow: { groups: ['guests', 'staff'] } }, true],
    ['another group', { allow: { groups: ['guests'] } }, false],
    ['the range of the client', { allow: { from: ['10.0.0.0/8'] } }, true],
    ['another range', { allow: { from: ['192.168.0.0/16', '::1'] } }, false],
    ['the host, with its port', { allow: { to: ['*.example:443'] } }, true],
    ['the host, with another port', { allow: { to: ['*.example:80'] } }, false],
    ['another host that ends alike', { allow: { to: ['*.ample'] } }, false],
    ['the method', { allow: { methods: ['GET', 'CONNECT'] } }, true],
    ['another method', { allow: { methods: ['GET'] } }, false],
    ['the hour', { allow: { when: 'Mon-Fri 08:00-18:00' } }, true],
    ['another hour', { allow: { when: 'Mon-Fri 18:00-20:00' } }, false],
    ['all of several', { allow: { users: ['alice'], from: ['10.0.0.0/8'], methods: ['CONNECT'] } }, true],
    ['all but one of several', { allow: { users: ['alice'], from: ['10.0.0.0/8'], methods: ['GET'] } }, false],
  ])('with %s', (_what, rule, allowed) => {
    expect(decide(rules([rule]), FACTS).allow).toBe(allowed);
  });

  test('the first rule that matches decides', () => {
    const deny = { deny: { users: ['alice'] } };
    expect(decide(rules([deny, { allow: {} }]), FACTS).allow).toBe(false);
    expect(decide(rules([{ allow: {} }, deny]), FACTS).allow).toBe(true);
  });

  test('what matches none is denied with 403, and says so', () => {
    expect(decide(rules([{ allow: { users: ['bob'] } }]), FACTS)).toEqual({
      allow: false,
      status: 403,
      why: 'no access rule allows alice CONNECT to www.example:443',
    });
  });

  test('a deny has the status that its rule names, 403 by default', () => {
    expect(decide(rules([{ deny: {}, status: 407 }]), FACTS)).toMatchObject({
      status: 407,
      why: expect.stringMatching(/^access rule 1 denies/),
    });
    expect(decide(rules([{ deny: {} }]), FACTS)).toMatchObject({ status: 403 });
  });

  test('without access, whoever was recognised is allowed', () => {
    expect(decide(rules(undefined), FACTS).allow).toBe(true);
  });

  test('a rule for users or groups says nothing of somebody who has no name', () => {
    const nobody = { ...FACTS, user: undefined };
    for (const condition of [{ users: ['alice'] }, { groups: ['staff'] }]) {
      expect(decide(rules([{ allow: condition }]), nobody).allow).toBe(false);
      expect(decide(rules([{ deny: condition }, { allow: {} }]), nobody).allow).toBe(true);
    }
  });
});

describe('a span of the week', () => {
  // 2026-11-23 is a Monday.
  test.each([
    ['Mon-Fri 08:00-18:00', '2026-11-23T08:00:00', true],
    ['Mon-Fri 08:00-18:00', '2026-11-23T17:59:59', true],
    ['Mon-Fri 08:00-18:00', '2026-11-23T18:00:00', false],
    ['Mon-Fri 08:00-18:00', '2026-11-28T10:00:00', false],
    ['Sat', '2026-11-28T00:00:00', true],
    ['sat,SUN 10:00-11:00', '2026-11-29T10:30:00', true],
    ['Sat-Mon', '2026-11-23T12:00:00', true],
    ['Sat-Mon', '2026-11-24T12:00:00', false],
    ['22:00-06:00', '2026-11-23T23:00:00', true],
    ['22:00-06:00', '2026-11-23T05:59:00', true],
    ['22:00-06:00', '2026-11-23T06:00:00', false],
    ['Mon 22:00-06:00', '2026-11-24T05:00:00', true],
    ['Mon 22:00-06:00', '2026-11-23T05:00:00', false],
    ['00:00-24:00', '2026-11-23T23:59:59', true],
  ])('%s at %s: %s', (text, at, inside) => {
    expect(parseTimeWindow(text)?.contains(new Date(at))).toBe(inside);
  });

  test.each(['', 'Mon-', 'Mo', '25:00-26:00', '08:00-08:00', '08:60-09:00', 'Mon 8-18', '08:00', 'Mon,,Tue'])(
    '%j is none',
    (text) => expect(parseTimeWindow(text)).toBeUndefined(),
  );
});
