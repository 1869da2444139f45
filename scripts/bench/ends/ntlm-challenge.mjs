/** Flags of MS-NLMP 2.2.2.5: UNICODE, REQUEST_TARGET, NTLM, ALWAYS_SIGN, TARGET_TYPE_SERVER, EXTENDED_SESSIONSECURITY, TARGET_INFO. */
const FLAGS = 0x008a8205;
const NAME = Buffer.from('CHAIN407', 'utf16le');
const HEADER = 48;

/** AV_PAIR, MS-NLMP 2.2.2.1. */
function pair(id, value) {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(value.length, 2);
  return Buffer.concat([head, value]);
}

/** A CHALLENGE_MESSAGE, MS-NLMP 2.2.1.2, in base64; always the same one. */
export function ntlmChallenge() {
  const info = Buffer.concat([pair(2, NAME), pair(1, NAME), pair(0, Buffer.alloc(0))]);
  const header = Buffer.alloc(HEADER);
  header.write('NTLMSSP\0', 'latin1');
  header.writeUInt32LE(2, 8);
  fields(header, 12, NAME.length, HEADER);
  header.writeUInt32LE(FLAGS, 20);
  header.write('bench407', 24, 'latin1');
  fields(header, 40, info.length, HEADER + NAME.length);
  return Buffer.concat([header, NAME, info]).toString('base64');
}

function fields(header, at, length, offset) {
  header.writeUInt16LE(length, at);
  header.writeUInt16LE(length, at + 2);
  header.writeUInt32LE(offset, at + 4);
}
