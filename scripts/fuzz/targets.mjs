import assert from 'node:assert/strict';
import {
  basicClient,
  basicVerifier,
  bearerClient,
  bearerVerifier,
  DIGEST_ALGORITHMS,
  describeChallenge,
  describeCredentials,
  digestClient,
  digestHa1,
  digestVerifier,
  formatMessage,
  negotiateClient,
  ntHash,
  ntlmClient,
  ntlmVerifier,
  parseChallenges,
  parseCredentials,
  parseParams,
  Secret,
  whenSettled,
  withToken,
} from '../../packages/auth/dist/index.js';
import {
  endToEnd,
  guardRequest,
  MessageError,
  parseConnectTarget,
  parseForwardTarget,
  ResponseReader,
  valuesOf,
} from '../../packages/core/dist/index.js';
import { LineReader } from '../../packages/upstream/dist/helper/line-reader.js';
import { parseReply, takeChannel } from '../../packages/upstream/dist/helper/protocol.js';

/**
 * What is fuzzed. `samples` are inputs that are good; `feed` takes bytes, and throws where a promise was broken: nothing
 * that comes over the wire may make a parser throw, but for the error that says that it is malformed.
 */
export const TARGETS = [];
const target = (name, samples, feed) => TARGETS.push({ name, samples, feed });

const PASSWORD = new Secret('open sesame');
const REQUEST = { method: 'GET', target: 'http://origin.test/a?b=c', peerHost: 'proxy.test' };
const PORTS = { entropy: (bytes) => Buffer.alloc(bytes, 7), clock: () => 1_767_323_045_000 };
const ALICE = { name: 'alice' };

const text = (bytes) => bytes.toString('latin1');
const isTurn = (turn, kinds) => assert.ok(kinds.includes(turn.kind), `a turn of the kind ${turn.kind}`);

