// A helper program of Squid's protocol for tests, for basic (`user password`, %-escaped) and digest (`"user":"realm"`).
// It counts its requests, and replies by the user name:
//   alice     OK, with two groups; basic: where the password is "right"
//   renamed   OK, by another name with the number of the request
//   broken    BH
//   odd       OK, by a name with a line feed; digest: without ha1
//   lost      nothing: it exits
// To anybody else: ERR, with what it read as a message.
import { createInterface } from 'node:readline';

let count = 0;

function request(line) {
  const digest = /^"(.*?)":"(.*)"$/.exec(line);
  if (digest !== null) return { user: digest[1], ok: `OK ha1="${`${count}`.padStart(32, 'A')}"` };
  const [user, password] = line.split(' ').map(decodeURIComponent);
  return { user, password, ok: 'OK' };
}

function reply(line) {
  count += 1;
  const { user, password = 'right', ok } = request(line);
  const seen = `ERR message=${encodeURIComponent(`${count}: ${user}`)}`;
  switch (user) {
    case 'alice':
      return password === 'right' ? `${ok} group=staff group="night shift"` : seen;
    case 'renamed':
      return `${ok} user=CORP%5Crenamed%20${count}`;
    case 'broken':
      return 'BH message="no directory"';
    case 'odd':
      return line.startsWith('"') ? 'OK' : 'OK user="a\\nb"';
    case 'lost':
      return process.exit(7);
    default:
      return seen;
  }
}

createInterface({ input: process.stdin }).on('line', (line) => process.stdout.write(`${reply(line)}\n`));
