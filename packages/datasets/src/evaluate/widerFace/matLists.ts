// Ground truth for the WiderFace evaluation out of its authors' MATLAB files.
import { DatasetError } from '../../errors.ts';
import type { CocoBox } from '../types.ts';
import { type MatValue, readMat } from './mat.ts';
import { withoutEnding } from './place.ts';
import type { WiderFaceGroundTruth, WiderFaceImage } from './types.ts';

/** The contents of the authors' files: `wider_face_val.mat`, and per setting `wider_easy_val.mat` and so on. */
export interface WiderFaceMats {
  readonly faces: Uint8Array;
  readonly settings: Readonly<Record<string, Uint8Array>>;
}

/**
 * The ground truth in the MATLAB files of the WiderFace evaluation tools.
 *
 * Units    x, y, width, height in pixels; faces counted from 1 in the files and from 0 in the result
 * Throws   DatasetError, naming file and variable, when a file is no such file or the lists do not fit together
 * Example  readWiderFaceMats({ faces, settings: { easy, medium, hard } })
 */
export const readWiderFaceMats = async ({
  faces,
  settings,
}: WiderFaceMats): Promise<WiderFaceGroundTruth> => {
  const base = { file: 'faces', variables: await readMat(faces, 'faces') };
  const events = cellsOf(base, 'event_list').map((cell, i) => textOf(base, cell, `event_list{${i + 1}}`));
  const names = nested(base, 'file_list', events.length);
  const boxes = nested(base, 'face_bbx_list', events.length);
  const lists: (readonly [string, Variables, readonly MatValue[][]])[] = [];
  for (const [setting, bytes] of Object.entries(settings)) {
    const file = { file: setting, variables: await readMat(bytes, setting) };
    lists.push([setting, file, nested(file, 'gt_list', events.length)]);
  }
  const images = events.flatMap((event, e) =>
    names[e]!.map((cell, i): WiderFaceImage => {
      const place = `{${e + 1}}{${i + 1}}`;
      const found = boxesOf(base, boxes[e]![i], `face_bbx_list${place}`);
      const counted = lists.map(([setting, file, list]) => [
        setting,
        indicesOf(file, list[e]![i], found.length, `gt_list${place}`),
      ]);
      const name = withoutEnding(textOf(base, cell, `file_list${place}`));
      return { event, name, faces: found, counted: Object.fromEntries(counted) };
    }),
  );
  return { settings: Object.keys(settings), images };
};

/** The variables of a file. */
interface Variables {
  readonly file: string;
  readonly variables: ReadonlyMap<string, MatValue>;
}

const fault = ({ file }: Variables, variable: string, needs: string): DatasetError =>
  new DatasetError(
    `readWiderFaceMats(${file}): needs ${needs} as ${variable}, got something else. Use the files of the WiderFace evaluation tools.`,
    { file, field: variable },
  );

const cellsOf = (file: Variables, variable: string): readonly MatValue[] => {
  const value = file.variables.get(variable);
  if (value?.kind !== 'cells') throw fault(file, variable, 'a cell array');
  return value.cells;
};

/** Cells of cells: one list per event. */
const nested = (file: Variables, variable: string, events: number): MatValue[][] => {
  const outer = cellsOf(file, variable);
  if (outer.length !== events) throw fault(file, variable, `${events} cells`);
  return outer.map((value, e) => {
    if (value.kind === 'cells') return [...value.cells];
    if (value.kind === 'numbers' && value.data.length === 0) return [];
    throw fault(file, `${variable}{${e + 1}}`, 'a cell array');
  });
};

const textOf = (file: Variables, value: MatValue, place: string): string => {
  if (value.kind === 'text') return value.text;
  // A cell around the text, as some versions of the files have it.
  if (value.kind === 'cells' && value.cells.length === 1) return textOf(file, value.cells[0]!, place);
  throw fault(file, place, 'text');
};

const boxesOf = (file: Variables, value: MatValue | undefined, place: string): CocoBox[] => {
  if (value?.kind !== 'numbers') throw fault(file, place, 'boxes');
  const { data, shape } = value;
  if (data.length === 0) return [];
  const count = shape[0]!;
  if (shape[1] !== 4 || shape.length !== 2 || !data.every(Number.isFinite))
    throw fault(file, place, 'boxes of four finite numbers');
  return Array.from({ length: count }, (_, i) => [0, 1, 2, 3].map((column) => data[column * count + i]!)).map(
    ([x, y, width, height]) => [x!, y!, width!, height!] as const,
  );
};

const indicesOf = (file: Variables, value: MatValue | undefined, faces: number, place: string): number[] => {
  if (value?.kind !== 'numbers') throw fault(file, place, 'indices of faces');
  const indices = Array.from(value.data, (index) => index - 1);
  const isFace = (index: number): boolean => Number.isInteger(index) && index >= 0 && index < faces;
  if (!indices.every(isFace)) throw fault(file, place, `indices from 1 to ${faces}`);
  return indices;
};
