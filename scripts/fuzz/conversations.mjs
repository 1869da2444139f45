import assert from 'node:assert/strict';
import {
  basicClient,
  basicVerifier,
  bearerClient,
  bearerVerifier,
  DIGEST_ALGORITHMS,
  digestClient,
  digestHa1,
  digestVerifier,
  formatMessage,
  ntHash,
  ntlmClient,
  ntlmVerifier,
  Secret,
} from '../../packages/auth/dist/index.js';

const PASSWORD = new Secret('open sesame');
export const REQUEST = { method: 'GET', target: 'http://origin.test/a?b=c', peerHost: 'proxy.test' };
const PORTS = { entropy: (bytes) => Buffer.alloc(bytes, 7), clock: () => 1_767_323_045_000 };
const ALICE = { name: 'alice' };

/** Both halves of each scheme. */
const PARTIES = [
  {
    client: () => basicClient('alice', PASSWORD),
    verifier: basicVerifier('lab', (name, password) => (password.reveal() === 'open sesame' ? { name } : undefined)),
  },
  {
    client: () => bearerClient({ current: new Secret('abc.def.ghi'), renew: () => undefined }, { now: PORTS.clock }),
    verifier: bearerVerifier('lab', (token) => (token.reveal() === 'abc.def.ghi' ? ALICE : undefined)),
  },
  {
    client: () => digestClient({ username: 'alice', password: PASSWORD }, { rfc2069: true }, PORTS),
    verifier: digestVerifier(
      {
        realm: 'lab',
        algorithms: DIGEST_ALGORITHMS,
        qop: ['auth', 'auth-int'],
        rfc2069: true,
        key: Buffer.alloc(32, 7),
      },
      {
        ...PORTS,
        findAccount: (_name, algorithm) => ({ principal: ALICE, ha1: digestHa1(algorithm, 'alice', 'lab', PASSWORD) }),
        useCount: () => true,
      },
    ),
  },
  {
    client: () => ntlmClient({ username: 'LAB\\alice', secret: { password: PASSWORD } }, PORTS),
    verifier: ntlmVerifier(
      { target: { domain: 'LAB', computer: 'PROXY' }, oemNames: true },
      { ...PORTS, findAccount: () => ({ principal: ALICE, ntHash: ntHash(PASSWORD) }) },
    ),
  },
];

/** The lines that both sides say, and what each remembers when it hears the next. */
async function converse({ client, verifier }) {
  const scheme = client();
  const legs = [];
  let challenges = verifier.offer();
  let heard;
  let said;
  for (let i = 0; i < 4; i += 1) {
    legs.push({ side: 'client', line: challenges.map(formatMessage).join(', '), state: heard });
    const turn = await scheme.answer(challenges, REQUEST, heard);
    heard = turn.state;
    legs.push({ side: 'verifier', line: formatMessage(turn.credentials), state: said });
    const judged = await verifier.judge(turn.credentials, REQUEST, said);
    if (judged.kind === 'accept') return legs;
    assert.equal(judged.kind, 'continue', judged.log);
    said = judged.state;
    challenges = [judged.challenge];
  }
  throw new Error('a conversation without end');
}

/** With the legs of the conversation that they have when all is well. */
export const SCHEMES = await Promise.all(
  PARTIES.map(async (parties) => ({ ...parties, legs: await converse(parties) })),
);

/** What a client or a verifier decides is one of these. */
export const isTurn = (turn, kinds) => assert.ok(kinds.includes(turn.kind), `a turn of the kind ${turn.kind}`);
