import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { printed } from './program.ts';

/** Makes `FOLDER/served/repository.git` with one commit, whose README is `text`. */
export async function makeRepository(folder: string, text: string): Promise<void> {
  const work = join(folder, 'work');
  mkdirSync(work);
  const git = (...args: string[]) => printed('git', args, { folder: work });
  await git('init', '-q', '-b', 'main');
  writeFileSync(join(work, 'README'), text);
  await git('add', 'README');
  await git('-c', 'user.name=Test', '-c', 'user.email=test@localhost', 'commit', '-q', '-m', 'Begin');
  await git('clone', '-q', '--bare', '.', '../served/repository.git');
  // For the dumb protocol, which reads files and nothing else.
  await git('--git-dir=../served/repository.git', 'update-server-info');
}

/** Serves what {@link makeRepository} has made, by Git's own CGI program; it speaks both protocols. */
export function serveGit(folder: string, req: IncomingMessage, res: ServerResponse): void {
  const { pathname, searchParams } = new URL(req.url ?? '', 'http://localhost');
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    GIT_PROJECT_ROOT: join(folder, 'served'),
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_PROTOCOL: [req.headers['git-protocol']].join(),
    HTTP_CONTENT_ENCODING: req.headers['content-encoding'],
    PATH_INFO: pathname,
    QUERY_STRING: searchParams.toString(),
    REQUEST_METHOD: req.method,
    CONTENT_TYPE: req.headers['content-type'],
    CONTENT_LENGTH: req.headers['content-length'],
    REMOTE_ADDR: '127.0.0.1',
  };
  const backend = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  backend.stdin.on('error', () => undefined);
  backend.on('error', (error) => res.destroy(error));
  req.pipe(backend.stdin);
  const output: Buffer[] = [];
  backend.stdout.on('data', (bytes: Buffer) => output.push(bytes));
  backend.once('close', () => answer(Buffer.concat(output), res));
}

/** From a CGI program's output (RFC 3875 §6) to a response. */
function answer(output: Buffer, res: ServerResponse): void {
  const end = output.indexOf('\r\n\r\n');
  const fields = output.subarray(0, end).toString('latin1').split('\r\n');
  const headers = fields.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const status = headers.find(([name]) => name.toLowerCase() === 'status')?.[1] ?? '200';
  const body = output.subarray(end + 4);
  res.writeHead(
    Number.parseInt(status, 10),
    headers
      .filter(([name]) => !/^(status|content-length)$/i.test(name))
      .concat([['Content-Length', `${body.length}`]])
      .flat(),
  );
  res.end(body);
}
