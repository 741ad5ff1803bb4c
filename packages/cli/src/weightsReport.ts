// What was found in a file of weights, as sentences for people.
import type { CheckpointReport, FileReport } from '@autoassign/detector';

const containers: Readonly<Record<FileReport['container'], string>> = {
  safetensors: 'safetensors',
  'torch zip': 'PyTorch',
  'torch legacy': 'PyTorch (before version 1.6)',
};

const schemes: Readonly<Record<NonNullable<FileReport['scheme']>, string>> = {
  mmdetection: 'names of mmdetection',
  megvii: "Megvii's names",
  backbone: 'names of a ResNet alone',
};

/** The first few of many names, and how many more there are. */
function few(names: readonly string[], most = 4): string {
  const more = names.length > most ? ` and ${names.length - most} more` : '';
  return `${names.slice(0, most).join(', ')}${more}`;
}

/** What a file is, in a line, and what in it was not read. */
export function fileLines(path: string, arrays: number, report: FileReport): readonly string[] {
  const { container, place, scheme, prefix, foreign, dropped, classes } = report;
  const facts = [
    `${arrays} arrays`,
    scheme === undefined ? 'names that are not known' : schemes[scheme],
    ...(place === undefined ? [] : [`in its entry '${place}'`]),
    ...(prefix === '' ? [] : [`each with '${prefix}' before it, which was taken away`]),
    ...(classes === undefined ? [] : [`${classes.length} named classes`]),
  ];
  return [
    `${path}: ${containers[container]}, ${facts.join(', ')}.`,
    ...(foreign.length === 0
      ? []
      : [`Python objects beside the weights, not executed and left out: ${few(foreign)}.`]),
    ...(dropped.length === 0 ? [] : [`Not of a detector, left out: ${few(dropped)}.`]),
  ];
}

/** What a network got from a file, and what it did not. */
export function loadingLines(report: CheckpointReport): readonly string[] {
  const { loaded, missing, unexpected, mismatched, classMatch } = report;
  const all = loaded.length + missing.length + mismatched.length;
  const shapes = mismatched.map(({ name, wanted, found }) => `${name} (${found} instead of ${wanted})`);
  return [
    `${loaded.length} of ${all} parameters come from the file.`,
    ...(missing.length === 0 ? [] : [`Not in the file, as they begin: ${few(missing)}.`]),
    ...(mismatched.length === 0 ? [] : [`Of another shape, as they begin: ${few(shapes)}.`]),
    ...(unexpected.length === 0 ? [] : [`In the file without a place: ${few(unexpected)}.`]),
    ...(classMatch === undefined ? [] : [classLine(classMatch)]),
  ];
}

function classLine({ kept, fresh }: NonNullable<CheckpointReport['classMatch']>): string {
  const anew = fresh.length === 0 ? '' : ` New: ${few(fresh)}.`;
  return `Classes with weights of the file: ${kept.length === 0 ? 'none' : few(kept)}.${anew}`;
}
