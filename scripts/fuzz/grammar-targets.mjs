import assert from 'node:assert/strict';
import {
  describeChallenge,
  describeCredentials,
  formatMessage,
  parseChallenges,
  parseCredentials,
  parseParams,
} from '../../packages/auth/dist/index.js';
import { SCHEMES } from './conversations.mjs';
import { target, text } from './target.mjs';

const LINES = SCHEMES.flatMap(({ legs }) => legs).map(({ line }) => line);

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
