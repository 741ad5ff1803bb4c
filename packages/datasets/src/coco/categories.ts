// The categories of an annotation file. Whatever is wrong with one is an error: without its class, objects would lose their meaning.
import { DatasetError } from '../errors.ts';
import type { JsonEntry } from '../json/reading.ts';
import { problemList } from '../problems.ts';
import { entryFields, type FileAtHand } from './entries.ts';

/** Classes by label, which counts categories by ascending id. */
export interface Categories {
  readonly classes: readonly string[];
  readonly categoryIds: readonly number[];
}

/** Categories while the file is being read. */
export interface CategoryReader {
  add(entry: JsonEntry, index: number): void;
  /**
   * All categories.
   *
   * Throws   DatasetError when there are none, or more than labels
   */
  finish(): Categories;
}

/** Labels have 16 bits. */
const mostCategories = 1 << 16;

/**
 * A reader of the entries of `categories`.
 *
 * Throws   DatasetError for entries that are wrong, and when two have one id or one name
 */
export const categoryReader = (context: FileAtHand): CategoryReader => {
  const { label, file } = context;
  const fields = entryFields({ label, file, problems: problemList('strict') }, 'categories', ['id', 'name']);
  const categories: { id: number; name: string }[] = [];
  const ids = new Map<number, string>();
  // classes are told apart by their names wherever people meet them
  const names = new Map<string, string>();
  return {
    add: (entry, index) => {
      fields.open(entry, index);
      const id = fields.integer(0)!;
      const name = fields.text(1)!;
      const place = `categories[${index}]`;
      refuseSame(ids.get(id), 'ids', id, place, 'id', 'Give each entry its own id.');
      refuseSame(names.get(name), 'category names', name, place, 'name', 'Rename one, or merge the two.');
      ids.set(id, place);
      names.set(name, place);
      categories.push({ id, name });
    },
    finish: () => {
      if (categories.length === 0 || categories.length > mostCategories)
        throw new DatasetError(
          `${label}(${file}): needs 1 to ${mostCategories} entries in categories, got ${categories.length}. Choose a file with categories.`,
          { file, field: 'categories' },
        );
      categories.sort((a, b) => a.id - b.id);
      return { classes: categories.map((c) => c.name), categoryIds: categories.map((c) => c.id) };
    },
  };

  function refuseSame(
    first: string | undefined,
    what: string,
    value: string | number,
    place: string,
    field: string,
    advice: string,
  ): void {
    if (first === undefined) return;
    throw new DatasetError(
      `${label}(${file}): needs unique ${what}, got ${JSON.stringify(value)} in both ${first} and ${place}. ${advice}`,
      { file, field: `${place}.${field}` },
    );
  }
};
