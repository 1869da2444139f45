import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import { createEngine } from '../src/origin/http-proxy-engine.ts';

test('http-proxy 1.18.1 calls util._extend, of which a new Node warns: here it does not, and others still have it', () => {
  const util: { _extend?: unknown } = createRequire(import.meta.url)('node:util');
  const original = util._extend;
  const trap = (): never => {
    throw new Error('called');
  };
  util._extend = trap;
  try {
    const engine = createEngine();
    expect(util._extend).toBe(trap);
    let message = '';
    engine.on('error', (error) => {
      message = error.message;
    });
    // It copies its options first, and then finds no target in them.
    engine.web({} as IncomingMessage, {} as ServerResponse, {});
    expect(message).toContain('target');
  } finally {
    util._extend = original;
  }
});
