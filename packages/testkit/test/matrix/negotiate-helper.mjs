// A helper program for Negotiate that takes raw NTLM tokens, as a Windows proxy does: Squid's protocol on stdin and stdout.
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { ntHash, ntlmVerifier, Secret, withToken } from '@chain407/auth';

/** NAME=PASSWORD … */
const accounts = new Map(process.argv.slice(2).map((text) => text.split('=')));
const verifier = ntlmVerifier(
  { target: { domain: 'LAB', computer: 'HELPER' } },
  {
    entropy: randomBytes,
    clock: Date.now,
    findAccount: (_domain, name) => {
      const password = accounts.get(name);
      return password === undefined ? undefined : { principal: { name }, ntHash: ntHash(new Secret(password)) };
    },
  },
);

let state;
for await (const line of createInterface({ input: process.stdin })) {
  const [, token = ''] = line.split(' ');
  const request = { method: 'GET', target: '/', peerHost: 'proxy' };
  const turn = await verifier.judge(withToken('ntlm', token), request, line.startsWith('KK') ? state : undefined);
  state = turn.kind === 'continue' ? turn.state : undefined;
  if (turn.kind === 'continue') process.stdout.write(`TT ${turn.challenge.token68}\n`);
  else if (turn.kind === 'accept') process.stdout.write(`AF * ${turn.principal.name}\n`);
  else process.stdout.write(`NA ${turn.log}\n`);
}
