import {
  describeChallenge,
  describeCredentials,
  negotiateClient,
  whenSettled,
  withToken,
} from '../../packages/auth/dist/index.js';
import { isTurn, REQUEST, SCHEMES } from './conversations.mjs';
import { target } from './target.mjs';

/** Changes to base64 mostly make it none: here the bytes that it stands for are changed. */
for (const scheme of SCHEMES.filter(({ verifier }) => verifier.binding === 'connection')) {
  const { legs, verifier } = scheme;
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
