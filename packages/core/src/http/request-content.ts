import type { IncomingMessage } from 'node:http';

/** No more of a request's content came in time. */
export class StalledContent extends Error {
  override readonly name = 'StalledContent';
}

/**
 * Reads the whole content of a request (RFC 9110 §6.4) and puts it back: whoever takes the request over reads it once more,
 * trailers and end as they came. `undefined` where it is more than `limit` bytes (what was read is put back all the same),
 * or where the client left before the end. Rejects with {@link StalledContent} when no byte of it comes in `patience` ms.
 */
export function peekContent(req: IncomingMessage, limit: number, patience: number): Promise<Buffer | undefined> {
  // It is the connection's, which has one of its own for when this is over.
  const { timeout = 0 } = req.socket;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (whole: boolean): void => {
      req.off('readable', read).off('close', onClose).off('timeout', onTimeout).setTimeout(timeout);
      const bytes = Buffer.concat(chunks);
      // In the same turn in which the last of it was read, so that the end has not been told yet.
      if (bytes.length > 0 && !req.destroyed) req.unshift(bytes);
      resolve(whole ? bytes : undefined);
    };
    const onClose = (): void => settle(false);
    const onTimeout = (): void => {
      reject(new StalledContent());
      settle(false);
    };
    const read = (): void => {
      while (req.readableLength > 0) {
        const bytes = req.read() as Buffer | null;
        if (bytes === null) break;
        chunks.push(bytes);
        size += bytes.length;
      }
      if (size > limit) settle(false);
      // `complete`: the parser has seen the end of the message. A `read` here would tell it.
      else if (req.complete) settle(true);
      // Asks for more; with nothing there it gives nothing.
      else req.read(0);
    };
    req.on('readable', read).once('close', onClose).setTimeout(patience, onTimeout);
    read();
  });
}
