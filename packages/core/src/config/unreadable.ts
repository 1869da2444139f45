/** Why a file cannot be read: `there is no such file`, without its path. */
export function whyUnreadable(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'this is a folder' : message;
}

/** The same as a sentence, with the path. */
export function fileProblem(path: string, error: unknown): string {
  return `the file ${path} cannot be read: ${whyUnreadable(error)}`;
}
