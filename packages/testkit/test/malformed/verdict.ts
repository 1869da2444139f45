import type { Outcome } from './lane.ts';

/** How often a client was told that its request is no good, or that it did not come. */
const REFUSAL = /^HTTP\/1\.1 (400|405|408|413|414|417|431|501|502|503|504|505) /m;

/** What a hop says of its own connection. */
const OWN = /^(close|keep-alive|upgrade)$/i;

/**
 * What is wrong with what came of a request, or nothing. `wanted`: `must-reject`: no whole message of it reaches the next hop;
 * otherwise refused, or forwarded in one reading.
 */
export function whyWrong(wanted: string, { client, hop }: Outcome): string | undefined {
  const bad = hop.find(({ rest }) => rest.startsWith('bad'));
  if (bad !== undefined) return `the next hop got what it cannot read: ${bad.rest}`;
  const messages = hop.flatMap((reading) => reading.messages);
  const answers = client.match(/HTTP\/1\.1 [2-5]\d\d /g) ?? [];
  if (messages.length > answers.length) return `${messages.length} requests for ${answers.length} answers`;
  const passedOn = messages
    .flatMap(({ fields }) => fields)
    .find(([name, value]) => name === 'connection' && !OWN.test(value));
  if (passedOn !== undefined) return `the Connection of the client was passed on: ${passedOn[1]}`;
  if (wanted !== 'must-reject') return undefined;
  if (messages.length > 0)
    return `a whole request reached the next hop: ${messages.map(({ first }) => first).join(' | ')}`;
  if (client !== '' && !REFUSAL.test(client)) return `no refusal: ${JSON.stringify(client.slice(0, 80))}`;
  return undefined;
}
