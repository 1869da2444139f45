import { ntlmChallenge } from './ntlm-challenge.mjs';

const refusal = (challenge) =>
  `HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: ${challenge}\r\nProxy-Connection: keep-alive\r\nContent-Length: 0\r\n\r\n`;

/**
 * For each scheme, what a next hop asks of a connection: given a head, the 407 that it gets, or nothing where it is served. They
 * verify as little as they can: that is no cost of the proxy that is measured.
 *
 * @type {Record<string, (account: string) => () => (head: string) => string | undefined>}
 */
export const GATES = {
  basic: (account) => {
    const wanted = Buffer.from(account).toString('base64');
    const challenge = refusal('Basic realm="bench"');
    const gate = (head) =>
      /\r\nproxy-authorization: *basic +([^\r]+)/i.exec(head)?.[1] === wanted ? undefined : challenge;
    return () => gate;
  },

  /** Whoever has answered the challenge is logged in, for as long as the connection lives. */
  ntlm: () => {
    const steps = { none: refusal('NTLM'), 1: refusal(`NTLM ${ntlmChallenge()}`), 3: undefined };
    return () => {
      let known = false;
      return (head) => {
        if (known) return undefined;
        const token = /\r\nproxy-authorization: *ntlm +([^\r]+)/i.exec(head)?.[1];
        const step = token === undefined ? 'none' : Buffer.from(token, 'base64')[8];
        known = step === 3;
        return steps[step];
      };
    };
  },
};
