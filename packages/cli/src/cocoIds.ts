// The ids that an annotation file in COCO's form gives pictures and classes, for results that its evaluation takes.
import { readFile } from 'node:fs/promises';
import { basename, sep } from 'node:path';
import { describeError, UsageError } from './exitCodes.ts';
import type { CocoIds } from './foundFiles.ts';

interface NamedId {
  readonly id: number;
  readonly name: string;
}

/** What an annotation file says of pictures and classes. */
export interface KnownIds {
  readonly file: string;
  readonly images: readonly NamedId[];
  readonly categories: readonly NamedId[];
}

function namedIds(value: unknown, nameField: string): readonly NamedId[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((entry: Readonly<Record<string, unknown>> | null) => {
    const [id, name] = [entry?.id, entry?.[nameField]];
    return typeof id === 'number' && typeof name === 'string' ? [{ id, name }] : [];
  });
}

/**
 * The ids in a file with COCO's `images` and `categories`.
 *
 * Throws   UsageError naming the file when it cannot be read or has neither
 */
export async function readKnownIds(file: string): Promise<KnownIds> {
  let content: Readonly<Record<string, unknown>>;
  try {
    content = JSON.parse(await readFile(file, 'utf8')) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new UsageError(`--annotations needs a JSON file, got ${file} (${describeError(error)}). Check it.`);
  }
  const [images, categories] = [namedIds(content.images, 'file_name'), namedIds(content.categories, 'name')];
  if (images !== undefined && categories !== undefined) return { file, images, categories };
  throw new UsageError(
    `--annotations needs a file with COCO's 'images' and 'categories', got ${file} without. Name an annotation file.`,
  );
}

/**
 * The ids of pictures by their paths and of classes by their names; without a file both count from 1.
 *
 * Throws   UsageError naming the picture or class that the file does not have
 */
export function idsFor(
  paths: readonly string[],
  classes: readonly string[],
  known: KnownIds | undefined,
): CocoIds {
  if (known === undefined)
    return { images: paths.map((_, index) => index + 1), categories: classes.map((_, label) => label + 1) };
  const missing = (what: string, name: string): never => {
    throw new UsageError(
      `--annotations needs every ${what}, got ${known.file} without '${name}'. Name the file that has it.`,
    );
  };
  const byBasename = new Map<string, NamedId[]>();
  for (const image of known.images) {
    const key = basename(image.name);
    byBasename.set(key, [...(byBasename.get(key) ?? []), image]);
  }
  const byName = new Map(known.categories.map(({ id, name }) => [name, id]));
  return {
    images: paths.map((path) => {
      const candidates = byBasename.get(basename(path)) ?? [];
      const slashed = `/${path.split(sep).join('/')}`;
      const suiting = candidates.filter(({ name }) => slashed.endsWith(`/${name}`));
      const [only, another] = suiting.length > 0 ? suiting : candidates;
      return only === undefined || another !== undefined ? missing('picture', path) : only.id;
    }),
    categories: classes.map((name) => byName.get(name) ?? missing('class', name)),
  };
}
