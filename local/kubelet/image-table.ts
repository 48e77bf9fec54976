/**
 * Images are names of programs here: the table says what to run for an image. What the container
 * gives as args comes behind, as behind an image's entrypoint.
 */
export interface ImageEntry {
  /** The name without tag; "meridian-engine" stands for meridian-engine:anything. */
  readonly image: string;
  /** Program and first arguments; absolute paths. */
  readonly command: readonly string[];
  /** What the image sets in the environment, as ENV in a Dockerfile; the container's own goes first. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What to run for an image, or null when the table has no such image. */
export function findImage(table: readonly ImageEntry[], image: string): ImageEntry | null {
  const name = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  const base = name.slice(name.lastIndexOf('/') + 1);
  return table.find((one) => one.image === name || one.image === base) ?? null;
}
