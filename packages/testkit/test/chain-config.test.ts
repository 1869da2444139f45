import { describe, expect, test } from '@jest/globals';
import type { ChainConfig } from '../src/chain-config.ts';
import { downstreamSection, upstreamSection } from '../src/chain-config.ts';

const URL = 'http://127.0.0.1:4444';

describe('the upstream of a chain', () => {
  test('listens anywhere, knows alice and the origin, and lets CONNECT through to it', () => {
    expect(upstreamSection({}, 8407)).toEqual({
      listen: '127.0.0.1:0',
      users: [{ name: 'alice', password: { value: 'secret' } }],
      ports: { connect: [80, 443, 8407], any: [80, 443, '1024-65535'] },
      hosts: { 'origin.test': '127.0.0.1:8407' },
      limits: { drain: '1s' },
    });
  });

  test.each<[string, ChainConfig, object]>([
    ['users replace alice', { upstream: { users: [] } }, { users: [] }],
    ['rules replace ours', { upstream: { access: [] } }, { access: [] }],
    [
      'a name is added',
      { upstream: { hosts: { x: '127.0.0.1:1' } } },
      { hosts: { x: '127.0.0.1:1', 'origin.test': '127.0.0.1:8407' } },
    ],
    ['a limit is added', { upstream: { limits: { connections: 3 } } }, { limits: { drain: '1s', connections: 3 } }],
    ['what is no section stays, to be complained about', { upstream: { hosts: 7 } }, { hosts: 7 }],
  ])('%s', (_what, config, expected) => {
    expect(upstreamSection(config, 8407)).toMatchObject(expected);
  });
});

describe('the downstream of a chain', () => {
  const alice = { username: 'alice', password: { value: 'secret' }, schemes: ['basic'] };
  const bob = { name: 'bob', password: { value: 'b' } };

  test('substitutes what the upstream accepts', () => {
    expect(downstreamSection({}, URL)).toEqual({
      listen: '127.0.0.1:0',
      credentials: { alice },
      upstreams: { upstream: { url: URL, spare: 0, credentials: 'alice' } },
      limits: { drain: '1s' },
    });
  });

  test.each<[string, ChainConfig, object]>([
    [
      'the first user with a password',
      { upstream: { users: [{ htpasswd: 'f' }, bob] } },
      { bob: { ...alice, username: 'bob', password: bob.password } },
    ],
    [
      'by the schemes of the upstream',
      { upstream: { auth: { schemes: ['ntlm'] } } },
      { alice: { ...alice, schemes: ['ntlm'] } },
    ],
    ['alice where no user has a password', { upstream: { users: [{ htpasswd: 'f' }] } }, { alice }],
    ['none to relay', { downstream: { identity: 'relay' } }, {}],
    ['none for identity none', { downstream: { identity: 'none' } }, {}],
    ['those that are given', { downstream: { credentials: { corp: {} } } }, { corp: {} }],
  ])('credentials: %s', (_what, config, credentials) => {
    expect(downstreamSection(config, URL)).toHaveProperty('credentials', credentials);
  });

  test.each<[string, ConfigUpstreams, object]>([
    [
      'those that are given replace ours',
      { far: { url: 'http://far:1' } },
      { far: { url: 'http://far:1', spare: 0, credentials: 'alice' } },
    ],
    [
      'an entry keeps its credentials',
      { far: { credentials: 'c' } },
      { far: { url: URL, spare: 0, credentials: 'c' } },
    ],
    [
      'ours can be changed',
      { upstream: { idleTimeout: '1s' } },
      { upstream: { url: URL, spare: 0, credentials: 'alice', idleTimeout: '1s' } },
    ],
    ['what is no section stays, to be complained about', { far: 7 }, { far: 7 }],
  ])('upstreams: %s', (_what, upstreams, expected) => {
    expect(downstreamSection({ downstream: { upstreams } }, URL)).toHaveProperty('upstreams', expected);
  });

  test('without credentials an upstream names none', () => {
    expect(downstreamSection({ downstream: { identity: 'relay' } }, URL)).toHaveProperty('upstreams', {
      upstream: { url: URL, spare: 0 },
    });
  });
});

type ConfigUpstreams = Readonly<Record<string, unknown>>;
