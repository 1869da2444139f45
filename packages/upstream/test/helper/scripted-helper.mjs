// A helper program of Squid's protocol for tests. Knows what to do by the request itself:
//   say TEXT       replies TEXT, in which \n begins a new line
//   split TEXT     replies TEXT byte by byte, each in a write of its own
//   hold           replies nothing; `flush` replies to it and to all others that were held, last one first
//   hang           never replies, and ignores that its input ends
//   die STATUS     says so on its standard error and exits
//   mute           closes its output
//   pid            replies OK pid=…
//   YR TOKEN       replies TT with a token that holds its process number; KK TOKEN: AF with what the token of YR held
//   YR|KK TOKEN    where the token holds `do REQUEST`: does that
// Arguments: --channels reads and writes channel-IDs; --stubborn ignores that its input ends.
import { createInterface } from 'node:readline';

const channels = process.argv.includes('--channels');
let stubborn = process.argv.includes('--stubborn');
const held = [];
let opened = 'nobody';

function write(text) {
  process.stdout.write(`${text}\n`);
}

function handle(line) {
  const [, channel = '', request = ''] = channels ? (/^(\d+) (.*)$/.exec(line) ?? []) : ['', '', line];
  obey(request, channel);
}

function obey(request, channel) {
  const reply = (text) => write(channels ? `${channel} ${text}` : text);
  const [verb = '', ...words] = request.split(' ');
  const rest = words.join(' ');
  const inside = /^(YR|KK)$/.test(verb) ? Buffer.from(rest, 'base64').toString() : '';
  if (inside.startsWith('do ')) return obey(inside.slice(3), channel);
  switch (verb) {
    case 'say':
      return reply(rest.replaceAll('\\n', '\n'));
    case 'split':
      return split(channels ? `${channel} ${rest}\n` : `${rest}\n`);
    case 'hold':
      return held.push(() => reply(`OK held=${rest}`));
    case 'flush': {
      // In one write.
      process.stdout.cork();
      for (const one of [() => reply('OK'), ...held.splice(0)].reverse()) one();
      return process.stdout.uncork();
    }
    case 'hang':
      stubborn = true;
      return undefined;
    case 'die':
      process.stderr.write(`dying of ${rest}\n`);
      return process.exit(Number(rest));
    case 'mute':
      stubborn = true;
      return process.stdout.end();
    case 'pid':
      return reply(`OK pid=${process.pid}`);
    case 'YR':
      opened = inside;
      return reply(`TT ${Buffer.from(`${process.pid}`).toString('base64')}`);
    case 'KK':
      return reply(`AF ${opened}`);
    default:
      return reply(`ERR message="${verb}?"`);
  }
}

async function split(text) {
  for (const byte of Buffer.from(text)) {
    await new Promise((done) => process.stdout.write(Buffer.of(byte), done));
  }
}

// So that it stays when its input ends.
setInterval(() => undefined, 60_000);
createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
  .on('line', handle)
  .on('close', () => {
    if (!stubborn) process.exit(0);
  });
