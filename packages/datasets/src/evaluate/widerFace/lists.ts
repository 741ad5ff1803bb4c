// Ground truth for the WiderFace evaluation: out of a dataset, out of a JSON file, out of the authors' MATLAB files.
import { DatasetError, oneLine } from '../../errors.ts';
import type { Annotation, Dataset } from '../../types.ts';
import { placeOf } from './place.ts';
import type { WiderFaceGroundTruth, WiderFaceImage } from './types.ts';

/**
 * The ground truth of a dataset, given which faces count in each setting; ignored faces never do.
 *
 * Units    x, y, width, height in pixels, as annotated
 * Throws   DatasetError when an image lies in no folder, which would be its event
 * Example  widerFaceGroundTruthOf(dataset, { all: () => true, large: (face) => face.size[1] >= 50 })
 */
export const widerFaceGroundTruthOf = (
  dataset: Dataset,
  settings: Readonly<Record<string, (face: Annotation) => boolean>>,
): WiderFaceGroundTruth => {
  const images = Array.from({ length: dataset.length }, (_, i): WiderFaceImage => {
    const { file, annotations } = dataset.record(i);
    const counted = Object.entries(settings).map(([setting, counts]) => [
      setting,
      [...annotations.keys()].filter((face) => {
        const annotation = annotations[face]!;
        return !annotation.isIgnored && !annotation.isCrowd && counts(annotation);
      }),
    ]);
    return {
      ...placeOf('widerFaceGroundTruthOf', file),
      faces: annotations.map(({ box, size }) => [box[0], box[1], size[0], size[1]] as const),
      counted: Object.fromEntries(counted),
    };
  });
  return { settings: Object.keys(settings), images };
};

/**
 * The ground truth in a JSON file of the form of `WiderFaceGroundTruth`: `settings`, and per image `event`, `name`, `faces` and `counted`.
 *
 * Throws   DatasetError, naming file and field, when the text is no such file
 * Example  parseWiderFaceGroundTruth('{"settings":["hard"],"images":[{"event":"0--Parade","name":"a","faces":[[5,5,20,30]],"counted":{"hard":[0]}}]}', 'lists.json')
 */
export const parseWiderFaceGroundTruth = (text: string, file: string): WiderFaceGroundTruth => {
  const fault = (field: string, needs: string, got: unknown): DatasetError =>
    new DatasetError(
      `parseWiderFaceGroundTruth(${file}): needs ${needs} as ${field}, got ${String(JSON.stringify(got)).slice(0, 80)}. Correct the file.`,
      { file, field },
    );
  const { settings, images } = fieldsOf(parseJson(text, file));
  if (!isListOf(settings, isName)) throw fault('settings', 'a list of names', settings);
  if (!Array.isArray(images)) throw fault('images', 'a list', images);
  for (const [i, image] of images.entries()) {
    const { event, name, faces, counted } = fieldsOf(image);
    if (!isName(event)) throw fault(`images[${i}].event`, 'a name', event);
    if (!isName(name)) throw fault(`images[${i}].name`, 'a name', name);
    const isBox = (box: unknown): boolean => isListOf(box, Number.isFinite) && box.length === 4;
    if (!isListOf(faces, isBox)) throw fault(`images[${i}].faces`, 'a list of boxes', faces);
    const isFace = (face: unknown): boolean => Number.isInteger(face) && faces[face as number] !== undefined;
    for (const setting of settings) {
      const list = fieldsOf(counted)[setting];
      if (!isListOf(list, isFace))
        throw fault(`images[${i}].counted.${setting}`, 'a list of indices of faces', list);
    }
  }
  return { settings, images } as WiderFaceGroundTruth;
};

const isName = (value: unknown): value is string => typeof value === 'string' && value !== '';

const isListOf = <Item>(
  value: unknown,
  isItem: ((item: unknown) => item is Item) | ((item: unknown) => boolean),
): value is Item[] => Array.isArray(value) && value.every((item: unknown) => isItem(item));

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const parseJson = (text: string, file: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DatasetError(
      `parseWiderFaceGroundTruth(${file}): needs a JSON file, got "${oneLine(cause)}". Write the file again.`,
      { file, cause },
    );
  }
};
