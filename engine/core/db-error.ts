/**
 * What a command may be told by the database, in Redis' own words where Redis has the error.
 *
 * The first word is the code that clients match on. `DbError` is an expected outcome, thrown before
 * anything has changed; everything else that is thrown in the core is a bug.
 */

export type DbErrorCode = 'WRONGTYPE' | 'INVALIDOBJ' | 'ERR' | 'OOM' | 'READONLY';

export class DbError extends Error {
  readonly code: DbErrorCode;

  /** `text` is the sentence after the code; the reply is `-CODE text`. */
  constructor(code: DbErrorCode, text: string) {
    super(`${code} ${text}`);
    this.code = code;
  }
}

export const wrongType = () =>
  new DbError('WRONGTYPE', 'Operation against a key holding the wrong kind of value');
export const notAHyperLogLog = () =>
  new DbError('WRONGTYPE', 'Key is not a valid HyperLogLog string value.');
export const corruptHyperLogLog = () => new DbError('INVALIDOBJ', 'Corrupted HLL object detected');
export const notAnInteger = () => new DbError('ERR', 'value is not an integer or out of range');
export const notAFloat = () => new DbError('ERR', 'value is not a valid float');
export const overflow = () => new DbError('ERR', 'increment or decrement would overflow');
export const hashNotAnInteger = () => new DbError('ERR', 'hash value is not an integer');
export const hashNotAFloat = () => new DbError('ERR', 'hash value is not a float');
export const scoreNotANumber = () => new DbError('ERR', 'resulting score is not a number (NaN)');
export const noSuchKey = () => new DbError('ERR', 'no such key');
export const listExhausted = () =>
  new DbError(
    'ERR',
    'no room between these elements of the list: write it anew (RENAME does that)',
  );
export const outOfMemory = () =>
  new DbError('OOM', "command not allowed when used memory > 'maxmemory'.");
export const readOnly = () =>
  new DbError('READONLY', "You can't write against a read only replica.");
export const infiniteResult = () => new DbError('ERR', 'increment would produce NaN or Infinity');
