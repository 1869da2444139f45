import { createHash } from 'node:crypto';
import { listOf, valuesOf } from '@chain407/core';

/** Protocols that the testkit's servers switch to; both then send back every byte. */
const SPOKEN: ReadonlySet<string> = new Set(['echo', 'websocket']);
/** RFC 6455 §1.3. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * The fields of a 101 to this request (name, value …), or `undefined` where it asks for no protocol that is spoken
 * here: then it is an ordinary request (RFC 9110 §7.8: a server may ignore Upgrade).
 */
export function switchProtocols(rawHeaders: readonly string[]): string[] | undefined {
  if (!listOf(rawHeaders, 'connection').includes('upgrade')) return undefined;
  const protocol = listOf(rawHeaders, 'upgrade').find((name) => SPOKEN.has(name));
  if (protocol === undefined) return undefined;
  const [key] = protocol === 'websocket' ? valuesOf(rawHeaders, 'sec-websocket-key') : [];
  const accept = key === undefined ? [] : ['Sec-WebSocket-Accept', websocketAccept(key)];
  return ['Connection', 'Upgrade', 'Upgrade', protocol, ...accept];
}

function websocketAccept(key: string): string {
  return createHash('sha1').update(`${key}${WEBSOCKET_GUID}`).digest('base64');
}
