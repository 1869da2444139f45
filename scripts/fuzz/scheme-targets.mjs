import { parseChallenges, parseCredentials, whenSettled } from '../../packages/auth/dist/index.js';
import { isTurn, REQUEST, SCHEMES } from './conversations.mjs';
import { target, text } from './target.mjs';

for (const scheme of SCHEMES) {
  const { legs, verifier } = scheme;
  const { name } = verifier;
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
        whenSettled(verifier.judge(parsed.credentials, REQUEST, state), (turn) => isTurn(turn, kinds)),
      );
      return Promise.all(pending);
    },
  );
}
