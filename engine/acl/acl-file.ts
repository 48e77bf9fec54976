/** Shell: the file that users are kept in. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import type { AclFile, AclStart } from './acl.ts';

/** Users as the flags say, and chance that nobody can guess. */
export function aclOf(flags: {
  readonly users?: readonly string[];
  readonly aclFile?: string | null;
}): AclStart {
  return {
    users: flags.users,
    file: openAclFile(flags.aclFile ?? null),
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
  };
}

/** The file at `path`; null: none. Text is latin1, one character per byte. */
export function openAclFile(path: string | null): AclFile | null {
  if (path === null) return null;
  return {
    path,
    read() {
      try {
        return readFileSync(path, 'latin1');
      } catch (error) {
        throw new Error(`--aclfile: ${(error as Error).message}; make it, it may be empty`);
      }
    },
    write(text) {
      const fresh = `${path}.${process.pid}.new`;
      try {
        const file = openSync(fresh, 'w', 0o600);
        try {
          writeSync(file, Buffer.from(text, 'latin1'));
          fsyncSync(file);
        } finally {
          closeSync(file);
        }
        // The old file or the new one is there, whenever the machine stops.
        renameSync(fresh, path);
        return null;
      } catch (error) {
        return (error as Error).message;
      }
    },
  };
}
