// The evaluation of a dataset's own authors, beside COCO's: PASCAL VOC's average precision, WiderFace's three settings, and
// the results files that their tools read.
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Dataset, ImageDetections, VocDetection, WiderFaceResult } from '@autoassign/datasets';
import {
  DatasetError,
  evaluateVoc,
  evaluateWiderFace,
  formatVocResults,
  formatWiderFaceResult,
  readWiderFaceMats,
  toVocDetections,
  toWiderFaceResult,
  vocGroundTruthOf,
} from '@autoassign/datasets';
import { writeFileAtomic } from './atomicFile.ts';

/** What the authors' evaluation says. */
export interface OwnEvaluation {
  /** The numbers, for `summary.json`. */
  readonly numbers: object;
  /** The same in lines for people. */
  readonly text: string;
  /** Results files by their path below the run folder. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

/** What the evaluation of a format needs besides the dataset. */
export interface OwnEvaluationOptions {
  readonly split?: string | undefined;
  /** Folder with the MATLAB files of the WiderFace tools. */
  readonly widerLists?: string | undefined;
}

/**
 * The authors' evaluation of the detections, one per image in the order of the dataset; undefined for formats without one.
 *
 * Throws   DatasetError when a list of WiderFace cannot be read
 */
export async function ownEvaluationOf(
  dataset: Dataset,
  detections: readonly ImageDetections[],
  options: OwnEvaluationOptions,
): Promise<OwnEvaluation | undefined> {
  if (dataset.format === 'voc') return vocEvaluationOf(dataset, detections, options);
  if (dataset.format === 'widerface') return widerFaceEvaluationOf(dataset, detections, options);
  return undefined;
}

const percent = (share: number | null): string => (share === null ? '-' : (100 * share).toFixed(1));

function vocEvaluationOf(
  dataset: Dataset,
  detections: readonly ImageDetections[],
  { split = 'test' }: OwnEvaluationOptions,
): OwnEvaluation {
  const truth = vocGroundTruthOf(dataset);
  const found: VocDetection[] = detections.flatMap((inImage, index) =>
    toVocDetections(dataset.record(index), inImage),
  );
  const area = evaluateVoc(truth, found);
  const points = evaluateVoc(truth, found, { average: '11 points' });
  const perClass = Object.fromEntries(area.perClass.map(({ name, ap }) => [name, ap]));
  const classes = area.perClass.map(({ name, ap }) => `${name} ${percent(ap)}`).join(', ');
  return {
    numbers: { voc: { ap50: area.meanAp, ap50At11Points: points.meanAp, perClass } },
    text: `PASCAL VOC, IoU 0.5: AP ${percent(area.meanAp)} (area), ${percent(points.meanAp)} (11 points); by area: ${classes}`,
    files: formatVocResults(dataset.classes, found, { set: split }).map(({ name, text }) => ({
      name: join('voc', name),
      text,
    })),
  };
}

/** The settings of WiderFace, by the names of their files. */
const settings = ['easy', 'medium', 'hard'] as const;

async function widerFaceEvaluationOf(
  dataset: Dataset,
  detections: readonly ImageDetections[],
  { widerLists }: OwnEvaluationOptions,
): Promise<OwnEvaluation> {
  const results = detections.map((inImage, index) => toWiderFaceResult(dataset.record(index), inImage));
  const files = results.map((result) => {
    const { name, text } = formatWiderFaceResult(result);
    return { name: join('widerface', name), text };
  });
  if (widerLists === undefined) {
    const text =
      'WiderFace: easy, medium and hard need the lists of its evaluation tools; give their folder with --wider-lists.';
    return { numbers: {}, text, files };
  }
  return { ...(await widerFaceScores(results, widerLists)), files };
}

async function widerFaceScores(
  results: readonly WiderFaceResult[],
  folder: string,
): Promise<Omit<OwnEvaluation, 'files'>> {
  const [easy, medium, hard] = await Promise.all(
    settings.map((setting) => listIn(folder, `wider_${setting}_val.mat`)),
  );
  const faces = await listIn(folder, 'wider_face_val.mat');
  const truth = await readWiderFaceMats({ faces, settings: { easy: easy!, medium: medium!, hard: hard! } });
  const scores = evaluateWiderFace(truth, results);
  const words = settings.map((setting) => `${setting} ${percent(scores[setting]?.ap ?? null)}`);
  const numbers = Object.fromEntries(settings.map((setting) => [setting, scores[setting]?.ap ?? null]));
  return { numbers: { widerface: numbers }, text: `WiderFace AP: ${words.join(', ')}` };
}

async function listIn(folder: string, name: string): Promise<Uint8Array> {
  const file = join(folder, name);
  try {
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    throw new DatasetError(
      `eval(${file}): needs the list of the WiderFace evaluation tools, got no file that can be read. Put the four .mat files into the folder of --wider-lists.`,
      { file, cause },
    );
  }
}

/** Writes the results files below a folder. */
export async function writeOwnResults(folder: string, { files }: OwnEvaluation): Promise<void> {
  for (const { name, text } of files) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, text);
  }
}
