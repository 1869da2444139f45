import { Command, CommanderError, Option } from 'commander';
import { check } from './check.ts';
import { EXIT, Exit } from './exit.ts';
import { HASH_KINDS, hash } from './hash.ts';
import { say } from './output.ts';
import { runTiers } from './run.ts';
import { trace } from './trace.ts';
import { version } from './version.ts';

/** Values of a repeatable option, in order. */
const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

function withConfig(command: Command): Command {
  return command
    .addOption(
      new Option('-c, --config <file>', 'configuration; may be repeated, later files override')
        .argParser(collect)
        .default([]),
    )
    .addOption(
      new Option('--set <key=value>', 'override one key: --set downstream.listen=127.0.0.1:0')
        .argParser(collect)
        .default([]),
    );
}

function withReady(command: Command): Command {
  return withConfig(command).option('--ready-file <file>', 'write where the tiers listen, as JSON, when all accept');
}

/** Every command returns its exit status. */
function program(done: (status: number) => void): Command {
  const command = new Command('chain407')
    .description('HTTP 407 made reproducible, explainable and, where the account is good, invisible')
    .version(version())
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text) });
  const run =
    <A extends unknown[]>(action: (...args: A) => Promise<number>) =>
    async (...args: A): Promise<void> =>
      done(await action(...args));

  withReady(command.command('up').description('both tiers of a file in one process'))
    .option('--demo', 'start an origin too, make one request and show its legs')
    .action(run((options) => runTiers(['downstream', 'upstream'], options)));
  withReady(command.command('downstream').description('the downstream tier alone, for deployment')).action(
    run((options) => runTiers(['downstream'], options)),
  );
  withReady(command.command('upstream').description('the upstream tier alone, for deployment')).action(
    run((options) => runTiers(['upstream'], options)),
  );
  withConfig(command.command('check').description('validate a configuration; prints every problem with its place'))
    .option('--json', 'machine-readable')
    .action(run(check));
  command
    .command('trace <url>')
    .description('one request through a proxy: every leg, and a verdict')
    .option(
      '-x, --proxy <url>',
      'the proxy, http://HOST:PORT or https:// (default: http_proxy, https_proxy, all_proxy)',
    )
    .option('--proxy-cacert <file>', 'the authority that signed the certificate of an https proxy, in PEM form')
    .option(
      '-u, --user <user[:password]>',
      'credentials for the proxy; without a password it is asked for; ":" for Kerberos; a token with --scheme bearer',
    )
    .option('--scheme <name>', 'answer challenges of this scheme only')
    .option('-X, --request <method>', 'the method', 'GET')
    .option('--connect', 'through a tunnel (https always is)')
    .option('--json', 'machine-readable')
    .action(run((url: string, options) => trace(url, options)));
  command
    .command('hash [name]')
    .description('read a password from stdin, print entries for users')
    .option('--user <name>', 'the same as the name')
    .option('--realm <realm>', 'as in upstream.realm: adds what Digest and NTLM take in place of the password')
    .addOption(new Option('--kind <kind>', 'print this one only, without comments on stdout').choices(HASH_KINDS))
    .option('--json', 'machine-readable')
    .action(run(hash));
  return command;
}

/** The status to exit with after `error`, and what to say about it. */
function complain(error: unknown): number {
  if (error instanceof Exit) {
    say(`chain407: ${error.message}`);
    return error.status;
  }
  // Commander has said it already; asking for help or the version is no mistake.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.good : EXIT.usage;
  say(`chain407: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return EXIT.failed;
}

// Whoever read stdout may have gone (`| head`): then there is nobody to tell. Otherwise data is lost, and that is said.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') say(`chain407: cannot write to standard output: ${error.message}`);
  process.exit(EXIT.failed);
});
process.stderr.on('error', () => undefined);

let status: number = EXIT.good;
try {
  await program((outcome) => {
    status = outcome;
  }).parseAsync(process.argv);
} catch (error) {
  status = complain(error);
}
process.exitCode = status;
