/** Numbers that look random and are the same for the same seed (mulberry32). */
function generator(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  };
}

const MOST = 64 * 1024;
/** What breaks parsers: ends of things, separators, numbers at their limits. */
const DICTIONARY = [
  ...['"', '\\', ',', ', ', '=', ' ', '\t', '\0', '\r\n', ':', ';', '%', '%00', '%zz', 'é', '\u00ff'],
  ...['0', '-1', '4294967295', '4294967296', '99999999999999999999', 'ffffffff', '00000000', 'NaN'],
  ...['Basic ', 'Digest ', 'NTLM ', 'Negotiate ', 'Bearer ', 'realm="', 'nonce=', 'stale=true', 'qop="auth,auth-int"'],
  ...['algorithm=SHA-512-256-sess', "username*=UTF-8''%c3%a9", 'userhash=true', 'nc=ffffffff', 'charset=UTF-8'],
  ...['TlRMTVNTUAABAAAA', 'TlRMTVNTUAACAAAA', 'TlRMTVNTUAADAAAA', 'YIIB', 'oYIB', '===='],
  ...[
    'HTTP/1.1 407 x\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Content-Length: 5\r\n',
    '0\r\n\r\n',
    'ffffffffffffffff\r\n',
  ],
].map((text) => Buffer.from(text, 'latin1'));

/** Makes inputs from samples: some changes to one of them, or two of them joined, or nothing but noise. */
export class Mutator {
  #below;
  #samples;

  constructor(seed, samples) {
    this.#below = generator(seed);
    this.#samples = samples.map((sample) => Buffer.from(sample, 'latin1'));
  }

  next() {
    const below = this.#below;
    if (below(50) === 0) return Buffer.from(Array.from({ length: below(200) }, () => below(256)));
    let bytes = this.#sample();
    for (let changes = below(4) + (below(4) === 0 ? below(30) : 0); changes > 0; changes -= 1)
      bytes = this.#change(bytes);
    return bytes.subarray(0, MOST);
  }

  #sample() {
    return Buffer.from(this.#samples[this.#below(this.#samples.length)]);
  }

  #change(bytes) {
    const below = this.#below;
    const at = below(bytes.length + 1);
    const until = Math.min(bytes.length, at + 1 + below(16));
    switch (below(7)) {
      case 0:
        return bytes.subarray(0, at);
      case 1:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(until)]);
      case 2:
        return Buffer.concat([bytes.subarray(0, until), bytes.subarray(at)]);
      case 3:
        return Buffer.concat([bytes.subarray(0, at), DICTIONARY[below(DICTIONARY.length)], bytes.subarray(at)]);
      case 4:
        return Buffer.concat([bytes.subarray(0, at), this.#sample().subarray(below(20))]);
      case 5:
        if (at < bytes.length) bytes[at] = below(256);
        return bytes;
      default:
        if (at < bytes.length) bytes[at] ^= 1 << below(8);
        return bytes;
    }
  }
}
