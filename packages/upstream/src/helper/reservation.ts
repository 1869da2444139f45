import type { HelperAnswer, HelperProcess } from './helper-process.ts';

/** A helper program that answers nobody else until it is released: the legs of one handshake. */
export interface Reservation {
  /** False once it was released, also where it was kept for too long. */
  readonly held: boolean;
  /** One line at a time. Never rejects. */
  ask(line: string): Promise<HelperAnswer>;
  /** It may serve others. Any number of times; while it still owes a reply, as soon as that is there. */
  release(): void;
}

/**
 * `legTimeout`: milliseconds that may pass between a reply and the next request, before the program is taken back: else
 * clients that begin handshakes and never end them would soon hold all. `free`: called once, when it is released.
 */
export function reservationOf(process: HelperProcess, legTimeout: number, free: () => void): Reservation {
  let held = true;
  let asking = false;
  let timer = setTimeout(release, legTimeout).unref();

  function release(): void {
    clearTimeout(timer);
    const was = held;
    held = false;
    if (was && !asking) free();
  }

  return {
    get held() {
      return held;
    },
    release,
    ask: async (line) => {
      if (!held || asking) return { ok: false, why: 'the handshake is over' };
      clearTimeout(timer);
      asking = true;
      const answer = await process.ask(line);
      asking = false;
      if (held) timer = setTimeout(release, legTimeout).unref();
      else free();
      return answer;
    },
  };
}
