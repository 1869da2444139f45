// Plays the package `kerberos` for kerberos.test.ts: the name of the service says what happens.
export const GSS_C_MUTUAL_FLAG = 2;
export const GSS_MECH_OID_SPNEGO = 6;
export const GSS_MECH_OID_KRB5 = 9;

const { KRB5CCNAME = 'none', KRB5_CLIENT_KTNAME = 'none' } = process.env;
const asJson = (value) => Buffer.from(JSON.stringify(value)).toString('base64');

/** What the first step of a context does, for services for which it does not give a token. */
const UNUSUAL = {
  'HTTP@unknown.test': () => {
    throw new Error(
      'Unspecified GSS failure.  Minor code may provide more information: Server HTTP/unknown.test@TEST not found in Kerberos database',
    );
  },
  'HTTP@no-ticket.test': ({ mechOID }) => {
    const said = mechOID === GSS_MECH_OID_SPNEGO ? 'SPNEGO cannot find mechanisms to negotiate' : 'Ticket expired';
    throw new Error(`No credentials were supplied, or the credentials were unavailable or inaccessible: ${said}`);
  },
  'HTTP@silent.test': () => new Promise(() => undefined),
  'HTTP@crash.test': () => process.kill(process.pid, 'SIGKILL'),
};

export async function initializeClient(service, options) {
  return {
    contextComplete: false,
    async step(token) {
      if (token !== '') {
        if (token === 'forged') throw new Error('Mutual authentication failed');
        this.contextComplete = token === 'last';
        return this.contextComplete ? null : asJson({ after: token });
      }
      await UNUSUAL[service]?.(options);
      return asJson({ service, ...options, KRB5CCNAME, KRB5_CLIENT_KTNAME, pid: process.pid });
    },
  };
}
