import { MemoryStore } from './memory-store.ts';
import type { StateListener, StateStore } from './state-store.ts';

/** One end of what connects a worker with the process that holds the state: `process` there, a `Worker` of cluster here. */
export interface StateChannel {
  send(message: object): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

const OPERATIONS = ['get', 'set', 'add', 'delete', 'useCount'] as const;
type Operation = (typeof OPERATIONS)[number];

interface Question {
  readonly state: 'ask';
  readonly id: number;
  readonly operation: Operation;
  readonly args: readonly unknown[];
}

interface Subscription {
  readonly state: 'subscribe';
  readonly key: string;
}

interface Answer {
  readonly state: 'answer';
  readonly id: number;
  readonly result?: unknown;
}

interface News {
  readonly state: 'news';
  readonly key: string;
  readonly value?: string;
}

type Message = Question | Subscription | Answer | News;

/** Messages of others share the channel. */
const isOurs = (message: unknown): message is Message =>
  typeof message === 'object' && message !== null && 'state' in message;

/** Serves a store to the process at the other end. Returns how to stop: what it subscribed to, and the leases that it holds. */
export function serveStateStore(store: StateStore, channel: StateChannel): () => Promise<void> {
  const leases = new Map<string, string>();
  const subscriptions = new Map<string, () => void>();
  const answer = async ({ id, operation, args }: Question): Promise<void> => {
    if (!OPERATIONS.includes(operation)) return;
    const result = await (store[operation] as (...args: readonly unknown[]) => unknown)(...args);
    const [key = '', value = ''] = args as readonly string[];
    if (operation === 'add' && result === true) leases.set(key, value);
    if (operation === 'delete') leases.delete(key);
    channel.send({ state: 'answer', id, result } satisfies Answer);
  };
  channel.on('message', (message) => {
    if (!isOurs(message)) return;
    if (message.state === 'ask') void answer(message);
    if (message.state !== 'subscribe' || subscriptions.has(message.key)) return;
    const { key } = message;
    const tell: StateListener = (value) =>
      channel.send({ state: 'news', key, ...(value === undefined ? {} : { value }) } satisfies News);
    subscriptions.set(key, store.subscribe(key, tell));
  });
  return async () => {
    for (const unsubscribe of subscriptions.values()) unsubscribe();
    // What a dead worker was trying, another may try.
    await Promise.all([...leases].map(([key, value]) => store.delete(key, value)));
  };
}

/** The store of a worker: asks the process that holds the state. */
export class ChannelStore implements StateStore {
  readonly #channel: StateChannel;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  /** What was heard of keys that somebody here listens to. */
  readonly #news = new MemoryStore(Date.now);
  #asked = 0;

  constructor(channel: StateChannel) {
    this.#channel = channel;
    channel.on('message', (message) => {
      if (!isOurs(message)) return;
      if (message.state === 'answer') {
        this.#waiting.get(message.id)?.(message.result);
        this.#waiting.delete(message.id);
      } else if (message.state === 'news') {
        const { key, value } = message;
        void (value === undefined ? this.#news.delete(key) : this.#news.set(key, value, 0));
      }
    });
  }

  get(key: string): Promise<string | undefined> {
    return this.#ask('get', key) as Promise<string | undefined>;
  }

  set(key: string, value: string, ttl: number): Promise<void> {
    return this.#ask('set', key, value, ttl) as Promise<void>;
  }

  add(key: string, value: string, ttl: number): Promise<boolean> {
    return this.#ask('add', key, value, ttl) as Promise<boolean>;
  }

  delete(key: string, value?: string): Promise<void> {
    return this.#ask('delete', key, ...(value === undefined ? [] : [value])) as Promise<void>;
  }

  subscribe(key: string, listener: StateListener): () => void {
    this.#channel.send({ state: 'subscribe', key } satisfies Subscription);
    return this.#news.subscribe(key, listener);
  }

  useCount(nonce: string, nc: number, expires: number): Promise<boolean> {
    return this.#ask('useCount', nonce, nc, expires) as Promise<boolean>;
  }

  async close(): Promise<void> {
    await this.#news.close();
  }

  #ask(operation: Operation, ...args: readonly unknown[]): Promise<unknown> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#channel.send({ state: 'ask', id, operation, args } satisfies Question);
    });
  }
}
