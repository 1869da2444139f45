/** Exit statuses (the same for every command). */
export const EXIT = { good: 0, failed: 1, usage: 2 } as const;

/** Ends a command with a status and what to say on stderr. The one place that exits is `main.ts`. */
export class Exit extends Error {
  override readonly name = 'Exit';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
