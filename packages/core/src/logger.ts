import { MASK } from '@chain407/auth';
import type { DestinationStream, Logger } from 'pino';
import { pino } from 'pino';
import { PinoPretty } from 'pino-pretty';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * A logger that writes JSON lines to `destination`, by default stderr; readable lines where stderr is a terminal.
 * Secrets do not get here as text (they are of the type `Secret`); `redact` is the second line of defence.
 */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const stream = destination ?? (process.stderr.isTTY ? prettyStderr() : jsonStderr());
  return pino(
    { level, base: null, redact: { paths: ['password', '*.password', 'token', '*.token'], censor: MASK } },
    stream,
  );
}

/**
 * The same logger without {@link createLogger}'s second line of defence, which looks into every value of every line: for one
 * who writes often, and nothing but text and numbers that were made for the log.
 */
export function frequentLogger(logger: Logger): Logger {
  return logger.child({}, { redact: [] });
}

/** What cannot be written (a full disk) is kept up to this size, then dropped: a proxy does not end over its log. */
const MAX_UNWRITTEN = 1024 * 1024;

let stderr: DestinationStream | undefined;

function jsonStderr(): DestinationStream {
  if (stderr !== undefined) return stderr;
  const stream = pino.destination({ fd: 2, sync: true, maxLength: MAX_UNWRITTEN });
  stream.on('error', () => undefined);
  stderr = gathered(stream);
  return stderr;
}

/** The lines of one turn of the event loop go out in one piece: a proxy writes one for every request. */
function gathered(stream: DestinationStream): DestinationStream {
  let lines = '';
  const flush = (): void => {
    if (lines !== '') stream.write(lines);
    lines = '';
  };
  process.on('exit', flush);
  return {
    write: (line) => {
      if (lines === '') setImmediate(flush);
      lines += line;
    },
  };
}

function prettyStderr(): DestinationStream {
  const colorize = process.env.NO_COLOR === undefined || process.env.NO_COLOR === '';
  return PinoPretty({ destination: 2, sync: true, colorize, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname' });
}
