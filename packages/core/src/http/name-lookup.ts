import { lookup } from 'node:dns';
import type { LookupFunction, Socket } from 'node:net';
import { isIP } from 'node:net';

/** Names that are looked up at a time, beyond which a new one fails at once; squid's queue to its helpers has such an end as well. */
const MOST = 1_024;

/**
 * Node's `lookup` with one call at a time for each name. A call takes a thread until the resolver gives up, tens of seconds for a
 * name whose servers are silent, and cannot be called off: each request for such a name would take another one, and there are few.
 */
export function shareLookups(resolve: LookupFunction, most: number = MOST): LookupFunction {
  const underWay = new Map<string, Parameters<LookupFunction>[2][]>();
  return (host, options, callback) => {
    const asked = `${host} ${JSON.stringify(options)}`;
    const others = underWay.get(asked);
    if (others !== undefined) {
      others.push(callback);
      return;
    }
    if (underWay.size >= most) {
      const error = Object.assign(new Error('too many names are being looked up'), { code: 'EAI_AGAIN' });
      process.nextTick(callback, error, '');
      return;
    }
    const callbacks = [callback];
    underWay.set(asked, callbacks);
    resolve(host, options, (...result) => {
      underWay.delete(asked);
      for (const done of callbacks) done(...result);
    });
  };
}

/** How both tiers turn names into addresses. */
export const lookupName: LookupFunction = shareLookups(lookup as LookupFunction);

/** Ask the result whether the socket, which connects to `host`, is still without an address. */
export function awaitsAddress(socket: Socket, host: string): () => boolean {
  let awaits = isIP(host) === 0;
  socket.once('lookup', () => {
    awaits = false;
  });
  return () => awaits;
}
