import { Secret } from '@chain407/auth';
import { describe, expect, test } from '@jest/globals';
import { fixedSecret } from '../src/account/account.ts';
import { Credential } from '../src/account/credentials.ts';
import type { Identity, IdentityMode, RejectedPolicy } from '../src/identity.ts';
import { bindsConnection, chooseIdentity, identityKey, nameIdentity } from '../src/identity.ts';
import { basic } from './support.ts';

function credential(closed = false) {
  const made = new Credential({
    name: 'corp',
    account: { username: 'alice', password: fixedSecret(new Secret('secret')) },
    schemes: ['basic'],
    mayGoTo: () => true,
    lockout: { attempts: 1, cooldown: 1000, now: () => 0, onChange: () => undefined },
  });
  if (closed) {
    void made.guard.admit();
    made.guard.rejected('wrong');
  }
  return made;
}

const LINE = basic('bob:b');
const relay = (line?: string): Identity => ({ kind: 'relay', line });

describe('on whose behalf a request goes', () => {
  const short = (identity: Identity): string =>
    identity.kind === 'own' ? `own${identity.answerable ? ', answerable' : ''}` : identity.kind;

  test.each<
    [
      mode: IdentityMode,
      sent: 'credentials' | 'nothing',
      ours: 'ours' | 'none' | 'closed',
      rejected: RejectedPolicy,
      identity: string,
    ]
  >([
    ['none', 'credentials', 'ours', '407', 'none'],
    ['none', 'credentials', 'closed', 'ask', 'none'],
    ['relay', 'credentials', 'ours', '407', 'relay'],
    ['relay', 'nothing', 'ours', 'ask', 'relay'],
    ['relay', 'nothing', 'none', '502', 'relay'],
    ['substitute', 'credentials', 'ours', '407', 'own'],
    ['substitute', 'nothing', 'ours', '502', 'own'],
    ['substitute', 'nothing', 'ours', 'ask', 'own, answerable'],
    ['substitute', 'credentials', 'none', '407', 'none'],
    ['substitute', 'credentials', 'closed', '407', 'own'],
    ['substitute', 'credentials', 'closed', '502', 'own'],
    ['substitute', 'credentials', 'closed', 'ask', 'relay'],
    ['substitute', 'nothing', 'closed', 'ask', 'relay'],
    ['relay-else-substitute', 'credentials', 'ours', '407', 'relay'],
    ['relay-else-substitute', 'nothing', 'ours', '407', 'own, answerable'],
    ['relay-else-substitute', 'nothing', 'closed', '407', 'own, answerable'],
    ['relay-else-substitute', 'nothing', 'closed', 'ask', 'relay'],
    ['relay-else-substitute', 'nothing', 'none', '407', 'none'],
  ])('%s, the client sends %s, ours: %s, rejected: %s → %s', (mode, sent, ours, rejected, identity) => {
    const chosen = chooseIdentity({
      mode,
      rejected,
      line: sent === 'credentials' ? LINE : undefined,
      pinned: false,
      credential: ours === 'none' ? undefined : credential(ours === 'closed'),
    });
    expect(short(chosen)).toBe(identity);
    if (chosen.kind === 'relay') expect(chosen.line).toBe(sent === 'credentials' ? LINE : undefined);
  });
});

test.each(['relay', 'relay-else-substitute', 'substitute'] as const)(
  '%s, on a connection that the client has logged in: its own, whatever it sends',
  (mode) => {
    const question = { mode, rejected: 'ask', pinned: true, credential: credential(false) } as const;
    expect(chooseIdentity({ ...question, line: undefined })).toEqual({ kind: 'relay', line: undefined });
    expect(chooseIdentity({ ...question, line: LINE })).toEqual({ kind: 'relay', line: LINE });
  },
);

describe('whose connection it is', () => {
  test.each<[what: string, identity: Identity, key: string]>([
    ['nobody', { kind: 'none' }, 'none'],
    ['a client without credentials', relay(), 'none'],
    ['ours', { kind: 'own', credential: credential(), answerable: false }, 'own corp'],
    ['a token68', relay('Basic Ym9iOmI='), 'relay basic Ym9iOmI='],
    ['a user name', relay('Digest username="bob", nonce="a", nc=00000001'), 'relay digest bob'],
    ['neither', relay('Digest nonce="a"'), 'relay digest Digest nonce="a"'],
    ['what cannot be read', relay('=?'), 'relay =?'],
  ])('%s', (_what, identity, key) => {
    expect(identityKey(identity)).toBe(key);
  });

  test('is the same for the next request of a Digest user, another for another user', () => {
    const key = (user: string, nc: string): string => identityKey(relay(`Digest username="${user}", nc=${nc}`));
    expect(key('bob', '00000002')).toBe(key('bob', '00000001'));
    expect(key('eve', '00000001')).not.toBe(key('bob', '00000001'));
  });

  test.each<[identity: Identity, bound: boolean]>([
    [relay('NTLM TlRMTVNTUAAB'), true],
    [relay('negotiate YII='), true],
    [relay(LINE), false],
    [relay('=?'), false],
    [relay(), false],
    [{ kind: 'none' }, false],
    [{ kind: 'own', credential: credential(), answerable: false }, false],
  ])('%j is bound to its connection: %s', (identity, bound) => {
    expect(bindsConnection(identity)).toBe(bound);
  });

  test.each<[identity: Identity, name: string]>([
    [{ kind: 'none' }, 'none'],
    [relay(LINE), 'relay'],
    [{ kind: 'own', credential: credential(), answerable: true }, 'corp'],
  ])('in the log %j is called %s: a name, never what was sent', (identity, name) => {
    expect(nameIdentity(identity)).toBe(name);
  });
});
