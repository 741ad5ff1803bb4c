// The images of an annotation file, entry by entry.
import { bytes, joinPieces } from '../columns.ts';
import type { JsonEntry } from '../json/reading.ts';
import { type ImageColumns, imageColumns } from '../table.ts';
import { entryFields, type FileAtHand } from './entries.ts';
import { entryIndices, refuseRepeated } from './rows.ts';

/** The images that have an id, whether they can be used or not: objects refer to them. */
export interface FoundImages {
  readonly columns: ImageColumns;
  /** 0 for an image that has to be left out with its objects. */
  readonly isKept: Uint8Array;
}

/** Images while the file is being read. */
export interface ImageReader {
  add(entry: JsonEntry, index: number): void;
  /** All images; ids that occur twice are found here. */
  finish(): FoundImages;
}

const names = ['id', 'file_name', 'width', 'height'];
const [id, fileName, width, height] = [0, 1, 2, 3];

/** Pixels per side that a column can hold. */
const largestSide = 2 ** 31 - 1;

/**
 * A reader of the entries of `images`.
 */
export const imageReader = (context: FileAtHand): ImageReader => {
  const fields = entryFields(context, 'images', names);
  const columns = imageColumns();
  const isKept = bytes();
  const entries = entryIndices();
  return {
    add: (entry, index) => {
      if (!fields.open(entry, index)) return;
      const found = fields.integer(id);
      if (found === undefined) return;
      const file = safePath(context, fields.text(fileName), index);
      // of several faults the first is told
      const across = file === undefined ? undefined : fields.integer(width, 1, largestSide);
      const down = across === undefined ? undefined : fields.integer(height, 1, largestSide);
      columns.add({ id: found, file: file ?? '', width: across ?? 1, height: down ?? 1 });
      isKept.push(down === undefined ? 0 : 1);
      entries.add(index);
    },
    finish: () => {
      const found = {
        columns: columns.take(),
        isKept: joinPieces(isKept.take(), (length) => new Uint8Array(length)),
      };
      refuseRepeated(context, 'images', found.columns.ids, entries.reader(), (row) => {
        found.isKept[row] = 0;
      });
      return found;
    },
  };
};

/** The name, or undefined, with a problem, when it could lead out of the image folder. */
const safePath = (
  { label, file, problems }: FileAtHand,
  name: string | undefined,
  index: number,
): string | undefined => {
  if (name === undefined) return undefined;
  const isAbsolute = /^([/\\]|[a-z][a-z0-9+.-]*:)/i.test(name);
  const leaves = name.split(/[/\\]/).includes('..');
  if (!isAbsolute && !leaves && !name.includes('\0')) return name;
  problems.addOf('unsafe path', () => {
    const place = `images[${index}].file_name`;
    const message = `${label}(${file}): needs file names inside the image folder, got ${JSON.stringify(name)} in ${place}. Use paths relative to the image folder, without "..".`;
    return { file, place, image: name, message };
  });
  return undefined;
};
