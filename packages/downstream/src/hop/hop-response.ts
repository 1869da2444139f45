import type { ResponseHead } from '@chain407/core';
import type { HopError } from './hop-error.ts';
import type { BodyConsumer } from './outbound-request.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** A body that nobody wants is read up to this size, in bytes; beyond it a new connection is cheaper. */
const MAX_UNWANTED = 64 * 1024;

/**
 * A response of the next hop whose head is here and whose body is still to come, or has been collected. Gives its
 * connection back when the body has ended.
 */
export class HopResponse {
  readonly head: ResponseHead;
  readonly connection: UpstreamConnection;
  readonly #release: () => void;
  #collected: Buffer | undefined;
  #failure: HopError | undefined;

  constructor(head: ResponseHead, connection: UpstreamConnection, release: () => void) {
    this.head = head;
    this.connection = connection;
    this.#release = release;
  }

  /** The body that {@link collect} has read; after that there is nothing to consume. */
  get collected(): Buffer | undefined {
    return this.#collected;
  }

  /** Why {@link collect} did not come to the end of the body. */
  get failure(): HopError | undefined {
    return this.#failure;
  }

  /** Streams the body to a consumer; when it ends, the connection is free before `end` is called. */
  consume(consumer: BodyConsumer): void {
    this.connection.consume({
      data: (bytes) => consumer.data(bytes),
      end: (trailers) => {
        this.#release();
        consumer.end(trailers);
      },
      fail: (error) => consumer.fail(error),
    });
  }

  /** Nobody wants the body: reads it to its end and lets the connection go. */
  async finish(): Promise<void> {
    if (this.#collected === undefined) await this.collect(MAX_UNWANTED);
    this.#release();
  }

  /**
   * Reads the body to its end, which the next leg on the same connection needs, and keeps it, should it be what the
   * client gets in the end. Beyond `limit` bytes, or when it breaks off, the connection is given up. The connection is
   * not released: the caller goes on with it.
   */
  collect(limit: number): Promise<void> {
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const finish = (): void => {
        this.#collected = Buffer.concat(chunks);
        resolve();
      };
      this.connection.consume({
        data: (bytes) => {
          size += bytes.length;
          if (size > limit) this.connection.destroy();
          else chunks.push(bytes);
          return true;
        },
        end: finish,
        fail: (error) => {
          this.#failure = error;
          finish();
        },
      });
    });
  }
}