/** Both halves of each scheme, with the conversation that they have when all is well. */
const SCHEMES = [
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

for (const scheme of SCHEMES) {
  const { name } = scheme.verifier;
  const legs = await converse(scheme);
  const client = scheme.client();
  const ofClient = legs.filter(({ side }) => side === 'client');
  target(
    `${name} client`,
    ofClient.map(({ line }) => line),
    (bytes) => {
      const { challenges } = parseChallenges([text(bytes)]);
      const own = challenges.filter((challenge) => challenge.scheme === name);
      if (own.length === 0) return undefined;
      const pending = ofClient.map(({ state }) =>
        whenSettled(client.answer(own, REQUEST, state), (turn) => isTurn(turn, ['send', 'refuse'])),
      );
      return Promise.all(pending);
    },
  );
  const ofVerifier = legs.filter(({ side }) => side === 'verifier');
  target(
    `${name} verifier`,
    ofVerifier.map(({ line }) => line),
    (bytes) => {
      const parsed = parseCredentials(text(bytes));
      if (!parsed.ok || parsed.credentials.scheme !== name) return undefined;
      const kinds = ['accept', 'continue', 'reject', 'stale', 'malformed', 'unavailable', 'too-large'];
      const pending = ofVerifier.map(({ state }) =>
        whenSettled(scheme.verifier.judge(parsed.credentials, REQUEST, state), (turn) => isTurn(turn, kinds)),
      );
      return Promise.all(pending);
    },
  );
}

/** Changes to base64 mostly make it none: here the bytes that it stands for are changed. */
for (const scheme of SCHEMES.filter(({ verifier }) => verifier.binding === 'connection')) {
  const { verifier } = scheme;
  const legs = await converse(scheme);
  const client = scheme.client();
  const tokens = legs.map(({ line }) => line.split(' ')[1]).filter((token) => token !== undefined);
  target(
    `${verifier.name} tokens`,
    tokens.map((token) => Buffer.from(token, 'base64').toString('latin1')),
    (bytes) => {
      const message = withToken(verifier.name, bytes.toString('base64'));
      describeChallenge(message);
      describeCredentials(message);
      const pending = legs.map(({ side, state }) =>
        side === 'client'
          ? whenSettled(client.answer([message], REQUEST, state), (turn) => isTurn(turn, ['send', 'refuse']))
          : whenSettled(verifier.judge(message, REQUEST, state), (turn) =>
              isTurn(turn, ['accept', 'continue', 'reject', 'malformed']),
            ),
      );
      return Promise.all(pending);
    },
  );
}

/** RFC 4178: an initial token with Kerberos first, an answer that accepts, one that rejects, and bare Kerberos. */
const SPNEGO = [
  '604806062b0601050502a03e303ca00e300c060a2b06010401823702020aa22a04284e544c4d535350000100000097b208e2000000000000000000000000000000000a0063450000000f',
  'a1143012a0030a0100a10b06092a864886f712010202',
  'a1073005a0030a0102',
  '600f06092a864886f712010202020000ff',
].map((hex) => Buffer.from(hex, 'hex').toString('latin1'));
const context = { step: () => ({ ok: true, token: 'YII=', complete: true }) };

target('negotiate tokens', SPNEGO, (bytes) => {
  const challenge = withToken('negotiate', bytes.toString('base64'));
  describeChallenge(challenge);
  describeCredentials(challenge);
  const client = negotiateClient({ initiate: () => context });
  const kinds = ['send', 'refuse'];
  return Promise.all([
    ...[undefined, { context, complete: false }, { complete: true }].map((state) =>
      whenSettled(client.answer([challenge], REQUEST, state), (turn) => isTurn(turn, kinds)),
    ),
    whenSettled(
      client.conclude({ info: new Map(), challenges: [challenge] }, REQUEST, { context, complete: false }),
      (heard) => isTurn(heard, ['trusted', 'impostor']),
    ),
  ]);
});

const LINES = (await Promise.all(SCHEMES.map(converse))).flat().map(({ line }) => line);

target('challenges', LINES, (bytes) => {
  const { challenges } = parseChallenges([text(bytes)]);
  for (const challenge of challenges) describeChallenge(challenge);
  // What was read can be written, and reads the same again.
  const again = parseChallenges(challenges.map(formatMessage));
  assert.deepEqual(again.challenges, challenges);
});

target('credentials', LINES, (bytes) => {
  const parsed = parseCredentials(text(bytes));
  if (!parsed.ok) return;
  const { fields } = describeCredentials(parsed.credentials);
  assert.ok(!Object.values(fields).some((field) => field.includes('open sesame')), 'a secret is shown');
  assert.deepEqual(parseCredentials(formatMessage(parsed.credentials)), parsed);
});

target('parameters', ['rspauth="0123", qop=auth, nc=00000001, cnonce="x", nextnonce="y"'], (bytes) => {
  parseParams(text(bytes));
});

target(
  'helper replies',
  [
    'OK user=alice group=staff group="two words"',
    'ERR message="no such user"',
    'TT TlRMTVNTUAAC',
    'AF * alice',
    'BH why',
    '3 OK ha1="00ff"',
  ],
  (bytes) => {
    const line = text(bytes);
    takeChannel(line);
    assert.ok(['OK', 'ERR', 'BH', 'TT', 'AF', 'NA'].includes(parseReply(line).result));
  },
);

target('helper lines', ['OK user=alice\r\nERR\n', `${'x'.repeat(40)}\nOK\n`, '\n\r\n\r\r\n'], (bytes) => {
  const most = 16;
  const wanted = text(bytes).split('\n');
  const last = wanted.pop();
  const lines = [...wanted, ...(last.length > most ? [last] : [])].map((line) =>
    line.length > most ? [line.slice(0, most), false] : [line.replace(/\r$/, ''), true],
  );
  // However the bytes are cut.
  for (const size of [bytes.length || 1, 7, 1]) {
    const read = [];
    const reader = new LineReader(most, (line, whole) => read.push([line, whole]));
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
    assert.deepEqual(read, lines);
  }
});

const TARGETS_OF_REQUESTS = [
  'http://origin.test/a//b/../c?d=e',
  'https://user:password@origin.test:8443?a',
  'http://[2001:db8::1]:8080/',
  'HTTP://ORIGIN.test',
  'http://127.0.0.1:80/',
  'origin.test:443',
  '[::1]:443',
  '/a',
  '*',
];

target('request targets', TARGETS_OF_REQUESTS, (bytes) => {
  const url = text(bytes);
  for (const method of ['GET', 'OPTIONS']) {
    const parsed = parseForwardTarget(method, url);
    if (!parsed.ok || parsed.target.form !== 'absolute') continue;
    const { absolute, authority, host, path, port } = parsed.target;
    assert.match(authority, /^[\w.~:[\]-]+$/);
    assert.match(path, method === 'OPTIONS' ? /^[/*]/ : /^\//);
    // The next hop, and whoever asks the guard again, reads the same; but OPTIONS of a whole server has no path.
    assert.deepEqual(parseForwardTarget(method, absolute), parsed);
    const request = { method, url: absolute, httpVersion: '1.1', rawHeaders: ['Host', authority] };
    assert.equal(guardRequest(request, 'request').ok, true);
    agreeOnPlace(absolute, host, port);
  }
  const connect = parseConnectTarget(url);
  if (connect.ok) agreeOnPlace(`http://${url}/`, connect.target.host, connect.target.port);
});

/** Browsers read the URL as we do. Where they see a number, they write it as an address: `0x7f.1`. */
function agreeOnPlace(absolute, host, port) {
  if (!URL.canParse(absolute)) return;
  const url = new URL(absolute);
  assert.equal(Number(url.port || (url.protocol === 'https:' ? 443 : 80)), port);
  if (/^[0-9.]+$/.test(url.hostname) || url.hostname.startsWith('[')) return;
  assert.equal(url.hostname, host);
}

const FIELDS = [
  'Connection: close, X-Hop, content-length\r\nX-Hop: a\r\nContent-Length: 5\r\nKeep-Alive: b\r\nX: c',
  'connection: te\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nProxy-Authorization: a\r\nUpgrade: x\r\nHost: a',
];

target('header fields', FIELDS, (bytes) => {
  const raw = text(bytes)
    .split('\r\n')
    .flatMap((line) => {
      const [name, ...value] = line.split(':');
      return [name, value.join(':').trim()];
    });
  const kept = endToEnd(raw);
  // The framing of a body is nobody's to take away by Connection.
  assert.deepEqual(valuesOf(kept, 'content-length'), valuesOf(raw, 'content-length'));
  for (const name of ['connection', 'transfer-encoding', 'proxy-authorization', 'upgrade']) {
    assert.deepEqual(valuesOf(kept, name), []);
  }
  assert.deepEqual(endToEnd(kept), kept);
});

const RESPONSES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: 1\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 204 No Content\r\nConnection: close\r\n\r\n',
  'HTTP/1.1 200 Connection established\r\n\r\ntunnel',
];

target('responses', RESPONSES, (bytes) => {
  for (const method of ['GET', 'HEAD', 'CONNECT']) {
    // In one piece and byte by byte it must read the same.
    const whole = readResponse(method, [bytes]);
    const pieces = readResponse(
      method,
      [...bytes.subarray(0, 400)].map((byte) => Buffer.from([byte])),
    );
    if (bytes.length <= 400) assert.deepEqual(pieces, whole);
  }
});

function readResponse(method, pieces) {
  const reader = new ResponseReader({ method, upgrade: false }, 64 * 1024);
  const seen = { status: [], body: '', end: 'open' };
  try {
    for (const piece of pieces) {
      reader.push(piece);
      if (drain(reader, seen)) return seen;
    }
    reader.close();
    drain(reader, seen);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    seen.end = 'malformed';
    // How much of a body had come before the fault was found depends on the pieces.
    seen.body = '';
  }
  return seen;
}

/** True at the end of the response. */
function drain(reader, seen) {
  for (;;) {
    const event = reader.next();
    if (event.kind === 'need-data') return false;
    if (event.kind === 'head' || event.kind === 'informational') seen.status.push(event.head.status);
    if (event.kind === 'data') seen.body += event.data.toString('latin1');
    if (event.kind === 'end') {
      seen.end = 'end';
      return true;
    }
  }
}
