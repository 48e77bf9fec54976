/**
 * Images are names of programs here: the table says what to run for an image. What the container
 * gives as args comes behind, as behind an image's entrypoint.
 */
export interface ImageEntry {
  /** The name without tag; "meridian-engine" stands for meridian-engine:anything. */
  readonly image: string;
  /** Program and first arguments; absolute paths. */
  readonly command: readonly string[];
}

/** The command for an image, or null when the table has no such image. */
export function findCommand(table: readonly ImageEntry[], image: string): readonly string[] | null {
  const name = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  const base = name.slice(name.lastIndexOf('/') + 1);
  const entry = table.find((one) => one.image === name || one.image === base);
  return entry?.command ?? null;
}
