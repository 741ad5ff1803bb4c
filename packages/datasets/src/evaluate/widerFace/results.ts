// The results files of WiderFace: one text file per image in a folder per event.
import type { ImageRecord } from '../../types.ts';
import { badLine, type Line, linesOf, numberIn } from '../lines.ts';
import type { ImageDetections } from '../results.ts';
import type { ResultsFile } from '../voc/results.ts';
import { placeOf, withoutEnding } from './place.ts';
import type { WiderFaceDetection, WiderFaceResult } from './types.ts';

/**
 * The detections of one image as the WiderFace evaluation takes them; its folder is the event.
 *
 * Units    corners in, x, y, width, height out; pixels of the original image
 * Throws   DatasetError when the image lies in no folder
 * Example  toWiderFaceResult(dataset.record(0), found)
 */
export const toWiderFaceResult = (
  { file }: Pick<ImageRecord, 'file'>,
  { boxes, scores }: Pick<ImageDetections, 'boxes' | 'scores'>,
): WiderFaceResult => {
  const detections = Array.from(scores, (score, i): WiderFaceDetection => {
    const [x1, y1] = [boxes[4 * i]!, boxes[4 * i + 1]!];
    return { bbox: [x1, y1, boxes[4 * i + 2]! - x1, boxes[4 * i + 3]! - y1], score };
  });
  return { ...placeOf('toWiderFaceResult', file), detections };
};

/**
 * The results file of one image: its name, the number of detections, and x, y, width, height and score of each.
 *
 * Units    pixels; numbers are written such that reading gives the same ones
 * Example  const { name, text } = formatWiderFaceResult(result) // name is 'event/image.txt'
 */
export const formatWiderFaceResult = ({ event, name, detections }: WiderFaceResult): ResultsFile => ({
  name: `${event}/${name}.txt`,
  text: [
    `${event}/${name}.jpg`,
    detections.length,
    ...detections.map(({ bbox, score }) => `${bbox.join(' ')} ${score}`),
    '',
  ].join('\n'),
});

/**
 * What a results file says of one image; the file's folder is the event.
 *
 * Throws   DatasetError, naming file and line, when a line is malformed or the number of detections is wrong
 * Example  parseWiderFaceResult(text, 'results/0--Parade/0_Parade_marchingband_1_465.txt')
 */
export const parseWiderFaceResult = (text: string, file: string): WiderFaceResult => {
  const label = 'parseWiderFaceResult';
  const [head, size, ...lines] = linesOf(text);
  const fault = (needs: string, line: Line | undefined, number: number): Error =>
    badLine({ label, file, line: line?.number ?? number, needs, got: line?.words.join(' ') ?? '' });
  if (head === undefined) throw fault('the name of an image', head, 1);
  const count = size?.words.length === 1 ? numberIn(size.words[0]) : undefined;
  if (count === undefined || !Number.isInteger(count) || count < 0)
    throw fault('the number of detections', size, head.number + 1);
  if (lines.length !== count) {
    const last = lines.at(-1)?.number ?? head.number + 1;
    throw badLine({ label, file, line: last, needs: `${count} detections`, got: String(lines.length) });
  }
  const detections = lines.map((line): WiderFaceDetection => {
    const [x, y, width, height, score] = line.words.map(numberIn);
    if (
      line.words.length !== 5 ||
      x === undefined ||
      y === undefined ||
      width === undefined ||
      height === undefined ||
      score === undefined
    )
      throw fault('x, y, width, height and score', line, line.number);
    return { bbox: [x, y, width, height], score };
  });
  const { event } = placeOf(label, file);
  const image = head.words.join(' ').replace(/^.*[\\/]/, '');
  return { event, name: withoutEnding(image), detections };
};
