import { CONTROLS } from '../../controls.ts';
import type { Credentials } from '../../message.ts';
import { MASK } from '../../secret.ts';
import { readCredentials } from './credentials.ts';

/** As many characters of a nonce as tell it from others. */
const NONCE_SHOWN = 12;

/** The fields of Digest credentials that may be shown; with those that are not as they should be, what is wrong. */
export function describeDigest(credentials: Credentials): Record<string, string> {
  const { params } = credentials;
  const read = readCredentials(credentials);
  const name = read.ok ? read.credentials.name : undefined;
  const username = name !== undefined && 'username' in name ? name.username : plain(params.get('username'));
  const fields: Record<string, string | undefined> = {
    username,
    userhash: plain(params.get('userhash')),
    realm: plain(params.get('realm')),
    uri: plain(params.get('uri')),
    algorithm: plain(params.get('algorithm')),
    qop: plain(params.get('qop')),
    nc: plain(params.get('nc')),
    nonce: shortened(params.get('nonce')),
    cnonce: shortened(params.get('cnonce')),
    // What a dictionary could be tried on.
    response: params.has('response') ? MASK : undefined,
    malformed: read.ok ? undefined : read.why,
  };
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined),
  );
}

const MAX_SHOWN = 200;

/** What a client wrote, in one line and short. */
function plain(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const short = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return short.replace(CONTROLS, '?');
}

function shortened(text: string | undefined): string | undefined {
  const shown = plain(text);
  return shown === undefined || shown.length <= NONCE_SHOWN ? shown : `${shown.slice(0, NONCE_SHOWN)}…`;
}
